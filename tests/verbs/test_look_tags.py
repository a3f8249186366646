"""``neocog look`` on taggers: scores that are known, which words are explained, features, n-grams, what is written."""

from __future__ import annotations

import itertools
import json
from html.parser import HTMLParser

import pytest
import torch
from sentence_models import TAGGED, behind_new, tagger
from torch import nn
from torch.nn import functional

import neocog
from neocog.core.errors import DataError, UsageError
from neocog.tasks.model import Model
from neocog.verbs.look_tags import AtWord, TaggedSentences

NEW_YORK = "they live in new york"


def figures(model, text, **options):
    found = neocog.look(model, text, **{"trust": False, **options})
    return {(each.word, each.method): each for each in found.texts[0].figures}


def test_the_word_before_is_the_one_that_counts():
    found = neocog.look(behind_new(), NEW_YORK, trust=False).texts[0]
    assert found.labels == ("O", "O", "O", "O", "LOC") and found.answers == ()
    assert [each.word for each in found.explained] == [4]
    told = {each.method: each for each in found.figures}
    assert (told["saliency"].target, told["saliency"].score) == ("LOC", 1.5)
    for method in ("gradient_times_input", "integrated_gradients"):
        assert told[method].scores.tolist() == pytest.approx([0, 0, 0, 1.5, 0], abs=1e-5), method
    assert told["saliency"].scores.tolist() == pytest.approx([0, 0, 0, 1.5, 0.6])  # a capital would count too
    assert dict(told["saliency"].parts)["word"].tolist() == [0, 0, 0, 1.5, 0]
    logs = [torch.tensor(pair).log_softmax(0)[1] for pair in ([0.7, 1.5], [0.7, 0.0])]
    assert told["occlusion"].scores.tolist() == pytest.approx([0, 0, 0, float(logs[0] - logs[1]), 0], abs=1e-6)


def test_features_of_a_word_are_told_apart():
    found = figures(behind_new(), "they live in new York")
    for method in ("gradient_times_input", "integrated_gradients"):
        each = found[4, method]
        parts = {name: values.tolist() for name, values in each.parts}
        assert parts["word"] == pytest.approx([0, 0, 0, 1.5, 0], abs=1e-5)
        assert parts["capitals"] == pytest.approx([0, 0, 0, 0, 0.6], abs=1e-5)
        assert parts["suffix of 2"] == parts["suffix of 3"] == [0] * 5
        assert each.scores.tolist() == pytest.approx([0, 0, 0, 1.5, 0.6], abs=1e-5)
    parts = {name: values.tolist() for name, values in found[4, "occlusion"].parts}
    logs = [torch.tensor(pair).log_softmax(0)[1] for pair in ([0.7, 2.1], [0.7, 0.6], [0.7, 1.5])]
    assert parts["word"][3] == pytest.approx(float(logs[0] - logs[1]), abs=1e-6) and parts["word"][4] == 0
    assert parts["capitals"][4] == pytest.approx(float(logs[0] - logs[2]), abs=1e-6) and parts["capitals"][3] == 0


def test_one_word_has_nothing_beside_it():
    (found,) = neocog.look(behind_new(), "york").texts
    assert found.labels == ("O",) and len(found.figures) == 5
    scores = [each for each in found.figures if each.scores is not None]
    assert all(each.scores.tolist() == [0] and each.trust.rank != each.trust.rank for each in scores)
    assert all("no word moves the score" in each.note for each in scores)
    assert found.figures[-1].note == "No filter moves the score."


def test_unknown_words_are_named_and_add_nothing():
    found = neocog.look(behind_new(), "Zürich york", word="york", trust=False).texts[0]
    assert found.known == (False, True)
    assert all(not each.scores.any() for each in found.figures if each.scores is not None)


@pytest.mark.parametrize("name", ["collobert_window", "collobert_sentence", "lstm_tagger", "elman_tagger"])
def test_shares_add_up_to_what_the_words_add(name):
    model = tagger(name)
    (seen,) = TaggedSentences(model).seen("They live in New York")
    each = figures(model, "They live in New York", method="integrated_gradients", word=3, target="LOC")
    at_word = AtWord(model.network, 2)
    with torch.no_grad():
        gap = float((at_word(seen.inputs) - at_word(seen.unknown))[0, 1])
    scores = each[2, "integrated_gradients"]
    assert abs(gap) > 1e-3
    assert float(scores.scores.sum()) == pytest.approx(gap, rel=2e-3, abs=1e-5)
    assert torch.allclose(sum(values for _, values in scores.parts), scores.scores, atol=1e-5)


