"""``neocog look``: which methods and layers, what is refused, what is written, and that it is about what was seen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from colours import CONTRACT, paint
from PIL import Image
from torch import nn

import neocog
from neocog import architectures
from neocog.core.contract import ModelContract
from neocog.core.errors import DataError, NetworkError, UsageError
from neocog.tasks.model import Model
from neocog.tasks.prediction import predictor_for
from neocog.verbs.look_layers import layers_of
from neocog.verbs.look_methods import METHODS, NAMES, as_map, attribution, chosen_methods, find_method

QUICK = {"trust": False, "method": ["saliency", "filters", "feature_maps"]}


@pytest.fixture(scope="module")
def network() -> Model:
    torch.manual_seed(0)
    net = architectures.create("lenet5_modern", classes=3, channels=3).eval()
    return Model(net, CONTRACT, predictor_for(CONTRACT), torch.device("cpu"))


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    random = np.random.default_rng(0)
    paths = [tmp_path / name for name in ("a.png", "b.png")]
    for path in paths:
        Image.fromarray(random.integers(0, 256, (40, 36, 3), np.uint8)).save(path)
    return paths


def test_every_method_is_a_function_of_explain() -> None:
    assert all(callable(method.function) for method in METHODS)
    assert len(set(NAMES)) == len(NAMES)


def test_usual_methods() -> None:
    usual = [method.name for method in chosen_methods([], with_data=False)]
    assert usual == ["saliency", "guided_backpropagation", "grad_cam", "occlusion", "feature_maps", "filters"]
    assert [method.name for method in chosen_methods([], with_data=True)][-2:] == [
        "strongest_activations",
        "nearest_neighbours",
    ]
    assert len(chosen_methods(["all"], with_data=True)) == len(METHODS)
    assert len(chosen_methods(["all"], with_data=False)) == len(METHODS) - 2


@pytest.mark.parametrize("name", ["Grad-CAM", "grad_cam", "gradcam", "GRAD CAM"])
def test_a_method_by_its_name_in_any_writing(name: str) -> None:
    assert find_method(name).name == "grad_cam"


@pytest.mark.parametrize(
    ("names", "words"),
    [(["salency"], "Did you mean saliency"), (["all", "salency"], "saliency"), (["nearest_neighbours"], "--data")],
)
def test_methods_that_cannot_be(names: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        chosen_methods(names, with_data=False)


def test_attributions_become_maps() -> None:
    values = torch.tensor([[[[1.0]], [[-3.0]]]])  # (1, 2, 1, 1)
    assert as_map(find_method("relevance"), values).item() == -2
    assert as_map(find_method("guided_backpropagation"), values).item() == 3
    assert as_map(find_method("saliency"), values[:, 0]).item() == 1


def test_layers_are_found() -> None:
    found = layers_of(architectures.create("lenet5_modern").eval(), torch.zeros(1, 1, 32, 32))
    assert (found.first, found.features) == ("c1_relu", "f6_relu")
    found = layers_of(architectures.create("resnet20").eval(), torch.zeros(1, 3, 32, 32))
    assert found.last is not None
    assert found.features is not None
    assert len(found.depths) == 3


def test_units_are_looked_at_before_they_are_clipped() -> None:
    layers = [nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU6(), nn.Conv2d(2, 2, 3), nn.ReLU(), nn.Flatten()]
    found = layers_of(nn.Sequential(*layers, nn.Linear(72, 3)).eval(), torch.zeros(1, 1, 10, 10))
    assert [row.name for row in found.maps] == ["2", "4"]
    assert [row.name for row in found.units] == ["1", "4"]


def test_occlusion_is_of_the_probability() -> None:
    method, bias = find_method("occlusion"), 7.0

    class Rises(nn.Module):
        """All logits rise together with the picture, so that no class gains."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.sum((1, 2, 3))[:, None] + torch.tensor([bias, 0.0])

    inputs = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert attribution(method, Rises(), inputs, target=0).abs().max() < 1e-4


def test_layers_of_a_network_without_maps() -> None:
    found = layers_of(nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), torch.zeros(1, 3, 2, 2))
    assert (found.first, found.last, found.part, found.depths) == (None, None, None, ())


