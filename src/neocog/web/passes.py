"""One forward pass with all that it made: each layer's and function's tensors, as they were at that moment."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, fx, nn

from neocog.core.errors import NetworkError
from neocog.core.graph import GraphReader, Node, layer_node
from neocog.core.layers import is_layer
from neocog.core.outputs import primary
from neocog.core.receptive import POINTWISE_LAYERS, LayerTracer

# Functions that leave each number in its place.
_BY_PLACE = frozenset({"+", "-", "×", "truediv", "dropout", "relu", "tanh", "sigmoid", "gelu", "contiguous", "clone"})


@dataclass(frozen=True, eq=False)
class Pass:
    """What pictures (B, C, ...) became, on the CPU.

    ``values`` holds each node's output and ``given`` the tensors that it was made of, both (B, ...) and at the moment
    of the call, so that what works in place changes neither. ``logits`` (B, K) are the answer, which need be no node's.
    """

    nodes: tuple[Node, ...]
    values: tuple[Tensor, ...]
    given: tuple[tuple[Tensor, ...], ...]
    logits: Tensor

    @property
    def bytes(self) -> int:
        """The memory that the tensors take; a tensor that is another's input is counted once."""
        tensors = {id(each): each for each in (*self.values, *(one for each in self.given for one in each))}
        return sum(each.numel() * each.element_size() for each in tensors.values())


class Runner:
    """A network that can be run with everything caught: by its trace, or where it has none by watching its layers.

    ``nodes`` are those of the pass over ``example`` (1, C, ...); ``steps`` the traced calls, one a node, none where
    ``traced`` is False. Then ``nodes`` are in the order of the calls, and those whose places are in ``guessed`` are
    made of the node before them as far as anybody knows. With ``lengths`` inputs may be longer or shorter than the
    example, and so are the maps. ``rearranged`` are the places of nodes that hand on what they are given.
    """

    def __init__(self, network: nn.Module, example: Tensor, *, lengths: bool = False) -> None:
        self.network = network
        self._lengths = lengths
        self.guessed: frozenset[int] = frozenset()
        self.steps: tuple[fx.Node, ...] = ()
        self._trace = _trace(network, example)
        found = self._recorded(example)
        self.nodes = found.nodes
        seen: Counter[str] = Counter()
        calls = []
        for node in self.nodes:
            seen[node.name] += bool(node.name)
            calls.append(seen[node.name])
        self.calls = tuple(calls)
        self.rearranged = frozenset(_rearranged(found))

    @property
    def traced(self) -> bool:
        """Whether the nodes are those of the network's whole graph."""
        return self._trace is not None

    def run(self, inputs: Tensor) -> Pass:
        """Returns the pass over inputs (B, C, ...).

        Raises NetworkError where the network calls other layers for it than it did for the example.
        """
        found = self._recorded(inputs)
        if self._kept_of(found.nodes) != self._kept_of(self.nodes):
            raise NetworkError("the network calls other layers for this input than for others, so no one map fits it.")
        return found

    def _kept_of(self, nodes: Sequence[Node]) -> list[tuple[str, Any]]:
        """Returns what has to be alike for all inputs: names and shapes, of texts names and numbers of axes."""
        return [(each.name, len(each.shape) if self._lengths else each.shape) for each in nodes]

    def layer(self, place: int) -> nn.Module | None:
        """Returns the module of a node, None of a function."""
        name = self.nodes[place].name
        return self.network.get_submodule(name) if name and place else None

    def _recorded(self, inputs: Tensor) -> Pass:
        with torch.no_grad():
            if self._trace is None:
                watch = _Watch(self.network)
                found = watch.run(inputs)
                self.guessed = frozenset(watch.guessed)
                return found
            recorder = Recorder(self._trace)
            logits = kept(primary(recorder.run(inputs)))
        self.steps = tuple(recorder.steps)
        return Pass(tuple(recorder.nodes), tuple(recorder.values), tuple(recorder.given), logits)


class Recorder(GraphReader):
    """Runs a trace and keeps a copy of each tensor; what a step was given is another step's copy wherever it can be."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.values: list[Tensor] = []
        self.given: list[tuple[Tensor, ...]] = []
        self.steps: list[fx.Node] = []
        self._known: dict[fx.Node, tuple[Tensor, int]] = {}
        self._last: set[fx.Node] = set()

    def run_node(self, n: fx.Node) -> Any:
        """Runs one step."""
        # What comes from no input, a constant, has no node and no batch.
        given = tuple(one for each in n.all_input_nodes if self.origins.get(each) for one in self._as_given(each))
        count = len(self.nodes)
        value = super().run_node(n)
        if len(self.nodes) > count:
            if self._has_channels_last(n, value):
                self._last.add(n)
            self.values.append(kept(self._channels_first(n, value)))
            self.nodes[-1] = replace(self.nodes[-1], shape=tuple(self.values[-1].shape[1:]))
            self.given.append(given)
            self.steps.append(n)
            self._known[n] = self.values[-1], value._version
        return value

    def _channels_first(self, n: fx.Node, value: Tensor) -> Tensor:
        if n in self._last:
            return value.transpose(1, 2)
        return with_channels(value) if n.op == "placeholder" else as_floats(value)

    def _has_channels_last(self, n: fx.Node, value: Tensor) -> bool:
        """Tells whether a node gives words' vectors (B, L, E): what makes such, or changes each."""
        layer = self.fetch_attr(str(n.target)) if n.op == "call_module" else None
        if isinstance(layer, (nn.Embedding, nn.RNNBase)) or getattr(layer, "by_place", False):
            return value.dim() == 3
        before = [each for each in n.all_input_nodes if isinstance(self.env.get(each), Tensor)]
        alike = all(each in self._last and self.env[each].shape == value.shape for each in before)
        if not before or not alike:
            return False
        if layer is None:
            return self.nodes[-1].kind in _BY_PLACE
        return isinstance(layer, (*POINTWISE_LAYERS, nn.LayerNorm)) or bool(getattr(layer, "pointwise", False))

    def _as_given(self, source: fx.Node) -> tuple[Tensor, ...]:
        value = self.env[source]
        if not isinstance(value, Tensor):  # pieces of a tensor: the whole that they are of
            return tuple(self.values[place] for place in self.origins.get(source, ()))
        known, version = self._known.get(source, (None, None))
        same = known is not None and version == value._version
        return (known if same and known is not None else kept(self._channels_first(source, value)),)


