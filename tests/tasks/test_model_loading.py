"""A model file becomes the same model in every process, and nothing else becomes one."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import neocog
from neocog import architectures
from neocog.core import modelfile
from neocog.core.contract import ModelContract
from neocog.core.errors import ModelFileError, UsageError
from neocog.data.preprocess import PicturePreprocessing
from neocog.tasks.model import load

CONTRACT = ModelContract(
    network="keras_cifar",
    arguments={"classes": 4, "channels": 3},
    task="image classification",
    classes=("a", "b", "c", "d"),
    preprocessing=PicturePreprocessing(
        size=(32, 32), resize=36, filter="bicubic", mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3), channels=3
    ).to_contract(),
)
PICTURES = np.random.default_rng(1).integers(0, 256, (6, 50, 40, 3), dtype=np.uint8)

FRESH = """
import sys
import numpy as np
import neocog
for answer in neocog.load(sys.argv[1], "cpu").predict(np.load(sys.argv[2]), top=4):
    print(answer.labels, [chance.hex() for chance in answer.probabilities])
"""


@pytest.fixture
def network() -> torch.nn.Module:
    torch.manual_seed(3)
    return architectures.create("keras_cifar", classes=4, channels=3)


def test_a_fresh_process_answers_the_same_to_the_last_bit(tmp_path: Path, network: torch.nn.Module) -> None:
    modelfile.save(tmp_path / "m.safetensors", network.state_dict(), CONTRACT)
    np.save(tmp_path / "pictures.npy", PICTURES)
    command = [sys.executable, "-c", FRESH, str(tmp_path / "m.safetensors"), str(tmp_path / "pictures.npy")]
    fresh = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    here = neocog.load(tmp_path / "m.safetensors", "cpu").predict(PICTURES, top=4)
    lines = [f"{answer.labels} {[chance.hex() for chance in answer.probabilities]}" for answer in here]
    assert fresh.splitlines() == lines


def test_the_network_is_the_one_that_was_saved(tmp_path: Path, network: torch.nn.Module) -> None:
    modelfile.save(tmp_path / "m", network.state_dict(), CONTRACT)
    model = load(tmp_path / "m", "cpu")
    assert model.classes == CONTRACT.classes
    assert model.contract == ModelContract.from_json(CONTRACT.to_json())
    assert not model.network.training
    batch = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        # The loaded one computes with the channels last, so sums are added in another order.
        torch.testing.assert_close(model.network(batch), network.eval()(batch))


def test_loading_draws_nothing_from_the_users_generator(tmp_path: Path, network: torch.nn.Module) -> None:
    modelfile.save(tmp_path / "m", network.state_dict(), CONTRACT)
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    load(tmp_path / "m", "cpu")
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"network": "keras_cifr"}, "keras_cifar"),
        ({"arguments": {"classes": 4, "channels": 3, "depth": 7}}, "depth"),
        ({"arguments": {"classes": 4, "channels": 1}}, "size mismatch"),
        ({"classes": ("a", "b")}, "4 outputs for 2 class names"),
        ({"task": "weather forecast"}, "weather forecast"),
        ({"preprocessing": {"kind": "picture"}}, "preprocessing"),
        ({"preprocessing": {**CONTRACT.preprocessing, "hue": 3}}, "hue"),
    ],
)
def test_a_contract_that_does_not_fit_gets_a_line(
    tmp_path: Path, network: torch.nn.Module, changes: dict, says: str
) -> None:
    path = tmp_path / "m.safetensors"
    modelfile.save(path, network.state_dict(), replace(CONTRACT, **changes))
    with pytest.raises(ModelFileError) as caught:
        load(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_weights_get_a_line(tmp_path: Path, network: torch.nn.Module) -> None:
    state = network.state_dict()
    del state["head.weight"]
    modelfile.save(tmp_path / "m", state, CONTRACT)
    with pytest.raises(ModelFileError, match=r"head\.weight"):
        load(tmp_path / "m")


@pytest.mark.parametrize("device", ["tpu", "meta", "cuda:99", ""])
def test_a_device_that_is_not_there_is_refused(tmp_path: Path, network: torch.nn.Module, device: str) -> None:
    modelfile.save(tmp_path / "m", network.state_dict(), CONTRACT)
    with pytest.raises(UsageError):
        load(tmp_path / "m", device)


def test_folded_answers_are_the_same_but_for_rounding(tmp_path: Path) -> None:
    torch.manual_seed(4)
    network = architectures.create("resnet20", classes=4, channels=3)
    network(torch.randn(8, 3, 32, 32))  # statistics other than the initial ones
    contract = replace(CONTRACT, network="resnet20")
    modelfile.save(tmp_path / "m", network.state_dict(), contract)
    as_trained, folded = (load(tmp_path / "m", "cpu", fold=fold) for fold in (False, True))
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in as_trained.network.modules())
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.network.modules())
    for one, other in zip(as_trained.predict(PICTURES, top=4), folded.predict(PICTURES, top=4), strict=True):
        assert one.labels == other.labels
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)
