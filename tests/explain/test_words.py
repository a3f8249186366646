import re

import pytest
import torch
from torch import nn

from neocog.core.errors import UsageError
from neocog.explain import saliency
from neocog.explain.words import word_saliency, words_in_ansi, words_in_html


class Bag(nn.Module):
    """Logits (sum of the first number, sum of the second number) of the words' embeddings."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(torch.tensor([[0.0, 0], [3, -4], [1, 2]]))

    def forward(self, tokens):
        x = self.embedding(tokens)
        return torch.stack([x[..., 0].sum(1), x[..., 1].sum(1)], 1)


def values(module, tokens):
    return module.embedding(tokens).transpose(1, 2)  # (B, E, L)


TOKENS = torch.tensor([[0, 1, 2], [2, 2, 1]])


def test_the_embedding_is_summed_or_its_length_is_taken():
    assert word_saliency(values, Bag(), TOKENS, over="sum").tolist() == [[0, -1, 3], [3, 3, -1]]
    assert word_saliency(values, Bag(), TOKENS)[0].tolist() == pytest.approx([0, 5, 5**0.5])


def test_any_explanation_of_the_network_will_do():
    def attribute(module, tokens):
        return saliency(module, tokens, target=1, over="all")

    assert word_saliency(attribute, Bag(), TOKENS, over="sum").tolist() == [[1] * 3] * 2
    assert word_saliency(lambda m, x: saliency(m, x, target=1), Bag(), TOKENS).tolist() == [[1] * 3] * 2


def test_colours_in_a_terminal():
    line = words_in_ansi(["good", "bad", "film"], [2.0, -2.0, 0.0])
    assert re.sub(r"\x1b\[[0-9;]*m", "", line) == "good bad film"
    backs = re.findall(r"48;2;(\d+);(\d+);(\d+)", line)
    assert backs[2] == ("255", "255", "255")
    orange, blue = ([int(part) for part in back] for back in backs[:2])
    assert orange[0] > orange[2] and blue[2] > blue[0]
    assert line.count("\x1b[0m") == 3


def test_words_from_the_data_do_nothing_but_stand_there():
    nasty = ["<script>", "\x1b[2Jgone", 'a"b', "\u202etxt"]
    page = words_in_html(nasty, torch.tensor([1.0, 0.5, 0.0, -1.0]))
    assert "<script>" not in page and "&lt;script&gt;" in page and "\x1b" not in page and "\u202e" not in page
    assert page.count("<span") == 4
    assert 'title="+0.5"' in page and 'title="-1"' in page
    assert "\x1b[2J" not in words_in_ansi(nasty, [0.0] * 4)


def test_no_words_and_no_weight():
    assert words_in_html([], []) == words_in_ansi([], []) == ""
    assert "0.000)" in words_in_html(["a"], [0.0])


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="each of 2 words"):
        words_in_html(["a", "b"], [1.0])
    with pytest.raises(UsageError, match="finite"):
        words_in_ansi(["a"], [float("nan")])
    with pytest.raises(UsageError, match="over is"):
        word_saliency(values, Bag(), TOKENS, over="max")
    with pytest.raises(UsageError, match=r"should be \(B, E, L\)"):
        word_saliency(lambda m, x: m(x), Bag(), TOKENS)


def test_labels_stand_low_behind_their_words():
    page = words_in_html(["Anna", "lives"], [1.0, 0.0], labels=["<e1>", ""])
    assert ">Anna<sub>&lt;e1&gt;</sub></span>" in page and ">lives</span>" in page
