from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from neocog.nn import token_convolution
from neocog.nn.tables import StaticTable, table
from neocog.nn.token_convolution import strongest_answers

WIDTHS = (3, 4, 5)


def parts(tables=1, dimension=6, words=9):
    torch.manual_seed(4)
    made = [table(words, dimension, bound=1), StaticTable(words, dimension, bound=1)][:tables]
    filters = [nn.Conv1d(dimension, 7, width) for width in WIDTHS]
    return [each.double() for each in made], [each.double() for each in filters]


def by_convolution(tokens, tables, filters):
    vectors = sum(each(tokens) for each in tables).transpose(1, 2)
    return torch.cat([each(vectors).amax(2) for each in filters], 1)


def test_by_hand():
    words, layer = nn.Embedding(3, 1, padding_idx=0), nn.Conv1d(1, 1, 2)
    with torch.no_grad():
        words.weight.copy_(torch.tensor([[0.0], [1.0], [10.0]]))
        layer.weight.copy_(torch.tensor([[[2.0, 3.0]]]))
        layer.bias.fill_(0.5)
        tokens = torch.tensor([[1, 2, 1, 0], [0, 0, 0, 1]])
        # 2 * 1 + 3 * 10, 2 * 10 + 3 * 1, 2 * 1 + 0; and 0, 0, 3 * 1
        assert strongest_answers(tokens, [words], [layer]).tolist() == [[32.5], [3.5]]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.integers(0, 9), max_size=12), min_size=1, max_size=9),
    st.integers(0, 3),
    st.integers(0, 9),
    st.sampled_from([1, 2]),
    st.sampled_from([1, 2, 64]),
)
def test_answers_are_those_of_convolution_with_gradients_and_without(texts, before, after, tables, together):
    longest = max(map(len, texts)) + 5
    tokens = torch.zeros(len(texts), before + longest + after, dtype=torch.int64)
    for row, text in zip(tokens, texts, strict=True):
        row[before : before + len(text)] = torch.tensor(text, dtype=torch.int64)
    words, filters = parts(tables)
    expected = by_convolution(tokens, words, filters)
    assert torch.allclose(strongest_answers(tokens, words, filters), expected, atol=1e-12)
    with pytest.MonkeyPatch.context() as patch, torch.inference_mode():
        patch.setattr(token_convolution, "TOGETHER", together)
        assert torch.allclose(strongest_answers(tokens, words, filters), expected, atol=1e-12)


@pytest.mark.parametrize("tables", [1, 2])
def test_gradients_are_those_of_convolution(tables):
    words, filters = parts(tables)
    tokens = torch.randint(0, 10, (5, 11), generator=torch.Generator().manual_seed(0))
    pull = torch.randn(5, 21, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    moving = [words[0].weight, *(weight for each in filters for weight in (each.weight, each.bias))]
    found = torch.autograd.grad((strongest_answers(tokens, words, filters) * pull).sum(), moving)
    expected = torch.autograd.grad((by_convolution(tokens, words, filters) * pull).sum(), moving)
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, atol=1e-12)


def test_no_sentence_has_no_answers():
    words, filters = parts()
    nothing = torch.zeros(0, 8, dtype=torch.int64)
    with torch.no_grad():
        assert strongest_answers(nothing, words, filters).shape == (0, 21)
    strongest_answers(nothing, words, filters).sum().backward()  # a process may have no share in a batch
    assert all(not each.weight.grad.any() for each in (*words, *filters))


def test_the_first_of_equal_answers_gets_the_gradient():
    words, layer = nn.Embedding(3, 1, padding_idx=0), nn.Conv1d(1, 1, 2, bias=True)
    with torch.no_grad():
        words.weight.copy_(torch.tensor([[0.0], [1.0], [1.0]]))
        layer.weight.copy_(torch.tensor([[[1.0, 1.0]]]))
    strongest_answers(torch.tensor([[0, 1, 1, 2, 2, 0]]), [words], [layer]).sum().backward()
    assert words.weight.grad.tolist() == [[0.0], [2.0], [0.0]]


def test_autocast_changes_no_answer():
    words, filters = parts()
    words, filters = [each.float() for each in words], [each.float() for each in filters]
    tokens = torch.randint(0, 10, (4, 9), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        plain = strongest_answers(tokens, words, filters)
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(strongest_answers(tokens, words, filters), plain)
