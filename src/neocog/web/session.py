"""A model that is being explored: the pictures that were given to it, and all that it made of the last of them."""

from __future__ import annotations

from collections import OrderedDict
from itertools import count
from typing import Any

from torch import Tensor, nn

from neocog.core.errors import UnreadableInput, UsageError
from neocog.tasks.model import Model
from neocog.web.fields import unit_fields
from neocog.web.kinds import Read, Shown, kind_of
from neocog.web.passes import Pass, Runner, twin_of
from neocog.web.samples import Samples

HELD_PICTURES = 64
HELD_BYTES = 1 << 29


class Session:
    """A model, its network's graph, and what is held of pictures: the last 64, and passes up to half a gibibyte.

    Nothing here may run twice at once; the server sees to that. The network's weights are frozen.

    Raises UsageError for a model whose inputs are neither pictures nor texts.
    """

    def __init__(self, model: Model, data: Samples | None = None) -> None:
        self.model, self.data, self.kind = model, data, kind_of(model)
        self.network = model.network.eval().requires_grad_(False)
        self.input_shape = self.kind.shape
        self.runner = Runner(self.network, self.kind.example(), lengths=self.kind.name == "text")
        self.nodes = self.runner.nodes
        self.fields = unit_fields(self.runner)
        self._twin: nn.Module | None = None
        self.chances: dict[int, dict[int, tuple[float, float]]] = {}  # a picture's, for `look_trust.trust_of`
        self._numbers = count()
        self._pictures: OrderedDict[int, Shown] = OrderedDict()
        self._passes: OrderedDict[int, Pass] = OrderedDict()

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the model's outputs, in order."""
        return self.model.classes

    @property
    def twin(self) -> nn.Module:
        """A copy of the network that shares its weights, for what runs beside all else; it has hooks of its own."""
        if self._twin is None:
            self._twin = twin_of(self.network)
            for module in self._twin.modules():  # not those that watch the time of whoever asked first
                module._forward_pre_hooks.clear()
        return self._twin

    def inputs_of(self, *reads: Read) -> Tensor:
        """Returns what was read as the network's input (B, ...), on its device."""
        return self.kind.batch(reads)

    def add(self, raw: Any, *, sample: int | None = None, label: str | None = None) -> Shown:
        """Takes in a picture, a file's bytes or an array (H, W[, 1|3]), or a text.

        Raises UnreadableInput, UsageError for what is not of the model's kind.
        """
        read = self.kind.read(raw)
        shown = Shown(next(self._numbers), read, self.inputs_of(read), sample, label)
        self._pictures[shown.id] = shown
        while len(self._pictures) > HELD_PICTURES:
            gone, _ = self._pictures.popitem(last=False)
            self._passes.pop(gone, None)
            self.chances.pop(gone, None)
        return shown

    def add_sample(self, index: int) -> Shown:
        """Takes in a sample of the data.

        Raises UsageError for one that is not there, UnreadableInput for one that cannot be read.
        """
        samples = self.samples()
        return self.add(samples.read(index), sample=index, label=samples.label(index))

    def samples(self) -> Samples:
        """Returns the data; raises UsageError where there are none."""
        if self.data is None:
            raise UsageError("there are no samples: give data behind the model, `neocog explore MODEL DATA`.")
        return self.data

    def picture(self, id: int) -> Shown:
        """Returns a picture that was taken in; raises UsageError where it is not held any more."""
        if id not in self._pictures:
            raise UsageError(f"there is no picture {id}, or it was given up for later ones; give it again.")
        self._pictures.move_to_end(id)
        return self._pictures[id]

    def passed(self, id: int) -> Pass:
        """Returns all that the network made of a picture, computed once as long as there is room for it."""
        picture = self.picture(id)
        if id not in self._passes:
            found = self.runner.run(picture.inputs)
            while self._passes and found.bytes + sum(each.bytes for each in self._passes.values()) > HELD_BYTES:
                self._passes.popitem(last=False)
            self._passes[id] = found
        self._passes.move_to_end(id)
        return self._passes[id]

    def logits(self, id: int) -> Tensor:
        """Returns the picture's logits (K,) on the CPU."""
        return self.passed(id).logits[0].float()

    def node(self, place: int) -> int:
        """Returns the place of a node; raises UsageError where there is none."""
        if not 0 <= place < len(self.nodes):
            raise UsageError(f"nodes are numbered 0 to {len(self.nodes) - 1}; got {place}.")
        return place

    def channel(self, place: int, channel: int, id: int | None = None) -> int:
        """Returns a channel of a node, as it is for a picture or text where that is told; raises UsageError without."""
        nodes = self.nodes if id is None else self.passed(id).nodes
        size = nodes[self.node(place)].shape[0]
        if not 0 <= channel < size:
            raise UsageError(f"the node {place} has the channels 0 to {size - 1}; got {channel}.")
        return channel

    def readable(self, index: int) -> Read | None:
        """Returns a sample as it is read, or None where it cannot be."""
        try:
            return self.kind.read(self.samples().read(index))
        except UnreadableInput:
            return None
