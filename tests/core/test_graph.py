"""A network's graph: what each layer reads, through branches, joins and pieces."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from neocog.architectures import create
from neocog.core.errors import NetworkError
from neocog.core.graph import network_graph


class Branches(nn.Module):
    """One 1x1 branch and one of 3x3 and 1x1, concatenated; then halves that are added."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 4, 1)
        self.b1 = nn.Conv2d(3, 2, 3, 2, padding=1)
        self.b2 = nn.Upsample(scale_factor=2)
        self.b3 = nn.Conv2d(2, 4, 1, groups=2)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat([self.a(x), self.b3(self.b2(self.b1(x)))], 1)
        left, right = joined.chunk(2, 1)
        return self.pool(left + right)


def test_branches_joins_and_pieces() -> None:
    nodes = network_graph(Branches(), (3, 8, 8))
    named = {node.name or node.kind: (place, node) for place, node in enumerate(nodes)}
    place = {name: own for name, (own, _) in named.items()}
    assert named["input"][1].role == "input" and place["input"] == 0
    assert named["a"][1].sources == named["b1"][1].sources == (place["input"],)
    assert named["concat"][1].sources == (place["a"], place["b3"])
    assert named["concat"][1].role == "join"
    assert named["concat"][1].shape == (8, 8, 8)
    assert named["b1"][1].kernel == (3, 3) and named["b1"][1].stride == (2, 2)
    assert named["b3"][1].groups == 2
    assert (named["pool"][1].role, named["pool"][1].shape) == ("pooling", (4, 4, 4))
    pieces = [node for node in nodes if node.kind == "getitem"]
    assert all(place["concat"] in piece.sources for piece in pieces)
    assert nodes[place["pool"] - 1].kind == "+"


def test_residual_blocks_know_whose_they_are() -> None:
    with torch.device("meta"):
        nodes = network_graph(create("resnet18"), (3, 64, 64))
    joins = [node for node in nodes if node.role == "join"]
    assert [node.owners[-1][0] for node in joins] == [
        f"layer{stage}.{block}" for stage in range(1, 5) for block in (0, 1)
    ]
    assert {node.kind for node in joins} == {"+"}
    assert joins[0].owners == (("layer1", "Sequential"), ("layer1.0", "BasicBlock"))


class Choosy(nn.Module):
    """Cannot be traced: which layer is called depends on the numbers' shape in Python."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(x.dim() - 3):
            x = self.inner(x)
        return self.head(x.mean((2, 3)))


def test_what_cannot_be_traced_is_the_chain_of_its_calls() -> None:
    nodes = network_graph(Choosy(), (3, 8, 8))
    assert [node.name for node in nodes] == ["input", "inner.0", "inner.1", "head"]
    assert [node.sources for node in nodes] == [(), (0,), (1,), (2,)]
    assert [node.role for node in nodes] == ["input", "convolution", "other", "dense"]
    assert nodes[1].owners == (("inner", "Sequential"),)


def test_an_input_that_does_not_fit_is_refused() -> None:
    with pytest.raises(NetworkError, match="channels=3"):
        network_graph(Branches(), (1, 8, 8))