def test_which_words_are_explained():
    model = behind_new()
    words = [each.word for each in neocog.look(model, "they live in", trust=False).texts[0].explained]
    assert words == [0, 1, 2]  # none is in a span: all alike
    four = "new york new york new york new york"
    assert [each.word for each in neocog.look(model, four, trust=False).texts[0].explained] == [1, 3, 5]
    asked = {"method": "saliency", "trust": False}
    assert {word for word, _ in figures(model, four, target="LOC", **asked)} == {1, 3, 5}
    assert {word for word, _ in figures(model, "They in", target="LOC", **asked)} == {0}  # its capital
    assert {word for word, _ in figures(model, NEW_YORK, word=["New", 1], **asked)} == {0, 3}
    found = figures(model, NEW_YORK, word="5", top=2, **asked)
    assert [each.target for each in found.values()] == ["O"]  # the last of two on the same word
    targets = [each.target for each in neocog.look(model, NEW_YORK, word=5, top=2, **asked).texts[0].figures]
    assert targets == ["LOC", "O"]


def test_a_word_that_is_not_there_is_refused_for_its_sentence():
    with pytest.raises(DataError, match=r"none of the words asked for \(paris\)"):
        neocog.look(behind_new(), NEW_YORK, word="paris")
    found = neocog.look(behind_new(), [NEW_YORK, "they live"], word="york", method="saliency", trust=False)
    assert [bool(each.error) for each in found.texts] == [False, True]


def test_trust_is_of_the_words_in_sight():
    model = behind_new()
    told = figures(model, f"they they they {NEW_YORK}", method="occlusion", trust=True)[7, "occlusion"].trust
    # Of the three words in sight "new" goes first, and what is left says O.
    chances = [torch.tensor(pair).softmax(0)[1] for pair in ([0.7, 1.5], [0.7, 0.0], [0.7, 0.0], [0.7, 0.0])]
    area = sum(float(a + b) / 2 for a, b in itertools.pairwise(chances)) / 3
    assert told.deletion == pytest.approx(area, abs=1e-6)
    assert told.deletion < told.deletion_chance and told.insertion > told.insertion_chance


def test_ngrams_are_the_windows_of_the_word():
    each = figures(behind_new(), "they they live in new york", method="ngrams")[5, "ngrams"]
    assert each.layer == "window"
    assert [(row.filter, row.words, row.value, row.effect) for row in each.ngrams] == [
        (0, ("in", "new", "york"), 0.5, 1.5)
    ]


def test_what_a_maximum_over_time_picks():
    model = tagger("collobert_sentence")
    text = "They live in New York in new they"
    each = figures(model, text, method="ngrams", word=5, target="LOC")[4, "ngrams"]
    assert each.layer == "strongest" and len(each.ngrams) > 100
    (seen,) = TaggedSentences(model).seen(text)
    layer = model.network.strongest
    with torch.no_grad():
        vectors = model.network.lookup(seen.inputs).transpose(1, 2)
        answers = functional.conv1d(vectors, layer.weight[:, : layer.dimension], layer.bias, padding=1)[0]
        answers = answers + layer._by_distance(8)[:, torch.arange(8) - 4 + 7]
    for row in each.ngrams:
        value, place = answers[row.filter].max(0)
        assert row.value == pytest.approx(float(value), abs=1e-5)
        assert row.words == seen.tokens[max(int(place) - 1, 0) : int(place) + 2]


def test_ngrams_of_data(tmp_path):
    data = tmp_path / "places.txt"
    data.write_text("they O\nlive O\nin O\nnew O\nyork LOC\n\nin O\nyork O\n")
    found = neocog.look(behind_new(), NEW_YORK, data=data, method="ngrams", trust=False)
    (figure,) = found.figures
    first = next(each for each in figure.ngrams if each.filter == 0)
    assert (first.words, first.value) == (("in", "new", "york"), 0.5) and "places.txt" in first.source
    (refused,) = neocog.look(tagger("collobert_sentence"), NEW_YORK, data=data, method="ngrams").figures
    assert "no n-grams of data" in refused.error


def test_a_network_without_filters_and_methods_that_say_nothing_of_a_word():
    refused = figures(tagger("gru_tagger"), NEW_YORK, method="all")
    errors = {method: each.error for (_, method), each in refused.items() if each.error}
    assert set(errors) == {"ngrams", "relevance", "guided_backpropagation"}
    assert "no convolution" in errors["ngrams"]
    with pytest.raises(UsageError, match="grad_cam does not go with this model") as error:
        neocog.look(behind_new(), NEW_YORK, method="grad_cam")
    assert "\n" not in str(error.value)