class _Watch:
    """Watches the layers of a network that cannot be traced; joins and functions between them are not seen."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._names = {module: name for name, module in network.named_modules() if name and is_layer(module)}
        self._kinds = {name: type(module).__name__ for name, module in network.named_modules()}
        self._open: list[tuple[Tensor, int | None]] = []
        self._made: dict[int, tuple[Tensor, int, int]] = {}  # the tensors are held, so that no other takes their id
        self.guessed: set[int] = set()

    def run(self, inputs: Tensor) -> Pass:
        """Returns the pass."""
        self._values = [kept(with_channels(inputs))]
        self._nodes = [Node("input", (), "input", "input", (), tuple(self._values[0].shape[1:]))]
        self._given: list[tuple[Tensor, ...]] = [()]
        self._made[id(inputs)] = inputs, inputs._version, 0
        handles = [each.register_forward_pre_hook(self._enter, with_kwargs=True) for each in self._names]
        handles += [each.register_forward_hook(self._leave) for each in self._names]
        try:
            logits = kept(primary(self._network(inputs)))
        finally:
            for handle in handles:
                handle.remove()
        return Pass(tuple(self._nodes), tuple(self._values), tuple(self._given), logits)

    def _enter(self, _module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        value = next((each for each in (*arguments, *named.values()) if isinstance(each, Tensor)), None)
        if value is None:
            self._open.append((torch.empty(0), None))
            return
        made, version, place = self._made.get(id(value), (None, None, None))
        same = made is value and version == value._version and place is not None
        self._open.append((self._values[place], place) if same and place is not None else (kept(value), None))

    def _leave(self, module: nn.Module, _arguments: Any, output: Any) -> None:
        given, source = self._open.pop()
        if not isinstance(output, Tensor) or not given.numel():
            return
        place, name = len(self._nodes), self._names[module]
        if source is None:
            self.guessed.add(place)
        before = place - 1 if source is None else source
        made = output.transpose(1, 2) if isinstance(module, nn.Embedding) and output.dim() == 3 else output
        shapes = tuple(given.shape[1:]), tuple(made.shape[1:])
        self._nodes.append(layer_node(name, module, self._owners(name), (before,), *shapes))
        self._values.append(kept(made))
        self._given.append((given,))
        self._made[id(output)] = output, output._version, place

    def _owners(self, name: str) -> tuple[tuple[str, str], ...]:
        parts = name.split(".")
        above = (".".join(parts[:depth]) for depth in range(1, len(parts)))
        return tuple((each, self._kinds[each]) for each in above)


def with_channels(value: Tensor) -> Tensor:
    """Returns an input; the numbers of words (B, L) as one map (B, 1, L)."""
    words = value.dim() == 2 and not value.is_floating_point()
    return as_floats(value[:, None] if words else value)


def as_floats(value: Tensor) -> Tensor:
    """Returns whole numbers and truth values as floats, as maps are shown."""
    return value if value.is_floating_point() or value.is_complex() else value.float()


def _rearranged(found: Pass) -> list[int]:
    """Returns the places of nodes whose output is their one input as it is, seen with the channels first."""
    return [
        place
        for place, (value, given) in enumerate(zip(found.values, found.given, strict=True))
        if len(given) == 1 and value.dim() > 2 and torch.equal(value, given[0])
    ]


def kept(value: Tensor) -> Tensor:
    """Returns a copy on the CPU, detached and contiguous."""
    return value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)


def twin_of(network: nn.Module) -> nn.Module:
    """Returns a copy in evaluation mode that shares the network's tensors."""
    shared: Sequence[Tensor] = [*network.parameters(), *network.buffers()]
    return copy.deepcopy(network, {id(tensor): tensor for tensor in shared}).eval()


def _trace(network: nn.Module, example: Tensor) -> fx.GraphModule | None:
    """Returns the traced network, or None where it has no trace that computes what the network computes."""
    try:
        # A copy that shares the tensors: a forward that keeps what it saw would keep the tracer's stand-ins.
        twin = twin_of(network)
        traced = fx.GraphModule(twin, LayerTracer().trace(twin))
        with torch.no_grad():
            ours, theirs = primary(traced(example)), primary(network(example))
    except Exception:  # noqa: BLE001 - a network of the user's own may raise anything when it is traced
        return None
    alike = ours.shape == theirs.shape and torch.allclose(ours, theirs, rtol=1e-4, atol=1e-5, equal_nan=True)
    return traced if alike else None
