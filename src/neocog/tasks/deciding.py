"""From options and data to a plan: network, weights, preprocessing, recipe and phases, with the reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from neocog import architectures
from neocog.core.errors import DataError, UsageError
from neocog.core.foreign import naming_of, options_for
from neocog.core.inputs import check_outputs
from neocog.core.own import is_own
from neocog.core.pretrained import expected
from neocog.core.randomness import mix, seed_everything
from neocog.core.recipe import Recipe
from neocog.core.registry import Record, Weights
from neocog.core.weights import turn_colours
from neocog.data.dataset import DataSet, Items
from neocog.tasks.kinds import Kind
from neocog.tasks.options import TrainOptions, apply_to_recipe
from neocog.tasks.plan import Plan
from neocog.training.phases import Phase
from neocog.training.transfer import finetune_plan, finetune_recipe


@dataclass(frozen=True)
class Start:
    """Which network from which weights: ``spec`` as `architectures.create` takes it, ``expects`` what they were fed."""

    record: Record
    spec: str
    expects: Weights | None
    reason: str

    @property
    def pretrained(self) -> bool:
        """Whether training starts from trained weights."""
        return self.spec != "none"


def decide(kind: Kind, data: DataSet[Any], options: TrainOptions) -> Plan:
    """Returns the plan of a run.

    Raises DataError for data with nothing to tell apart, NetworkError for a network that is unknown or cannot take the
    input, UsageError for options that contradict each other.
    """
    refuse_one_class(data)
    start = _start(kind, data, options)
    transfer = _transfer(start, options)
    preprocessing = kind.preprocessing(data, start.record, start.expects, options)
    recipe = _recipe(kind, data, start, transfer, options)
    arguments = {
        **kind.fitting(start.record, kind.arguments(data, preprocessing)),
        **(options_for(start.record, start.spec) if start.pretrained else {}),
        **({} if recipe.dropout is None else {"dropout": recipe.dropout}),
    }
    draft = Plan(
        task=kind.name,
        net=start.record.name,
        arguments=arguments,
        weights=start.spec,
        transfer=transfer,
        preprocessing=preprocessing,
        recipe=recipe,
        phases=(),
        seed=options.seed,
        fingerprint=fingerprint(data),
        decisions=(
            f"network {start.record.name}: {start.reason}",
            kind.describe_input(data, preprocessing),
        ),
    )
    said: list[str] = []
    network = build(draft, said.append)
    draft = replace(draft, decisions=(*draft.decisions, *said))
    kind.check(network, preprocessing)
    if is_own(draft.net):
        shape = (preprocessing["channels"], *preprocessing["size"])
        check_outputs(network, shape, len(data.classes), name=draft.net)
    return replace(draft, phases=phases_of(draft, network, everything=options.everything))


def build(plan: Plan, say: Callable[[str], None] = lambda _: None) -> nn.Module:
    """Returns the plan's network as it stands before the first step: the same for the same seed.

    What was left out of a weights file is told to ``say``.
    """
    seed_everything(plan.seed, "init")
    if plan.weights == "none":
        return architectures.create(plan.net, **plan.arguments)
    network = architectures.create(plan.net, **plan.arguments, weights=plan.weights, say=say)
    record = architectures.record(plan.net)
    if _expected(record, plan.weights).order == "BGR":
        say(f"{plan.weights}: its first kernels turned from blue, green, red to red, green, blue")
        turn_colours(network)
    return network


def phases_of(plan: Plan, network: nn.Module, *, everything: bool) -> tuple[Phase, ...]:
    """Returns the phases of the plan's way of training; none for frozen features, which take no steps."""
    if plan.transfer == "features":
        return ()
    if plan.transfer == "finetune":
        return finetune_plan(network, plan.recipe, everything=everything)
    return (Phase("all layers", plan.recipe.epochs, plan.recipe.learning_rate),)


