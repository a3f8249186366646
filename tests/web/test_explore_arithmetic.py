"""What the page shows of a pixel is what the network computed, in every kind of network."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from explorer_client import Client, decoded
from explorer_models import model_of, zoo_model
from torch import Tensor, nn
from torch.nn import functional

from neocog.tasks.model import Model
from neocog.web.session import Session

# Networks of the zoo with a small input, each for what it has that the others have not.
NETWORKS = {
    "lenet5": None,
    "lenet5_modern": None,
    "keras_cifar": None,
    "resnet18": 64,
    "mobilenet_v2": 64,  # groups
    "googlenet": 64,  # concatenations
    "densenet121": 64,  # concatenations of concatenations
    "squeezenet1_1": 64,
    "shufflenet_v2_x1_0": 64,  # chunks and shuffles
    "efficientnet_lite0": 64,
}


def asked(model: Model, picture: bytes) -> tuple[Client, int]:
    client = Client(Session(model))
    return client, client.post("/api/picture", content=picture)["picture"]


def by_hand(told: dict[str, Any]) -> Tensor:
    """Computes a convolution as the page does: pixel by pixel, out of what it was told."""
    out = decoded(told["rest"]) + told["bias"]
    (top, left), (down, right), (high, wide) = told["origin"], told["stride"], told["dilation"]
    for each in told["inputs"]:
        values, weights = decoded(each["map"]), decoded(each["weights"])
        rows, columns = values.shape
        for row in range(out.shape[0]):
            for column in range(out.shape[1]):
                for i in range(weights.shape[0]):
                    for j in range(weights.shape[1]):
                        y, x = top + row * down + i * high, left + column * right + j * wide
                        if 0 <= y < rows and 0 <= x < columns:
                            out[row, column] += values[y, x] * weights[i, j]
    return out


def by_torch(told: dict[str, Any]) -> Tensor:
    """Computes the same at once, with the zeros around it put there by hand."""
    out = decoded(told["rest"]) + told["bias"]
    if not told["inputs"]:
        return out
    maps = torch.stack([decoded(each["map"]) for each in told["inputs"]])[None]
    weights = torch.stack([decoded(each["weights"]) for each in told["inputs"]])[None]
    (top, left), around = told["origin"], 40
    padded = functional.pad(maps, (-left, around, -top, around))
    made = functional.conv2d(padded, weights, None, told["stride"], 0, told["dilation"])[0, 0]
    return out + made[: out.shape[0], : out.shape[1]]


def check(told: dict[str, Any], made: Tensor) -> None:
    """Compares an answer with the output that a hook caught."""
    if isinstance(told["output"], float):
        shown = torch.tensor(told["output"], dtype=torch.float64)
    else:
        shown = decoded(told["output"]).reshape(made.shape)
        assert torch.equal(shown.float(), made.float())
    size = max(float(made.abs().max()), 1e-6)
    kind = told["kind"]
    if kind == "convolution":
        sums = by_torch(told).reshape(made.shape)
    elif kind == "dense":
        sums = shown * 0 + sum(each["value"] * each["weight"] for each in told["inputs"]) + told["rest"] + told["bias"]
        size = max(size, *(abs(each["value"] * each["weight"]) for each in told["inputs"]))
    elif kind == "sum":
        sums = sum(decoded(each["map"]) for each in told["inputs"]).reshape(made.shape)
    elif kind == "norm":
        sums = (decoded(told["input"]) - told["mean"]) / (told["variance"] + told["epsilon"]) ** 0.5
        sums = (sums * told["weight"] + told["bias"]).reshape(made.shape)
        size = max(size, float((decoded(told["input"]).abs().max() + abs(told["mean"])) / told["variance"] ** 0.5))
    elif kind == "max":
        places = decoded(told["winners"]).long().flatten()
        sums = decoded(told["input"]).flatten()[places].reshape(made.shape)
    else:
        return
    assert float((sums - made.double()).abs().max()) <= 1e-5 * size, kind


@pytest.mark.parametrize("name", NETWORKS)
def test_products_rest_and_bias_are_the_output(name: str, picture_bytes: bytes) -> None:
    client, picture = asked(zoo_model(name, side=NETWORKS[name]), picture_bytes)
    nodes, values = client.session.nodes, client.session.passed(picture).values
    network = client.session.network
    kinds = set()
    step = max(1, len(nodes) // 40)  # of deep networks a part of each kind
    for place in [*range(1, len(nodes), step), len(nodes) - 1]:
        channel = nodes[place].shape[0] // 2
        told = client.get("/api/arithmetic", picture=picture, node=place, channel=channel)
        check(told, values[place][0, channel])
        kinds.add(told["kind"])
    assert {"convolution"} <= kinds
    with torch.no_grad():
        logits = network(client.session.picture(picture).inputs)[0]
    assert torch.allclose(values[-1][0], logits, rtol=1e-4, atol=1e-5 * float(logits.abs().max()))


SETTINGS = [
    {"kernel_size": 3, "padding": 1},
    {"kernel_size": (3, 2), "stride": (2, 1), "padding": (0, 2), "dilation": (1, 2)},
    {"kernel_size": 4, "padding": "same"},
    {"kernel_size": 3, "padding": "same", "dilation": 2},
    {"kernel_size": 3, "padding": 1, "groups": 2},
    {"kernel_size": 3, "padding": 2, "padding_mode": "reflect"},
    {"kernel_size": 3, "padding": 1, "padding_mode": "circular", "bias": False},
]


class Single(nn.Module):
    """One layer of four maps behind a first convolution, and a mean over each of what comes out."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 1)
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(self.first(x)).mean((2, 3))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_each_pixel_by_hand(settings: dict[str, Any], picture_bytes: bytes) -> None:
    torch.manual_seed(0)
    client, picture = asked(model_of(Single(nn.Conv2d(4, 6, **settings)), 3, 9, tuple("abcdef")), picture_bytes)
    told = client.get("/api/arithmetic", picture=picture, node=2, channel=4)
    assert told["kind"] == "convolution"
    made = client.session.passed(picture).values[2][0, 4].double()
    assert torch.allclose(by_hand(told), made, atol=1e-5)


