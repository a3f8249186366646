"""What every network of the registry keeps to, whichever paper it comes from."""

from __future__ import annotations

import csv
import inspect
import os
from collections import Counter

import pytest
import torch
from published import PUBLISHED
from torch import nn

from neocog.architectures import create, headless, networks, record, records, replace_head
from neocog.core.errors import NetworkError
from neocog.core.inputs import check_input, smallest_input
from neocog.core.layers import count_parameters, layer_table
from neocog.core.outputs import WithAuxiliary, primary
from neocog.core.randomness import seed_everything

CLASSIFIERS = networks("image classification")
# Their families have shallower members of the same blocks; they are counted like all, and built up only on request.
DEEP = {
    "densenet161", "densenet169", "densenet190_k40_bc_cifar10", "densenet201", "densenet250_k24_bc_cifar10",
    "resnet1001_cifar10", "resnet101_v1", "resnet101_v2", "resnet152", "resnet152_v1", "resnet152_v2",
    "resnext101_32x8d", "resnext101_64x4d", "se_resnet101", "se_resnet152", "se_resnext101_32x4d", "wide_resnet101_2",
}  # fmt: skip
BUILT = tuple(name for name in CLASSIFIERS if name not in DEEP or "NEOCOG_TEST_DEEP" in os.environ)
# Those whose forward and backward pass take a moment on one core; of the others, only shapes are computed.
QUICK = tuple(name for name in BUILT if record(name).params < 13e6 and record(name).macs < 2.5e9)
# 64 pixels are too few for these.
LARGER = {"nin_imagenet": 96}
# Its head is a layer of S-cells, which no plain layer can take the place of.
NO_OTHER_HEAD = ("neocognitron",)
every_network = pytest.mark.parametrize("name", networks())
every_classifier = pytest.mark.parametrize("name", BUILT)
every_quick_network = pytest.mark.parametrize("name", QUICK)


def on_paper(name: str, **options: object) -> nn.Module:
    """Returns the network for batches of no samples, which have shapes and no numbers to compute.

    A large one is not initialised: that would take most of the time.
    """
    if record(name).params < 2e6:
        return create(name, **options)
    with torch.device("meta"):
        network = create(name, **options)
    return network.to_empty(device="cpu")


def side_of(name: str, most: int = 64) -> int:
    """Returns a quick input size: small where the network takes any, else the published one."""
    entry = record(name)
    published = entry.input[-1]
    most = max(most, LARGER.get(name, 0))
    return published if "size" in inspect.signature(entry.build).parameters else min(published, most)


def small_inputs(name: str, batch: int = 2, channels: int | None = None) -> torch.Tensor:
    seed_everything(0, name)
    side = side_of(name)
    return torch.randn(batch, channels or record(name).input[0], side, side)


@every_network
def test_parameters_and_macs_are_those_of_the_record(name):
    entry = record(name)
    network = on_paper(name)
    rows = layer_table(network, entry.input, auxiliary=entry.counts_auxiliary)
    assert count_parameters(network) == entry.params
    assert sum(row.macs for row in rows) == entry.macs
    if not any(key.startswith("aux") for key, _ in network.named_children()) or entry.counts_auxiliary:
        beside = count_parameters(network.crf) if getattr(network, "crf", None) else 0  # transitions: behind the scores
        assert sum(row.params for row in rows) + beside == entry.params


@every_classifier
def test_the_last_layer_with_weights_is_the_head(name):
    entry = record(name)
    rows = layer_table(on_paper(name), entry.input)
    last = [row for row in rows if row.params or row.name == "head"][-1]
    assert last.name == "head"
    assert last.output_shape[0] == entry.classes
    assert rows[-1].output_shape == (entry.classes,)


