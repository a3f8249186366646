"""A text as the network sees it, and what an explanation says of each of its words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError
from neocog.data.text_preprocess import PADDING, TextPreprocessing
from neocog.explain.entry import columns_of, entry
from neocog.tasks.model import Model
from neocog.tasks.text_prediction import TextPredictor
from neocog.verbs.look_methods import Method
from neocog.verbs.look_trust import ORDERS, Chances, Trust

MOST_STEPS = 32

# By the name of a word's feature, its part of each word's score (n,).
Parts = tuple[tuple[str, Tensor], ...]


@dataclass(frozen=True, eq=False)
class SeenText:
    """A text's ``tokens`` in the order of reading, and ``inputs`` (1, L) as the network takes them, margins included.

    ``known`` tells which of the tokens the model knows; ``places`` (n,) is where each of them stands in the inputs;
    ``unknown`` are the inputs of as many unknown words. Inputs (1, L, F) hold F numbers a word: the first of them,
    whose ``features`` are named, are what the word is, and the others, such as its place, are not explained.
    """

    tokens: tuple[str, ...]
    known: tuple[bool, ...]
    places: Tensor
    inputs: Tensor
    unknown: Tensor
    features: tuple[str, ...] = ()

    @property
    def among(self) -> Tensor:
        """Which places of the inputs (L,) hold a word."""
        found = torch.zeros(self.inputs.shape[1], dtype=torch.bool)
        found[self.places] = True
        return found

    def by_place(self, values: Tensor) -> Tensor:
        """Returns values by word (n,) as values by place of the inputs (1, L), 0 where there is no word."""
        made = values.new_zeros(1, self.inputs.shape[1])
        made[0, self.places] = values
        return made

    def words_at(self, start: int, length: int) -> tuple[str, ...]:
        """Returns the words of a run of places in the order of reading; empty strings stand for padding."""
        at: dict[int, tuple[int, str]] = {
            place: (number, token)
            for number, (place, token) in enumerate(zip(self.places.tolist(), self.tokens, strict=True))
        }
        found = [at.get(place, (-1, ""))[1] for place in range(start, start + length)]
        backward = len(self.tokens) > 1 and int(self.places[0]) > int(self.places[1])
        return tuple(found[::-1] if backward else found)


def seen_text(model: Model, text: str) -> SeenText:
    """Returns a text as the model sees it; raises UnreadableInput as its reading does."""
    numbers = model.predictor.read(text)
    told = preprocessing_of(model)
    tokens = told.tokens(text)
    tokens = tokens[: told.length] if told.length else tokens
    places = told.margin[0] + torch.arange(len(tokens))
    ordered = numbers.flip(0) if told.backward else numbers
    inputs = model.predictor.collate([numbers])
    assert isinstance(inputs, Tensor)
    known = tuple(bool(number != PADDING) for number in ordered)
    inputs = inputs.to(model.device)
    ordered_places = places.flip(0) if told.backward else places
    return SeenText(tuple(tokens), known, ordered_places, inputs, torch.full_like(inputs, PADDING))


def preprocessing_of(model: Model) -> TextPreprocessing:
    """Returns how the model reads texts."""
    assert isinstance(model.predictor, TextPredictor)
    return model.predictor.preprocessing


def word_scores(
    method: Method, module: nn.Module, seen: SeenText, *, target: int | None = None, layer: str | None = None
) -> Tensor:
    """Returns what a method says of each word (n,), on the CPU: with signs where they count, else a length or height.

    An occluded word is an unknown one, and integrated gradients begin at a text of unknown words.
    Raises what the method raises.
    """
    return _scored(method, module, seen, _wanted(method, target, layer), apart=False)[0]


def told_apart(
    method: Method, module: nn.Module, seen: SeenText, *, target: int | None = None, layer: str | None = None
) -> tuple[Tensor, Parts]:
    """Returns what `word_scores` does, and the part of each feature where words have several.

    With signs the parts add up to the score, as lengths their squares do; of occlusion a part is what is lost where
    this feature alone is that of an unknown word. Methods that tell of places alone have none. Raises as they do.
    """
    return _scored(method, module, seen, _wanted(method, target, layer), apart=True)


def _wanted(method: Method, target: int | None, layer: str | None) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    if "target" in method.needs and target is not None:
        wanted["target"] = target
    if method.of == "log-probability" and target is not None:
        wanted["target"] = lambda logits: logits.log_softmax(1)[:, target]
    if "layer" in method.needs and layer is not None:
        wanted["layer"] = layer
    return wanted


def _scored(
    method: Method, module: nn.Module, seen: SeenText, wanted: dict[str, Any], *, apart: bool
) -> tuple[Tensor, Parts]:
    own = _OWN.get(method.name, _nothing)(module, seen)
    found: Tensor = method.function(module, seen.inputs.clone(), **own, **wanted)
    channels = _channels(module, seen) if found.dim() == 3 or apart else {}
    parts: dict[str, Tensor] = {}
    if found.dim() == 3:  # (1, E, L)
        parts = {name: _over(method, found[:, places]) for name, places in channels.items()}
        chosen = torch.cat(list(channels.values())) if channels else slice(None)
        found = _over(method, found[:, chosen])
    elif apart and "fill" in own and len(channels) > 1:
        for name, places in channels.items():
            fill = {**own, "fill": _with_unknown(module, seen, own["fill"], places)}
            parts[name] = method.function(module, seen.inputs.clone(), **fill, **wanted)
    shown = parts if len(channels) > 1 else {}
    return _by_word(seen, found), tuple((name, _by_word(seen, each)) for name, each in shown.items())


def _channels(module: nn.Module, seen: SeenText) -> dict[str, Tensor]:
    """Returns for each feature that the network looks up where its numbers are among the E of the entry."""
    if not seen.features:
        return {}
    found: dict[str, list[Tensor]] = {}
    start = 0
    for column, width in columns_of(module, seen.inputs):
        if column < len(seen.features):
            found.setdefault(seen.features[column], []).append(torch.arange(start, start + width))
        start += width
    if start != entry(module, seen.inputs).values.shape[1]:
        raise NetworkError("what the network looks up beside words and features has their numbers; they stay together.")
    return {name: torch.cat(places) for name, places in found.items()}


def _over(method: Method, values: Tensor) -> Tensor:
    """Returns values (1, E, L) as one a place (1, L)."""
    return values.sum(1) if method.signed else values.norm(dim=1)


def _by_word(seen: SeenText, values: Tensor) -> Tensor:
    return values[0].detach().cpu()[seen.places]


def _with_unknown(module: nn.Module, seen: SeenText, unknown: Tensor, places: Tensor) -> Tensor:
    """Returns the words' own values (E, L), and at ``places`` of the E those of unknown words."""
    with torch.no_grad():
        values = entry(module, seen.inputs).values[0].clone()
    values[places] = unknown[places]
    return values


