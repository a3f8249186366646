"""The figures of spans by hand, and against a second way of counting: conlleval's walk from word to word."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neocog.core.errors import DataError
from neocog.core.precision_recall import PrecisionRecall
from neocog.core.span_score import span_score

ENDS = {("B", "B"), ("B", "O"), ("I", "B"), ("I", "O")}
STARTS = {("B", "B"), ("I", "B"), ("O", "B"), ("O", "I")}


def parts(tag):
    letter, _, kind = tag.partition("-")
    return letter, kind


def ended(last, now):
    return (last[0], now[0]) in ENDS or (last[0] != "O" and last[1] != now[1])


def started(last, now):
    return (last[0], now[0]) in STARTS or (now[0] != "O" and last[1] != now[1])


def walk(gold, predicted):
    """Counts as conlleval documents it: one pass over the words, a break between sentences is outside of any chunk."""
    stream = [
        pair for own, other in zip(gold, predicted, strict=True) for pair in [*zip(own, other, strict=True), None]
    ]
    correct, found, there = Counter(), Counter(), Counter()
    last = last_guess = ("O", "")
    open_chunk = False
    for pair in stream:
        now, guess = (parts(pair[0]), parts(pair[1])) if pair else (("O", ""), ("O", ""))
        if open_chunk:
            both = ended(last, now), ended(last_guess, guess)
            if all(both):
                correct[last[1]] += last[1] == last_guess[1]
                open_chunk = False
            elif any(both) or now[1] != guess[1]:
                open_chunk = False
        if started(last, now):
            there[now[1]] += 1
        if started(last_guess, guess):
            found[guess[1]] += 1
        if started(last, now) and started(last_guess, guess) and now[1] == guess[1]:
            open_chunk = True
        last, last_guess = now, guess
    return {kind: PrecisionRecall(correct[kind], found[kind], there[kind]) for kind in sorted({*there, *found})}


TAG = st.sampled_from(["O", "B-NP", "I-NP", "B-VP", "I-VP"])
PAIRS = st.lists(st.lists(st.tuples(TAG, TAG), max_size=8), min_size=1, max_size=4)


@given(PAIRS)
def test_it_counts_as_conlleval_does_also_what_is_ill_formed(pairs):
    gold, predicted = ([[pair[side] for pair in sentence] for sentence in pairs] for side in (0, 1))
    score = span_score(gold, predicted)
    assert dict(score.by_type) == walk(gold, predicted)
    assert score.overall == PrecisionRecall(
        *(sum(getattr(each, name) for each in score.by_type.values()) for name in ("correct", "predicted", "gold"))
    )
    assert score.words == sum(map(len, gold))


def test_by_hand():
    gold = [["B-NP", "I-NP", "O", "B-VP", "B-NP"], ["B-NP", "I-NP", "I-NP"], ["O", "B-PP"]]
    predicted = [["B-NP", "I-NP", "O", "B-VP", "I-NP"], ["B-NP", "I-NP", "O"], ["B-PP", "B-PP"]]
    score = span_score(gold, predicted)
    # first: I-NP behind VP begins an NP, so all three are right; second: too short; third: one more than there is
    assert score.by_type == {
        "NP": PrecisionRecall(2, 3, 3),
        "PP": PrecisionRecall(1, 2, 1),
        "VP": PrecisionRecall(1, 1, 1),
    }
    assert score.overall == PrecisionRecall(4, 6, 5)
    assert score.overall.precision == pytest.approx(4 / 6)
    assert score.overall.recall == pytest.approx(4 / 5)
    assert score.overall.f1 == pytest.approx(8 / 11)
    assert score.accuracy == pytest.approx(7 / 10)


def test_the_right_words_of_the_wrong_type_are_not_right():
    score = span_score([["B-PER", "I-PER"]], [["B-LOC", "I-LOC"]])
    assert score.by_type == {"LOC": PrecisionRecall(0, 1, 0), "PER": PrecisionRecall(0, 0, 1)}
    assert (score.overall.precision, score.overall.recall, score.overall.f1, score.accuracy) == (0, 0, 0, 0)


def test_spans_end_with_their_sentence():
    apart = span_score([["B-A"], ["I-A"]], [["B-A"], ["I-A"]])
    assert apart.overall == PrecisionRecall(2, 2, 2)


def test_bioes_and_iob_of_the_same_spans_score_alike():
    gold = [["B-A", "E-A", "S-B", "O"]]
    assert span_score(gold, [["B-A", "I-A", "B-B", "O"]]).overall == PrecisionRecall(2, 2, 2)
    assert span_score(gold, [["B-A", "I-A", "B-B", "O"]]).right_tags == 2


def test_nothing_there_and_nothing_found():
    score = span_score([["O", "O"], []], [["O", "O"], []])
    assert score.by_type == {}
    assert (score.overall.f1, score.accuracy) == (0, 1)
    assert span_score([], []).accuracy == 0


def test_refusals():
    with pytest.raises(DataError, match="1 sentences predicted where there are 2"):
        span_score([["O"], ["O"]], [["O"]])
    with pytest.raises(DataError, match="sentence 2: 1 tags predicted for 2 words"):
        span_score([["O"], ["O", "O"]], [["O"], ["O"]])
    with pytest.raises(DataError, match="'NOUN' is not a tag of a span"):
        span_score([["NOUN"]], [["O"]])
