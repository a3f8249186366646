"""A network of the user's own: imported from the current folder, and every fault of it is one line."""

from __future__ import annotations

import sys

import pytest
import torch

from neocog.core.errors import NetworkError
from neocog.core.inputs import check_outputs
from neocog.core.layers import count_parameters, layer_table
from neocog.core.own import is_own, own_record

CODE = '''
"""Somebody's networks."""

from torch import nn


class Net(nn.Module):
    """A small network."""

    def __init__(self, classes=4, channels=3, size=16, wide=6):
        super().__init__()
        self.conv = nn.Conv2d(channels, wide, 3, padding=1)
        self.fc = nn.Linear(wide * size * size, classes)

    def forward(self, x):
        return self.fc(self.conv(x).view(x.size(0), -1))  # as people write it, which no empty batch takes


def build(classes):
    """A network without options."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, classes))


def anything(**options):
    return Net(options["classes"], options["channels"])


def maps(classes, channels):
    return nn.Conv2d(channels, classes, 1)


def words(classes):
    return "no network"


def broken(classes):
    raise KeyError("missing")


def odd(classes, channels):
    class Odd(nn.Linear):
        def forward(self, x):
            return x.nothing

    return Odd(1, 1)


class Looking(nn.Module):
    """Looks at its numbers, in Python and in NumPy."""

    def __init__(self, classes):
        super().__init__()
        self.head = nn.Linear(3, classes)

    def forward(self, x):
        top = float(x.detach().numpy().max())
        return self.head(x.mean((2, 3)) / (top if top > 1 else 1))


class Sharing(nn.Module):
    """Calls one convolution twice, and has one matrix in two dense layers."""

    def __init__(self, classes):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.first = nn.Linear(3, 3)
        self.second = nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.head = nn.Linear(3, classes)

    def forward(self, x):
        return self.head(self.second(self.first(self.conv(self.conv(x)).mean((2, 3)))))


def lazy(classes):
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(classes))


def none():
    return None


number = 3
'''


@pytest.fixture
def module(tmp_path, monkeypatch):
    name = f"somebody_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield name
    sys.modules.pop(name, None)


def test_a_name_with_a_colon_is_a_function(module):
    assert is_own(f"{module}:build")
    assert not is_own("resnet18")
    entry = own_record(f"{module}:Net")
    assert (entry.input, entry.classes, entry.summary) == ((3, 16, 16), 4, "A small network.")
    network = entry.build(classes=7, channels=1, size=8, wide=2)
    assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 7)
    plain = own_record(f"{module}:build")
    assert (plain.input, plain.classes) == ((3, 224, 224), 1000)
    assert plain.build(classes=2, channels=3)(torch.zeros(1, 3, 5, 5)).shape == (1, 2)
    assert own_record(f"{module}:anything").build(classes=2, channels=1).fc.out_features == 2


def test_its_layers_are_listed_though_it_takes_no_empty_batch(module):
    network = own_record(f"{module}:Net").build(classes=5, channels=3)
    rows = layer_table(network, (3, 16, 16))
    assert [row.output_shape for row in rows] == [(6, 16, 16), (5,)]
    check_outputs(network, (3, 16, 16), 5)
    assert {parameter.device.type for parameter in network.parameters()} == {"cpu"}


def test_a_network_that_looks_at_its_numbers_is_tried_with_some(module):
    network = own_record(f"{module}:Looking").build(classes=5)
    check_outputs(network, (3, 8, 8), 5)
    assert [(row.name, row.output_shape, row.macs) for row in layer_table(network, (3, 8, 8))] == [("head", (5,), 15)]


def test_weights_that_layers_share_count_once_and_each_call_has_its_own_field(module):
    network = own_record(f"{module}:Sharing").build(classes=2)
    rows = layer_table(network, (3, 8, 8))
    shown = [(row.name, row.params, row.arithmetic) for row in rows]
    assert shown == [
        ("conv", 84, "3 x (3x3x3) + 3 = 84"),
        ("conv", 0, ""),
        ("first", 12, "3 x 3 + 3 = 12"),
        ("second", 3, "3"),
        ("head", 8, "2 x 3 + 2 = 8"),
    ]
    assert sum(row.params for row in rows) == count_parameters(network)
    assert [(row.receptive_field, row.start) for row in rows[:2]] == [((3, 3), (-1, -1)), ((5, 5), (-2, -2))]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("{}.py:build", "write the module as Python imports it, e.g. {}:build"),
        ("nets/{}.py:Net", "e.g. nets.{}:Net"),
        ("{}:", "should be module:function"),
        (":build", "should be module:function"),
        ("{}:lazy", "has lazy layers"),
    ],
)
def test_names_and_networks_that_cannot_be_used(module, name, words):
    with pytest.raises(NetworkError, match=words.format(module)):
        own_record(name.format(module)).build(classes=2)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("bild", "has no function 'bild'. Did you mean build"),
        ("number", "has no function 'number'"),
        ("none", "should take classes="),
        ("words", "should return a torch.nn.Module, got str"),
        ("broken", "failed: KeyError: 'missing'"),
        ("maps", r"should turn inputs of 3x16x16 into logits \(B, 4\), got \(B, 4, 16, 16\)"),
        ("odd", "fails on an input of 3x16x16: AttributeError"),
    ],
)
def test_what_is_wrong_with_it_is_one_line(module, function, words):
    name = f"{module}:{function}"
    with pytest.raises(NetworkError, match=words) as caught:
        check_outputs(own_record(name).build(classes=4, channels=3), (3, 16, 16), 4, name=name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (None, "there is no module 'somebody_else'"),
        ("import no_such_package_at_all", "cannot be imported: ModuleNotFoundError"),
        ("def build(:", "cannot be imported: SyntaxError"),
        ("raise SystemExit(3)", "cannot be imported: SystemExit"),
    ],
)
def test_a_module_that_cannot_be_imported(tmp_path, monkeypatch, code, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    if code is not None:
        (tmp_path / "somebody_else.py").write_text(code)
    with pytest.raises(NetworkError, match=words) as caught:
        own_record("somebody_else:build")
    assert "\n" not in str(caught.value)
    assert "somebody_else" not in sys.modules
