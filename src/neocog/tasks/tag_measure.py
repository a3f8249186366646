"""A tagger measured on a part of a data set: tags are matched by name, a tag that the model lacks is refused."""

from __future__ import annotations

import numpy as np

from neocog.core.errors import DataError, near_names
from neocog.core.spans import OUTSIDE, scheme_of
from neocog.data.conll import TaggedSentence
from neocog.data.dataset import Part
from neocog.data.labels import class_list
from neocog.tasks.model import Model
from neocog.tasks.result import Occasion, Refused
from neocog.tasks.tag_metrics import TaggedWords
from neocog.tasks.tag_prediction import TaggedNumbers, TagPredictor
from neocog.tasks.tag_result import TaggingResult
from neocog.tasks.tag_words import refuse_slips


def measured(
    model: Model,
    part: Part[TaggedSentence],
    occasion: Occasion,
    *,
    batch_size: int | None = None,
    workers: int | None = None,
) -> TaggingResult:
    """Returns what a model answers for a part of tagged sentences.

    Spans in another scheme than the model's are compared in the model's. Raises DataError, with the sentence's name,
    for a tag that the model does not know.
    """
    predictor = model.predictor
    assert isinstance(predictor, TagPredictor)
    truth = true_tags(predictor, part)
    answered: dict[int, TaggedNumbers] = {}
    refused: list[Refused] = []
    read = model.batches(
        lambda index: predictor.read(part.items.read(index)), range(len(part)), batch_size=batch_size, workers=workers
    )
    for keys, errors, outputs in read:
        good = [key for key, error in zip(keys, errors, strict=True) if error is None]
        answered.update(zip(good, outputs, strict=True))
        refused += [Refused(part.items.name(key), str(why)) for key, why in zip(keys, errors, strict=True) if why]
    tags = [predictor.named(made) for made in answered.values()]
    own = [truth[index] for index in answered]
    of_spans = predictor.preprocessing.scheme is not None
    return TaggingResult(
        contract=model.contract,
        data=occasion.data,
        part=occasion.part,
        statement=occasion.statement,
        items=part.items,
        indices=np.array(list(answered), dtype=np.int64),
        words=tagged_words(own, tags, of_spans=of_spans),
        chances=[chance for made in answered.values() for chance in made.chances],
        refused=tuple(refused),
        warnings=occasion.warnings,
    )


def tagged_words(truth: list[list[str]], answered: list[list[str]], *, of_spans: bool) -> TaggedWords:
    """Returns sentences of tags as numbers of the tags that occur, in order; ``of_spans`` says what the tags are of."""
    tags = class_list(tag for sentences in (truth, answered) for sentence in sentences for tag in sentence)
    number = {tag: place for place, tag in enumerate(tags)}
    true, said = (
        np.array([number[tag] for own in column for tag in own], dtype=np.int64) for column in (truth, answered)
    )
    return TaggedWords(tags, np.array([len(own) for own in truth], dtype=np.int64), true, said, of_spans)


def true_tags(predictor: TagPredictor, part: Part[TaggedSentence]) -> list[list[str]]:
    """Returns the tags of each sentence of a part, in the scheme of the data that the model learned from."""
    numbers = predictor.preprocessing
    known = {_type(tag, numbers.learned) for tag in predictor.tags}
    sentences = [part.items.read(place) for place in range(len(part))]
    scheme = scheme_of(each.tags for each in sentences)
    if all(tag == OUTSIDE for each in sentences for tag in each.tags):
        scheme = numbers.scheme  # sentences without a span are of any scheme
    if (scheme is None) != (numbers.scheme is None) and any(each.tags for each in sentences):
        if scheme is None:
            refuse_slips(part)
        kinds = {True: "single words", False: "spans"}
        raise DataError(
            f"{part.items.name(0)}: the tags are of {kinds[scheme is None]} (e.g. {sentences[0].tags[0]}), and the "
            f"model's are of {kinds[numbers.scheme is None]} (e.g. {predictor.tags[0]}); name the column learned"
        )
    found = []
    for place, sentence in enumerate(sentences):
        learned = numbers.to_learn(sentence.tags)
        stray = next((tag for tag in learned if _type(tag, numbers.learned) not in known), None)
        if stray is not None:
            raise DataError(
                f"{part.items.name(place)}: the model does not know the tag {stray!r}; it knows "
                f"{', '.join(predictor.tags[:8])}{', ...' if len(predictor.tags) > 8 else ''}."
                f"{near_names(stray, predictor.tags)}"
            )
        found.append(list(sentence.tags) if scheme == numbers.scheme else numbers.to_data(learned))
    return found


def _type(tag: str, learned: str | None) -> str:
    """Returns what a tag must have in common with one that the model knows: of spans the type alone."""
    return tag if learned is None else tag.partition("-")[2]
