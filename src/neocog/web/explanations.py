"""The explanations of a picture as the page asks for them: the same methods and the same trust as `neocog look`."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neocog.core.errors import UsageError
from neocog.report import overlay as drawing
from neocog.report.heat import scale_of
from neocog.verbs.look_layers import layers_of
from neocog.verbs.look_methods import MAPS, METHODS, Method, as_map, attribution
from neocog.verbs.look_trust import trust_of
from neocog.web.encode import Json, png, shown_map
from neocog.web.gradients import target_of
from neocog.web.kinds import Shown
from neocog.web.session import Session
from neocog.web.text_explanations import explain_text, text_methods_json

# Those that run the network once or a few times; the page asks for them unbidden, and they are in a mailed page.
FAST = frozenset({"saliency", "gradient_times_input", "guided_backpropagation", "deconvnet", "grad_cam"})
FAST_TOO = frozenset({"grad_cam_plus_plus", "guided_grad_cam", "relevance"})


def methods_json(session: Session) -> list[Json]:
    """Returns the methods whose result is a map over the picture, of texts a score for each word."""
    if session.kind.name == "text":
        return text_methods_json(FAST | FAST_TOO)
    return [
        {
            "name": each.name,
            "title": each.title,
            "paper": each.paper,
            "needs": [need for need in each.needs if need != "data"],
            "about": each.about,
            "shows": each.shows,
            "usual": each.usual,
            "fast": each.name in FAST | FAST_TOO,
        }
        for each in METHODS
        if each.shows in MAPS
    ]


def method_named(session: Session, name: str) -> Method:
    """Returns a method of the page; raises UsageError for one that there is not."""
    names = [row["name"] for row in methods_json(session)]
    found = next((each for each in METHODS if each.name == name and name in names), None)
    if found is None:
        raise UsageError(f"no such method; there are {', '.join(names)}.")
    return found


def explain_json(
    session: Session,
    id: int,
    name: str,
    *,
    target: int | None = None,
    place: int | None = None,
    channel: int | None = None,
    trust: bool = False,
) -> Json:
    """Returns one explanation: the map as numbers, and drawn over the picture.

    ``target`` is the predicted class unless told, ``place`` the node of the layer and ``channel`` the unit where the
    method takes them; what is not told the method chooses. ``trust`` adds its scores, which take a while.

    Raises UsageError for what is not there, and NetworkError where the method does not go with the network.
    """
    began = time.perf_counter()
    method, shown = method_named(session, name), session.picture(id)
    aimed = target_of(session, id, target) if "target" in method.needs else None
    layer = _layer(session, shown, method, place)
    head: Json = {"method": name, "target": aimed, "class": None if aimed is None else session.classes[aimed]}
    head |= {"layer": layer}
    if session.kind.name == "text":
        found = explain_text(session, shown, method, aimed, layer, trust=trust)
        return head | found | {"seconds": round(time.perf_counter() - began, 3)}
    unit = None
    if "unit" in method.needs and channel is not None:
        unit = (session.channel(session.node(place), channel) if place is not None else channel,)
    result = attribution(method, session.network, shown.inputs, target=aimed, layer=layer, unit=unit).detach().cpu()
    scores = None
    if trust:
        where: Json = {"target": aimed, "layer": layer, "unit": unit, "chances": session.chances.setdefault(id, {})}
        scores = dict(vars(trust_of(method, session.network, shown.inputs, result, **where)))
    values = as_map(method, result)[0].float()
    return {
        **head,
        "signed": method.shows != "heat",
        "heat": shown_map(values, full=True),
        "overlay": _picture(method, shown, result[0].float(), values),
        "trust": scores,
        "seconds": round(time.perf_counter() - began, 3),
    }


def layer_name(session: Session, place: int) -> str:
    """Returns the name under which explanations know a node, ``name@2`` for the second call of a layer.

    Raises UsageError for a function, which has none.
    """
    node = session.nodes[session.node(place)]
    if session.runner.layer(place) is None:
        raise UsageError("the input and functions such as sums have no layer to look at; choose the layer before.")
    calls = sum(each.name == node.name for each in session.nodes)
    return f"{node.name}@{session.runner.calls[place]}" if calls > 1 else node.name


def _layer(session: Session, shown: Shown, method: Method, place: int | None) -> str | None:
    if "layer" not in method.needs:
        return None
    if place is not None:
        return layer_name(session, place)
    return layers_of(session.network, shown.inputs).part if "unit" in method.needs else None


def _picture(method: Method, shown: Shown, result: Tensor, values: Tensor) -> str:
    """Returns the map over the picture, or the attributions of each colour as a picture around grey."""
    if method.shows == "colours" and result.dim() == 3 and len(result) in (1, 3):
        strongest = float(torch.quantile(result.abs().flatten(), 0.995)) or float(result.abs().max()) or 1.0
        return png((result / strongest).clamp(-1, 1).mul(127).add(128).round().to(torch.uint8))
    scale = scale_of(values.numpy(), signed=method.signed)
    pixels: Any = drawing.overlay(shown.pixels.permute(1, 2, 0).contiguous().numpy(), values.numpy(), scale)
    return png(torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1))
