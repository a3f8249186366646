"""Does a map depend on what the network learned?  Weight randomisation (Adebayo et al. 2018, arXiv:1810.03292).

The weights are replaced by fresh ones layer by layer from the head down (section 3.1, "cascading"), or one layer at a
time ("independent"), and the map is drawn again. A method whose map stays the same shows the input, not the network.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules import batchnorm, instancenorm, normalization

from neocog.core.errors import NetworkError, UsageError
from neocog.core.randomness import generator
from neocog.explain.likeness import rank_correlation, structural_similarity
from neocog.explain.rest import at_rest

Explain = Callable[[nn.Module, Tensor], Tensor]
# A layer's name, and the names of the modules whose weights are drawn anew with it.
Step = tuple[str, list[str]]

_NORMS = (
    batchnorm._BatchNorm, instancenorm._InstanceNorm, normalization.LayerNorm, normalization.GroupNorm, nn.RMSNorm
)  # fmt: skip
WHOLE = "(the network)"


@dataclass(frozen=True)
class Randomisation:
    """How like the first maps are the maps of a network that forgets layer by layer.

    ``layers`` are the names in the order in which they were randomised; ``rank`` and ``ssim`` (S, B) compare magnitudes
    after each: Spearman's correlation in -1 to 1, and the structural similarity, 1 for the same map. ``full_rank`` and
    ``full_ssim`` (B,) are those of the network in which no layer is left.
    """

    layers: tuple[str, ...]
    rank: Tensor
    ssim: Tensor
    full_rank: Tensor
    full_ssim: Tensor

    @property
    def score(self) -> Tensor:
        """The trust (B,), 0 to 1: 1 - |rank correlation| once all weights are random; 0 for a map that stays."""
        return 1 - self.full_rank.abs()


@torch.inference_mode(False)  # copies that are made in it take no part in gradients
def randomisation(
    explain: Explain,
    module: nn.Module,
    inputs: Tensor,
    *,
    seed: int = 0,
    cascade: bool = True,
    steps: int | None = None,
) -> Randomisation:
    """Returns how the maps of ``explain(module, inputs)`` change while a copy of the module loses its weights.

    ``explain`` gives maps (B, ...) or (B, C, ...), and should name its target: the class that a random network
    predicts is another one. ``cascade`` goes from the head down and leaves the random weights; without it each layer is
    randomised alone. ``steps`` is how many of the layers to draw a map after, spread evenly and the last always (all
    unless told); the others are randomised all the same.

    Fresh weights are normal with He's deviation (arXiv:1502.01852), norms start anew, and biases, embeddings and other
    numbers are normal with their own root mean square. The module itself is not touched.

    Raises NetworkError for a network without weights or that cannot be copied, UsageError for ``steps`` below 1.
    """
    if steps is not None and steps < 1:
        raise UsageError(f"steps should be at least 1, got {steps}; None is one a layer.")
    trained = _copied(module)
    order = _from_the_head_down(trained, inputs)
    shown = _spread(len(order), len(order) if steps is None else min(steps, len(order)))
    first = _map(explain, trained, inputs)
    likenesses = [
        _likeness(first, _map(explain, network, inputs), inputs)
        for network in _forgetting(trained, order, shown, seed=seed, cascade=cascade)
    ]
    ranks, ssims = (torch.stack(each) for each in zip(*likenesses, strict=True))
    count = len(shown)  # without the cascade one map more, of the network in which all is random
    return Randomisation(tuple(order[at][0] for at in shown), ranks[:count], ssims[:count], ranks[-1], ssims[-1])


def _map(explain: Explain, network: nn.Module, inputs: Tensor) -> Tensor:
    made = explain(network, inputs).detach()
    if made.dim() < 2 or len(made) != len(inputs):
        raise UsageError(f"explain should give a map for each of {len(inputs)} inputs, got {tuple(made.shape)}.")
    if not made.isfinite().all():
        raise NetworkError("explain gave values that are not finite, which cannot be compared.")
    return made


def _forgetting(
    trained: nn.Module, order: Sequence[Step], shown: Sequence[int], *, seed: int, cascade: bool
) -> Iterator[nn.Module]:
    """Yields the network after each step that is shown; without the cascade at last the one that forgot everything."""
    if cascade:
        network = copy.deepcopy(trained)
        for place, step in enumerate(order):
            _renew(network, step, seed)
            if place in shown:
                yield network
        return
    for steps in (*([order[place]] for place in shown), order):
        network = copy.deepcopy(trained)
        for step in steps:
            _renew(network, step, seed)
        yield network


def _copied(module: nn.Module) -> nn.Module:
    try:
        network = copy.deepcopy(module).eval()
    except Exception as error:
        reason = " ".join(str(error).split())[:160]
        raise NetworkError(
            f"randomisation works on a copy of the network, and it cannot be copied ({reason}); "
            "leave this score out, or give a network that copy.deepcopy takes."
        ) from error
    return network


def _from_the_head_down(network: nn.Module, inputs: Tensor) -> list[Step]:
    """Returns the layers that hold weights, the one that runs last first.

    Weights that are used without their module being called (as attention uses its output layer's) go with the module
    around it; what then belongs to the network as a whole comes last.
    """
    modules = dict(network.named_modules())
    calls = _last_calls(network, inputs)
    groups: dict[str, list[str]] = {}
    for name, module in modules.items():
        if _remembers(module):
            groups.setdefault(_caller(name, modules, calls), []).append(name)
    if not groups:
        raise NetworkError("randomisation replaces weights, and the network has none.")
    called = sorted((name for name in groups if name), key=lambda name: calls[modules[name]], reverse=True)
    return [(name or WHOLE, groups[name]) for name in (*called, *([""] if "" in groups else []))]


def _last_calls(network: nn.Module, inputs: Tensor) -> dict[nn.Module, int]:
    """Returns when each module gave its last output, counted over the pass."""
    calls: dict[nn.Module, int] = {}
    clock = itertools.count()
    handles = [each.register_forward_hook(lambda m, *_: calls.update({m: next(clock)})) for each in network.modules()]
    try:
        with at_rest(network), torch.no_grad():
            network(inputs.clone())
    finally:
        for handle in handles:
            handle.remove()
    return calls


def _remembers(module: nn.Module) -> bool:
    """Tells whether a module by itself holds something that was learned."""
    learned = any(each.is_floating_point() for each in module.parameters(recurse=False))
    return learned or (isinstance(module, _NORMS) and getattr(module, "running_mean", None) is not None)


def _caller(name: str, modules: dict[str, nn.Module], calls: dict[nn.Module, int]) -> str:
    """Returns the module itself where it was called, or the nearest around it that was; the network is ``""``."""
    while name and modules[name] not in calls:
        name = name.rpartition(".")[0]
    return name


def _renew(network: nn.Module, step: Step, seed: int) -> None:
    random = generator(seed, "randomisation", step[0])
    with torch.no_grad():
        for module in (network.get_submodule(name) for name in step[1]):
            if isinstance(module, _NORMS):
                module.reset_parameters()
                continue
            for parameter in module.parameters(recurse=False):
                if parameter.is_floating_point():
                    parameter.copy_(_fresh(parameter, random, he=not isinstance(module, nn.Embedding)))


def _fresh(parameter: Tensor, random: torch.Generator, *, he: bool) -> Tensor:
    drawn: Tensor = torch.randn(parameter.shape, generator=random, dtype=torch.float64)
    if parameter.dim() >= 2 and he:
        deviation = (2 * len(parameter) / max(parameter.numel(), 1)) ** 0.5  # of so many weights to each output
    else:
        deviation = float(parameter.double().square().mean().sqrt()) if parameter.numel() else 0.0
    return drawn.mul(deviation).to(parameter)


def _spread(count: int, chosen: int) -> list[int]:
    """Returns ``chosen`` of the places 0 to ``count`` - 1, evenly, the last among them."""
    return [(place + 1) * count // chosen - 1 for place in range(chosen)]


def _likeness(first: Tensor, second: Tensor, inputs: Tensor) -> tuple[Tensor, Tensor]:
    one, other = first.abs(), second.abs()
    # Words (B, L) have maps (B, L), or (B, E, L) along their embedding; features (B, D) have maps (B, D).
    channels = one.dim() == (inputs.dim() if inputs.is_floating_point() else 3) > 2
    merged = (one.sum(1), other.sum(1)) if channels else (one, other)
    return rank_correlation(one.flatten(1), other.flatten(1)), structural_similarity(*merged)
