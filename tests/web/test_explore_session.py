"""The network, its pictures and its maps as JSON; what is held in memory; what each unit sees."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import torch
from explorer_client import Client, decoded
from explorer_models import model_of, zoo_model
from PIL import Image
from torch import Tensor, nn

from neocog.core.errors import NetworkError
from neocog.web import session as sessions
from neocog.web.session import Session


def opened(address: str) -> Image.Image:
    assert address.startswith("data:image/png;base64,")
    return Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))


def test_the_network_is_its_table(lenet: Client) -> None:
    told = lenet.get("/api/network")
    assert (told["name"], told["year"], told["input"]) == ("lenet5_modern", 1998, [1, 32, 32])
    assert told["params"] == 61_706 and told["macs"] == sum(node["macs"] for node in told["nodes"]) == 416_520
    assert told["samples"] == 30 and told["data"] and told["note"] is None
    first = told["nodes"][1]
    assert (first["name"], first["kind"], first["role"], first["shape"]) == ("c1", "Conv2d", "convolution", [6, 28, 28])
    assert first["formula"] == "floor((32 + 2*0 - 5)/1) + 1 = 28"
    assert first["arithmetic"] == "6 x (5x5x1) + 6 = 156"
    assert first["field"] == {"size": [5, 5], "jump": [1, 1], "start": [0, 0]}
    assert {node["role"] for node in told["nodes"]} == {
        "input",
        "convolution",
        "pooling",
        "dense",
        "activation",
        "reshape",
    }
    assert all(source < node["id"] for node in told["nodes"] for source in node["sources"])


def test_large_networks_have_stages_within_stages(picture_bytes: bytes) -> None:
    told = Client(Session(zoo_model("resnet18", side=64))).get("/api/network")
    stages = {stage["name"]: stage for stage in told["stages"]}
    inner = next(stage for stage in told["stages"] if stage["parent"] is not None)
    outer = told["stages"][inner["parent"]]
    assert inner["name"].startswith(outer["name"] + ".")
    assert outer["first"] <= inner["first"] <= inner["last"] <= outer["last"]
    assert all(stage["last"] > stage["first"] for stage in stages.values())
    for node in told["nodes"]:
        if node["stage"] is not None:
            stage = told["stages"][node["stage"]]
            assert stage["first"] <= node["id"] <= stage["last"]
    join = next(node for node in told["nodes"] if node["role"] == "join")
    assert join["field"] is not None and len(join["sources"]) == 2


def test_the_answer_is_the_networks(lenet: Client, shown: int) -> None:
    session = lenet.session
    with torch.no_grad():
        logits = session.network(session.picture(shown).inputs)[0].double()
    chances = logits.softmax(0)
    told = lenet.get("/api/softmax", picture=shown)
    rows = told["rows"]
    assert [row["class"] for row in rows] == list(session.classes)
    assert torch.allclose(torch.tensor([row["probability"] for row in rows], dtype=torch.float64), chances, atol=1e-6)
    assert told["shift"] == pytest.approx(float(logits.max()), abs=1e-6)
    assert told["sum"] == pytest.approx(sum(row["exp"] for row in rows))


def test_predict_and_the_page_agree(lenet: Client, picture_bytes: bytes) -> None:
    told = lenet.post("/api/picture", content=picture_bytes)
    expected = lenet.session.model.predict(picture_bytes, top=10)[0]
    assert [row["class"] for row in told["prediction"]] == list(expected.labels)
    assert [row["probability"] for row in told["prediction"]] == pytest.approx(expected.probabilities, abs=1e-6)
    assert opened(told["shown"]).size == (32, 32) == (told["width"], told["height"])


def test_the_orientation_of_a_photograph_is_kept(picture_bytes: bytes) -> None:
    client = Client(Session(zoo_model("keras_cifar")))
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    plain, turned = io.BytesIO(), io.BytesIO()
    image.transpose(Image.Transpose.ROTATE_270).save(plain, "png")
    image.save(turned, "png", exif=exif)
    one, other = (client.post("/api/picture", content=each.getvalue())["shown"] for each in (plain, turned))
    assert one == other


def test_maps_come_in_the_order_asked_for(lenet: Client, shown: int) -> None:
    values = lenet.session.passed(shown).values[1][0]
    told = lenet.get("/api/maps", picture=shown, node=1, order="strength", count=4)
    strength = values.abs().mean((1, 2))
    assert told["order"] == strength.argsort(descending=True).tolist()
    assert [each["channel"] for each in told["maps"]] == told["order"][:4]
    later = lenet.get("/api/maps", picture=shown, node=1, **{"from": 4})
    assert later["total"] == 6 and [each["channel"] for each in later["maps"]] == [4, 5]
    one = told["maps"][0]
    data = np.frombuffer(base64.b64decode(one["data"]), np.uint8).reshape(one["shape"]) / 255
    exact = values[one["channel"]]
    assert (
        np.abs(data * (one["high"] - one["low"]) + one["low"] - exact.numpy()).max() <= (one["high"] - one["low"]) / 500
    )
    assert one["max"] == pytest.approx(float(exact.max()))
    full = lenet.get("/api/map", picture=shown, node=1, channel=3)
    assert torch.equal(decoded(full["map"]).float(), values[3])


def test_vectors_come_whole(lenet: Client, shown: int) -> None:
    told = lenet.get("/api/maps", picture=shown, node=12)
    assert told["maps"] == [] and told["vector"]["shape"] == [10]
    assert torch.equal(decoded(told["vector"]).float(), lenet.session.logits(shown))


def test_large_maps_are_made_small_for_the_screen() -> None:
    client = Client(Session(zoo_model("mobilenet_v2", side=160)))
    written = io.BytesIO()
    Image.new("RGB", (160, 160), (200, 30, 30)).save(written, "png")
    client.post("/api/picture", content=written.getvalue())
    answer = client.request("GET", "/api/maps?picture=0&node=1&count=8")
    assert answer.json()["maps"][0]["shape"] == [64, 64]
    assert len(answer.content) < 8 * 64 * 64 * 4 / 3 + 4000


def test_the_field_is_clipped_to_the_picture() -> None:
    client = Client(Session(zoo_model("keras_cifar")))
    told = client.get("/api/field", node=1, row=0, column=31)["theory"]
    assert told == {
        "top": 0, "left": 30, "height": 2, "width": 2,
        "unclipped": {"top": -1, "left": 30, "height": 3, "width": 3},
    }  # fmt: skip
    whole = client.get("/api/field", node=len(client.session.nodes) - 1)["theory"]
    assert (whole["top"], whole["left"], whole["height"], whole["width"]) == (0, 0, 32, 32)


def test_pictures_and_passes_are_given_up_for_later_ones(monkeypatch: pytest.MonkeyPatch, picture_bytes: bytes) -> None:
    monkeypatch.setattr(sessions, "HELD_PICTURES", 3)
    session = Session(zoo_model("lenet5_modern"))
    client = Client(session)
    size = session.passed(client.post("/api/picture", content=picture_bytes)["picture"]).bytes
    monkeypatch.setattr(sessions, "HELD_BYTES", 2 * size)
    for _ in range(4):
        client.post("/api/picture", content=picture_bytes)
        assert sum(each.bytes for each in session._passes.values()) <= 2 * size
    assert "again" in client.refused("GET", "/api/maps?picture=0&node=1")
    assert client.get("/api/maps", picture=2, node=1)["total"] == 6  # its pass was given up, and is made again
    assert len(session._passes) == 2


def test_the_network_stays_as_it_was(picture_bytes: bytes) -> None:
    model = zoo_model("resnet18", side=64)
    before = {name: each.clone() for name, each in model.network.state_dict().items()}
    random = torch.get_rng_state()
    client = Client(Session(model))
    client.post("/api/picture", content=picture_bytes)
    for method in ("saliency", "grad_cam", "deconvnet"):
        client.get("/api/explain", picture=0, method=method)
    client.get("/api/arithmetic", picture=0, node=4, channel=3)
    assert torch.equal(torch.get_rng_state(), random)
    after = model.network.state_dict()
    assert all(torch.equal(after[name], each) for name, each in before.items())
    for module in model.network.modules():
        assert not (module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module.training)
    assert all(each.grad is None for each in model.network.parameters())


class Moody(nn.Module):
    """Calls one layer more where the input is bright."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.more, self.head = nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3), nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        bright = bool(x.mean() > 1.5)
        x = self.first(x)
        return self.head((self.more(x) if bright else x).mean((2, 3)))


