"""The kinds of texts that ``look`` takes, by the task in the model's contract."""

from __future__ import annotations

from pathlib import Path

from neocog.core import modelfile
from neocog.core.errors import ModelFileError, UsageError
from neocog.tasks.image_classification import NAME as PICTURES
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
    return KINDS.get(_task_of(model) or "")


def _task_of(model: str | Path | Model) -> str | None:
    """Returns the task in a model's contract; None for a network of the zoo and for a damaged file."""
    if isinstance(model, Model):
        return model.contract.task
    try:
        return modelfile.read_contract(Path(model)).task if Path(model).is_file() else None
    except ModelFileError:
        return None


def refuse_other_tasks(model: str | Path | Model) -> None:
    """Raises UsageError for a model of a task that ``look`` does not take; whoever opens a damaged file says so."""
    task = _task_of(model)
    if task not in (None, PICTURES, *KINDS):
        raise UsageError(f"look takes models of pictures, texts, tags and relations; this one's task is {task}.")


def is_of_texts(model: str | Path | Model) -> bool:
    """Tells whether a model takes texts of a kind that `KINDS` has."""
    return kind_of(model) is not None
