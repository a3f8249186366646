"""What every network of the registry keeps to, whichever paper it comes from."""

from __future__ import annotations

import csv
from collections import Counter

import pytest
import torch
from torch import nn

from neocog.architectures import create, headless, networks, record, records, replace_head
from neocog.core.errors import NetworkError
from neocog.core.inputs import check_input, smallest_input
from neocog.core.layers import count_parameters, layer_table
from neocog.core.randomness import seed_everything

# The rows of the table of published figures that our names stand for; efficientnet_lite0 has none there.
PUBLISHED = {
    "lenet5": "LeNet-5 (original, partial C3, trainable subsampling)",
    "lenet5_modern": "LeNet-5 (modern: full C3, no pool params, softmax)",
    "resnet18": "ResNet-18",
    "keras_cifar": "Keras CIFAR-10 CNN (Vitay deck)",
    "mobilenet_v2": "MobileNet v2 1.0",
}
PICTURES = networks("image")
every_network = pytest.mark.parametrize("name", networks())
every_picture_network = pytest.mark.parametrize("name", PICTURES)


def small_inputs(name: str, batch: int = 2, channels: int | None = None) -> torch.Tensor:
    """Returns random inputs of a size that is quick, and not the published one where that may vary."""
    published = record(name).input
    side = min(published[1], 64)
    seed_everything(0, name)
    return torch.randn(batch, channels or published[0], side, side)


@every_network
def test_parameters_and_macs_are_those_of_the_record(name):
    entry = record(name)
    network = create(name)
    rows = layer_table(network, entry.input)
    assert count_parameters(network) == sum(row.params for row in rows) == entry.params
    assert sum(row.macs for row in rows) == entry.macs
    assert rows[-1].name == "head"
    assert rows[-1].output_shape == (entry.classes,)


