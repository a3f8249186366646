"""How far a map can be trusted: whether it forgets with the weights, and whether it names the places that count."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from neocog.verbs.look_methods import Method, as_map, attribution

# Few enough evaluations that the scores take seconds: 2 x STEPS passes of a picture a map, and ORDERS times as many for
# random orders, once a class.
STEPS, ORDERS = 16, 2
# For a class, the areas of random orders: of deletion and of insertion.
Chances = dict[int, tuple[float, float]]


@dataclass(frozen=True)
class Trust:
    """The scores of one map.

    ``rank`` is the rank correlation with the map of the same network with random weights: near 0 is good, near 1 says
    that the map shows the picture and not what the network learned. ``randomisation`` is 1 - |rank|. ``deletion`` is
    the area under the probability while the strongest places are taken away, small is good; ``insertion`` while they
    are put in, large is good; beside them those of a random order. The four are NaN for a map that explains no class.
    """

    rank: float
    randomisation: float
    deletion: float = float("nan")
    deletion_chance: float = float("nan")
    insertion: float = float("nan")
    insertion_chance: float = float("nan")


def trust_of(
    method: Method,
    module: nn.Module,
    inputs: Tensor,
    result: Tensor,
    *,
    target: int | None,
    layer: str | None,
    unit: tuple[int, ...] | None,
    chances: Chances,
    seed: int = 0,
) -> Trust:
    """Returns the scores of a method's result for one input (1, C, H, W); raises what the network raises.

    ``chances`` holds what random orders have, which is the same for every map of an input, so that they are measured
    once a class.
    """
    from neocog import explain

    def again(network: nn.Module, values: Tensor) -> Tensor:
        return as_map(method, attribution(method, network, values, target=target, layer=layer, unit=unit))

    forgetting = explain.randomisation(again, module, inputs, seed=seed, steps=1)
    rank, score = float(forgetting.full_rank[0]), float(forgetting.score[0])
    if target is None or "target" not in method.needs:
        return Trust(rank, score)
    maps = as_map(method, result)
    orders = 0 if target in chances else ORDERS
    gone = explain.deletion(module, inputs, maps, target=target, steps=STEPS, orders=orders, seed=seed)
    come = explain.insertion(module, inputs, maps, target=target, steps=STEPS, orders=orders, seed=seed)
    gone_by_chance, come_by_chance = chances.setdefault(target, (float(gone.chance[0]), float(come.chance[0])))
    return Trust(rank, score, float(gone.area[0]), gone_by_chance, float(come.area[0]), come_by_chance)
