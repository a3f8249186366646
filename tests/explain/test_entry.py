"""Where explanations enter: inputs, or what embeddings make of words; and what they ask of a network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError, UsageError
from neocog.core.trace import caught
from neocog.explain import gradient, saliency
from neocog.explain.entry import columns_of, entry
from neocog.explain.rest import at_rest
from neocog.explain.target import chosen, scores

WORDS = torch.tensor([[1, 2, 0], [2, 2, 1]])
TABLE = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])


class Reader(nn.Module):
    """Sums embeddings, halved in their place, of words and of places; score 0 counts the first number 1, 2, 3 times."""

    def __init__(self, places: bool = False) -> None:
        super().__init__()
        self.words = nn.Embedding.from_pretrained(TABLE.clone(), freeze=False)
        self.places = nn.Embedding(3, 2) if places else None

    def forward(self, words: Tensor) -> Tensor:
        x = self.words(words)  # (B, L, 2)
        x = x.mul_(0.5) if not torch.is_grad_enabled() else x * 0.5
        if self.places is not None:
            x = x + self.places(torch.arange(words.shape[1])[None])
        return (x * torch.tensor([1.0, 2.0, 3.0])[:, None]).sum(1)


@pytest.mark.parametrize("places", [False, True])
def test_words_are_explained_behind_their_embedding(places: bool) -> None:
    network = Reader(places)
    with at_rest(network):
        where = entry(network, WORDS)
        assert torch.equal(where.values, TABLE[WORDS].transpose(1, 2))  # (B, E, L), as the table has them
        assert torch.allclose(where.run(where.values), network(WORDS))
    assert torch.equal(gradient(network, WORDS, target=0)[1], torch.tensor([[0.5, 1.0, 1.5], [0.0, 0.0, 0.0]]))
    assert torch.equal(saliency(network, WORDS, target=1)[0], torch.tensor([0.5, 1.0, 1.5]))


def test_two_tables_lie_one_behind_the_other() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fixed, self.tuned = nn.Embedding(3, 2), nn.Embedding(3, 4)

        def forward(self, words: Tensor) -> Tensor:
            return torch.cat([self.fixed(words), self.tuned(input=words)], 2).sum(1)

    network = Two()
    with at_rest(network):
        where = entry(network, WORDS)
        assert where.values.shape == (2, 6, 3)
        assert torch.equal(where.run(where.values), network(WORDS))


class Features(nn.Module):
    """Words (B, L, 3) with two features that are looked up and one that is not; a word of number 0 is none."""

    def __init__(self) -> None:
        super().__init__()
        self.second, self.first = nn.Embedding(9, 2), nn.Embedding(9, 3)

    def forward(self, words: Tensor) -> Tensor:
        there = (words[..., 0] != 0).unsqueeze(2)
        return (torch.cat([self.second(words[..., 1]), self.first(words[..., 0])], 2) * there).sum(1)


@pytest.mark.parametrize("words", [[[4, 5, 6]], [[1, 1, 1]], [[2, 2, 2], [1, 1, 3]], [[0, 0, 0], [1, 0, 1]]])
def test_each_feature_of_a_word_has_its_table(words: list[list[int]]) -> None:
    network, tokens = Features(), torch.tensor([words])
    with at_rest(network):
        where = entry(network, tokens)
        assert where.values.shape == (1, 5, len(words))
        assert torch.equal(where.run(where.values), network(tokens))
    assert columns_of(network, tokens) == ((1, 2), (0, 3))  # in the order in which the network looks them up


def test_a_watched_embedding_has_its_gradient() -> None:
    network = Reader()
    with at_rest(network):
        where = entry(network, WORDS)
        values = where.values.clone().requires_grad_()
        with caught(network, ["words"]) as seen:
            where.run(values)[:, 0].sum().backward()
    assert torch.equal(seen.gradient("words")[0], torch.tensor([[0.5, 0.0], [1.0, 0.0], [1.5, 0.0]]))


def test_numbers_made_of_words_are_refused() -> None:
    class Pairs(Reader):
        def forward(self, words: Tensor) -> Tensor:
            return super().forward(words) + self.words(words.roll(1, 1)).sum(1)

    with pytest.raises(NetworkError, match="made of its inputs"), at_rest(network := Pairs()):
        entry(network, WORDS)


@pytest.mark.parametrize(
    ("network", "inputs", "said"),
    [
        (nn.Conv2d(3, 2, 1), torch.zeros(1, 3, 4, 4, dtype=torch.uint8), "torch.uint8.*nn.Embedding"),
        (nn.Linear(2, 2), torch.zeros(2), r"a batch of inputs.*\(2,\)"),
        (nn.Linear(2, 2), torch.zeros(0, 2), "a batch"),
        (nn.BatchNorm1d(2, track_running_stats=False), torch.rand(2, 2), "mixes the 2 samples"),
    ],
)
def test_what_cannot_be_entered_is_refused(network: nn.Module, inputs: Tensor, said: str) -> None:
    with pytest.raises(NetworkError, match=said):
        gradient(network, inputs)


def test_a_cut_gradient_is_refused_and_a_partial_one_is_zero() -> None:
    class Cut(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.detach() * 2

    class Half(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([x.sum(1), x.detach().sum(1)], 1)

    with pytest.raises(NetworkError, match="cuts it"):
        gradient(Cut(), torch.ones(1, 2))
    assert torch.equal(gradient(Half(), torch.ones(1, 2), target=1), torch.zeros(1, 2))


def test_an_activation_that_is_written_over_is_refused() -> None:
    class Over(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = torch.sigmoid(x)
            z = y * y
            y += 1
            return z

    with pytest.raises(NetworkError, match="writes over an activation"):
        gradient(Over(), torch.ones(1, 2))


def test_outputs_that_are_not_logits_are_refused() -> None:
    class Named(nn.Module):
        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {"logits": x}

    with pytest.raises(NetworkError, match="returns dict"):
        gradient(Named(), torch.ones(1, 2))


LOGITS = torch.tensor([[1.0, 3.0, 2.0], [6.0, 5.0, 4.0]])


def test_targets() -> None:
    assert scores(LOGITS, None).tolist() == [3.0, 6.0]
    assert scores(LOGITS, 2).tolist() == [2.0, 4.0]
    assert scores(LOGITS, [0, 1]).tolist() == [1.0, 5.0]
    assert scores(LOGITS, torch.tensor([0, 1])).tolist() == [1.0, 5.0]
    assert scores(LOGITS, lambda logits: logits[:, 0] - logits[:, 1]).tolist() == [-2.0, 1.0]
    assert scores(LOGITS[:, :, None].expand(2, 3, 4), 1).tolist() == [12.0, 20.0]  # a map's places are summed


@pytest.mark.parametrize("target", [3, -1, [0, 1, 2], [], 0.5, "cat", torch.tensor([0.0])])
def test_targets_that_are_not_there(target: object) -> None:
    with pytest.raises(UsageError, match="target"):
        chosen(LOGITS, target)  # type: ignore[arg-type]


def test_a_target_function_gives_one_score_a_sample() -> None:
    with pytest.raises(UsageError, match=r"one score a sample, \(2,\); got \(\)"):
        scores(LOGITS, lambda logits: logits.mean())
    with pytest.raises(UsageError, match="logits"):
        scores(LOGITS[:, 0], 0)
