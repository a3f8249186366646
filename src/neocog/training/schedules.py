"""Learning-rate schedules as pure functions of the step: the factor on the phase's learning rate, 1 at the top."""

from __future__ import annotations

import math

from neocog.core.recipe import Recipe

ONE_CYCLE_RISE = 0.3  # the share of the run in which the rate rises, where the recipe names no warm-up
ONE_CYCLE_START = 1 / 25


def constant() -> float:
    """Returns 1."""
    return 1.0


def stepped(done: float, at: tuple[float, ...], factor: float) -> float:
    """Returns ``factor`` to the power of the number of fractions in ``at`` that ``done`` (0..1) has reached."""
    return factor ** sum(done >= fraction for fraction in at)


def cosine(done: float, final: float) -> float:
    """Falls from 1 to ``final`` along half a cosine while ``done`` goes from 0 to 1.

    Source: Loshchilov and Hutter 2017, equation 5.
    """
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def one_cycle(done: float, rise: float, final: float, start: float = ONE_CYCLE_START) -> float:
    """Rises from ``start`` to 1 in the first ``rise`` of the run, then falls to ``final``, both along half a cosine.

    Source: Smith and Topin 2018, with the cosine flanks of Howard's fastai.
    """
    if done < rise:
        return start + (1 - start) * 0.5 * (1 - math.cos(math.pi * done / rise))
    return cosine((done - rise) / max(1 - rise, 1e-12), final)


def inverse_time(step: int, decay: float) -> float:
    """Keras's classic decay: ``1 / (1 + decay * step)``, step counted from 0."""
    return 1 / (1 + decay * step)


def warm_up(step: int, steps: int) -> float:
    """Rises linearly from ``1 / (steps + 1)`` and would be 1 at ``step == steps``."""
    return min(1.0, (step + 1) / (steps + 1))


def rate_factor(recipe: Recipe, step: int, total: int, steps_per_epoch: int) -> float:
    """Returns the recipe's factor on the learning rate at ``step`` (from 0) of ``total`` steps of a phase.

    Warm-up comes first and the schedule takes the steps after it, of which the last comes just short of the final
    value; of one-cycle the warm-up is the rising flank.
    """
    warm = min(round(recipe.warmup * steps_per_epoch), total)
    if recipe.schedule == "one-cycle":
        rise = warm / total if warm else ONE_CYCLE_RISE
        return one_cycle(step / total, rise, recipe.final_fraction)
    if step < warm:
        return warm_up(step, warm)
    after = step - warm
    done = after / max(total - warm, 1)
    match recipe.schedule:
        case "step":
            return stepped(step / total, recipe.step_at, recipe.step_factor)
        case "cosine":
            return cosine(done, recipe.final_fraction)
        case "inverse-time":
            return inverse_time(after, recipe.time_decay)
        case _:
            return constant()