def test_a_network_that_changes_its_layers_is_refused_where_it_does() -> None:
    session = Session(model_of(Moody(), 3, 8, ("a", "b")))
    client = Client(session)
    assert "cannot be traced" in client.get("/api/network")["note"]
    written = {}
    for name, colour in (("dark", 0), ("bright", 255)):
        file = io.BytesIO()
        Image.new("RGB", (8, 8), (colour,) * 3).save(file, "png")
        written[name] = file.getvalue()
    assert client.post("/api/picture", content=written["dark"])["picture"] == 0
    assert "other layers" in client.refused("POST", "/api/picture", content=written["bright"])
    with pytest.raises(NetworkError):
        session.passed(1)


class Random(nn.Module):
    """Draws numbers in each pass, so that its trace does not tell what it computes."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.head(nn.functional.dropout(x, 0.5).mean((2, 3)))


def test_a_network_whose_trace_computes_something_else_is_watched_instead(picture_bytes: bytes) -> None:
    session = Session(model_of(Random(), 3, 8, ("a", "b")))
    assert not session.runner.traced
    client = Client(session)
    client.post("/api/picture", content=picture_bytes)
    place = next(place for place, node in enumerate(session.nodes) if node.name == "head")
    told = client.get("/api/arithmetic", picture=0, node=place, channel=1)
    sums = sum(each["value"] * each["weight"] for each in told["inputs"]) + told["rest"] + told["bias"]
    assert told["kind"] == "dense" and sums == pytest.approx(told["output"], abs=1e-5)
    assert session.nodes[place].sources == (1,) and place in session.runner.guessed
    assert client.get("/api/field", node=place)["theory"] is None


def test_dense_networks_of_flat_pictures(picture_bytes: bytes) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(36, 5), nn.Tanh(), nn.Linear(5, 3))
    client = Client(Session(model_of(network, 1, 6, tuple("abc"))))
    client.post("/api/picture", content=picture_bytes)
    (link,) = client.get("/api/links", picture=0, node=1, channel=17)["sources"]
    assert (link["node"], link["channel"]) == (0, 0)
    told = client.get("/api/arithmetic", picture=0, node=2, channel=4)
    assert told["kind"] == "dense" and len(told["inputs"]) == 32 and told["others"] == 4
    assert client.get("/api/arithmetic", picture=0, node=3, channel=4)["kind"] == "pointwise"
    assert client.get("/api/field", node=2)["theory"]["height"] == 6
