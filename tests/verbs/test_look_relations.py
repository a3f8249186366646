"""``neocog look`` on relations: scores that are known, entities, pieces, bags with their attention, what is written."""

from __future__ import annotations

import json

import pytest
import torch
from sentence_models import caused, related
from torch import nn

import neocog
from neocog.core.errors import DataError, UsageError
from neocog.tasks.model import Model
from neocog.verbs.look_relations import PIECE_NAMES, MarkedSentences

FIRE = "the <e1>fire</e1> was caused by <e2>fuel</e2>"
NOTHING = "the <e1>fire</e1> was of <e2>fuel</e2>"
SCORE = 2 * float(torch.tensor(0.5).tanh())  # of Cause


def figures(model, text, **options):
    found = neocog.look(model, text, **{"trust": False, **options})
    return {each.method: each for each in found.texts[0].figures}


def bag(path, *sentences):
    path.write_text(json.dumps({"head": "fire", "tail": "fuel", "relation": "Cause", "sentences": sentences}) + "\n")
    return path


def test_the_word_between_the_entities_counts():
    found = neocog.look(caused(), FIRE, trust=False).texts[0]
    assert found.tokens == ("the", "fire", "was", "caused", "by", "fuel")
    assert found.labels == ("", "e1", "", "", "", "e2") and found.known == (True,) * 6
    assert found.answers[0][0] == "Cause" == neocog.predict(caused(), FIRE)[0].label
    told = {each.method: each for each in found.figures}
    assert told["saliency"].score == pytest.approx(SCORE)
    assert told["integrated_gradients"].scores.tolist() == pytest.approx([0, 0, 0, SCORE, 0, 0], abs=1e-5)
    slope = 1 - float(torch.tensor(0.5).tanh()) ** 2
    assert told["gradient_times_input"].scores.tolist() == pytest.approx([0, 0, 0, slope, 0, 0], abs=1e-6)
    logs = [torch.tensor(pair).log_softmax(0)[1] for pair in ([0.0, SCORE], [0.0, 0.0])]
    assert told["occlusion"].scores.tolist() == pytest.approx([0, 0, 0, float(logs[0] - logs[1]), 0, 0], abs=1e-6)
    (row,) = told["ngrams"].ngrams
    assert (row.filter, row.words, row.value, row.piece) == (0, ("was", "caused", "by"), 0.5, PIECE_NAMES[1])
    assert row.effect == pytest.approx(slope) and "1 of 1 answers of filters" in told["ngrams"].note


def test_a_filter_has_a_row_in_each_piece_that_it_moves():
    model = caused()
    with torch.no_grad():
        model.network.head.weight[1, 2] = 1  # behind the second entity
    found = figures(model, f"{FIRE} of caused of", method="ngrams")["ngrams"].ngrams
    assert [(row.words, row.piece) for row in found] == [
        (("was", "caused", "by"), PIECE_NAMES[1]),
        (("of", "caused", "of"), PIECE_NAMES[2]),
    ]
    last = figures(model, f"{FIRE} of caused", method="ngrams")["ngrams"].ngrams
    assert last[1].words == ("of", "caused") and last[1].piece == PIECE_NAMES[2]


@pytest.mark.parametrize("name", ["zeng_cnn", "pcnn", "cnn_attention", "pcnn_attention"])
def test_shares_add_up_to_what_the_words_add(name):
    model = related(name)
    kind = MarkedSentences(model)
    (seen,) = kind.seen(MarkedSentences(model)._sample(FIRE))
    each = figures(model, FIRE, method="integrated_gradients", target="Cause")["integrated_gradients"]
    with torch.no_grad():
        gap = float((kind.module(seen.inputs) - kind.module(seen.unknown))[0, 1])
    assert abs(gap) > 1e-3
    # Maxima over time have corners, which 64 points between the two sentences tell nearly.
    assert float(each.scores.sum()) == pytest.approx(gap, abs=5e-3 * float(each.scores.abs().sum()))
    assert each.parts == ()


@pytest.mark.parametrize("name", ["zeng_cnn", "pcnn_attention"])
def test_unknown_words_count_nothing_wherever_they_stand(name):
    found = neocog.look(related(name), "odd <e1>strange</e1> was <e2>weird</e2>", trust=False).texts[0]
    assert found.known == (False, False, True, False)
    for each in found.figures:
        if each.method in ("gradient_times_input", "integrated_gradients", "occlusion"):
            assert each.scores[[0, 1, 3]].tolist() == [0, 0, 0], each.method


