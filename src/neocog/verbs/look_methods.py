"""The ways to look into a network as a table, which the verb, its help, the reports and the web server read.

A method is a function of `neocog.explain` of the same name; here is what it needs, where it comes from and how its
result is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from neocog.core.errors import UsageError, near_names

# What a method's result is: a map of 0 or more, or of both signs, the size of the input; the input's own channels; the
# maps of a layer; its kernels; what a unit sees; patches and whole pictures out of data.
Shows = Literal["heat", "signed", "colours", "maps", "kernels", "field", "patches", "neighbours"]
Need = Literal["target", "layer", "unit", "data"]
MAPS: tuple[Shows, ...] = ("heat", "signed", "colours")
ALL = "all"


@dataclass(frozen=True)
class Method:
    """One way to look.

    ``needs`` are the choices that it takes; each but data has a default. ``about`` is a sentence for a person who sees
    the picture for the first time; ``usual`` whether it is among those that are drawn unless told. ``of`` is the score
    that is explained: covering may raise all logits at once, and the paper of occlusion has probabilities.
    """

    name: str
    title: str
    paper: str
    shows: Shows
    needs: tuple[Need, ...]
    about: str
    usual: bool = False
    of: Literal["logit", "log-probability"] = "logit"

    @property
    def signed(self) -> bool:
        """Whether the map that `as_map` makes has values of both signs."""
        return self.shows == "signed"

    @property
    def function(self) -> Callable[..., Any]:
        """The function of `neocog.explain`; torch is imported when it is first asked for."""
        from neocog import explain

        found: Callable[..., Any] = getattr(explain, self.name)
        return found


METHODS = (
    Method(
        "saliency", "Saliency", "Simonyan et al. 2013, arXiv:1312.6034", "heat", ("target",),
        "How much the class's score changes with each pixel: the gradient's magnitude, the largest of the channels.",
        usual=True,
    ),
    Method(
        "gradient_times_input", "Gradient × input", "Shrikumar et al. 2016, arXiv:1605.01713", "signed", ("target",),
        "The gradient times the pixel: what each pixel adds to the score (orange) or takes from it (blue), roughly.",
    ),
    Method(
        "smoothgrad", "SmoothGrad", "Smilkov et al. 2017, arXiv:1706.03825", "heat", ("target",),
        "Saliency averaged over copies of the picture with noise, which leaves less grain; the magnitude is shown.",
    ),
    Method(
        "integrated_gradients", "Integrated gradients", "Sundararajan et al. 2017, arXiv:1703.01365", "signed",
        ("target",),
        "Each pixel's share of what the picture adds to the score of a blank one; the shares add up to all of it.",
    ),
    Method(
        "guided_backpropagation", "Guided backpropagation", "Springenberg et al. 2014, arXiv:1412.6806", "colours",
        ("target",),
        "The gradient with its negative parts cut off at each rectifier: crisp edges, grey is zero. It may show the "
        "picture more than the network; see its trust.",
        usual=True,
    ),
    Method(
        "deconvnet", "Deconvnet", "Zeiler and Fergus 2013, arXiv:1311.2901", "colours", ("layer", "unit"),
        "From the strongest unit of a layer back to the pixels that made it fire; grey is zero.",
    ),
    Method(
        "grad_cam", "Grad-CAM", "Selvaraju et al. 2016, arXiv:1610.02391", "heat", ("target", "layer"),
        "Where a layer's maps speak for the class: the maps weighted by their mean gradient, what is negative cut off.",
        usual=True,
    ),
    Method(
        "grad_cam_plus_plus", "Grad-CAM++", "Chattopadhyay et al. 2017, arXiv:1710.11063", "heat", ("target", "layer"),
        "Grad-CAM with weights by place, so that several objects of the class all show.",
    ),
    Method(
        "score_cam", "Score-CAM", "Wang et al. 2019, arXiv:1910.01279", "heat", ("target", "layer"),
        "A layer's maps weighted by the score that the picture has when only what a map shows is left; no gradient.",
    ),
    Method(
        "guided_grad_cam", "Guided Grad-CAM", "Selvaraju et al. 2016, arXiv:1610.02391", "colours", ("target", "layer"),
        "Guided backpropagation where Grad-CAM is strong; grey is zero.",
    ),
    Method(
        "occlusion", "Occlusion", "Zeiler and Fergus 2013, arXiv:1311.2901, section 4.2", "signed", ("target",),
        "How far the class's log-probability falls when a patch is covered: orange speaks for the class, blue against.",
        usual=True,
        of="log-probability",
    ),
    Method(
        "relevance", "Layer-wise relevance", "Bach et al. 2015, doi:10.1371/journal.pone.0130140", "signed",
        ("target",),
        "The score handed back layer by layer in proportion to what each unit contributed, down to the pixels.",
    ),
    Method(
        "feature_maps", "Feature maps", "LeCun et al. 1998, doi:10.1109/5.726791", "maps", ("layer",),
        "What the channels of a layer make of the picture, the strongest first.",
        usual=True,
    ),
    Method(
        "filters", "Filters", "Krizhevsky et al. 2012, section 6.1", "kernels", ("layer",),
        "The weights of a convolution as pictures: what the first layer looks for.",
        usual=True,
    ),
    Method(
        "receptive_field", "Receptive field", "Luo et al. 2016, arXiv:1701.04128", "field", ("layer", "unit"),
        "What of the picture a unit can see (the frame), and what of it counts, measured by the gradient.",
    ),
    Method(
        "strongest_activations", "Strongest activations", "Zeiler and Fergus 2013, arXiv:1311.2901", "patches",
        ("layer", "unit", "data"),
        "The patches of the data that excite the channels most which this picture excites most.",
    ),
    Method(
        "nearest_neighbours", "Nearest neighbours", "Krizhevsky et al. 2012, section 6.1", "neighbours",
        ("layer", "data"),
        "The pictures of the data that the network sees most like this one.",
    ),
)  # fmt: skip
NAMES = tuple(method.name for method in METHODS)


def find_method(name: str) -> Method:
    """Returns the method of that name, hyphens and capitals as one likes; raises UsageError with near names."""
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    for method in METHODS:
        if plain in (method.name, method.name.replace("_", "")):
            return method
    raise UsageError(f"no method is called {name!r}.{near_names(plain, NAMES)} There are {', '.join(NAMES)}.")


def chosen_methods(names: Iterable[str], *, with_data: bool) -> tuple[Method, ...]:
    """Returns the methods asked for, in the table's order: the usual ones where none is, all that can be for ``all``.

    Those that need data are usual where there are data. Raises UsageError for an unknown name, and for a method that
    needs data where there are none.
    """
    asked = list(names)
    if not asked:
        return tuple(each for each in METHODS if each.usual or ("data" in each.needs and with_data))
    if ALL in asked:
        for name in asked:
            if name != ALL:
                find_method(name)
        return tuple(each for each in METHODS if with_data or "data" not in each.needs)
    found = {find_method(name) for name in asked}
    for each in METHODS:
        if each in found and "data" in each.needs and not with_data:
            raise UsageError(f"{each.name} looks for pictures in data; give some with --data DATA.")
    return tuple(each for each in METHODS if each in found)


def attribution(
    method: Method,
    module: nn.Module,
    inputs: Tensor,
    *,
    target: Any = None,
    layer: str | None = None,
    unit: Any = None,
) -> Tensor:
    """Returns what a method whose result is a map gives for inputs (B, C, H, W): (B, H, W), or (B, C, H, W).

    What the method does not take is left out, and what is None is left to it. Raises what the method raises.
    """
    given = {"target": target, "layer": layer, "unit": unit}
    wanted = {name: given[name] for name in method.needs if given.get(name) is not None}
    if method.of == "log-probability" and isinstance(target, int):
        wanted["target"] = lambda logits: logits.log_softmax(1)[:, target]
    result: Tensor = method.function(module, inputs, **wanted)
    return result


def as_map(method: Method, result: Tensor) -> Tensor:
    """Returns a method's result as one map a sample (B, H, W).

    Of attributions (B, C, H, W) it is the sum over the channels where signs count, else the largest magnitude.
    """
    if result.dim() < 4:
        return result
    return result.sum(1) if method.signed else result.abs().amax(1)
