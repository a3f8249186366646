"""Weights in other libraries' naming: recognised, fitted whole or not at all, and written back bit for bit."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from neocog.architectures import create
from neocog.core.errors import ModelFileError, NetworkError
from neocog.core.foreign import naming_of, open_named, open_weights, options_for, written
from neocog.core.imagenet_weights import TIMM_FILES, TORCHVISION_FILES, weights_for
from neocog.core.pretrained import CAFFE, HALVES, IMAGENET, expected
from neocog.core.registry import Record
from neocog.core.weights import fit, read_state, renamed, turn_colours


class Side(nn.Module):
    """An auxiliary head."""

    def __init__(self, classes):
        super().__init__()
        self.squeeze = nn.Linear(4, 3)
        self.head = nn.Linear(3, classes)


def build(classes=5, channels=3, *, auxiliary=False):
    """Returns a network of a convolution, a norm, perhaps an auxiliary head, and a head."""
    layers = OrderedDict(stem=nn.Conv2d(channels, 4, 3, bias=False), stem_bn=nn.BatchNorm2d(4))
    if auxiliary:
        layers["aux1"] = Side(classes)
    return nn.Sequential(OrderedDict(**layers, flatten=nn.Flatten(), head=nn.Linear(4, classes)))


TABLE = {"features.0": "stem", "features.0.norm": "stem_bn", "classifier": "head", "AuxLogits": "aux1"}
RECORD = Record(
    "toy", build, "a paper", 2000, "image classification", (3, 3, 3), 5, 0, 0, renames={"torchvision": TABLE}
)


def theirs(**options):
    """Returns a state in the other naming, all of its numbers different."""
    torch.manual_seed(1)
    names = {ours: other for other, ours in TABLE.items()}
    state = build(**options).state_dict()
    return {f"{names[name.split('.')[0]]}.{name.split('.', 1)[1]}": each for name, each in state.items()}


def names_of(record):
    return lambda: record.build().state_dict()


@pytest.fixture
def file(tmp_path):
    save_file(theirs(), tmp_path / "theirs.safetensors")
    return tmp_path / "theirs.safetensors"


def test_a_naming_is_recognised_or_said(file):
    for spec in (file, str(file), f"torchvision:{file}"):
        opened = open_weights(RECORD, spec, names_of(RECORD))
        state = opened.state(build(), (3, 3, 3))
        assert set(state) == set(build().state_dict())
        assert opened.classes == 5
        assert opened.notes == (() if ":" in str(spec) else (f"{file}: names as in torchvision, translated",))


def test_ours_needs_no_word(tmp_path):
    save_file(build().state_dict(), tmp_path / "ours.safetensors")
    opened = open_weights(RECORD, tmp_path / "ours.safetensors", names_of(RECORD))
    assert opened.notes == ()


def test_two_namings_that_fit_alike_are_one_and_differing_ones_are_refused(file):
    same = replace(RECORD, renames={"torchvision": TABLE, "timm": {**TABLE, "fc": "head"}})
    assert "torchvision" in open_weights(same, file, names_of(same)).notes[0]

    def two(classes=5, channels=3):
        return nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})

    record = replace(RECORD, build=two, renames={"torchvision": {"x": "a", "y": "b"}, "timm": {"x": "b", "y": "a"}})
    save_file({f"{name}.{key}": torch.zeros(2) for name in "xy" for key in ("weight", "bias")}, file)
    with pytest.raises(NetworkError, match=r"torchvision or timm ones; say which, e.g. timm:"):
        open_weights(record, file, names_of(record))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("torchvison:x.pth", "Did you mean torchvision"),
        ("timm:x.pth", "timm has no toy, or none with the same layers.*there are tables for torchvision"),
        ("keras:x.h5", "keras has no toy"),
    ],
)
def test_namings_that_are_not_there(spec, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.pth").touch()
    with pytest.raises(NetworkError, match=words):
        open_weights(RECORD, spec, names_of(RECORD))


def test_auxiliary_heads_of_the_file_are_left_out_with_a_word_and_missing_ones_refused():
    state = renamed(theirs(auxiliary=True), TABLE)
    network = build()
    assert fit(network, state, source="f") == ("f: auxiliary heads left out, which the network does not have: aux1",)
    assert torch.equal(network.head.weight, state["head.weight"])
    assert fit(build(), theirs_with_aux_untranslated(), source="f")[0].endswith("AuxLogits")
    with pytest.raises(NetworkError, match=r"'aux1.squeeze.weight' is missing .*no auxiliary heads; take the network"):
        fit(build(auxiliary=True), renamed(theirs(), TABLE), source="f")


def theirs_with_aux_untranslated():
    table = {key: value for key, value in TABLE.items() if key != "AuxLogits"}
    return renamed(theirs(auxiliary=True), table)


def test_every_head_stays_fresh_for_other_classes():
    state = renamed(theirs(auxiliary=True), TABLE)
    network = build(classes=2, auxiliary=True)
    fresh = network.aux1.head.weight.clone()
    fit(network, state, source="f")
    assert torch.equal(network.aux1.head.weight, fresh)
    assert torch.equal(network.aux1.squeeze.weight, state["aux1.squeeze.weight"])
    with pytest.raises(NetworkError, match=r"head.weight should be 2x4, got 5x7"):
        fit(build(classes=2), {**renamed(theirs(), TABLE), "head.weight": torch.zeros(5, 7)}, source="f")


def test_a_file_without_a_head_only_where_the_classes_were_given():
    body = {name: each for name, each in renamed(theirs(), TABLE).items() if not name.startswith("head")}
    assert fit(build(), body, source="f", headless=True) == ("f: no head in it, so the network's stays fresh",)
    with pytest.raises(NetworkError, match=r"'head.weight' is missing"):
        fit(build(), body, source="f")


@pytest.mark.parametrize("broken", ["stem.weight", "stem_bn.running_var", "head.bias"])
def test_nothing_is_loaded_when_one_tensor_is_at_fault(broken):
    state = renamed(theirs(), TABLE)
    state[broken] = torch.zeros(9, 9)
    network = build()
    before = {name: each.clone() for name, each in network.state_dict().items()}
    with pytest.raises(NetworkError, match=broken) as caught:
        fit(network, state, source="f")
    assert "\n" not in str(caught.value)
    assert all(torch.equal(each, before[name]) for name, each in network.state_dict().items())


def test_a_kernel_over_the_whole_map_is_a_dense_layer():
    network = nn.Sequential(OrderedDict(fc=nn.Linear(12, 2), head=nn.Linear(2, 2)))
    kernel = torch.arange(24.0).view(2, 3, 2, 2)
    fit(network, {**network.state_dict(), "fc.weight": kernel}, source="f")
    maps = torch.randn(1, 3, 2, 2)
    assert torch.allclose(network.fc(maps.flatten(1)), nn.functional.conv2d(maps, kernel, network.fc.bias).flatten(1))


def test_two_names_for_one_tensor_are_refused():
    with pytest.raises(NetworkError, match=r"become 'head.weight'"):
        renamed({"classifier.weight": torch.zeros(1), "head.weight": torch.zeros(1)}, TABLE)


def test_keras_mobile_networks_are_padded_as_keras_pads_them():
    def mobile(classes=5, channels=3, *, padding="symmetric"):
        return build(classes, channels)

    record = replace(RECORD, build=mobile, renames={"keras": {}, "torchvision": TABLE})
    for spec in ("keras:x.pth", "x.weights.h5", Path("x.keras"), f"https://a.example/x.h5#sha256={'0' * 64}"):
        assert options_for(record, spec) == {"padding": "tensorflow"}
        assert naming_of(record, spec) == "keras"
        assert options_for(RECORD, spec) == {}
    for spec in ("torchvision:x.pth", "x.pth", "imagenet"):
        assert options_for(record, spec) == {}


def test_what_is_written_back_is_what_was_read():
    state = theirs(auxiliary=True)
    back = written(renamed(state, TABLE), RECORD, "torchvision")
    assert list(back) == list(state)
    assert all(torch.equal(back[name], each) for name, each in state.items())
    with pytest.raises(NetworkError, match="cannot be turned back"):
        crossed = replace(RECORD, renames={"torchvision": {"features": "stem", "features.0": "head"}})
        written({"stem.0.weight": torch.zeros(1)}, crossed, "torchvision")
    with pytest.raises(NetworkError, match="not written in Keras"):
        written({}, RECORD, "keras")


def test_timms_vgg_gets_its_convolutions_back():
    record = replace(RECORD, renames={"timm": {"pre_logits.fc1": "fc6", "pre_logits.fc2": "fc7"}})
    state = {"fc6.weight": torch.arange(98.0).view(1, 98), "fc7.weight": torch.zeros(1, 1), "fc7.bias": torch.zeros(1)}
    back = written(state, record, "timm")
    assert back["pre_logits.fc1.weight"].shape == (1, 2, 7, 7)
    assert back["pre_logits.fc2.weight"].shape == (1, 1, 1, 1)
    assert torch.equal(back["pre_logits.fc1.weight"].flatten(1), state["fc6.weight"])


def test_records_get_downloadable_weights_where_they_know_the_naming():
    (found,) = weights_for("inception_v3", {"torchvision": {}})
    assert (found.size, found.resize, found.mean, found.naming) == (299, 342, (0.5,) * 3, "torchvision")
    assert found.address == "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth"
    assert not found.bundled
    assert weights_for("inception_v3", {"timm": {}}) == ()
    assert weights_for("nobody", {"torchvision": {}}) == ()
    assert not set(TORCHVISION_FILES) & set(TIMM_FILES)
    for name in (*TORCHVISION_FILES, *TIMM_FILES):
        (each,) = weights_for(name, ("torchvision", "timm"))
        digits = each.address.rsplit("-", 1)[1].split(".")[0]
        assert len(digits) >= 8
        assert int(digits, 16)
        assert each.address.startswith("https://")
        assert each.resize >= each.size


def test_weights_that_come_along_need_no_download():
    here = replace(IMAGENET, load=lambda: {"head.bias": torch.zeros(3)})
    assert here.bundled
    assert open_named(RECORD, here).classes == 3


@pytest.mark.parametrize(
    ("network", "spec", "colours"),
    [
        ("vgg16", "keras:x.h5", CAFFE),
        ("resnet50", "keras:x.h5", CAFFE),
        ("resnet50_v2", "keras:x.h5", HALVES),
        ("xception", "keras:x.h5", HALVES),
        ("densenet121", "keras:x.h5", IMAGENET),
        ("inception_v4", "timm:x.pth", HALVES),
        ("resnet50", "x.pth", IMAGENET),
    ],
)
def test_a_file_expects_what_its_library_feeds_the_network(network, spec, colours):
    naming = spec.partition(":")[0] if ":" in spec else ""
    found = expected(network, (), spec, naming, 224)
    assert (found.mean, found.std, found.order, found.size, found.resize) == (
        colours.mean, colours.std, colours.order, 224, 256,
    )  # fmt: skip
    own = replace(HALVES, name="mine")
    assert expected(network, (own,), "mine", "", 224) is own
    assert expected(network, (own,), "torchvision:x.pth", "torchvision", 224) is own


def test_blue_first_becomes_red_first():
    network = build()
    pictures = torch.rand(2, 3, 3, 3)
    before = network.eval()(pictures)
    turn_colours(network)
    assert torch.allclose(network(pictures.flip(1)), before, atol=1e-6)
    grey = build(channels=1)
    kernel = grey.stem.weight.clone()
    turn_colours(grey)
    assert torch.equal(grey.stem.weight, kernel)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "model."])
def test_what_wrappers_put_before_the_names_is_taken_off(tmp_path, prefix):
    own = create("lenet5_modern").state_dict()
    torch.save({"state_dict": {prefix + name: tensor for name, tensor in own.items()}}, tmp_path / "wrapped.pth")
    assert list(read_state(tmp_path / "wrapped.pth")) == list(own)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda tensor: tensor * float("nan"), "has values that are NaN or infinite"),
        (lambda tensor: (tensor * 100).to(torch.int8), "should be floating-point numbers, got int8"),
        (lambda tensor: tensor.to_sparse(), "should be floating-point numbers, got sparse"),
    ],
)
def test_weights_that_a_layer_cannot_compute_with_are_refused(tmp_path, change, words):
    own = {name: tensor.detach() for name, tensor in create("lenet5_modern").state_dict().items()}
    torch.save(own | {"head.weight": change(own["head.weight"])}, tmp_path / "odd.pth")
    with pytest.raises(NetworkError, match=f"odd.pth: head.weight {words}"):
        create("lenet5_modern", weights=tmp_path / "odd.pth")


def test_a_file_with_other_keys_says_which(tmp_path):
    torch.save({"model_ema": {"a": torch.zeros(1)}, "epoch": 3}, tmp_path / "ema.pth")
    with pytest.raises(ModelFileError, match="got a dict with 'model_ema', 'epoch'"):
        read_state(tmp_path / "ema.pth")