def test_look_writes_what_it_returns(network: Model, pictures: list[Path], tmp_path: Path) -> None:
    found = neocog.look(network, pictures[0], out=tmp_path / "out", **QUICK)
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert files == [
        "feature_maps-c3_relu.png", "feature_maps.png", "filters.png", "look.json", "report.html", "saliency.png",
        "seen.png",
    ]  # fmt: skip
    told = json.loads((tmp_path / "out" / "look.json").read_text())
    assert told == found.to_json()
    saliency = found.pictures[0].figures[0]
    assert saliency.values is not None
    assert saliency.values.shape == (32, 32)
    assert saliency.target == found.pictures[0].answers[0][0]
    assert saliency.probability == pytest.approx(found.pictures[0].answers[0][1])
    assert saliency.drawn is not None
    assert (np.asarray(Image.open(tmp_path / "out" / "saliency.png")) == saliency.drawn).all()


def test_answers_are_those_of_predict(network: Model, pictures: list[Path]) -> None:
    found = neocog.look(network, pictures, **QUICK)
    for seen, said in zip(found.pictures, network.predict(pictures), strict=True):
        assert seen.answers[0] == (said.label, pytest.approx(said.probability, abs=1e-6))


def test_the_picture_is_the_one_that_the_network_saw(network: Model, pictures: list[Path]) -> None:
    found = neocog.look(network, pictures[0], **QUICK)
    assert (found.pictures[0].picture == network.predictor.read(pictures[0])).all()


def test_values_are_those_of_the_method(network: Model, pictures: list[Path]) -> None:
    from neocog.verbs.look_data import normalised

    found = neocog.look(network, pictures[0], method="saliency", target="blue", trust=False)
    inputs = normalised(network, network.predictor.read(pictures[0])[None])
    wanted = neocog.explain.saliency(network.network, inputs, target=2)[0]
    assert found.pictures[0].figures[0].values is not None
    assert torch.equal(found.pictures[0].figures[0].values, wanted)
    assert found.pictures[0].figures[0].score == pytest.approx(float(network.network(inputs)[0, 2].detach()))


def test_several_pictures_have_a_folder_each(network: Model, pictures: list[Path], tmp_path: Path) -> None:
    found = neocog.look(network, pictures, out=tmp_path / "out", **QUICK)
    assert (tmp_path / "out" / "1_a" / "saliency.png").is_file()
    assert (tmp_path / "out" / "2_b" / "saliency.png").is_file()
    assert all((tmp_path / "out" / str(figure.file)).is_file() for figure in found.all_figures)


def test_the_most_probable_classes_each_have_a_map(network: Model, pictures: list[Path], tmp_path: Path) -> None:
    found = neocog.look(network, pictures[0], out=tmp_path / "out", method="saliency", top=2, trust=False)
    figures = found.pictures[0].figures
    assert [figure.target for figure in figures] == [name for name, _ in found.pictures[0].answers[:2]]
    assert len({figure.file for figure in figures}) == 2


def test_trust(network: Model, pictures: list[Path]) -> None:
    figures = neocog.look(network, pictures[0], method=["saliency", "deconvnet"]).pictures[0].figures
    trust = figures[0].trust
    assert trust is not None
    assert trust.randomisation == pytest.approx(1 - abs(trust.rank))
    assert 0 <= trust.deletion <= 1
    assert 0 <= trust.insertion_chance <= 1
    assert figures[1].trust is not None
    assert np.isnan(figures[1].trust.deletion)  # a unit's picture explains no class
    assert figures[1].unit is not None
    assert figures[1].to_json()["trust"]["deletion"] is None


def test_every_method_on_a_network_with_rectifiers(
    network: Model, pictures: list[Path], tmp_path: Path, data: Path
) -> None:
    found = neocog.look(network, pictures[0], out=tmp_path / "out", method="all", trust=False, data=data)
    refused = {figure.method: figure.error for figure in found.all_figures if figure.error}
    assert refused == {}
    assert {figure.method for figure in found.all_figures} == set(NAMES)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for number in range(3):
        for colour in ("red", "green", "blue"):
            paint(tmp_path / "data" / colour / f"{number}.png", colour, 255 - 60 * number)
    (tmp_path / "data" / "red" / "broken.png").write_bytes(b"hello")
    return tmp_path / "data"


def test_a_picture_of_the_data_is_its_own_nearest(network: Model, data: Path) -> None:
    from neocog.verbs.look_data import Reference, normalised

    reference = Reference(network, data, root=None, samples=100)
    inputs = normalised(network, network.predictor.read(data / "green" / "1.png")[None])
    tiles = reference.nearest(network.network, inputs, "f6_relu")
    assert tiles[0].caption.split("\n") == ["0", "green"]
    assert tiles[0].pixels[16, 16].tolist() == [0, 195, 0]
    assert len(tiles) == 6
    patches = reference.strongest(network.network, "c1_relu", 0)
    assert len(patches) == 9  # ten pictures, of which one cannot be read
    assert patches[0].pixels.shape == (5, 5, 3)


