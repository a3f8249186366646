"""What the data say of a unit and of a picture: strongest patches, nearest neighbours, the cells of the confusion."""

from __future__ import annotations

import time
from typing import Any

import torch

from neocog.core.errors import UsageError
from neocog.explain import nearest_neighbours
from neocog.verbs.look_words import SeenText
from neocog.web.encode import LARGEST_THUMBNAIL, Json, png
from neocog.web.fields import box_of
from neocog.web.maps import sample_json
from neocog.web.session import Session
from neocog.web.survey import KEPT, Survey, feature_node, features_of

# How long a request looks further through the data before it answers with what was found so far.
SECONDS = 2.0
MOST_IN_CELL = 96


def looked_further(survey: Survey, seconds: float = SECONDS) -> Survey:
    """Goes on with the walk for a while, and until something was found at all."""
    end = time.monotonic() + seconds
    while not survey.done and (time.monotonic() < end or not survey.answers):
        survey.step()
    return survey


def _so_far(survey: Survey) -> Json:
    return {"looked": survey.looked, "total": survey.total, "refused": survey.refused}


def strongest_json(session: Session, survey: Survey, place: int, channel: int, count: int) -> Json:
    """Returns the patches of the data that excite a channel most, cut out by its receptive field.

    Where the field cannot be told, the whole picture stands for the patch and ``box`` is None.
    """
    session.channel(place, channel)
    found = looked_further(survey).strongest(place, channel, min(count, KEPT))
    return {"patches": [_patch(session, place, *each) for each in found]} | _so_far(survey)


def _patch(session: Session, place: int, sample: int, value: float, where: int) -> Json:
    sizes = session.nodes[place].shape[1:]
    width = sizes[-1] if sizes else 1
    row, column = (where // width, where % width) if len(sizes) > 1 else (0, where)
    read = session.readable(sample)
    if isinstance(read, SeenText):
        return _ngram(session, place, read, sample, value, where)
    pixels = read
    box = box_of(session, place, row, column)
    head: Json = {"sample": sample, "label": session.samples().label(sample), "value": value}
    head |= {"row": row, "column": column, "box": box}
    if pixels is None:
        return head | {"crop": None}
    if box is not None and box["height"] and box["width"]:
        pixels = pixels[:, box["top"] : box["top"] + box["height"], box["left"] : box["left"] + box["width"]]
    return head | {"crop": png(pixels, LARGEST_THUMBNAIL if max(pixels.shape[1:]) > LARGEST_THUMBNAIL else None)}


def _ngram(session: Session, place: int, seen: SeenText, sample: int, value: float, where: int) -> Json:
    """Returns the words of a text that a unit sees, the whole text where that cannot be told."""
    head = {"sample": sample, "label": session.samples().label(sample), "value": value, "row": 0, "column": where}
    fields, axes = session.fields[place], session.nodes[place].shape[1:]
    if len(fields) != 1 or len(axes) != 1 or axes[0] == 1:
        return head | {"crop": None, "box": None, "words": list(seen.tokens)}
    start, size = fields[0].start + where * fields[0].jump, fields[0].size
    box = {"top": 0, "left": start, "height": 1, "width": size}
    return head | {"crop": None, "box": box, "words": list(seen.words_at(start, size))}


def neighbours_json(session: Session, survey: Survey, id: int, count: int) -> list[Json]:
    """Returns the samples whose features are nearest to a picture's, the picture itself left out."""
    asked = features_of(session.passed(id).given[feature_node(session)][0])  # (1, D)
    own = session.picture(id).sample
    looked_further(survey)
    rows = [each.sample for each in survey.answers]
    itself = rows.index(own) if own in rows else -1
    left = len(rows) - (itself >= 0)
    if not left:
        return []
    features = survey.features().nan_to_num()
    found = nearest_neighbours(features, asked.nan_to_num(), min(count, left), exclude_self=[itself])
    pairs = zip(found.indices[0].tolist(), found.distances[0].tolist(), strict=True)
    result = []
    for row, distance in pairs:
        sample = sample_json(session, rows[row])
        result.append({"sample": sample["index"], "distance": distance} | sample)
    return result


def truths(session: Session) -> list[int | None]:
    """Returns for each class of the data its place among the model's classes, None where the model has none of it."""
    place: dict[str, int] = {name: index for index, name in enumerate(session.classes)}
    return [place.get(name) for name in session.samples().classes]


def confusion_json(session: Session, survey: Survey) -> Json:
    """Returns how often each true class (rows) was answered with each class (columns).

    Raises UsageError where the data have none of the model's classes.
    """
    known = truths(session)
    if all(each is None for each in known):
        raise UsageError("the data's classes are not the model's, so its answers are neither right nor wrong.")
    looked_further(survey)
    size = len(session.classes)
    matrix = torch.zeros(size, size, dtype=torch.long)
    for answer in survey.answers:
        truth = known[session.samples().part.labels[answer.sample]]
        if truth is not None:
            matrix[truth, answer.predicted] += 1
    used = [each for each in range(size) if matrix[each].any() or matrix[:, each].any()]
    shown = list(range(size)) if size <= 64 else used  # of a thousand classes, those that occur
    counted = int(matrix.sum())
    return {
        "classes": [session.classes[each] for each in shown],
        "indices": shown,
        "matrix": matrix[shown][:, shown].tolist(),
        "accuracy": float(matrix.trace()) / counted if counted else None,
        "n": counted,
    } | _so_far(survey)


def cell_json(session: Session, survey: Survey, truth: int, predicted: int) -> Json:
    """Returns the samples of one true class that were answered with one class, the surest first."""
    for each in (truth, predicted):
        if not 0 <= each < len(session.classes):
            raise UsageError(f"classes are numbered 0 to {len(session.classes) - 1}; got {each}.")
    known, labels = truths(session), session.samples().part.labels
    found: list[tuple[float, int]] = []
    for answer in looked_further(survey).answers:
        if known[labels[answer.sample]] == truth and answer.predicted == predicted:
            found.append((float(answer.logits.double().softmax(0)[predicted]), answer.sample))
    rows: list[Any] = [
        sample_json(session, sample) | {"predicted": session.classes[predicted], "probability": chance}
        for chance, sample in sorted(found, key=lambda each: (-each[0], each[1]))[:MOST_IN_CELL]
    ]
    return {"samples": rows} | _so_far(survey)
