"""Loss, answers and meter of tagging, on a network whose scores are set by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from neocog.core.errors import DataError, NetworkError
from neocog.core.span_score import span_score
from neocog.core.task import Batch
from neocog.data.conll_open import open_tagged
from neocog.data.tag_source import PADDING
from neocog.nn.crf import LinearChainCRF, constraints
from neocog.tasks import tag_metrics
from neocog.tasks.tag_measure import tagged_words
from neocog.tasks.tag_words import refuse_slips
from neocog.tasks.tagging import Tagging, answers

TAGS = ("B-A", "I-A", "O")


class Fixed(nn.Module):
    """Scores that say the tag's number of each word itself, minus one, by log-odds of ``sure``."""

    def __init__(self, crf: LinearChainCRF | None, sure: float = 2.0) -> None:
        super().__init__()
        self.crf, self.sure = crf, sure

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns the scores (B, L, 3)."""
        return self.sure * nn.functional.one_hot((tokens[:, :, 0] - 1).clamp_min(0), 3).float()


def batch() -> Batch:
    tokens = torch.zeros(2, 3, 4, dtype=torch.int64)
    tokens[0, :, 0] = torch.tensor([1, 2, 3])
    tokens[1, 0, 0] = 3
    return Batch(tokens, torch.tensor([[0, 1, 2], [1, PADDING, PADDING]]), torch.tensor([5, 3]))


def test_a_slip_does_not_make_words_of_spans(tmp_path) -> None:
    path = tmp_path / "a.conll"
    for slip, refused in (("Q-PER", True), ("B_PER", True), ("I-PER", False)):
        path.write_text(f"He B-PER\nis O\n\nJo B-PER\nDoe {slip}\n\nOslo B-LOC\n")
        part = open_tagged(path).parts["train"]
        if refused:
            with pytest.raises(
                DataError, match=f"a.conll:4: the tag '{slip}' of 'Doe' is not one of a span, as 3 others"
            ):
                refuse_slips(part)
        else:
            refuse_slips(part)
    for words in ("He PRP\nis VBZ\n\nO O\nb B-NP\n", "a B-X\nb L-X\nc U-X\nd B-X\ne L-X\n"):  # other tags, many
        path.write_text(words)
        refuse_slips(open_tagged(path).parts["train"])


def test_the_word_level_loss_by_hand() -> None:
    right = 2.0 - math.log(math.exp(2) + 2)
    wrong = 0.0 - math.log(math.exp(2) + 2)
    loss = Tagging(TAGS, "f1").loss(Fixed(None), batch())
    assert float(loss) == pytest.approx(-(3 * right + wrong) / 2)


def test_without_transitions_both_likelihoods_agree() -> None:
    task = Tagging(TAGS, "f1")
    assert task.loss(Fixed(LinearChainCRF(3)), batch()).item() == pytest.approx(task.loss(Fixed(None), batch()).item())


def test_only_allowed_tags_are_answered() -> None:
    tokens = torch.zeros(1, 2, 4, dtype=torch.int64)
    tokens[0, :, 0] = torch.tensor([3, 2])  # O, then I-A, which may not follow
    free = answers(Fixed(None), tokens, None)
    bound = answers(Fixed(None), tokens, constraints(TAGS, "IOB2"))
    assert free.tags.tolist() == [[2, 1]]
    assert bound.tags.tolist() in ([[0, 1]], [[2, 0]], [[2, 2]])
    odds = math.exp(2) / (math.exp(2) + 2)
    assert free.chances[0].tolist() == pytest.approx([odds, odds])


def test_the_meter_gathers_in_any_order_and_merges() -> None:
    task, whole = Tagging(TAGS, "f1"), batch()
    network = Fixed(None)
    meter = task.meter()
    meter.update(task.outputs(network, whole), whole)
    found = meter.compute()
    assert found["accuracy"] == pytest.approx(3 / 4)
    assert found["f1"] == pytest.approx(2 / 3)  # one span right, one of two true
    assert found["sentence_accuracy"] == pytest.approx(1 / 2)
    halves = []
    for row in range(2):
        one = task.meter()
        piece = whole.rows(row, row + 1)
        one.update(task.outputs(network, piece), piece)
        halves.append(one.state())
    joined = task.meter()
    joined.merge([halves[1], halves[0], halves[1]])  # a sentence that two processes had
    assert joined.compute() == pytest.approx(found)
    assert math.isnan(task.meter().compute()["f1"])


@pytest.mark.parametrize("transitions", [True, False])
def test_the_loss_of_validation_is_that_of_training(transitions) -> None:
    torch.manual_seed(0)
    crf = LinearChainCRF(3) if transitions else None
    if crf is not None:
        torch.nn.init.normal_(crf.transitions)
    task, network, whole = Tagging(TAGS, "f1"), Fixed(crf), batch()
    meter = task.meter()
    meter.update(task.outputs(network, whole), whole)
    assert meter.compute()["loss"] == pytest.approx(task.loss(network, whole).item(), rel=1e-6)


def test_the_figures_are_conllevals_and_intervals_hold_them() -> None:
    truth = [["B-A", "I-A", "O"], ["B-A"], ["O", "O"]] * 20
    answered = [["B-A", "I-A", "O"], ["O"], ["O", "B-A"]] * 20
    words = tagged_words(truth, answered, of_spans=True)
    found = tag_metrics.metrics(words)
    score = span_score(truth, answered)
    assert (found["f1"], found["accuracy"]) == (score.overall.f1, score.accuracy)
    for name, (low, high) in tag_metrics.intervals(words).items():
        assert 0 <= low < found[name] < high <= 1
    single = tagged_words([["NOUN", "VERB"]], [["NOUN", "NOUN"]], of_spans=False)
    assert tag_metrics.metrics(single) == {"accuracy": 0.5, "sentence_accuracy": 0.0}


def test_without_a_span_there_is_no_f1() -> None:
    none = tagged_words([["O", "O"], ["O"]], [["O", "O"], ["O"]], of_spans=True)
    found = tag_metrics.metrics(none)
    assert all(math.isnan(found[name]) for name in ("f1", "precision", "recall"))
    assert (found["accuracy"], found["sentence_accuracy"]) == (1.0, 1.0)
    assert set(tag_metrics.intervals(none)) == {"accuracy"}
    said = tagged_words([["O", "O"], ["O"]], [["O", "B-A"], ["O"]], of_spans=True)
    assert tag_metrics.metrics(said)["f1"] == 0  # answered where there is none: wrong, as conlleval has it
    assert tag_metrics.intervals(said)["f1"] == (0, 0)


def test_draws_without_a_span_do_not_lower_the_interval() -> None:
    truth = [["B-A"], *[["O"]] * 9]
    assert tag_metrics.intervals(tagged_words(truth, truth, of_spans=True))["f1"] == (1, 1)


def test_a_network_that_is_no_tagger_is_refused() -> None:
    with pytest.raises(NetworkError, match="no tagger"):
        answers(nn.Linear(4, 3), batch().inputs.float(), None)  # type: ignore[union-attr]
