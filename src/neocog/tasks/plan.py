"""The plan of a run: everything that was decided before the first step, so that a resumed run decides nothing again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from neocog.core.errors import DataError
from neocog.core.recipe import Augmentation, Recipe
from neocog.training.phases import Phase


@dataclass(frozen=True)
class Plan:
    """Network, preprocessing, recipe and phases of one run.

    ``arguments`` are the network's builder's; ``transfer`` is features, finetune or none; ``preprocessing`` is the
    task's contract; ``fingerprint`` the digest of the data's parts, names and labels, by which a resumed run knows
    that it still has the same data; ``decisions`` are the lines that were printed: what was chosen and why.
    """

    task: str
    net: str
    arguments: Mapping[str, Any]
    weights: str
    transfer: str
    preprocessing: Mapping[str, Any]
    recipe: Recipe
    phases: tuple[Phase, ...]
    seed: int
    fingerprint: str
    decisions: tuple[str, ...] = field(default=())

    def to_config(self) -> dict[str, Any]:
        """Returns the plan as plain values; what is None is left out, since TOML has no null."""
        plain: dict[str, Any] = _without_none(asdict(self))
        return plain

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Plan:
        """Reads what `to_config` wrote.

        Raises DataError when an entry is missing or unknown.
        """
        try:
            recipe = _whole(config["recipe"])
            recipe["augmentation"] = Augmentation(**_whole(config["recipe"]["augmentation"]))
            phases = tuple(Phase(**_whole(phase)) for phase in config.get("phases", ()))
            plan = cls(**{**_whole(config), "recipe": Recipe(**recipe), "phases": phases})
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(f"config.toml does not hold a whole plan ({error}); train anew.") from error
        return plan


def _whole(table: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a table of TOML with its arrays as the tuples they were."""
    return {key: _tuples(value) for key, value in table.items()}


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, (list, tuple)):
        return [_without_none(entry) for entry in value]
    return value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(entry) for entry in value) if isinstance(value, (list, tuple)) else value