def test_transitions_are_left_out_and_said_so():
    model = behind_new(classes=("O", "S-LOC"), likelihood="sentence", schemes=("IOB2", "BIOES"))
    with torch.no_grad():
        model.network.crf.transitions[0, 1] = 2  # whatever is behind O is a LOC
    found = neocog.look(model, NEW_YORK, trust=False, method="saliency", word=5).texts[0]
    said = model.predict(NEW_YORK)[0]
    assert found.labels == said.labels and found.chances == pytest.approx(said.probabilities, abs=1e-6)
    assert "transitions" in found.note and "BIOES" in found.note
    (each,) = found.figures
    assert (each.target, each.score, each.scores[3].item()) == ("S-LOC", 1.5, 1.5)
    assert each.probability > float(torch.tensor([0.7, 1.5]).softmax(0)[1])
    assert "transitions" not in neocog.look(behind_new(), NEW_YORK, trust=False).texts[0].note


def test_near_words_come_from_the_tagger_s_table():
    found = neocog.look(tagger(), words="new,york")
    assert [each.word for each in found.neighbours] == ["new", "york"]
    assert {word for word, _ in found.neighbours[0].now} <= set(TAGGED)


class Reader(HTMLParser):
    """Gathers a page's text, and that of its subscripts."""

    def __init__(self):
        super().__init__()
        self.open, self.said, self.below, self.strange = [], [], [], []

    def handle_starttag(self, tag, attrs):
        del attrs
        self.open.append(tag)
        if tag == "script":
            self.strange.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        self.said.append(data)
        if self.open and self.open[-1] == "sub":
            self.below.append(data)


def test_the_report_tells_tags_words_and_features(tmp_path):
    text = "they <script>alert(1)</script> in new York"
    found = neocog.look(behind_new(), [text, " "], out=tmp_path / "out")
    told = json.loads((tmp_path / "out" / "look.json").read_text())
    assert told == json.loads(json.dumps(found.to_json()))
    first = told["texts"][0]
    assert first["labels"][-1] == "LOC" and first["figures"][0]["word"] == first["explained"][0]["word"]
    assert set(first["figures"][0]["parts"]) == {"word", "capitals", "suffix of 2", "suffix of 3"}
    assert told["texts"][1]["error"] == "the sentence is empty"
    page = Reader()
    page.feed((tmp_path / "out" / "report.html").read_text())
    said = " ".join(page.said)
    assert not page.strange and "York (LOC)" in said and "By feature" in said and "all words" in said
    assert page.below.count("LOC") == 5  # the sentence's own line, and one for each of four methods


def test_the_tagger_stays_as_it_is():
    model = tagger("collobert_sentence", likelihood="sentence")
    before = {name: each.clone() for name, each in model.network.state_dict().items()}
    random = torch.random.get_rng_state()
    neocog.look(model, NEW_YORK)
    assert all(torch.equal(before[name], each) for name, each in model.network.state_dict().items())
    assert torch.equal(random, torch.random.get_rng_state())
    modules = list(model.network.modules())
    assert not any(each._forward_hooks or each._forward_pre_hooks or each.training for each in modules)
    assert all(each.grad is None and each.requires_grad for each in model.network.parameters())


@pytest.mark.parametrize("name", ["collobert_window", "collobert_sentence", "lstm_tagger"])
def test_one_word_is_scored_as_among_all(name):
    model = tagger(name)
    (seen,) = TaggedSentences(model).seen("They live in New York in new they")
    with torch.no_grad():
        whole = model.network(seen.inputs)
        for place in range(8):
            assert torch.allclose(AtWord(model.network, place)(seen.inputs), whole[:, place], atol=1e-6)


def test_a_long_sentence_has_the_scores_of_its_window():
    model = tagger(classes=("O", "LOC", "PER"))
    asked = {"word": "york", "target": "PER", "trust": True}
    long = figures(model, "they " * 40 + NEW_YORK + " live" * 40, **asked)
    inside = figures(model, f"they they {NEW_YORK} live live", **asked)
    for method in ("saliency", "integrated_gradients", "occlusion"):
        near = inside[6, method].scores
        assert torch.allclose(long[44, method].scores[38:47], near, atol=1e-6)
        assert not long[44, method].scores[:42].any() and not long[44, method].scores[47:].any()
        assert long[44, method].trust == inside[6, method].trust
        assert [len(values) for _, values in long[44, method].parts] == [85] * 4


def test_a_score_that_knows_the_sentence_s_length_is_of_the_whole_sentence():
    class ByLength(nn.Module):
        crf = None

        def __init__(self):
            super().__init__()
            self.words = nn.Embedding(len(TAGGED) + 1, 2)

        def forward(self, tokens):
            return self.words(tokens[..., 0]) * tokens.shape[1]

    plain = tagger()
    model = Model(ByLength().eval(), plain.contract, plain.predictor, plain.device)
    each = figures(model, NEW_YORK, word="york", target="LOC", method="gradient_times_input")[4, "gradient_times_input"]
    assert each.score == pytest.approx(model.network.words.weight[6, 1].item() * 5)
    assert each.scores.tolist() == pytest.approx([0, 0, 0, 0, each.score])
    assert each.parts == ()  # it looks up words alone