def test_of_a_bag_the_sentence_that_is_heeded_most_is_explained(tmp_path):
    model = caused("pcnn_attention")
    found = neocog.look(model, bag(tmp_path / "one.jsonl", NOTHING, FIRE, NOTHING), trust=False).texts[0]
    features = torch.tensor([0.0, float(torch.tensor(0.5).tanh()), 0.0])
    weights = (2 * features).softmax(0)  # of x A r, where r is the relation's row of the head
    assert [weight for _, weight in found.bag] == pytest.approx(weights.tolist())
    assert [sentence for sentence, _ in found.bag] == [NOTHING, FIRE, NOTHING]
    assert found.tokens == ("the", "fire", "was", "caused", "by", "fuel") and "attention" in found.note
    told = {each.method: each for each in found.figures}
    assert told["integrated_gradients"].score == pytest.approx(SCORE)
    assert told["integrated_gradients"].scores.tolist() == pytest.approx([0, 0, 0, SCORE, 0, 0], abs=1e-5)
    assert told["ngrams"].layer == "filters" and told["ngrams"].ngrams[0].words == ("was", "caused", "by")
    (said,) = neocog.predict(model, tmp_path / "one.jsonl")
    assert found.answers[0] == (said.label, pytest.approx(said.probability, abs=1e-6))
    alone = neocog.look(model, FIRE, trust=False).texts[0]
    assert alone.bag == () and alone.note == "" and alone.answers[0][0] == "Cause"


def test_a_network_for_bags_without_attention_takes_single_sentences(tmp_path):
    class Plain(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, bags, relations=None):
            return self.inner(bags, relations)

    model = caused("pcnn_attention")
    plain = Model(Plain(model.network), model.contract, model.predictor, model.device)
    assert neocog.look(plain, FIRE, trust=False).texts[0].answers[0][0] == "Cause"
    with pytest.raises(DataError, match="no attention"):
        neocog.look(plain, bag(tmp_path / "two.jsonl", FIRE, NOTHING), trust=False)


def test_entities_may_be_all_there_is():
    found = neocog.look(related(), "<e1>fire</e1><e2>fuel</e2>", trust=False).texts[0]
    assert (found.tokens, found.labels) == (("fire", "fuel"), ("e1", "e2"))


@pytest.mark.parametrize("name", ["zeng_cnn", "pcnn", "cnn_attention"])
def test_every_usual_method_answers_with_trust(name):
    found = figures(related(name), FIRE, trust=True)
    assert {method: each.error for method, each in found.items() if each.error} == {}
    assert all(0 <= each.trust.deletion <= 1 for each in found.values() if each.scores is not None)


def test_ngrams_of_data(tmp_path):
    data = tmp_path / "train.txt"
    data.write_text(f'1\t"{FIRE}"\nCause\n\n2\t"{NOTHING}"\nOther\n')
    (figure,) = neocog.look(caused(), FIRE, data=data, method="ngrams").figures
    first = next(each for each in figure.ngrams if each.filter == 0)
    assert (first.words, first.value) == (("was", "caused", "by"), 0.5)
    path = bag(tmp_path / "train.jsonl", NOTHING, FIRE)
    (figure,) = neocog.look(caused("pcnn_attention"), FIRE, data=path, method="ngrams").figures
    first = next(each for each in figure.ngrams if each.filter == 0)
    assert (first.words, figure.layer) == (("was", "caused", "by"), "filters")


def test_what_is_written(tmp_path):
    path = bag(tmp_path / "one.jsonl", NOTHING, FIRE)
    found = neocog.look(caused("pcnn_attention"), path, out=tmp_path / "out")
    told = json.loads((tmp_path / "out" / "look.json").read_text())
    assert told == json.loads(json.dumps(found.to_json()))
    assert told["texts"][0]["bag"][1] == {"sentence": FIRE, "attention": found.texts[0].bag[1][1]}
    assert told["texts"][0]["figures"][-1]["ngrams"][0]["piece"] == PIECE_NAMES[1]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "The sentences of the bag" in page and "fire<sub>e1</sub>" in page and PIECE_NAMES[1] in page


@pytest.mark.parametrize(
    ("text", "options", "error", "words"),
    [
        ("no marks", {}, DataError, "<e1> is there 0 times"),
        (FIRE, {"word": "fire"}, UsageError, "--word asks about the tag"),
        (FIRE, {"target": "Caus"}, UsageError, "Cause"),
        (FIRE, {"method": "filters"}, UsageError, "does not go with texts"),
    ],
)
def test_what_cannot_be_followed(text, options, error, words):
    with pytest.raises(error, match=words) as told:
        neocog.look(caused(), text, **options)
    assert "\n" not in str(told.value)
