"""Keras's files: those that Keras 3.15 wrote in ``keras/`` give what Keras computed, and files that lie are refused.

The network there was built twice in a session, so that the names that Keras makes up do not begin at nothing.
"""

from __future__ import annotations

import builtins
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from neocog.core.errors import ModelFileError, NetworkError, ResourceError
from neocog.core.foreign import open_weights
from neocog.core.keras_weights import aligned, flattened_maps, read_layers, translated
from neocog.core.registry import Record
from neocog.core.weights import fit

h5py = pytest.importorskip("h5py")

FOLDER = Path(__file__).parent / "keras"
FILES = ("keras_small.weights.h5", "keras_small.h5", "keras_small.keras")
SHAPE = (3, 9, 9)
TABLE = {
    "first": "stem",
    "first_bn": "stem_bn",
    "depthwise_conv2d": "each",
    "batch_normalization": "each_bn",
    "separable_conv2d": "separable",
    "conv2d": "wide",
    "fc": "fc",
    "dense": "head",
}


def build(classes=5, channels=3):
    separable = OrderedDict(depthwise=nn.Conv2d(4, 4, 3, groups=4, bias=False), pointwise=nn.Conv2d(4, 6, 1))
    return nn.Sequential(
        OrderedDict(
            stem=nn.Conv2d(channels, 4, 3),
            stem_bn=nn.BatchNorm2d(4, eps=1e-3),
            stem_relu=nn.ReLU(),
            each=nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False),
            each_bn=nn.BatchNorm2d(4, eps=1e-3),
            separable=nn.Sequential(separable),
            wide=nn.Conv2d(6, 6, (1, 2)),
            flatten=nn.Flatten(),
            fc=nn.Linear(120, 8),
            fc_relu=nn.ReLU(),
            head=nn.Linear(8, classes),
        )
    )


RECORD = Record("toy", build, "a paper", 2000, "image classification", SHAPE, 5, 0, 0, renames={"keras": TABLE})


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("prefix", ["keras:", ""])
def test_a_file_of_keras_gives_what_keras_computed(name, prefix):
    opened = open_weights(RECORD, f"{prefix}{FOLDER / name}", lambda: build().state_dict())
    assert opened.classes == 5
    network = build().eval()
    assert fit(network, opened.state(network, SHAPE), source=name) == ()
    known = np.load(FOLDER / "keras_small.npz")
    with torch.no_grad():
        outputs = network(torch.from_numpy(known["inputs"]))
    torch.testing.assert_close(outputs, torch.from_numpy(known["outputs"]), rtol=1e-5, atol=1e-5)


def test_other_classes_and_one_channel():
    opened = open_weights(RECORD, f"keras:{FOLDER / FILES[0]}", dict)
    network = build(classes=2, channels=1)
    head = network.head.weight.clone()
    fit(network, opened.state(network, (1, 9, 9)), source="f")
    assert torch.equal(network.head.weight, head)
    assert network.stem.weight.shape == (4, 1, 3, 3)


