"""Features of a frozen network: computed once a sample, in the fastest arithmetic that is safe, and kept on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError, ResourceError
from neocog.core.recipe import Precision
from neocog.core.task import Batch, Loader, Task
from neocog.nn.fold import folded
from neocog.training.distributed import SINGLE, World
from neocog.training.feature_cache import FeatureCache, Rows, gather_rows, sample_digest, weights_digest
from neocog.training.precision import Arithmetic, cpu_has_bf16
from neocog.training.progress import Progress, Silent

CODE = "1"  # to be raised when the same network and sample give other features
# Samples at a time. On a CPU the maps of a small batch stay in the cache; every batch is filled up to this size, since
# another size may be added up in another order and a sample's features would depend on its neighbours.
CPU_BATCH, GPU_BATCH = 16, 64
_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
_PLAIN_LAYERS = (nn.Conv1d, nn.Conv2d, nn.Linear, nn.BatchNorm1d, nn.BatchNorm2d)

View = Callable[[Batch], Batch]


def unchanged(batch: Batch) -> Batch:
    """Returns the batch as it is: the view of a sample that every task has."""
    return batch


@dataclass(frozen=True)
class Extractor:
    """How features are computed: a frozen network that returns (B, F), a task that prepares batches, and where.

    ``views`` are changes of a prepared batch (its mirror image, say) whose features are wanted too; ``contract`` names
    the preprocessing and the views, everything that lies between a stored sample and the network's input, for the
    cache. ``precision`` "auto" is bf16 or fp16 where the hardware has it and the network has nothing but convolutions,
    dense layers and batch norms; "fp32" keeps to fp32.
    """

    network: nn.Module
    task: Task
    contract: str = ""
    views: tuple[View, ...] = (unchanged,)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    precision: Precision = "auto"
    world: World = SINGLE
    progress: Progress = field(default_factory=Silent)

    def extract(self, loader: Loader, keys: Sequence[str], cache: FeatureCache | None = None) -> Tensor:
        """Returns float32 (V, N, F): each view of every sample of a part, in order, on the CPU.

        ``loader`` gives the part in order and without augmentation; ``keys`` name the content of each sample, and equal
        ones are computed once. What ``cache`` holds is not computed again, and what it lacks is added; its features
        equal computed ones to the last bit, because they are filed under the network's weights, the arithmetic and the
        library that computed them. A cache that cannot be written is told of and done without.

        Raises NetworkError when the network's output is no vector a sample.
        """
        digests = [sample_digest(key) for key in keys]
        name = self._name()
        rows: Rows = self.world.share(cache.read(name) if cache is not None and self.world.main else {})
        wanted = {index: digest for index, digest in _first_places(digests).items() if digest not in rows}
        self.progress.say(f"features: {len(digests)} samples, {len(digests) - len(wanted)} of them from the cache")
        if wanted:
            new = self._compute(loader, wanted)
            rows = {**rows, **new}
            self._store(cache, name, new)
        return gather_rows(rows, digests)

    def _compute(self, loader: Loader, wanted: dict[int, bytes]) -> Rows:
        """Returns the features of the samples at these indices; every process computes its share."""
        network, kind = _prepared(self.network, self._kind(), self.device)
        size = CPU_BATCH if self.device.type == "cpu" else GPU_BATCH
        arithmetic = Arithmetic(self.device, "fp32", channels_last=True)
        own: dict[int, Tensor] = {}
        with torch.inference_mode():
            for batch in _only(loader.batches(size * self.world.size), wanted):
                full = batch.apply(lambda tensor: tensor[torch.arange(size) % len(tensor)])
                prepared = self.task.prepare(full.to(self.device), None)
                parts = [_run(network, arithmetic.arrange(_cast(view(prepared), kind))) for view in self.views]
                values = torch.stack(parts, 1).float().cpu()[: len(batch)]  # (B, V, F)
                own.update(zip(batch.indices.tolist(), values, strict=True))
        everyone = {index: value for share in self.world.gather(own) for index, value in share.items()}
        return {wanted[index]: everyone[index].clone() for index in sorted(everyone)}

    def _store(self, cache: FeatureCache | None, name: str, rows: Rows) -> None:
        if cache is None or not self.world.main:
            return
        try:
            cache.write(name, rows)
        except ResourceError as error:
            self.progress.say(f"The features are not kept for another time: {error}")

    def _kind(self) -> torch.dtype:
        """Returns the type that the network computes in."""
        if self.precision in _TYPES:
            return _TYPES[self.precision]
        plain = all(
            isinstance(module, _PLAIN_LAYERS) for module in self.network.modules() if list(module.parameters(False))
        )
        if self.precision == "fp32" or not plain:
            return torch.float32
        if self.device.type == "cuda":
            return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
        return torch.bfloat16 if cpu_has_bf16() else torch.float32

    def _name(self) -> str:
        """Returns what decides on a sample's features besides the sample."""
        parts = (
            CODE,
            weights_digest(self.network.state_dict().items()),
            str(self.network),
            self.contract,
            str(len(self.views)),
            str(self._kind()),
            self.device.type,
            torch.__version__,
            torch.backends.cpu.get_cpu_capability(),
        )
        return "\n".join(parts)


def _prepared(network: nn.Module, kind: torch.dtype, device: torch.device) -> tuple[nn.Module, torch.dtype]:
    """Returns a folded copy for inference, its layers in ``kind``, batch norms that are left in fp32."""
    clone = folded(network).to(device)
    if kind is not torch.float32:
        for module in clone.modules():
            if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Linear)):
                module.to(kind)
    return clone.to(memory_format=torch.channels_last), kind  # type: ignore[call-overload]


def _cast(batch: Batch, kind: torch.dtype) -> Batch:
    return batch.apply(lambda tensor: tensor.to(kind) if tensor.is_floating_point() else tensor)


def _run(network: nn.Module, batch: Batch) -> Tensor:
    inputs = batch.inputs if isinstance(batch.inputs, tuple) else (batch.inputs,)
    features = network(*inputs)
    if not isinstance(features, Tensor) or features.dim() != 2:
        shape = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
        raise NetworkError(f"expected one vector of features a sample, (B, F), from the frozen network, got {shape}.")
    return features


def _only(batches: Iterator[Batch], wanted: dict[int, bytes]) -> Iterator[Batch]:
    """Yields of each batch the samples that are wanted; no empty batches."""
    for batch in batches:
        chosen = torch.tensor([index in wanted for index in batch.indices.tolist()], dtype=torch.bool)
        if bool(chosen.all()) and len(batch):
            yield batch
        elif bool(chosen.any()):
            yield batch.apply(lambda tensor, rows=chosen: tensor[rows])


def _first_places(digests: Sequence[bytes]) -> dict[int, bytes]:
    """Returns the first index of each digest."""
    first: dict[bytes, int] = {}
    for index, digest in enumerate(digests):
        first.setdefault(digest, index)
    return {index: digest for digest, index in first.items()}
