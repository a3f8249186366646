"""Weights from files: other people's names, other numbers of classes and channels, and files that lie."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from neocog.architectures import create, efficientnet_lite, headless, record, replace_head, weights_of
from neocog.core import download, registry
from neocog.core.errors import ModelFileError, NetworkError, ResourceError
from neocog.core.randomness import generator, seed_everything
from neocog.core.weights import read_state, renamed, verify


def spread_statistics(network: nn.Module) -> nn.Module:
    """Gives batch norms statistics and weights that a mix-up would show."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.running_var, module.weight.data):
                tensor.uniform_(0.5, 1.5)
            for tensor in (module.running_mean, module.bias.data):
                tensor.normal_(0, 0.1)
    return network.eval()


class TorchvisionBlock(nn.Module):
    """An inverted residual with the module names of torchvision.models.mobilenetv2."""

    def __init__(self, inputs: int, outputs: int, stride: int, widening: int) -> None:
        super().__init__()
        wide = inputs * widening
        layers = [trio(inputs, wide, 1)] if widening > 1 else []
        layers += [trio(wide, wide, 3, stride, wide), nn.Conv2d(wide, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
        self.conv = nn.Sequential(*layers)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.adds else self.conv(x)


def trio(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU6())


def torchvision_mobilenet() -> nn.Sequential:
    layers, maps = [trio(3, 32, 3, 2)], 32
    for widening, outputs, repeats, stride in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ):  # fmt: skip
        for block in range(repeats):
            layers.append(TorchvisionBlock(maps, outputs, stride if block == 0 else 1, widening))
            maps = outputs
    layers.append(trio(maps, 1280, 1))
    classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000))
    return nn.Sequential(
        OrderedDict(
            features=nn.Sequential(*layers), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), classifier=classifier
        )
    )


