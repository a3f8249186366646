"""Selective attention: the equations on small numbers, and the informative sentence found in made bags."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.architectures import create
from neocog.architectures.bag_attention import SelectiveAttention
from neocog.core.randomness import generator, seed_everything
from neocog.nn.marked import HERE

WORDS, LENGTH, SENTENCES, RELATIONS = 20, 10, 4, 3


def test_weights_by_equations_7_and_8():
    heed = SelectiveAttention(2)
    heed.scale.data = torch.tensor([2.0, 1.0])
    sentences = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [5.0, 5.0]]])
    queries = torch.tensor([[1.0, 1.0], [0.0, 3.0]])
    there = torch.tensor([[True, True, False]])
    found = heed(sentences, queries, there)
    # x A r: 2 and 1 for the first relation, 0 and 3 for the second; the third sentence is not there
    expected = torch.tensor([[2.0, 1.0], [0.0, 3.0]]).exp()
    expected /= expected.sum(1, keepdim=True)
    assert torch.allclose(found[0, :, :2], expected)
    assert not found[..., 2].any()


def made_bags(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Returns bags (B, S, L, 3) of random words, their relations, and which sentence tells them.

    That one has the word of the relation (1 to `RELATIONS`) between the entities; no other sentence has any of these.
    """
    randomness = generator(seed, "bags")

    def draw(low: int, high: int, *size: int) -> torch.Tensor:
        return torch.randint(low, high, size, generator=randomness)

    words = draw(RELATIONS + 1, WORDS + 1, count, SENTENCES, LENGTH)
    relations, telling = draw(0, RELATIONS, count), draw(0, SENTENCES, count)
    words[torch.arange(count), telling, draw(3, 7, count)] = relations + 1
    at = torch.arange(LENGTH)
    first, second = at - 2 + HERE, at - 7 + HERE
    return torch.stack([words, first.expand_as(words), second.expand_as(words)], -1), relations, telling


@pytest.mark.parametrize("name", ["pcnn_attention", "cnn_attention"])
def test_attention_finds_the_informative_sentence(name):
    seed_everything(0)
    network = create(name, classes=RELATIONS, channels=WORDS, dimension=16, dropout=0.0)
    bags, relations, _ = made_bags(512, seed=1)
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(8):
        for part in torch.arange(512).split(64):
            loss = nn.functional.cross_entropy(network(bags[part], relations[part]), relations[part])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    others, truth, telling = made_bags(100, seed=2)
    with torch.inference_mode():
        weights = network.eval().attention(others)  # (B, K, S)
        answers = network(others).argmax(1)
    assert torch.allclose(weights.sum(2), torch.ones(100, RELATIONS))
    own = weights[torch.arange(100), truth]
    assert (own.argmax(1) == telling).float().mean() > 0.9  # a quarter by chance
    assert (
        answers == truth
    ).float().mean() > 0.5  # a third by chance; relations that are not there heed what resembles them


def test_a_bag_of_one_sentence_is_that_sentence():
    seed_everything(0)
    network = create("pcnn_attention", classes=3, channels=WORDS, dimension=8).eval()
    bags, relations, _ = made_bags(5, seed=3)
    alone = bags[:, :1]
    with torch.inference_mode():
        assert torch.equal(network.attention(alone), torch.ones(5, 3, 1))
        # every relation sees the same sentence, so the chances are one softmax
        assert torch.allclose(network(alone).exp().sum(1), torch.ones(5))
        assert torch.allclose(network(alone), network(alone, relations).log_softmax(1), atol=1e-6)


def test_a_sentence_twice_changes_nothing():
    seed_everything(0)
    network = create("cnn_attention", classes=3, channels=WORDS, dimension=8).eval()
    bags, _, _ = made_bags(5, seed=3)
    with torch.inference_mode():
        twice = network(torch.cat([bags, bags], 1))
        assert torch.allclose(network(bags), twice, atol=1e-5)