def test_fewer_samples_are_spread_over_the_data(network: Model, data: Path) -> None:
    from neocog.verbs.look_data import Reference

    assert "5 of 10 pictures" in Reference(network, data, root=None, samples=5).statement


def test_a_method_that_refuses_leaves_the_rest(pictures: list[Path], tmp_path: Path) -> None:
    contract = ModelContract(**{**vars(CONTRACT), "network": "lenet5"})
    net = architectures.create("lenet5", classes=3, channels=3).eval()
    model = Model(net, contract, predictor_for(contract), torch.device("cpu"))
    found = neocog.look(model, pictures[0], out=tmp_path / "o", method=["deconvnet", "saliency"], trust=False)
    assert [bool(figure.error) for figure in found.pictures[0].figures] == [False, True]
    assert "rectif" in found.pictures[0].figures[1].error
    assert "rectif" in (tmp_path / "o" / "report.html").read_text()
    with pytest.raises(UsageError, match="no method gave a picture"):
        neocog.look(model, pictures[0], out=tmp_path / "p", method="deconvnet", trust=False)
    assert not (tmp_path / "p").exists()


def test_a_picture_that_cannot_be_read_has_the_reason(network: Model, pictures: list[Path], tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"hello")
    found = neocog.look(network, [tmp_path / "bad.png", pictures[0]], out=tmp_path / "out", **QUICK)
    assert [bool(each.error) for each in found.pictures] == [True, False]
    assert (tmp_path / "out" / "2_a" / "saliency.png").is_file()
    with pytest.raises(DataError, match=r"bad\.png"):
        neocog.look(network, tmp_path / "bad.png", out=tmp_path / "none", **QUICK)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"layer": "c1_rele"}, NetworkError, "c1_relu"),
        ({"target": "gren"}, UsageError, "green"),
        ({"target": 3}, UsageError, "no class"),
        ({"unit": "a"}, UsageError, "a unit is"),
        ({"unit": "-1"}, UsageError, "a unit is"),
        ({"top": 0}, UsageError, "top"),
        ({"count": 0}, UsageError, "count"),
        ({"method": "salency"}, UsageError, "saliency"),
    ],
)
def test_what_cannot_be_followed(
    network: Model, pictures: list[Path], options: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        neocog.look(network, pictures[0], **{**QUICK, **options})


def test_a_unit_that_is_not_there_is_refused(network: Model, pictures: list[Path]) -> None:
    found = neocog.look(network, pictures[0], method=["feature_maps", "filters", "saliency"], unit=99, trust=False)
    errors = {figure.method: figure.error for figure in found.all_figures}
    assert "99" in errors["feature_maps"]
    assert "99" in errors["filters"]
    assert errors["saliency"] == ""


def test_nothing_is_overwritten(network: Model, pictures: list[Path], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    neocog.look(network, pictures[0], out=tmp_path / "out", **QUICK)  # an empty folder is none
    before = (tmp_path / "out" / "look.json").read_bytes()
    with pytest.raises(UsageError, match="something of that name"):
        neocog.look(network, pictures[0], out=tmp_path / "out", **QUICK)
    with pytest.raises(UsageError, match="something of that name"):
        neocog.look(network, pictures[0], out=pictures[1], **QUICK)
    assert (tmp_path / "out" / "look.json").read_bytes() == before


def test_the_model_stays_as_it_is(network: Model, pictures: list[Path]) -> None:
    before = {name: each.clone() for name, each in network.network.state_dict().items()}
    random = torch.random.get_rng_state()
    neocog.look(network, pictures[0], method=["grad_cam", "saliency"])
    assert all(torch.equal(before[name], each) for name, each in network.network.state_dict().items())
    assert torch.equal(random, torch.random.get_rng_state())
    assert not any(each._forward_hooks for each in network.network.modules())


def test_pictures_before_the_options_are_tried(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file matches"):
        neocog.look("nothing.safetensors", str(tmp_path / "*.png"))


def test_a_grey_network(pictures: list[Path], tmp_path: Path) -> None:
    numbers = {**CONTRACT.preprocessing, "channels": 1, "mean": [0.5], "std": [0.25]}
    contract = ModelContract(**{**vars(CONTRACT), "preprocessing": numbers})
    net = architectures.create("lenet5_modern", classes=3, channels=1).eval()
    model = Model(net, contract, predictor_for(contract), torch.device("cpu"))
    found = neocog.look(model, pictures[0], out=tmp_path / "out", trust=False)
    assert [figure.error for figure in found.all_figures if figure.error] == []