def _nothing(_module: nn.Module, _seen: SeenText) -> dict[str, Any]:
    return {}


def _each_word(module: nn.Module, seen: SeenText) -> dict[str, Any]:
    return {"window": 1, "stride": 1, "fill": unknown_values(module, seen)[0]}


def _from_unknown(_module: nn.Module, seen: SeenText) -> dict[str, Any]:
    return {"baseline": seen.unknown}


def _every_number(_module: nn.Module, _seen: SeenText) -> dict[str, Any]:
    return {"over": "all"}


_OWN = {"occlusion": _each_word, "integrated_gradients": _from_unknown, "saliency": _every_number}


def unknown_values(module: nn.Module, seen: SeenText) -> Tensor:
    """Returns the vectors (1, E, L) of as many unknown words, behind the network's embeddings."""
    with torch.no_grad():
        return entry(module, seen.unknown).values


def trust_of_words(
    method: Method,
    module: nn.Module,
    seen: SeenText,
    scores: Tensor,
    *,
    target: int | None,
    layer: str | None,
    chances: Chances,
    seed: int = 0,
) -> Trust:
    """Returns how far the scores of the words can be trusted; `look_trust.Trust` says what each number means.

    For deletion the words become unknown ones, the highest score first, and for insertion they come back; margins and
    padding take no part. A text of one word has no order, and so no number but NaN.
    """
    from neocog import explain

    if len(seen.tokens) < 2:
        return Trust(*(float("nan"),) * 2)

    def again(network: nn.Module, inputs: Tensor) -> Tensor:
        return word_scores(method, network, replace(seen, inputs=inputs), target=target, layer=layer)[None]

    forgetting = explain.randomisation(again, module, seen.inputs, seed=seed, steps=1)
    rank, score = float(forgetting.full_rank[0]), float(forgetting.score[0])
    if target is None or "target" not in method.needs:
        return Trust(rank, score)
    settings: dict[str, Any] = {
        "fill": unknown_values(module, seen),
        "among": seen.among,
        "steps": min(MOST_STEPS, len(seen.tokens)),
        "orders": 0 if target in chances else ORDERS * 4,  # a text is cheap, and its few words leave much to chance
        "seed": seed,
        "target": target,
    }
    maps = seen.by_place(scores)
    gone = explain.deletion(module, seen.inputs, maps, **settings)
    come = explain.insertion(module, seen.inputs, maps, **settings)
    left, found = chances.setdefault(target, (float(gone.chance[0]), float(come.chance[0])))
    return Trust(rank, score, float(gone.area[0]), left, float(come.area[0]), found)
