"""Layers that are found by a run."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from neocog.architectures import create
from neocog.core.errors import NetworkError
from neocog.explain.layers import first_convolution, last_maps, last_weights

X = torch.rand(2, 3, 9, 8, generator=torch.Generator().manual_seed(0))


class Told(nn.Module):
    """A network that runs its layers as a test says, whatever the order in which they are written."""

    def __init__(self, way, **layers):
        super().__init__()
        self.way = way
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x):
        return self.way(self, x)


def pooled(x):
    return x.mean((2, 3))


def conv(inputs=3, outputs=4, kernel=3):
    return nn.Conv2d(inputs, outputs, kernel)


LAST = {
    "the activation behind it": (lambda n, x: pooled(n.relu(n.conv(x))), {"relu": nn.ReLU(), "conv": conv()}, "relu"),
    "in place": (lambda n, x: pooled(n.relu(n.conv(x))), {"relu": nn.ReLU(inplace=True), "conv": conv()}, "relu"),
    "functional": (lambda n, x: pooled(F.relu(n.conv(x))), {"conv": conv()}, "conv"),
    "no pooling": (
        lambda n, x: pooled(n.pool(n.relu(n.conv(x)))),
        {"pool": nn.MaxPool2d(2), "relu": nn.ReLU(), "conv": conv()},
        "relu",
    ),
    "no dropout": (
        lambda n, x: pooled(n.drop(n.relu(n.conv(x)))),
        {"drop": nn.Dropout2d(), "relu": nn.ReLU(), "conv": conv()},
        "relu",
    ),
    "the second call": (
        lambda n, x: pooled(n.relu(n.two(n.relu(n.one(x))))),
        {"relu": nn.ReLU(), "two": conv(4), "one": conv()},
        "relu@2",
    ),
    "before maps of one place": (
        lambda n, x: n.two(n.one(x).mean((2, 3), keepdim=True)).flatten(1),
        {"two": conv(4, 5, 1), "one": conv()},
        "one",
    ),
    "not what the logits do not come from": (
        lambda n, x: (pooled(n.one(x)), n.two(x))[0],
        {"one": conv(), "two": conv()},
        "one",
    ),
    "not beside the way": (
        lambda n, x: [n.two(x), pooled(n.one(x))][1],
        {"two": conv(), "one": conv()},
        "one",
    ),
    "a block that adds": (
        lambda n, x: pooled(n.block(x)),
        {"block": Told(lambda n, x: F.relu(n.one(x) + n.two(x)), one=conv(), two=conv())},
        "block",
    ),
    "the layer within a block that adds nothing": (
        lambda n, x: pooled(n.block(x)),
        {"block": nn.Sequential(nn.Sequential(conv(), nn.ReLU()))},
        "block.0.1",
    ),
    "before branches that share it": (
        lambda n, x: n.heads(n.one(x)),
        {
            "one": conv(),
            "heads": Told(
                lambda n, x: torch.cat([pooled(n.two(x)), pooled(n.three(x))], 1),
                two=conv(4, 4, 1),
                three=conv(4, 4, 1),
            ),
        },
        "one",
    ),
    "a branch where the joined places differ": (
        lambda n, x: torch.cat([pooled(n.two(x)), pooled(n.three(x))], 1),
        {"two": conv(kernel=2), "three": conv()},
        "three",
    ),
    "the layer beside a skip": (
        lambda n, x: pooled(F.relu(n.two(y := n.one(x)) + y)),
        {"one": conv(), "two": conv(4, 4, 1)},
        "two",
    ),
    "channels last, as between dense layers, are no maps": (
        lambda n, x: n.act(n.dense(n.conv(x).movedim(1, -1))).mean((1, 2)),
        {"act": nn.GELU(), "dense": nn.Linear(4, 6), "conv": conv()},
        "conv",
    ),
    "channels last under a norm": (
        lambda n, x: n.drop(n.norm(n.conv(x).movedim(1, -1))).mean((1, 2)),
        {"drop": nn.Sigmoid(), "norm": nn.LayerNorm(4), "conv": conv()},
        "conv",
    ),
}


@pytest.mark.parametrize("case", LAST)
def test_the_last_layer_with_places(case):
    way, layers, expected = LAST[case]
    network = Told(way, **layers)
    assert last_maps(network, X) == expected
    with torch.no_grad():
        assert last_maps(network, X[1:]) == expected


def test_of_the_zoo():
    assert last_maps(create("lenet5"), torch.rand(1, 1, 32, 32)) == "s4_tanh"  # c5 makes maps of one place
    assert last_maps(create("resnet18"), torch.rand(1, 3, 40, 40)) == "layer4.1.relu2"
    text = nn.Sequential(nn.Embedding(9, 4), Told(lambda n, x: n.c(x.transpose(1, 2)).amax(2), c=nn.Conv1d(4, 3, 2)))
    assert last_maps(text, torch.randint(9, (2, 7))) == "1.c"


def test_a_network_without_maps_says_so():
    dense = nn.Sequential(nn.Flatten(), nn.Linear(216, 3))
    with pytest.raises(NetworkError, match="none of its layers leaves maps"):
        last_maps(dense, X)
    single = nn.Sequential(nn.Conv2d(3, 4, (9, 8)), nn.ReLU(), nn.Flatten(), nn.Linear(4, 3))
    with pytest.raises(NetworkError, match="more than one place, and its layers leave 4x1x1; give a larger input"):
        last_maps(single, X)
    with pytest.raises(NetworkError, match="no gradient leads"):
        last_maps(Told(lambda n, x: pooled(n.conv(x)).detach(), conv=conv()), X)


def test_the_first_convolution_is_the_one_that_runs_first():
    assert first_convolution(Told(lambda n, x: n.late(n.early(x)), late=conv(4), early=conv())) == "early"
    assert first_convolution(create("lenet5")) == "c1"

    def depends(n, x):
        return n.early(x) if x.sum() > 0 else n.late(x)

    assert first_convolution(Told(depends, late=conv(), early=conv())) == "late"  # it cannot be traced: as written
    with pytest.raises(NetworkError, match="no convolution"):
        first_convolution(nn.Sequential(nn.Linear(2, 2)))
    with pytest.raises(NetworkError, match="no convolution by a name"):
        first_convolution(conv())


def test_the_head_is_what_runs_last():
    network = Told(lambda n, x: n.one(n.two(pooled(x))), one=nn.Linear(4, 2), two=nn.Linear(3, 4))
    assert last_weights(network, X) == "one"
    assert last_weights(create("lenet5"), torch.rand(1, 1, 32, 32)) == "head"
    assert last_weights(create("squeezenet1_0"), torch.rand(1, 3, 40, 40)) == "head"
    with pytest.raises(NetworkError, match="neither a dense layer nor a convolution"):
        last_weights(nn.Sequential(nn.Flatten()), X)
