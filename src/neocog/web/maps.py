"""What is on screen of a picture: what the network sees, its answer with the softmax's arithmetic, and its maps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from neocog.core.errors import UsageError
from neocog.verbs.look_words import SeenText
from neocog.web.encode import LARGEST_THUMBNAIL, Json, array, png, shown_map
from neocog.web.fields import unit_fields
from neocog.web.kinds import Shown
from neocog.web.network import nodes_json
from neocog.web.session import Session

TOP = 10
MOST_MAPS = 256
MOST_SAMPLES = 96
MOST_CHARACTERS = 200


def picture_json(session: Session, shown: Shown) -> Json:
    """Returns a picture's record: its id, what the network sees of it, and the network's answer."""
    logits = session.logits(shown.id)
    chances = logits.double().softmax(0)
    order = torch.sort(logits, descending=True, stable=True).indices[:TOP].tolist()
    return {
        "picture": shown.id,
        **(_text(session, shown) if session.kind.name == "text" else _picture(shown)),
        "sample": shown.sample,
        "label": shown.label,
        "prediction": [
            {"class": session.classes[k], "index": k, "logit": float(logits[k]), "probability": float(chances[k])}
            for k in order
        ],
        "softmax": softmax_json(session, shown.id),
    }


def _picture(shown: Shown) -> Json:
    height, width = shown.pixels.shape[1:]
    return {"width": width, "height": height, "shown": png(shown.pixels)}


def _text(session: Session, shown: Shown) -> Json:
    """Returns a text by the places of the network's input, empty strings for padding; and what depends on its length.

    ``unknown`` are the places of words that the model does not know.
    """
    seen, nodes = shown.text, session.passed(shown.id).nodes
    width = shown.inputs.shape[1]
    known = zip(seen.places.tolist(), seen.known, strict=True)
    rows = nodes_json(session.runner, nodes, unit_fields(session.runner, nodes))
    return {
        "kind": "text",
        "width": width,
        "height": 1,
        "shown": None,
        "tokens": tokens_by_place(seen),
        "unknown": [place for place, told in known if not told],
        "nodes": [{key: row[key] for key in _BY_LENGTH} for row in rows],
    }


_BY_LENGTH = ("id", "shape", "field", "formula", "macs", "kernel", "stride", "padding", "dilation")


def tokens_by_place(seen: SeenText) -> list[str]:
    """Returns the words by the places of the network's input, empty strings for padding."""
    found = [""] * seen.inputs.shape[1]
    for place, token in zip(seen.places.tolist(), seen.tokens, strict=True):
        found[place] = token
    return found


def softmax_json(session: Session, id: int) -> Json:
    """Returns each step of the softmax over the classes: the shift by the greatest logit, the powers, their sum."""
    logits = session.logits(id).double()
    shift = logits.max()
    powers = (logits - shift).exp()
    total = powers.sum()
    columns = (logits.tolist(), powers.tolist(), (powers / total).tolist())
    rows = [
        {"index": k, "class": name, "logit": logit, "exp": power, "probability": chance}
        for k, (name, logit, power, chance) in enumerate(zip(session.classes, *columns, strict=True))
    ]
    return {"rows": rows, "sum": float(total), "shift": float(shift)}


def samples_json(session: Session, start: int, count: int) -> Json:
    """Returns some of the data's samples with their labels and thumbnails; none where there are no data."""
    if session.data is None:
        return {"total": 0, "statement": "", "samples": []}
    places = range(start, min(start + count, len(session.data)))
    rows = [sample_json(session, index) for index in places]
    return {"total": len(session.data), "statement": session.data.statement, "samples": rows}


def sample_json(session: Session, index: int) -> Json:
    """Returns one sample: its label, its thumbnail and, of texts, its beginning; None where it cannot be read."""
    read = session.readable(index)
    head = {"index": index, "label": session.samples().label(index)}
    if isinstance(read, SeenText):
        return head | {"thumbnail": None, "text": str(session.samples().read(index))[:MOST_CHARACTERS]}
    return head | {"thumbnail": None if read is None else png(read, LARGEST_THUMBNAIL), "text": None}


def maps_json(session: Session, id: int, place: int, start: int, count: int, order: str) -> Json:
    """Returns some of a node's maps for a picture, in the order of the channels or the strongest first.

    Raises UsageError for a node and a picture that are not there.
    """
    values = session.passed(id).values[session.node(place)][0]  # (C, ...)
    channels = ordered(values, order)
    if values.dim() == 1:
        return {"total": len(values), "order": channels, "maps": [], "vector": array(values)}
    maps = [
        {
            "channel": each,
            **shown_map(values[each]),
            "mean": float(values[each].mean()),
            "max": float(values[each].max()),
        }
        for each in channels[start : start + count]
    ]
    return {"total": len(values), "order": channels, "maps": maps, "vector": None}


def map_json(session: Session, id: int, place: int, channel: int) -> Json:
    """Returns one map exactly."""
    values = session.passed(id).values[session.node(place)][0]
    return {"node": place, "channel": channel, "map": array(values[session.channel(place, channel, id)])}


def ordered(values: Tensor, order: str) -> list[int]:
    """Returns the channels of (C, ...) by ``index``, or by ``strength``: the mean of their magnitudes."""
    if order not in ("index", "strength"):
        raise UsageError(f"the order of maps is index or strength; got {order!r}.")
    if order == "index":
        return list(range(len(values)))
    strength: Any = values.abs().flatten(1).mean(1) if values.dim() > 1 else values.abs()
    places: list[int] = torch.sort(strength.nan_to_num(), descending=True, stable=True).indices.tolist()
    return places
