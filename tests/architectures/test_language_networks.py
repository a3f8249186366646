"""Networks that tell what comes next: their counts, that none sees the future, and text in pieces."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.architectures import create, networks, record
from neocog.core.arithmetic import convolution_parameters, dense_parameters, recurrent_macs, recurrent_parameters
from neocog.core.errors import NetworkError
from neocog.core.inputs import check_input
from neocog.core.randomness import seed_everything

NAMES = networks("language modelling")
every = pytest.mark.parametrize("name", NAMES)


def small(name: str, **options: object) -> nn.Module:
    seed_everything(0, name)
    return create(name, classes=9, channels=9, dimension=6, **{"dropout": 0.0, **options})


def tokens(length: int, batch: int = 2) -> torch.Tensor:
    seed_everything(1, length)
    return torch.randint(1, 10, (batch, length))


def test_counts_by_arithmetic():
    assert set(NAMES) == {"elman_lm", "gated_conv_lm", "gru_lm", "lstm_lm"}
    for name, gates in (("elman_lm", 1), ("gru_lm", 3), ("lstm_lm", 4)):
        own = recurrent_parameters(64, 256, gates=gates)
        assert record(name).params == 98 * 64 + own + dense_parameters(256, 97)
        assert record(name).macs == recurrent_macs(64, 256, 128, gates=gates) + 128 * 256 * 97
    stem, blocks = (convolution_parameters(inputs, 256, (4,)) for inputs in (64, 128))
    assert record("gated_conv_lm").params == 98 * 64 + stem + 8 * blocks + dense_parameters(128, 97)


@every
def test_every_place_has_logits_and_every_parameter_a_gradient(name):
    network = small(name)
    logits = network(tokens(40))
    assert logits.shape == (2, 40, 9)
    (logits * torch.randn_like(logits)).sum().backward()
    assert [key for key, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()] == []
    assert network(tokens(40)[:0]).shape == (0, 40, 9)
    with pytest.raises(NetworkError, match="tokens 1 to 9 "):
        check_input(network, (10, 40))


@every
def test_no_place_sees_what_follows(name):
    network = small(name).eval()
    text = tokens(50, 1)
    before = network(text)
    for place in (0, 17, 49):
        changed = text.clone()
        changed[0, place] = text[0, place] % 9 + 1
        after = network(changed)
        assert torch.equal(after[:, :place], before[:, :place])
        assert not torch.allclose(after[:, place], before[:, place])


@every
def test_a_text_in_pieces_is_the_text_in_one(name):
    network = small(name).eval()
    text, state = tokens(60, 1), None
    pieces = []
    for piece in text.split([1, 1, 30, 20, 8], 1):
        logits, state = network.go_on(piece, state)
        pieces.append(logits)
    torch.testing.assert_close(torch.cat(pieces, 1), network(text), rtol=1e-4, atol=1e-5)


def test_the_convolutions_see_28_tokens_and_no_more():
    network = small("gated_conv_lm").eval()
    assert network.sees == 28
    values = network.symbols(tokens(60, 1)).detach().requires_grad_()
    network.symbols.register_forward_hook(lambda *_: values)
    network(tokens(60, 1))[0, 50].sum().backward()
    seen = values.grad[0].abs().sum(1).nonzero().flatten()
    assert (int(seen.min()), int(seen.max())) == (23, 50)


@every
def test_a_seed_fixes_the_weights_and_nothing_was_before_the_text(name):
    first, second = small(name).eval(), small(name).eval()
    assert torch.equal(first(tokens(9)), second(tokens(9)))
    assert not first.symbols.weight[0].any()