class Twice(nn.Module):
    """A layer that runs twice, a rectifier in place, and a sum: what hooks and graphs get wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.step = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.step(x)
        functional.relu_(y)
        z = self.step(y)
        return (y + z).flatten(1)[:, :5]


class Untraceable(nn.Module):
    """What it does depends on its numbers, so it has no graph."""

    def __init__(self) -> None:
        super().__init__()
        self.step, self.head = nn.Conv2d(3, 3, 3, padding=1), nn.Linear(3, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.step(x)
        if float(y.sum()) > 1e9:
            return y.mean((2, 3))
        y.relu_()
        return self.head(self.step(y).mean((2, 3)))


@pytest.mark.parametrize(("network", "classes"), [(Twice(), 5), (Untraceable(), 4)])
def test_reused_and_in_place_layers_are_shown_with_what_they_were_given(
    network: nn.Module, classes: int, picture_bytes: bytes
) -> None:
    client, picture = asked(model_of(network, 3, 8, tuple("abcde")[:classes]), picture_bytes)
    session = client.session
    assert session.runner.traced == isinstance(network, Twice)
    steps = [place for place, node in enumerate(session.nodes) if node.name == "step"]
    assert [session.runner.calls[place] for place in steps] == [1, 2]
    for place in steps:
        told = client.get("/api/arithmetic", picture=picture, node=place, channel=1)
        assert told["kind"] == "convolution"
        check(told, session.passed(picture).values[place][0, 1])
    first, second = (session.passed(picture).given[place][0] for place in steps)
    assert torch.equal(second, session.passed(picture).values[steps[0]].relu())
    assert torch.equal(first, session.picture(picture).inputs.contiguous())
    assert not list(network.step._forward_hooks) and not list(network.step._forward_pre_hooks)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "layer",
    [
        nn.MaxPool2d(3, 2, padding=1),
        nn.MaxPool2d(2, 2, ceil_mode=True),
        nn.MaxPool2d(2, 1, dilation=2),
        nn.AvgPool2d(3, 2, padding=1),
        nn.AvgPool2d(3, 2, padding=1, count_include_pad=False, ceil_mode=True),
        nn.AvgPool2d(2, divisor_override=3),
        nn.AdaptiveAvgPool2d(3),
        nn.AdaptiveMaxPool2d(1),
    ],
    ids=str,
)
def test_pooling_names_its_winners_and_divisors(layer: nn.Module, picture_bytes: bytes) -> None:
    torch.manual_seed(0)
    client, picture = asked(model_of(Single(layer), 3, 9, tuple("abcd")), picture_bytes)
    told = client.get("/api/arithmetic", picture=picture, node=2, channel=3)
    given, made = (client.session.passed(picture).values[place][0, 3].double() for place in (1, 2))
    assert torch.equal(decoded(told["input"]), given)
    if told["kind"] == "max":
        assert torch.equal(given.flatten()[decoded(told["winners"]).long()], made)
    else:
        assert told["kind"] == "average"
        (top, left), (down, right) = told["origin"], told["stride"]
        for row in range(made.shape[0]):
            for column in range(made.shape[1]):
                y, x = top + row * down, left + column * right
                window = given[max(y, 0) : y + told["kernel"][0], max(x, 0) : x + told["kernel"][1]]
                divisor = decoded(told["divisors"])[row, column]
                assert float(window.sum() / divisor) == pytest.approx(float(made[row, column]), abs=1e-5)


def test_the_gradient_goes_to_the_winner(picture_bytes: bytes) -> None:
    client, picture = asked(model_of(Single(nn.MaxPool2d(3)), 3, 9, tuple("abcd")), picture_bytes)
    told = client.get("/api/arithmetic", picture=picture, node=2, channel=1, target=1)
    gradient = told["gradient"]
    assert gradient["target"] == 1
    assert torch.allclose(decoded(gradient["output"]), torch.full((3, 3), 1 / 9, dtype=torch.float64))
    arrived = decoded(gradient["input"]).flatten()
    assert sorted(arrived.nonzero().flatten().tolist()) == sorted(decoded(told["winners"]).flatten().int().tolist())
    assert float(arrived.sum()) == pytest.approx(1)
    other = client.get("/api/arithmetic", picture=picture, node=2, channel=1, target=0)
    assert not decoded(other["gradient"]["output"]).any()
    assert all(each.grad is None for each in client.session.network.parameters())


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "densenet121", "mobilenet_v2"])
def test_links_sum_to_the_map_less_its_bias(name: str, picture_bytes: bytes) -> None:
    client, picture = asked(zoo_model(name, side=NETWORKS[name]), picture_bytes)
    session = client.session
    for place in range(1, len(session.nodes), max(1, len(session.nodes) // 20)):
        channel = session.nodes[place].shape[0] - 1
        told = client.get("/api/links", picture=picture, node=place, channel=channel)
        made = session.passed(picture).values[place][0, channel].double()
        weights = [each["weight"] for each in told["sources"]]
        assert len(weights) <= 64 and weights == sorted(weights, key=abs, reverse=True)
        if told["total"] is not None:
            bias = told["bias"] * made.numel()
            size = max(float(made.abs().sum()), abs(bias))
            assert told["total"] + bias == pytest.approx(float(made.sum()), abs=1e-4 * size)


def test_a_concatenation_leads_to_the_branch_that_the_map_came_from(picture_bytes: bytes) -> None:
    client, picture = asked(zoo_model("squeezenet1_1", side=64), picture_bytes)
    nodes, values = client.session.nodes, client.session.passed(picture).values
    place = next(place for place, node in enumerate(nodes) if node.kind == "concat")
    first, second = nodes[place].sources
    size = nodes[first].shape[0]
    for channel, source, there in ((1, first, 1), (size + 2, second, 2)):
        (link,) = client.get("/api/links", picture=picture, node=place, channel=channel)["sources"]
        assert (link["node"], link["channel"]) == (source, there)
        assert torch.equal(values[place][0, channel], values[source][0, there])


def test_local_connections_are_taken_apart_by_their_input_maps(picture_bytes: bytes) -> None:
    from neocog.nn.local import LocallyConnected2d

    client, picture = asked(model_of(Single(LocallyConnected2d(4, 5, 3, size=9)), 3, 9, tuple("abcde")), picture_bytes)
    told = client.get("/api/arithmetic", picture=picture, node=2, channel=2)
    made = client.session.passed(picture).values[2][0, 2].double()
    assert told["kind"] == "other"
    sums = sum((decoded(each["map"]) for each in told["parts"]), decoded(told["bias"]))
    assert torch.allclose(sums, made, atol=1e-5)


def test_a_layer_that_no_sum_explains_is_shown_without_one(picture_bytes: bytes) -> None:
    class Odd(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) ** 2

    client, picture = asked(model_of(Single(Odd(4, 4, 3)), 3, 9, tuple("abcd")), picture_bytes)
    assert client.get("/api/arithmetic", picture=picture, node=2, channel=0)["kind"] == "other"
    assert client.get("/api/links", picture=picture, node=2, channel=0)["sources"] == []