def with_rate(plan: Plan, network: nn.Module, rate: float, *, everything: bool) -> Plan:
    """Returns the plan at another learning rate."""
    changed = replace(plan, recipe=replace(plan.recipe, learning_rate=rate))
    line = f"learning rate {rate:.2g}, found by a range test (Smith 2017)"
    return replace(
        changed, phases=phases_of(changed, network, everything=everything), decisions=(*plan.decisions, line)
    )


def fingerprint(data: DataSet[Any]) -> str:
    """Returns a digest of every part's names and labels and of the classes: other data have another."""
    text = "\n".join(
        f"{name}\t{_identity(part.items, index)}\t{part.labels[index] if part.labels else ''}"
        for name, part in sorted(data.parts.items())
        for index in range(len(part))
    )
    return f"{mix(0, *data.classes, text):016x}"


def _identity(items: Items[Any], index: int) -> str:
    """Returns a sample's name, and its content where that costs nothing to read."""
    own = getattr(items, "identity", items.name)
    return str(own(index))


def refuse_one_class(data: DataSet[Any]) -> None:
    """Raises DataError when there is nothing to tell apart, or nothing to learn from."""
    if len(data.classes) < 2:
        found = f"the one class {data.classes[0]!r}" if data.classes else "no class"
        raise DataError(f"{data.source}: expected at least two classes to tell apart, got {found}")
    if not len(data.parts["train"]):
        raise DataError(f"{data.source}: the train part is empty; there is nothing to learn from")


def _start(kind: Kind, data: DataSet[Any], options: TrainOptions) -> Start:
    if options.net is None:
        choice = kind.choose(data)
        record, reason, spec = architectures.record(choice.net), choice.reason, choice.weights
    else:
        record, reason = architectures.record(options.net), "as you said"
        _refuse_other_task(kind, record)
        spec = next((weights.name for weights in record.weights if weights.bundled), "none")
    if options.transfer == "none" and options.weights is None:
        spec = "none"
    spec = options.weights or spec
    if spec == "none":
        fetched = "" if options.weights or options.transfer or not record.weights else record.weights[0].name
        offer = f" (`--weights {fetched}` would fetch trained weights)" if fetched else ""
        return Start(record, "none", None, f"{reason}; from scratch{offer}")
    if not any(sign in spec for sign in ".:/"):
        architectures.weights_of(record.name, spec)  # raises, and says which networks have such weights
    return Start(record, spec, _expected(record, spec), f"{reason}; from {spec} weights")


def _expected(record: Record, spec: str) -> Weights:
    return expected(record.name, record.weights, spec, naming_of(record, spec), record.input[-1])


def _refuse_other_task(kind: Kind, record: Record) -> None:
    if record.task != kind.name:
        raise UsageError(
            f"{record.name} is for {record.task}, and these data are for {kind.name}; "
            f"`neocog zoo --task {kind.name.split()[0]}` lists the networks for them."
        )


def _transfer(start: Start, options: TrainOptions) -> str:
    if options.transfer in ("features", "finetune") and not start.pretrained:
        raise UsageError(
            f"--transfer {options.transfer} needs trained weights, and {start.record.name} starts from scratch; "
            f"give --weights {_some(start.record)}, or a network that brings some (`neocog zoo`)."
        )
    if options.transfer:
        return options.transfer
    return "features" if start.pretrained else "none"


def _some(record: Record) -> str:
    return f"{record.weights[0].name} or --weights FILE" if record.weights else "FILE"


def _recipe(kind: Kind, data: DataSet[Any], start: Start, transfer: str, options: TrainOptions) -> Recipe:
    if transfer == "finetune" and options.recipe in (None, "fast"):
        recipe = finetune_recipe(len(data.parts["train"]), len(data.classes))
    else:
        recipe = kind.recipe(options.recipe, start.record, data, pretrained=start.pretrained)
    return apply_to_recipe(recipe, options)
