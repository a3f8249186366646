"""The kinds of texts that ``look`` takes, by the task in the model's contract."""

from __future__ import annotations

from pathlib import Path

from neocog.core import modelfile
from neocog.core.errors import ModelFileError
from neocog.tasks.model import Model
from neocog.tasks.relation_classification import NAME as RELATIONS
from neocog.tasks.tagging import NAME as TAGGING
from neocog.tasks.text_classification import NAME as TEXTS
from neocog.verbs.look_plain import PlainTexts
from neocog.verbs.look_relations import MarkedSentences
from neocog.verbs.look_tags import TaggedSentences

AnyKind = type[PlainTexts] | type[TaggedSentences] | type[MarkedSentences]
KINDS: dict[str, AnyKind] = {TEXTS: PlainTexts, TAGGING: TaggedSentences, RELATIONS: MarkedSentences}


def kind_of(model: str | Path | Model) -> AnyKind | None:
    """Returns the kind of texts that a model takes, by its file's header alone; None for what takes no texts."""
    if isinstance(model, Model):
        return KINDS.get(model.contract.task)
    try:
        return KINDS.get(modelfile.read_contract(Path(model)).task) if Path(model).is_file() else None
    except ModelFileError:
        return None


def is_of_texts(model: str | Path | Model) -> bool:
    """Tells whether a model takes texts of a kind that `KINDS` has."""
    return kind_of(model) is not None