def test_mobilenet_takes_torchvisions_weights_and_gives_the_same_numbers(tmp_path):
    seed_everything(1)
    theirs = spread_statistics(torchvision_mobilenet())
    torch.save(theirs.state_dict(), tmp_path / "mobilenet_v2.pth")
    ours = create("mobilenet_v2", weights=f"torchvision:{tmp_path / 'mobilenet_v2.pth'}").eval()
    inputs = torch.randn(2, 3, 64, 64, generator=generator(1))
    with torch.inference_mode():
        assert torch.allclose(ours(inputs), theirs(inputs), rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def torchvision_resnet(tmp_path_factory) -> Path:
    """A file in torchvision's naming of ResNet-18, which differs from ours in the last layer only."""
    seed_everything(2)
    state = spread_statistics(create("resnet18")).state_dict()
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save({name.replace("head.", "fc."): tensor for name, tensor in state.items()}, path)
    return path


def test_resnet_takes_torchvisions_weights(torchvision_resnet):
    network = create("resnet18", weights=f"torchvision:{torchvision_resnet}")
    state = torch.load(torchvision_resnet, weights_only=True)
    assert torch.equal(network.head.weight, state["fc.weight"])
    assert torch.equal(network.get_submodule("layer4.1.bn2").running_var, state["layer4.1.bn2.running_var"])


def test_torchvision_files_of_old_have_no_batch_counts_and_may_be_wrapped(torchvision_resnet, tmp_path):
    state = torch.load(torchvision_resnet, weights_only=True)
    old = {f"module.{name}": tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    torch.save({"epoch": 3, "state_dict": old}, tmp_path / "old.pth")
    network = create("resnet18", weights=f"torchvision:{tmp_path / 'old.pth'}")
    assert torch.equal(network.head.bias, state["fc.bias"])


def test_other_classes_leave_the_head_fresh_and_one_channel_sums_the_stem(torchvision_resnet):
    spec = f"torchvision:{torchvision_resnet}"
    seed_everything(3)
    network = create("resnet18", weights=spec, classes=5, channels=1).eval()
    assert network.head.weight.shape == (5, 512)
    seed_everything(3)
    assert torch.equal(network.head.weight, create("resnet18", classes=5, channels=1).head.weight)
    colour = create("resnet18", weights=spec).eval()
    gray = torch.randn(1, 1, 64, 64, generator=generator(4))
    network.add_module("head", colour.head)
    with torch.inference_mode():
        assert torch.allclose(network(gray), colour(gray.expand(1, 3, 64, 64)), rtol=1e-3, atol=1e-3)


def test_more_channels_than_the_weights_have_are_refused(torchvision_resnet):
    with pytest.raises(NetworkError, match=r"conv1\.weight should be 64x4x7x7, got 64x3x7x7; the weights take another"):
        create("resnet18", weights=f"torchvision:{torchvision_resnet}", channels=4)


def test_our_own_file_brings_its_number_of_classes(tmp_path):
    first = create("lenet5_modern", classes=7)
    save_file(first.state_dict(), tmp_path / "mine.safetensors")
    for spec in (tmp_path / "mine.safetensors", str(tmp_path / "mine.safetensors")):
        second = create("lenet5_modern", weights=spec)
        assert torch.equal(second.head.weight, first.head.weight)
    rbf = create("lenet5", classes=12)
    save_file(rbf.state_dict(), tmp_path / "rbf.safetensors")
    assert create("lenet5", weights=tmp_path / "rbf.safetensors").head.out_features == 12


def test_weights_of_another_network_are_refused(tmp_path, torchvision_resnet):
    save_file(create("lenet5").state_dict(), tmp_path / "lenet.safetensors")
    with pytest.raises(NetworkError, match=r"not this network's weights: 'conv1.weight' is missing"):
        create("keras_cifar", weights=tmp_path / "lenet.safetensors")
    with pytest.raises(NetworkError, match=r"not this network's weights: '[a-z.0-9_]+' is missing"):
        create("mobilenet_v2", weights=torchvision_resnet)
    with pytest.raises(NetworkError, match="torchvision has no lenet5"):
        create("lenet5", weights=f"torchvision:{torchvision_resnet}")


def test_a_tensor_of_another_shape_is_named(tmp_path):
    state = create("lenet5_modern").state_dict()
    save_file({**state, "f6.weight": torch.zeros(84, 480)}, tmp_path / "other.safetensors")
    with pytest.raises(NetworkError, match=r"f6\.weight should be 84x120, got 84x480; these weights belong to another"):
        create("lenet5_modern", weights=tmp_path / "other.safetensors")


class Evil:
    """What an attacker pickles: reading it would run a command."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self):
        return os.mkdir, (str(self.witness),)


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path):
    torch.save({"head.weight": torch.zeros(1), "more": Evil(tmp_path / "witness")}, tmp_path / "evil.pth")
    with pytest.raises(ModelFileError, match="could run foreign code") as caught:
        create("lenet5", weights=tmp_path / "evil.pth")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "witness").exists()


def broken(folder: Path) -> list[Path]:
    """Writes files that are not what their names say."""
    torch.save({"a": torch.zeros(1000)}, folder / "whole.pth")
    (folder / "cut.pth").write_bytes((folder / "whole.pth").read_bytes()[:2000])
    (folder / "empty.pth").write_bytes(b"")
    (folder / "words.pth").write_text("these are no weights")
    (folder / "words.safetensors").write_text("these are no weights")
    with zipfile.ZipFile(folder / "archive.pth", "w") as archive:
        archive.writestr("readme.txt", "no weights either")
    torch.save([1, 2, 3], folder / "list.pth")
    torch.save({}, folder / "nothing.pth")
    whole = sorted(folder.glob("*"))
    return [path for path in whole if path.name != "whole.pth"]


def test_broken_files_get_one_line(tmp_path):
    for path in [*broken(tmp_path), tmp_path / "missing.pth"]:
        with pytest.raises(ModelFileError) as caught:
            read_state(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


def test_renaming_replaces_the_longest_prefix_of_whole_parts():
    table = {"a": "x", "a.b": "y", "c.d": "z"}
    state = {name: torch.zeros(()) for name in ("a.w", "a.b.w", "ab.w", "c.w", "c.d", "c.d.e.w")}
    assert list(renamed(state, table)) == ["x.w", "y.w", "ab.w", "c.w", "z", "z.e.w"]


def test_a_file_with_another_hash_is_refused(tmp_path):
    (tmp_path / "weights").write_bytes(b"abc")
    verify(tmp_path / "weights", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    with pytest.raises(ResourceError, match=r"SHA-256 000000000000\.\.\. expected, ba7816bf8f01\.\.\. found"):
        verify(tmp_path / "weights", "0" * 64)
    with pytest.raises(ResourceError, match="missing"):
        verify(tmp_path / "none", "0" * 64)


def test_a_file_in_torchvisions_names_is_recognised_and_said(torchvision_resnet, caplog):
    lines = []
    state = torch.load(torchvision_resnet, weights_only=True)
    assert torch.equal(create("resnet18", weights=torchvision_resnet, say=lines.append).head.weight, state["fc.weight"])
    assert lines == [f"{torchvision_resnet}: names as in torchvision, translated"]
    assert not caplog.records
    create("resnet18", weights=str(torchvision_resnet))
    assert [entry.message for entry in caplog.records] == lines


def test_recognising_draws_nothing_from_the_generator(torchvision_resnet):
    heads = []
    for weights in (None, torchvision_resnet, f"torchvision:{torchvision_resnet}"):
        seed_everything(7)
        heads.append(create("resnet18", classes=3, weights=weights, say=str).head.weight)
    assert torch.equal(heads[0], heads[1])
    assert torch.equal(heads[0], heads[2])


def test_imagenet_weights_are_fetched_verified_and_kept(torchvision_resnet, tmp_path, monkeypatch):
    content = torchvision_resnet.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    known = record("resnet18").weights[0]
    assert not known.bundled
    found = replace(record("resnet18"), weights=(replace(known, address=f"https://a.example/r-{digest[:8]}.pth"),))
    monkeypatch.setitem(registry._RECORDS, "resnet18", found)
    monkeypatch.setenv("NEOCOG_CACHE", str(tmp_path))
    monkeypatch.setattr(download.urllib.request, "urlopen", lambda address, timeout: io.BytesIO(content))
    network = create("resnet18", weights="imagenet", classes=5)
    state = torch.load(torchvision_resnet, weights_only=True)
    assert torch.equal(network.conv1.weight, state["conv1.weight"])
    assert network.head.out_features == 5
    assert [path.name for path in (tmp_path / "weights").iterdir()] == [f"r-{digest[:8]}.pth"]
    by_address = create("resnet18", weights=f"torchvision:https://a.example/net.pth#sha256={digest}")
    assert torch.equal(by_address.head.bias, state["fc.bias"])


def convolutional(classes):
    """Returns a network that ends in a 1x1 convolution as its head, with an auxiliary one beside."""
    return nn.Sequential(
        OrderedDict(aux1=nn.Sequential(OrderedDict(head=nn.Linear(4, classes))), head=nn.Conv2d(4, classes, 1),
                    pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())
    )  # fmt: skip


def test_convolutions_and_auxiliary_layers_are_heads_too():
    network = convolutional(5)
    assert replace_head(network, 3) is network
    assert [type(each) for each in (network.aux1.head, network.head)] == [nn.Linear, nn.Conv2d]
    assert (network.aux1.head.out_features, network.head.weight.shape) == (3, (3, 4, 1, 1))
    assert not network.head.bias.any()
    assert list(dict(network.named_children())) == ["aux1", "head", "pool", "flatten"]
    network.aux1 = nn.Identity()
    maps = torch.randn(2, 4, 3, 3)
    assert torch.allclose(headless(network)(maps), maps.mean((2, 3)), atol=1e-6)


def test_networks_without_weights_say_which_have_some():
    with pytest.raises(NetworkError, match=r"no 'imagenet' weights are known for lenet5; networks that have some: \w"):
        create("lenet5", weights="imagenet")
    with pytest.raises(NetworkError, match=r"no weights are called 'imgnet'\. Did you mean imagenet\? Or give a file"):
        create("lenet5", weights="imgnet")
    assert weights_of("efficientnet_lite0") is record("efficientnet_lite0").weights[0]


def test_a_changed_weights_package_is_noticed(monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(ResourceError, match="SHA-256"):
        create("efficientnet_lite0", weights="imagenet")
