"""The official score by hand: direction counts, Other is left out, the mean is over the relations of the key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neocog.core.errors import DataError
from neocog.core.precision_recall import PrecisionRecall
from neocog.core.relation_score import relation_score, undirected

CAUSE, CAUSED = "Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)"
WHOLE, PART = "Component-Whole(e2,e1)", "Component-Whole(e1,e2)"


def test_by_hand():
    gold = [CAUSE, CAUSE, CAUSED, CAUSED, WHOLE, WHOLE, "Other", "Other"]
    predicted = [CAUSE, CAUSED, CAUSED, "Other", WHOLE, CAUSE, PART, "Other"]
    score = relation_score(gold, predicted)
    # Cause-Effect: two right, one turned round, one missed as Other, one where it is Component-Whole
    assert score.by_relation == {"Cause-Effect": PrecisionRecall(2, 4, 4), "Component-Whole": PrecisionRecall(1, 2, 2)}
    assert score.macro_f1 == pytest.approx((0.5 + 0.5) / 2)
    assert score.wrong_direction == 1
    assert (score.right, score.sentences) == (4, 8)
    assert score.accuracy == 0.5
    assert score.micro == PrecisionRecall(3, 6, 6)


def test_the_mean_is_of_the_relations_f1():
    gold = [CAUSE, CAUSE, CAUSE, WHOLE]
    predicted = [CAUSE, "Other", "Other", WHOLE]
    score = relation_score(gold, predicted)
    assert score.macro_f1 == pytest.approx((2 * 1 / 4 + 1) / 2)
    assert score.macro_precision == 1
    assert score.macro_recall == pytest.approx((1 / 3 + 1) / 2)


def test_a_turned_relation_costs_precision_and_recall():
    score = relation_score([CAUSE, CAUSE], [CAUSED, CAUSE])
    assert score.by_relation == {"Cause-Effect": PrecisionRecall(1, 2, 2)}
    assert score.macro_f1 == 0.5


def test_other_counts_for_accuracy_alone():
    with_other = relation_score([CAUSE, "Other", "Other"], [CAUSE, "Other", "Other"])
    assert (with_other.macro_f1, with_other.accuracy, list(with_other.by_relation)) == (1, 1, ["Cause-Effect"])
    wrong = relation_score([CAUSE, "Other", "Other"], [CAUSE, CAUSE, WHOLE])
    assert wrong.by_relation == {"Cause-Effect": PrecisionRecall(1, 2, 1)}
    assert wrong.macro_f1 == pytest.approx(2 / 3)


def test_a_relation_that_the_key_has_not_is_as_other():
    score = relation_score([CAUSE, CAUSE], [CAUSE, WHOLE])
    assert list(score.by_relation) == ["Cause-Effect"]
    assert score.macro_f1 == pytest.approx(2 / 3)


def test_never_said_is_zero():
    assert relation_score([CAUSE, WHOLE], ["Other", "Other"]).macro_f1 == 0


def test_relations_without_direction_and_another_other():
    score = relation_score(["born_in", "NA", "works_for"], ["born_in", "NA", "NA"], other="NA")
    assert score.macro_f1 == 0.5
    assert [undirected(label) for label in (CAUSE, CAUSED, "born_in", "Other")] == ["Cause-Effect"] * 2 + [
        "born_in",
        "Other",
    ]


@given(st.lists(st.tuples(*[st.sampled_from([CAUSE, CAUSED, WHOLE, PART, "Other"])] * 2), min_size=1, max_size=20))
def test_it_is_sklearns_macro_f1_where_a_turned_relation_is_a_class_of_its_own(pairs):
    from sklearn.metrics import f1_score

    gold = [undirected(label) for label, _ in pairs]
    # the official table has wrong directions in a column of their own, and adds them to what was predicted
    turned = [label != guess and undirected(label) == undirected(guess) for label, guess in pairs]
    relations = sorted(set(gold) - {"Other"})
    if not relations:
        return
    said = [
        f"turned {undirected(guess)}" if wrong else undirected(guess)
        for (_, guess), wrong in zip(pairs, turned, strict=True)
    ]
    score = relation_score(*zip(*pairs, strict=True))
    for name in relations:
        wrong = said.count(f"turned {name}")
        figures = score.by_relation[name]
        assert figures == PrecisionRecall(
            sum(a == b == name for a, b in zip(gold, said, strict=True)), said.count(name) + wrong, gold.count(name)
        )
    if not any(turned):
        expected = f1_score(gold, said, labels=relations, average="macro", zero_division=0)
        assert score.macro_f1 == pytest.approx(expected)


def test_refusals():
    with pytest.raises(DataError, match="1 labels predicted for 2 sentences"):
        relation_score([CAUSE, CAUSE], [CAUSE])
    with pytest.raises(DataError, match="no relation but Other among 1 sentences"):
        relation_score(["Other"], [CAUSE])
