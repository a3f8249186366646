"""What every network for relations keeps to, and the numbers of each paper."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.architectures import create, networks, record
from neocog.architectures.zeng_cnn import Lexical
from neocog.core.errors import NetworkError
from neocog.core.inputs import check_input
from neocog.core.layers import layer_table
from neocog.core.randomness import seed_everything
from neocog.nn.marked import HERE

NAMES = networks("relation classification")
every = pytest.mark.parametrize("name", NAMES)


def small(name: str, **options: object) -> nn.Module:
    seed_everything(0, name)
    return create(name, **{"channels": 40, "dimension": 12, "classes": 3, **options})


def sentences(count: int, length: int, seed: int = 1) -> torch.Tensor:
    """Returns (N, L, 3): the first entity is the second token, the second one the last but two."""
    seed_everything(seed)
    at = torch.arange(length)
    words = torch.randint(1, 41, (count, length))
    return torch.stack([words, (at - 1 + HERE).expand_as(words), (at - length + 3 + HERE).expand_as(words)], -1)


def inputs(name: str, batch: int = 3) -> torch.Tensor:
    """Returns some samples; of bags with one, two, ... sentences."""
    if record(name).text.unit == "relations":
        return nn.functional.pad(sentences(batch, 9), (0, 0, 0, 2))
    bags = sentences(batch * batch, 9).unflatten(0, (batch, batch))
    for place in range(batch):
        bags[place, place + 1 :] = 0
    return bags


@every
def test_the_published_input_and_the_head(name):
    entry = record(name)
    with torch.device("meta"):
        network = create(name)
    network = network.to_empty(device="cpu")
    rows = layer_table(network, entry.input)
    assert rows[-1].name == "head"
    assert entry.text.unit in ("relations", "bags")
    assert network.head.out_features == entry.classes


@every
def test_a_gradient_reaches_every_parameter(name):
    network = small(name, dropout=0.0).train()
    given = inputs(name, 8)
    relations = (torch.arange(8) % 3,) if record(name).text.unit == "bags" else ()
    (network(given, *relations) * torch.randn(8, 3)).sum().backward()
    assert [key for key, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()] == []


@every
def test_a_sample_depends_neither_on_its_batch_nor_on_the_padding(name):
    network = small(name).eval()
    given = inputs(name)
    with torch.inference_mode():
        once = network(given)
        assert torch.allclose(once[1:2], network(given[1:2]), atol=1e-5)
        assert network(given[:0]).shape == (0, 3)
        more = nn.functional.pad(given, (0, 0, 0, 7))
        assert torch.allclose(once, network(more), atol=1e-5)
        if given.dim() == 4:
            assert torch.allclose(once, network(nn.functional.pad(given, (0, 0, 0, 0, 0, 2))), atol=1e-5)


@every
def test_where_the_entities_stand_is_seen(name):
    network = small(name).eval()
    given = inputs(name)
    moved = given.clone()
    moved[..., 1:] += given[..., 1:] > 0  # each distance one more, the words as they were
    with torch.inference_mode():
        assert not torch.allclose(network(given), network(moved), atol=1e-3)
        assert not torch.allclose(network(given), network(given[..., [0, 2, 1]]), atol=1e-3)


@every
def test_the_state_goes_out_and_in_and_a_seed_fixes_it(name):
    first, second = small(name), small(name)
    for one, other in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    for weight in first.parameters():
        nn.init.normal_(weight, std=0.05)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.eval()(inputs(name)), second.eval()(inputs(name)))


@every
def test_another_number_of_words_or_axes_is_refused_in_one_line(name):
    entry = record(name)
    network = small(name)
    check_input(network, (40, *entry.input[1:]))
    for shape in ((41, *entry.input[1:]), (40, 64)):
        with pytest.raises(NetworkError, match="tokens 1 to 40 ") as caught:
            check_input(network, shape)
        assert "\n" not in str(caught.value)


def test_parameters_by_the_arithmetic_of_the_tables():
    distances = 2 * 62 * 5
    zeng = 268_811 * 50 + distances + (3 * 50 + 1) * 200 + 10 * 200 + 201 * 100 + (6 * 50 + 100 + 1) * 19
    encoder = 114_043 * 50 + distances + (3 * 60 + 1) * 230
    assert record("zeng_cnn").params == zeng
    assert record("pcnn").params == encoder + 691 * 53
    assert record("pcnn_attention").params == encoder + 691 * 53 + 690
    assert record("cnn_attention").params == encoder + 231 * 53 + 230


def test_multiplications_by_the_arithmetic_of_the_tables():
    assert record("zeng_cnn").macs == 64 * 200 * (150 + 10) + 200 * 100 + 400 * 19
    assert record("pcnn").macs == 64 * 230 * 180 + 690 * 53
    assert record("pcnn_attention").macs == 64 * 230 * 180 + 53 * 690 + 53 * 690 * 53


def test_lexical_features_are_the_entities_and_their_neighbours():
    vectors = torch.arange(1.0, 7).view(1, 6, 1)  # the tokens' numbers are their vectors
    first, second = (-1, 0, 0, 1, 2, 3), (-5, -4, -3, -2, -1, 0)
    rows = torch.tensor([[[1, HERE + one, HERE + two] for one, two in zip(first, second, strict=True)]])
    found = Lexical()(vectors, rows)
    # e1 is tokens 2 and 3, between 1 and 4; e2 is token 6, behind 5 and the last
    assert found.tolist() == [[2.5, 1, 4, 6, 5, 0]]
