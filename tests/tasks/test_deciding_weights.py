"""Where a run starts from: bundled, downloadable and foreign weights, and what they do to input and arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from neocog import architectures
from neocog.core import download
from neocog.core.errors import NetworkError, ResourceError, UsageError
from neocog.core.foreign import written
from neocog.core.modelfile import ModelContract, save
from neocog.core.weights import turn_colours
from neocog.data.dataset import DataSet
from neocog.tasks import deciding, kinds
from neocog.tasks.kinds import Kind
from neocog.tasks.options import make_options
from neocog.tasks.plan import Plan


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Kind, DataSet[Any]]:
    path = tmp_path_factory.mktemp("data") / "colours.npz"
    generator = np.random.default_rng(0)
    np.savez(path, x=generator.integers(0, 256, (24, 40, 40, 3), np.uint8), y=np.arange(24) % 2)
    options = make_options(path, {})
    kind = kinds.find(options)
    return kind, kind.read(options)


def plan_of(pictures: tuple[Kind, DataSet[Any]], **options: Any) -> Plan:
    kind, data = pictures
    return deciding.decide(kind, data, make_options(None, {"size": 32, **options}))


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, "from scratch (`--weights imagenet` would fetch trained weights)"),
        ({"weights": "none"}, "from scratch"),
        ({"transfer": "none"}, "from scratch"),
    ],
)
def test_nothing_is_fetched_unasked(
    pictures: tuple[Kind, DataSet[Any]], options: dict[str, Any], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(address: str, timeout: float) -> None:
        raise AssertionError(address)

    monkeypatch.setattr(download.urllib.request, "urlopen", asked)
    plan = plan_of(pictures, net="squeezenet1_1", **options)
    assert plan.weights == "none"
    assert plan.decisions[0] == f"network squeezenet1_1: as you said; {line}"


def test_fine_tuning_without_weights_says_which_there_are(pictures: tuple[Kind, DataSet[Any]]) -> None:
    with pytest.raises(UsageError, match="give --weights imagenet or --weights FILE"):
        plan_of(pictures, net="squeezenet1_1", transfer="finetune")


def test_what_is_asked_for_is_fetched_or_its_place_said(
    pictures: tuple[Kind, DataSet[Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def offline(address: str, timeout: float) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setenv("NEOCOG_CACHE", str(tmp_path))
    monkeypatch.setattr(download.urllib.request, "urlopen", offline)
    with pytest.raises(
        ResourceError, match=r"Fetch https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth else"
    ):
        plan_of(pictures, net="squeezenet1_1", weights="imagenet")


def test_a_recognised_file_is_said_and_its_colours_are_the_records(
    pictures: tuple[Kind, DataSet[Any]], tmp_path: Path
) -> None:
    path = tmp_path / "mobile.safetensors"
    record = architectures.record("mobilenet_v2_050")
    network = architectures.create(record.name)
    save_file(written(network.state_dict(), record, "torchvision"), path)
    plan = plan_of(pictures, net="mobilenet_v2_050", weights=str(path))
    assert plan.decisions[-1] == f"{path}: names as in torchvision, translated"
    assert plan.preprocessing["mean"] == [0.485, 0.456, 0.406]
    assert torch.equal(deciding.build(plan).get_parameter("stem.weight"), network.get_parameter("stem.weight"))
    with pytest.raises(NetworkError, match=r"'stem\.weight' is missing"):
        plan_of(pictures, net="mobilenet_v2_050", weights=str(weights_of_another(tmp_path)))


def weights_of_another(folder: Path) -> Path:
    path = folder / "model.safetensors"
    contract = ModelContract("lenet5_modern", {"classes": 2, "channels": 3}, "image classification", ("a", "b"), {})
    save(path, architectures.create("lenet5_modern", classes=2, channels=3).state_dict(), contract)
    return path


def keras_file(path: Path, name: str) -> nn.Module:
    """Writes a network's random weights as Keras would, in a group a layer, and returns the network."""
    h5py = pytest.importorskip("h5py")
    network = architectures.create(name)
    with h5py.File(path, "w") as file:
        for theirs, ours in architectures.record(name).renames["keras"].items():
            layer: Any = network.get_submodule(ours)
            tensors = [layer.weight, layer.bias]
            if isinstance(layer, nn.BatchNorm2d):
                tensors += [layer.running_mean, layer.running_var]
            elif isinstance(layer, nn.Conv2d):
                order = (2, 3, 0, 1) if layer.groups > 1 else (2, 3, 1, 0)
                tensors[0] = layer.weight.permute(order)
            else:
                tensors[0] = layer.weight.T
            group = file.create_group(f"layers/{theirs}/vars")
            group.attrs["name"] = theirs
            for number, tensor in enumerate(each for each in tensors if each is not None):
                group[str(number)] = tensor.detach().numpy()
    return network


def test_keras_weights_bring_keras_padding_and_input(pictures: tuple[Kind, DataSet[Any]], tmp_path: Path) -> None:
    network = keras_file(tmp_path / "mobile.weights.h5", "mobilenet_v1_025")
    plan = plan_of(pictures, net="mobilenet_v1_025", weights=f"keras:{tmp_path / 'mobile.weights.h5'}")
    assert plan.arguments["padding"] == "tensorflow"
    assert plan.preprocessing["mean"] == [0.5, 0.5, 0.5]
    built = deciding.build(plan)
    state = built.state_dict()
    assert all(torch.equal(tensor, state[key]) for key, tensor in network.state_dict().items() if "head" not in key)
    assert {module.eps for module in built.modules() if isinstance(module, nn.BatchNorm2d)} == {1e-3}


def test_keras_networks_that_were_fed_blue_first_are_turned(
    pictures: tuple[Kind, DataSet[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 1))
    kernel = network[0].weight.detach().clone()
    monkeypatch.setattr(architectures, "create", lambda *_, **__: network)
    recipe = pictures[0].recipe("smoke", architectures.record("vgg16"), pictures[1], pretrained=True)
    plan = Plan("image classification", "vgg16", {}, "keras:x.h5", "features", {}, recipe, (), 0, "")
    said: list[str] = []
    assert torch.equal(deciding.build(plan, said.append)[0].weight, kernel.flip(1))
    assert said == ["keras:x.h5: its first kernels turned from blue, green, red to red, green, blue"]
    turn_colours(network)
    assert torch.equal(network[0].weight, kernel)
