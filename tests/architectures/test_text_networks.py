"""What every network over tokens keeps to, and the numbers of each paper."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.architectures import create, networks, record
from neocog.core.errors import NetworkError
from neocog.core.inputs import check_input
from neocog.core.layers import count_macs, count_parameters, layer_table
from neocog.core.randomness import seed_everything
from neocog.training.freeze import train_only

NAMES = networks("text classification")
QUICK = tuple(name for name in NAMES if name != "character_cnn_large")
MODES = ("rand", "static", "non-static", "multichannel")
every = pytest.mark.parametrize("name", NAMES)
every_quick = pytest.mark.parametrize("name", QUICK)


def small(name: str, **options: object) -> nn.Module:
    """Returns the network over a few words; of characters all, since its dense layers are built for their length."""
    seed_everything(0, name)
    words = record(name).text.unit == "words"
    return create(name, **({"channels": 40, "dimension": 12} if words else {}), classes=3, **options)


def tokens(name: str, batch: int = 2) -> torch.Tensor:
    seed_everything(1, name)
    entry = record(name)
    length, most = (24, 40) if entry.text.unit == "words" else entry.input[::-1]
    made = torch.randint(1, most + 1, (batch, length))
    made[:, length // 2 :] = 0
    return made


@every
def test_the_published_input_and_the_head(name):
    entry = record(name)
    with torch.device("meta"):
        network = create(name)
    rows = layer_table(network, entry.input)
    assert rows[-1].name == "head"
    assert rows[-1].output_shape == (entry.classes,)
    assert entry.text is not None
    assert entry.text.length in (0, entry.input[1])
    if entry.text.unit == "characters":
        assert len(entry.text.alphabet) == entry.input[0]


@every_quick
def test_a_gradient_reaches_every_parameter(name):
    network = small(name)
    nn.init.normal_(network.head.weight)
    network.train()(tokens(name, 4)).square().sum().backward()
    assert [key for key, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()] == []


@every_quick
def test_a_text_does_not_depend_on_its_batch_and_empty_batches_have_shapes(name):
    network = small(name).eval()
    inputs = tokens(name, 3)
    with torch.inference_mode():
        assert torch.allclose(network(inputs)[1:2], network(inputs[1:2]), atol=1e-5)
        if name != "dpcnn":  # whose mask needs a text
            assert network(inputs[:0]).shape == (0, 3)


@pytest.mark.parametrize("name", ["kim_cnn", "dpcnn", "elman_text", "lstm_text", "gru_text"])
def test_what_follows_a_text_changes_nothing(name):
    network = small(name).eval()
    for weight in network.parameters():
        nn.init.normal_(weight, std=0.3)
    for table in (module for module in network.modules() if isinstance(module, nn.Embedding)):
        table.weight.data[0] = 0
    before, after = record(name).text.margin
    for length in (1, 2, 7, 8):
        text = torch.randint(1, 41, (1, length))
        short = nn.functional.pad(text, (before, after))
        answers = [network(nn.functional.pad(short, (0, more))) for more in (0, 1, 5, 30)]
        assert all(torch.allclose(each, answers[0], rtol=1e-4, atol=1e-4) for each in answers)


@every_quick
def test_the_state_goes_out_and_in_and_a_seed_fixes_it(name):
    first, second = small(name), small(name)
    assert all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )
    for weight in first.parameters():
        nn.init.normal_(weight, std=0.05)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.eval()(tokens(name)), second.eval()(tokens(name)))


@every
def test_another_number_of_words_is_refused_in_one_line(name):
    words, length = record(name).input
    with torch.device("meta"):
        network = create(name)
    with pytest.raises(NetworkError, match=f"tokens 1 to {words} "):
        check_input(network, (words + 1, length))


@pytest.mark.parametrize(
    ("mode", "parameters"), [*zip(MODES, (5_990_702, 5_990_702, 5_990_702, 11_620_502), strict=True)]
)
def test_the_modes_have_the_published_counts(mode, parameters):
    with torch.device("meta"):
        network = create("kim_cnn", mode=mode)
    assert count_parameters(network) == (11_620_502 if mode == "multichannel" else 5_990_702)
    moving = sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
    assert moving == (360_902 if mode == "static" else 5_990_702)
    assert count_macs(network, (18_765, 64)) == 21_900_600


def test_parameters_of_the_others_by_the_arithmetic_of_their_tables():
    convolutions, inputs = 0, 64
    for maps in (64, 128, 256, 512):
        convolutions += 3 * maps * (inputs + maps) + 4 * maps
        inputs = maps
    dense = (512 * 8 + 1) * 2048 + 2049 * 2048 + 2049 * 4
    assert record("vdcnn9").params == 68 * 16 + (16 * 3 + 1) * 64 + convolutions + dense
    pyramid = 14 * (250 * 3 + 1) * 250
    assert record("dpcnn").params == 30_001 * 300 + (300 * 3 + 1) * 250 + pyramid + 251 * 2


@pytest.mark.parametrize("mode", MODES)
def test_a_training_step_has_the_numbers_of_the_layers(mode):
    network = small("kim_cnn", mode=mode, dropout=0.0)
    for weight in network.parameters():
        nn.init.normal_(weight)
    inputs = tokens("kim_cnn", 5)
    results = []
    for way in (network.train, network.eval):
        network.zero_grad(set_to_none=True)
        way()
        outputs = network(inputs)
        outputs.square().sum().backward()
        gradients = [weight.grad for weight in network.parameters() if weight.requires_grad]
        results.append((outputs.detach(), gradients))
    assert torch.allclose(results[0][0], results[1][0], rtol=1e-4, atol=1e-4)
    for one, other in zip(results[0][1], results[1][1], strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-3 * float(other.abs().max()))


def test_a_static_table_never_moves():
    network = small("kim_cnn", mode="multichannel")
    train_only(network, None)
    assert not network.static_words.weight.requires_grad
    assert network.words.weight.requires_grad
    assert not network.static_words.training


def test_dropout_scales_at_test_as_published():
    network = small("kim_cnn")
    units = torch.ones(1, 10_000)
    assert torch.equal(network.eval().dropout(units), units / 2)
    kept = network.train().dropout(units)
    assert set(kept.unique().tolist()) == {0.0, 1.0}
    assert 0.45 < float(kept.mean()) < 0.55


def test_an_unknown_mode_gets_near_names():
    with pytest.raises(NetworkError, match=r"'nonstatic'. Did you mean non-static"):
        create("kim_cnn", mode="nonstatic")
