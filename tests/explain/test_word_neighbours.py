import pytest
import torch

from neocog.core.errors import UsageError
from neocog.explain import word_cosine, word_neighbours

WORDS = ("good", "bad", "fine", "film", "nothing")
TABLE = torch.tensor([[1.0, 0], [-2, 0], [3, 3], [0, 5], [0, 0]])


def test_nearest_words_by_angle_not_by_length():
    found = word_neighbours(TABLE, WORDS, ["good", "film"])
    assert [each.word for each in found["good"]] == ["fine", "film", "bad"]  # a vector of zeros is nobody's
    assert [each.cosine for each in found["good"]] == pytest.approx([0.5**0.5, 0, -1])
    assert [each.word for each in found["film"]] == ["fine", "good", "bad"]  # of equal cosines the first word
    assert word_cosine(TABLE, WORDS, "good", "bad") == pytest.approx(-1)


def test_the_table_stays_as_it_is():
    table = TABLE.clone()
    assert len(word_neighbours(table, WORDS, ["good"], count=1)["good"]) == 1
    assert torch.equal(table, TABLE)


@pytest.mark.parametrize(
    ("asked", "count", "words"),
    [(["goood"], 4, "Did you mean good"), (["nothing"], 4, "zeros"), (["good"], 0, "count")],
)
def test_what_has_no_neighbours(asked, count, words):
    with pytest.raises(UsageError, match=words):
        word_neighbours(TABLE, WORDS, asked, count=count)
    with pytest.raises(UsageError, match="5 words"):
        word_neighbours(TABLE[:3], WORDS, ["good"])