@pytest.mark.parametrize("name", PUBLISHED)
def test_records_agree_with_the_published_figures(name, shared_data):
    with (shared_data.parent / "zoo.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    row, entry = rows[PUBLISHED[name]], record(name)
    assert (int(row["params"]), int(row["macs"]), int(row["year"])) == (entry.params, entry.macs, entry.year)
    assert row["input_size"] == "x".join(map(str, entry.input))
    published = [float(row[column]) if row[column] else None for column in ("top1_err", "top5_err")]
    assert published == ([entry.errors.top1, entry.errors.top5] if entry.errors else [None, None])


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


@every_picture_network
def test_output_shapes_at_two_sizes_classes_and_channels(name):
    published = record(name)
    network = create(name, classes=7, channels=1).eval()
    for side in (published.input[1], published.input[1] + 1):
        inputs = torch.zeros(1, 1, side, side)
        with torch.inference_mode():
            assert network(inputs).shape == (1, 7)


@every_network
def test_a_gradient_reaches_every_parameter(name):
    network = create(name, dropout=None)
    outputs = network(small_inputs(name, batch=4))
    seed_everything(1, name)
    (outputs * torch.randn_like(outputs)).sum().backward()
    without = [key for key, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert without == []


@every_network
def test_no_layer_is_called_twice_and_none_works_in_place(name):
    network = create(name)
    calls: Counter[str] = Counter()
    for key, module in network.named_modules():
        assert not getattr(module, "inplace", False), key
        if next(module.children(), None) is None:
            module.register_forward_hook(lambda *_, key=key: calls.update([key]))
    with torch.no_grad():
        network(small_inputs(name))
    assert set(calls.values()) == {1}
    assert len(list(network.modules())) == len(list(network.named_modules(remove_duplicate=False)))


@every_network
def test_evaluation_is_deterministic_and_a_sample_does_not_depend_on_its_batch(name):
    network = create(name).eval()
    inputs = small_inputs(name, batch=3)
    with torch.inference_mode():
        once, twice, alone = network(inputs), network(inputs), network(inputs[1:2])
    assert torch.equal(once, twice)
    assert torch.allclose(once[1:2], alone, rtol=1e-4, atol=1e-4)


@every_network
def test_the_same_seed_gives_the_same_weights(name):
    states = []
    for _ in range(2):
        seed_everything(5)
        states.append(create(name).state_dict())
    assert all(torch.equal(tensor, states[1][key]) for key, tensor in states[0].items())


@every_network
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


@every_picture_network
def test_wrong_inputs_get_one_line(name):
    network = create(name)
    channels = record(name).input[0]
    least = smallest_input(network, channels)
    check_input(network, (channels, least, least))
    with pytest.raises(NetworkError, match=f"channels={channels}, got {channels + 1}"):
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


@every_network
def test_children_are_in_order_of_execution_and_end_with_the_head(name):
    network = create(name)
    order: list[str] = []
    for key, child in network.named_children():
        child.register_forward_hook(lambda *_, key=key: order.append(key))
    with torch.no_grad():
        network(small_inputs(name))
    assert order == [key for key, _ in network.named_children()]
    assert order[-1] == "head"


@every_network
def test_another_head_and_none(name):
    network = create(name).eval()
    inputs = small_inputs(name)
    body = headless(network)
    with torch.inference_mode():
        features = body(inputs)
        assert torch.allclose(network.head(features), network(inputs))
    assert features.shape == (2, network.head.in_features)
    kept = {key: tensor.clone() for key, tensor in network.state_dict().items() if not key.startswith("head.")}
    assert replace_head(network, 3) is network
    assert network(inputs).shape == (2, 3)
    assert all(torch.equal(network.state_dict()[key], tensor) for key, tensor in kept.items())


@every_network
def test_initial_outputs_are_neither_dead_nor_huge(name):
    seed_everything(3, name)
    outputs = create(name).train()(small_inputs(name, batch=8))
    assert torch.isfinite(outputs).all()
    assert 0 < outputs.std(0).mean() < 30


@pytest.mark.parametrize("name", ["keras_cifar", "mobilenet_v2", "efficientnet_lite0"])
def test_dropout_is_an_option_where_there_is_any(name):
    published = [module.p for module in create(name).modules() if isinstance(module, nn.Dropout)]
    assert published == ([0.25, 0.25, 0.5] if name == "keras_cifar" else [0.2])
    assert [m.p for m in create(name, dropout=0.0).modules() if isinstance(m, nn.Dropout)] == [0.0] * len(published)


def test_options_that_a_network_does_not_have_are_refused():
    with pytest.raises(NetworkError, match="resnet18 has no 'dropout'; it has no options"):
        create("resnet18", dropout=0.5)
    with pytest.raises(NetworkError, match=r"keras_cifar has no 'dropuot'.*Did you mean dropout\?"):
        create("keras_cifar", dropuot=0.5)
    create("resnet18", size=64)  # it takes any size


@pytest.mark.parametrize("numbers", [{"classes": 0}, {"channels": 0}, {"classes": -3}])
def test_no_classes_or_channels_are_refused(numbers):
    with pytest.raises(NetworkError, match="should be 1 or more"):
        create("lenet5", **numbers)


def test_an_unknown_network_gets_near_names():
    with pytest.raises(NetworkError, match=r"'resnet81'.*Did you mean resnet18"):
        create("resnet81")


def test_the_list_is_by_year_and_every_record_is_whole():
    assert [entry.year for entry in records()] == sorted(entry.year for entry in records())
    assert networks() == tuple(entry.name for entry in records())
    assert set(networks("image")) == set(networks("image classification")) >= {"lenet5", "resnet18"}
    for entry in records():
        assert entry.summary.endswith(".")
        assert entry.deviations


def test_a_head_that_is_not_there():
    with pytest.raises(NetworkError, match="no layer called 'head'"):
        headless(nn.Sequential(nn.Linear(2, 2)))