def test_layouts_number_by_number():
    kernel = torch.arange(12.0).view(1, 2, 2, 3)  # (H, W, I, O)
    network = nn.Sequential(OrderedDict(conv=nn.Conv2d(2, 3, (1, 2)), flat=nn.Flatten(), head=nn.Linear(6, 1)))
    dense = torch.arange(6.0).view(6, 1)  # inputs: (1, 2, 3) with the maps last
    layers = {"a": [kernel, torch.zeros(3)], "b": [dense, torch.zeros(1)]}
    state = translated(layers, {"a": "conv", "b": "head"}, network, (2, 1, 3), source="f")
    assert all(
        state["conv.weight"][o, i, 0, w] == kernel[0, w, i, o] for o in range(3) for i in range(2) for w in (0, 1)
    )
    assert state["head.weight"].tolist() == [[0, 3, 1, 4, 2, 5]]
    assert flattened_maps(network, (2, 1, 3)) == {"head": 3}
    depthwise = nn.Sequential(OrderedDict(conv=nn.Conv2d(2, 4, 1, groups=2)))
    kernel = torch.arange(4.0).view(1, 1, 2, 2)  # two multiples of two channels
    state = translated({"a": [kernel]}, {"a": "conv"}, depthwise, (2, 1, 1), source="f")
    assert state["conv.weight"].flatten().tolist() == [0, 1, 2, 3]
    pooled = nn.Sequential(OrderedDict(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), head=nn.Linear(2, 3)))
    state = translated({"a": [torch.arange(6.0).view(1, 1, 2, 3)]}, {"a": "head"}, pooled, (2, 4, 4), source="f")
    assert state["head.weight"].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_names_that_keras_makes_up_go_by_their_order():
    known = ["conv2d", "conv2d_1", "conv2d_10", "conv2d_2", "block1"]
    found = ["block1", "conv2d_14", "conv2d_5", "conv2d_9", "conv2d_4"]
    by_number = {"conv2d_4": "conv2d", "conv2d_5": "conv2d_1", "conv2d_9": "conv2d_2", "conv2d_14": "conv2d_10"}
    assert aligned(found, known) == {"block1": "block1", **by_number}
    assert aligned(["conv2d_7"], known) == {"conv2d_7": "conv2d_7"}


def test_what_does_not_fit_is_named():
    network = build()
    layers = read_layers(FOLDER / FILES[0])
    with pytest.raises(NetworkError, match=r"'fc' has tensors of 120x8, 8, which 'stem_bn' cannot take"):
        translated(layers, {**TABLE, "fc": "stem_bn"}, network, SHAPE, source="f")
    strange = translated(
        layers, {key: value for key, value in TABLE.items() if key != "fc"}, network, SHAPE, source="f"
    )
    with pytest.raises(NetworkError, match=r"'fc.weight' is missing \(2 missing, 2 unknown names\)"):
        fit(network, strange, source="f")
    with pytest.raises(NetworkError, match="takes no input of 1x9x9"):
        flattened_maps(network, (1, 9, 9))


def liar(path, kind):
    """Writes a file that is not what its name says."""
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/conv2d/vars")
        group.attrs["name"] = "first"
        if kind == "link":
            group["0"] = h5py.ExternalLink("other.h5", "/secret")
        elif kind == "bomb":
            group.create_dataset("0", (1 << 14, 1 << 14), "f4", chunks=(64, 64))
        elif kind == "words":
            group["0"] = b"words"
        elif kind == "nameless":
            del group.attrs["name"]
            group["0"] = np.zeros((1, 1, 3, 4), np.float32)
        elif kind == "outside":
            group.create_dataset("0", (4,), "f4", external=[("secret.bin", 0, 16)])
        elif kind == "twice":
            file.create_group("layers/conv2d_1/vars").attrs["name"] = "first"
            group["0"] = file["layers/conv2d_1/vars"]["0"] = np.zeros(3, np.float32)
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("link", "missing or a link"),
        ("bomb", "far fewer"),
        ("words", "no array of numbers"),
        ("nameless", "have no names"),
        ("outside", "no array of numbers"),
        ("twice", "two layers of one name"),
        ("nothing", "no layer with weights"),
    ],
)
def test_files_that_lie_get_one_line(tmp_path, kind, words):
    with pytest.raises(ModelFileError, match=words) as caught:
        read_layers(liar(tmp_path / "liar.h5", kind))
    assert "\n" not in str(caught.value)


def test_broken_files_get_one_line(tmp_path):
    whole = (FOLDER / FILES[0]).read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "words.h5").write_text("these are no weights")
    (tmp_path / "empty.h5").touch()
    (tmp_path / "cut.keras").write_bytes((FOLDER / "keras_small.keras").read_bytes()[:3000])
    for path in [*tmp_path.iterdir(), tmp_path / "none.h5"]:
        with pytest.raises(ModelFileError) as caught:
            read_layers(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


def test_without_h5py_it_is_said_how_to_install_it(monkeypatch):
    def missing(name, *arguments, **settings):
        if name == "h5py":
            raise ImportError(name)
        return real(name, *arguments, **settings)

    real = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ResourceError, match="pip install h5py"):
        read_layers(FOLDER / FILES[0])
