"""The recurrent classifiers of texts: their counts by arithmetic, their modes, both directions."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.architectures import create, record
from neocog.core.arithmetic import dense_parameters, recurrent_macs, recurrent_parameters
from neocog.core.errors import NetworkError
from neocog.core.layers import count_macs, count_parameters
from neocog.core.randomness import seed_everything

GATES = {"elman_text": 1, "gru_text": 3, "lstm_text": 4}
every = pytest.mark.parametrize("name", GATES)


def small(name, **options):
    seed_everything(0, name)
    return create(name, classes=3, channels=40, dimension=12, **options)


@every
@pytest.mark.parametrize("ways", [1, 2])
def test_counts_by_arithmetic(name, ways):
    with torch.device("meta"):
        network = create(name, bidirectional=ways == 2)
    own = ways * recurrent_parameters(300, 128, gates=GATES[name])
    assert count_parameters(network) == 18_766 * 300 + own + dense_parameters(ways * 128, 2)
    assert count_macs(network, (18_765, 64)) == ways * (recurrent_macs(300, 128, 64, gates=GATES[name]) + 256)
    if ways == 1:
        assert record(name).params == count_parameters(network)


@every
def test_in_both_directions_the_first_word_and_the_last_both_count(name):
    network = small(name, bidirectional=True).eval()
    text = torch.randint(1, 41, (1, 30))
    values = network.words(text).detach().requires_grad_()
    lengths = network.lengths(text)
    network.head(network.last(network.recurrent(values, lengths), lengths)).sum().backward()
    strength = values.grad[0].norm(dim=1)
    assert float(strength.min()) > 0
    assert float(strength[0]) > float(strength[15]) < float(strength[29])


@every
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_text_is_the_same_alone_and_beside_longer_ones_in_training_as_in_prediction(name, bidirectional):
    network = small(name, bidirectional=bidirectional, dropout=0.0)
    texts = [torch.randint(1, 41, (length,)) for length in (1, 4, 11)]
    together = nn.utils.rnn.pad_sequence(texts, batch_first=True)
    trained = network.train()(together)
    with torch.inference_mode():
        tested = network.eval()(together)
        alone = torch.cat([network(text.unsqueeze(0)) for text in texts])
    torch.testing.assert_close(trained.detach(), tested)
    torch.testing.assert_close(alone, tested)


@every
def test_a_text_without_a_known_word_has_an_answer(name):
    network = small(name, bidirectional=True).eval()
    answers = [network(torch.zeros(1, length, dtype=torch.int64)) for length in (1, 5)]
    assert torch.isfinite(answers[0]).all()
    torch.testing.assert_close(answers[0], answers[1])


@every
def test_modes(name):
    moving = {mode: {key for key, weight in small(name, mode=mode).named_parameters() if weight.requires_grad}
              for mode in ("rand", "static", "non-static")}  # fmt: skip
    assert "words.weight" not in moving["static"]
    assert moving["rand"] == moving["non-static"] == moving["static"] | {"words.weight"}
    with pytest.raises(NetworkError, match=rf"{name} has no mode 'multichannel'"):
        small(name, mode="multichannel")
