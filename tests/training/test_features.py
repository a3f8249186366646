"""Features of a frozen network: right, computed once, and the same whether computed or read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError
from neocog.core.task import Batch, Inputs
from neocog.nn.conv import SameConv2d
from neocog.training.feature_cache import FeatureCache
from neocog.training.features import Extractor, unchanged


class Pictures:
    """A loader over a uint8 tensor that counts the samples it gave."""

    def __init__(self, pictures: Tensor, rank: int = 0, world: int = 1) -> None:
        self.pictures, self.rank, self.world, self.given = pictures, rank, world, 0

    @property
    def samples(self) -> int:
        return len(self.pictures)

    def steps(self, batch_size: int) -> int:
        return -(-len(self.pictures) // batch_size)

    def batches(self, batch_size: int, *, epoch: int = 0, start: int = 0) -> Iterator[Batch]:
        for rows in torch.arange(len(self.pictures)).tensor_split(self.steps(batch_size)):
            own = rows.tensor_split(self.world)[self.rank]
            self.given += len(own)
            yield Batch(self.pictures[own], torch.zeros(len(own), dtype=torch.int64), own)


class Halved:
    """A task whose preparation divides by 255; it counts the batches that went through the network."""

    name, selects_by = "toy", "top1"

    def __init__(self) -> None:
        self.prepared: list[int] = []

    def prepare(self, batch: Batch, generator: torch.Generator | None) -> Batch:
        assert generator is None
        assert isinstance(batch.inputs, Tensor)
        self.prepared.append(len(batch))
        return replace(batch, inputs=batch.inputs.float() / 255)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        raise NotImplementedError

    def outputs(self, network: nn.Module, batch: Batch) -> Any:
        raise NotImplementedError

    def meter(self) -> Any:
        raise NotImplementedError


class TwoWorlds:
    """The second of two processes; what the first would send is given."""

    rank, size, local_rank, main = 1, 2, 1, False

    def __init__(self, first: dict[int, Tensor]) -> None:
        self.first = first

    def gather(self, value: Any) -> list[Any]:
        return [self.first, value]

    def share(self, value: Any) -> Any:
        return value


def mirror(batch: Batch) -> Batch:
    inputs: Inputs = batch.inputs.flip(-1) if isinstance(batch.inputs, Tensor) else batch.inputs
    return replace(batch, inputs=inputs)


def body(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    trunk = nn.Sequential(
        OrderedDict(
            conv=SameConv2d(3, 8, 3, 2, 1),
            norm=nn.BatchNorm2d(8),
            relu=nn.ReLU6(),
            deep=nn.Conv2d(8, 6, 3, padding=1, bias=False),
            deep_norm=nn.BatchNorm2d(6),
            pool=nn.AdaptiveAvgPool2d(1),
            flat=nn.Flatten(),
        )
    )
    for norm in (trunk.norm, trunk.deep_norm):
        norm.running_mean.normal_()  # type: ignore[union-attr, operator]
        norm.running_var.uniform_(0.5, 2)  # type: ignore[union-attr, operator]
    return trunk.train()


def pictures(count: int = 21, seed: int = 1) -> Tensor:
    own = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, 12, 12), generator=own, dtype=torch.uint8)


def keys(stack: Tensor) -> list[str]:
    return [bytes(each.flatten().tolist()).hex() for each in stack]


def extractor(**changes: Any) -> Extractor:
    return Extractor(**{"network": body(), "task": Halved(), "precision": "fp32", **changes})


def plain_features(stack: Tensor) -> Tensor:
    with torch.inference_mode():
        return body().eval()(stack.float() / 255)


def test_features_are_the_networks_in_evaluation_mode() -> None:
    stack = pictures()
    found = extractor(views=(unchanged, mirror)).extract(Pictures(stack), keys(stack))
    assert found.dtype == torch.float32
    expected = torch.stack([plain_features(stack), plain_features(stack.flip(-1))])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_bf16_is_close_and_leaves_the_network_alone() -> None:
    stack, network = pictures(), body()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    found = extractor(network=network, precision="bf16").extract(Pictures(stack), keys(stack))
    torch.testing.assert_close(found[0], plain_features(stack), atol=0.05, rtol=0.05)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(module.training for module in network.modules())


def test_a_samples_features_do_not_depend_on_its_neighbours() -> None:
    stack = pictures()
    together = extractor().extract(Pictures(stack), keys(stack))
    for chosen in ([0], [20, 3, 7], list(range(20, -1, -1))):
        some = stack[chosen]
        assert torch.equal(extractor().extract(Pictures(some), keys(some)), together[:, chosen])


def test_a_hit_equals_a_miss_to_the_last_bit_and_reads_nothing(tmp_path: Path) -> None:
    stack, cache = pictures(), FeatureCache(tmp_path)
    computed = extractor().extract(Pictures(stack), keys(stack), cache)
    again, task = Pictures(stack), Halved()
    found = extractor(task=task).extract(again, keys(stack), cache)
    assert torch.equal(found, computed)
    assert (again.given, task.prepared) == (0, [])


def test_only_new_samples_are_computed_and_order_does_not_matter(tmp_path: Path) -> None:
    stack, cache, task = pictures(), FeatureCache(tmp_path), Halved()
    extractor().extract(Pictures(stack[:18]), keys(stack[:18]), cache)
    shuffled = stack.flip(0)
    found = extractor(task=task).extract(Pictures(shuffled), keys(shuffled), cache)
    assert len(task.prepared) == 1  # the three that are new lie in one batch
    assert torch.equal(found, extractor().extract(Pictures(shuffled), keys(shuffled)))


def test_equal_samples_are_computed_once() -> None:
    stack = pictures(16).repeat(3, 1, 1, 1)
    task = Halved()
    found = extractor(task=task).extract(Pictures(stack), keys(stack))
    assert len(task.prepared) == 1
    assert torch.equal(found[:, :16], found[:, 32:])


@pytest.mark.parametrize(
    "change", [{"network": body(5)}, {"contract": "other"}, {"precision": "bf16"}, {"views": (mirror, unchanged)}]
)
def test_other_weights_preprocessing_arithmetic_or_views_are_computed_anew(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    stack, cache = pictures(), FeatureCache(tmp_path)
    extractor().extract(Pictures(stack), keys(stack), cache)
    again = Pictures(stack)
    extractor(**change).extract(again, keys(stack), cache)
    assert again.given == len(stack)


def test_each_process_computes_its_share_and_gets_all() -> None:
    stack = pictures(40)
    alone = extractor().extract(Pictures(stack), keys(stack))
    loader = Pictures(stack, rank=1, world=2)
    own = {int(row) for part in torch.arange(40).tensor_split(2) for row in part.tensor_split(2)[1]}
    first = {row: alone[:, row] for row in range(40) if row not in own}
    world = TwoWorlds(first)
    found = extractor(world=world).extract(loader, keys(stack))
    assert loader.given == len(own)
    assert torch.equal(found, alone)


def test_a_cache_that_cannot_be_written_is_told_of_and_done_without(tmp_path: Path) -> None:
    class Ears:
        def __init__(self) -> None:
            self.lines: list[str] = []

        def say(self, line: str) -> None:
            self.lines.append(line)

    (tmp_path / "file").write_text("in the way")
    stack, ears = pictures(), Ears()
    found = extractor(progress=ears).extract(Pictures(stack), keys(stack), FeatureCache(tmp_path / "file"))
    assert torch.equal(found, extractor().extract(Pictures(stack), keys(stack)))
    assert "not kept" in ears.lines[-1]


def test_maps_instead_of_vectors_are_refused() -> None:
    stack = pictures()
    with pytest.raises(NetworkError, match=r"\(B, F\).*\(16, 3, 12, 12\)"):
        extractor(network=nn.Identity()).extract(Pictures(stack), keys(stack))