@pytest.mark.parametrize("name", PUBLISHED)
def test_records_agree_with_the_published_figures(name, shared_data):
    with (shared_data.parent / "zoo.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    row, entry = rows[PUBLISHED[name]], record(name)
    assert (int(row["params"]), int(row["year"])) == (entry.params, entry.year)
    if row["macs"]:
        assert int(row["macs"]) == entry.macs
    words = entry.text is not None and entry.text.unit == "words"  # the table gives what they look up, tokens x vector
    assert row["input_size"].startswith(f"{entry.input[1]}x" if words else "x".join(map(str, entry.input)))
    published = [float(row[column]) if row[column] else None for column in ("top1_err", "top5_err")]
    assert published == ([entry.errors.top1, entry.errors.top5] if entry.errors else [None, None])


@pytest.mark.parametrize("alias", [alias for entry in records() for alias in entry.aliases])
def test_aliases_are_not_names_and_belong_to_one_network(alias):
    assert alias not in networks()
    assert sum(alias in entry.aliases for entry in records()) == 1
    assert alias in record(alias).aliases


def test_efficientnet_lite0_by_the_arithmetic_of_its_table():
    table = ((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3))
    table += ((6, 5, 2, 192, 4), (6, 3, 1, 320, 1))
    side, maps = 112, 32
    params, macs = 27 * 32 + 64, 27 * 32 * side**2
    for widening, kernel, stride, outputs, repeats in table:
        for block in range(repeats):
            wide = maps * widening
            if widening > 1:
                params, macs = params + maps * wide + 2 * wide, macs + maps * wide * side**2
            side = -(-side // stride) if block == 0 else side
            params += wide * kernel**2 + 2 * wide + wide * outputs + 2 * outputs
            macs += (wide * kernel**2 + wide * outputs) * side**2
            maps = outputs
    params += maps * 1280 + 2 * 1280 + 1280 * 1000 + 1000
    macs += maps * 1280 * side**2 + 1280 * 1000
    entry = record("efficientnet_lite0")
    assert (entry.params, entry.macs) == (params, macs)


@every_classifier
def test_output_shapes_at_two_sizes_classes_and_channels(name):
    side = record(name).input[-1]
    network = on_paper(name, classes=7, channels=1).eval()
    assert network(torch.zeros(0, 1, side, side)).shape == (0, 7)
    grown = side + 32
    network = on_paper(name, classes=7, channels=1, size=grown).eval()
    assert network(torch.zeros(0, 1, grown, grown)).shape == (0, 7)


def summed(outputs: object) -> torch.Tensor:
    """Returns a number that depends on every output, those of auxiliary heads included."""
    flat = [outputs.logits, *outputs.auxiliary] if isinstance(outputs, WithAuxiliary) else [outputs]
    return sum((each * torch.randn_like(each)).sum() for each in flat)


@every_quick_network
def test_a_gradient_reaches_every_parameter(name):
    network = create(name, **no_dropout(name))
    for weight in network.parameters():  # weights that start at zero hide the layers before them until the first step
        if weight.dim() > 1 and not weight.any():
            nn.init.normal_(weight, std=0.01)
    outputs = network(small_inputs(name, batch=4))
    seed_everything(1, name)
    summed(outputs).backward()
    without = [key for key, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert without == []


@pytest.mark.parametrize("name", sorted(set(BUILT) - set(QUICK)))
def test_every_parameter_is_on_the_way_to_the_output(name):
    network = on_paper(name).train()
    summed(network(no_inputs(name))).backward()
    assert [key for key, weight in network.named_parameters() if weight.grad is None] == []


def no_inputs(name: str) -> torch.Tensor:
    """Returns a batch of no samples of a quick size."""
    side = side_of(name, 128)
    return torch.zeros(0, record(name).input[0], side, side)


def no_dropout(name: str) -> dict[str, float]:
    return {"dropout": 0.0} if "dropout" in inspect.signature(record(name).build).parameters else {}


@every_classifier
def test_no_layer_is_called_twice_and_none_works_in_place(name):
    network = on_paper(name)
    calls: Counter[str] = Counter()
    for key, module in network.named_modules():
        assert not getattr(module, "inplace", False), key
        if next(module.children(), None) is None:
            module.register_forward_hook(lambda *_, key=key: calls.update([key]))
    with torch.no_grad():
        network(no_inputs(name))
    assert set(calls.values()) == {1}
    assert len(list(network.modules())) == len(list(network.named_modules(remove_duplicate=False)))


@every_quick_network
def test_evaluation_is_deterministic_and_a_sample_does_not_depend_on_its_batch(name):
    network = create(name).eval()
    inputs = small_inputs(name, batch=3)
    with torch.inference_mode():
        once, twice, alone = network(inputs), network(inputs), network(inputs[1:2])
    assert torch.equal(once, twice)
    assert torch.allclose(once[1:2], alone, rtol=1e-4, atol=1e-4)


@every_quick_network
def test_the_same_seed_gives_the_same_weights(name):
    states = []
    for _ in range(2):
        seed_everything(5)
        states.append(create(name).state_dict())
    assert all(torch.equal(tensor, states[1][key]) for key, tensor in states[0].items())


@every_quick_network
def test_state_dict_goes_out_and_in(name):
    seed_everything(1)
    first = create(name).eval()
    seed_everything(2)
    second = create(name).eval()
    inputs = small_inputs(name)
    with torch.inference_mode():
        assert not torch.equal(first(inputs), second(inputs))
        second.load_state_dict(first.state_dict())
        assert torch.equal(first(inputs), second(inputs))


@every_classifier
def test_wrong_inputs_get_one_line(name):
    network = on_paper(name)
    channels = record(name).input[0]
    least = smallest_input(network, channels)
    check_input(network, (channels, least, least))
    convolutional = any(isinstance(layer, nn.Conv2d) for layer in network.modules())
    wrong = f"channels={channels}, got {channels + 1}" if convolutional else f"no input with {channels + 1} channels"
    with pytest.raises(NetworkError, match=wrong):
        check_input(network, (channels + 1, 64, 64), name=name)
    if least > 1:
        with pytest.raises(
            NetworkError, match=rf"{channels}x{least}x{least}.*got {channels}x{least - 1}x{least}"
        ) as caught:
            check_input(network, (channels, least - 1, least), name=name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "least"), [("lenet5", 32), ("lenet5_modern", 32), ("keras_cifar", 10)])
def test_networks_for_one_size_are_built_for_another(name, least):
    channels = record(name).input[0]
    for side in (least, 64):
        network = create(name, size=side).eval()
        with torch.inference_mode():
            assert network(torch.zeros(1, channels, side, side)).shape == (1, 10)
    with pytest.raises(NetworkError, match=f"at least {least} a side, got {least - 1}"):
        create(name, size=least - 1)


@every_classifier
def test_children_are_in_order_of_execution_and_end_with_the_head(name):
    network = on_paper(name)
    order: list[str] = []
    for key, child in network.named_children():
        child.register_forward_hook(lambda *_, key=key: order.append(key))
    with torch.no_grad():
        network(no_inputs(name))
    assert order == [key for key, _ in network.named_children()]
    assert [key for key, child in network.named_children() if key == "head" or list(child.parameters())][-1] == "head"


@every_quick_network
def test_another_head_and_none(name):
    network = create(name).eval()
    inputs = small_inputs(name)
    body = headless(network)
    with torch.inference_mode():
        features = body(inputs)
        if isinstance(network.head, nn.Conv2d):  # what follows it, pooling at least, has gone over the features
            assert features.shape == (2, network.head.in_channels)
        else:
            assert torch.allclose(network.head(features), network(inputs))
            assert features.shape == (2, network.head.in_features)
    kept = {key: tensor.clone() for key, tensor in network.state_dict().items() if not key.startswith("head.")}
    if name in NO_OTHER_HEAD:
        with pytest.raises(NetworkError, match="no other head can take its place"):
            replace_head(network, 3)
        return
    assert replace_head(network, 3) is network
    assert network(inputs).shape == (2, 3)
    assert all(torch.equal(network.state_dict()[key], tensor) for key, tensor in kept.items())


@every_quick_network
def test_initial_outputs_are_neither_dead_nor_huge(name):
    seed_everything(3, name)
    outputs = primary(create(name).train()(small_inputs(name, batch=8)))
    assert torch.isfinite(outputs).all()
    assert 0 < outputs.std(0).mean() < 30


@pytest.mark.parametrize("name", ["keras_cifar", "mobilenet_v2", "efficientnet_lite0"])
def test_dropout_is_an_option_where_there_is_any(name):
    published = [module.p for module in create(name).modules() if isinstance(module, nn.Dropout)]
    assert published == ([0.25, 0.25, 0.5] if name == "keras_cifar" else [0.2])
    assert [m.p for m in create(name, dropout=0.0).modules() if isinstance(m, nn.Dropout)] == [0.0] * len(published)
