"""``neocog look`` on texts: scores and n-grams that are known, what is refused, what is written."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from kim import kim_file, kim_model

import neocog
from neocog.core.errors import DataError, NetworkError, UsageError
from neocog.explain.entry import entry
from neocog.verbs.look_methods import METHODS
from neocog.verbs.look_ngrams import filter_layers
from neocog.verbs.look_text_methods import _ABOUT, _REFUSED, TEXT_NAMES, chosen_text_methods, text_method
from neocog.verbs.look_words import seen_text

NOT_GOOD = "film not good yes"


def figures(text, **options):
    found = neocog.look(kim_model(), text, **{"trust": False, **options})
    return {(each.method, each.layer): each for each in found.texts[0].figures}


def test_every_method_of_pictures_is_taken_or_refused_with_a_reason():
    assert {method.name for method in METHODS} == {*_ABOUT, *_REFUSED}
    usual = ["saliency", "gradient_times_input", "integrated_gradients", "occlusion", "ngrams"]
    assert [each.name for each in chosen_text_methods([])] == usual
    assert tuple(each.name for each in chosen_text_methods(["all"])) == TEXT_NAMES
    assert {text_method(name).name for name in ("n-gram", "N-grams", "ngrams", "n gram")} == {"ngrams"}


@pytest.mark.parametrize(
    ("name", "words"),
    [("filters", "ngrams names"), ("deconvnet", "does not go with texts"), ("occlussion", "occlusion")],
)
def test_methods_that_say_nothing_about_words_are_refused(name, words):
    with pytest.raises(UsageError, match=words):
        figures(NOT_GOOD, method=name)


def test_scores_of_words_are_what_they_add():
    """Negative is relu(max of "not good" = 2) x 2 = 4, of which each of the two words adds a half; positive is 2."""
    found = figures(NOT_GOOD)
    told = found["gradient_times_input", None]
    assert (told.target, told.score) == ("negative", 4)
    assert told.scores.tolist() == [0, 2, 2, 0]
    assert found["integrated_gradients", None].scores.tolist() == pytest.approx([0, 2, 2, 0], abs=1e-5)
    logs = [torch.tensor(pair).log_softmax(0)[0] for pair in ([4.0, 2], [2.0, 2], [2.0, 0])]
    wanted = [0, float(logs[0] - logs[1]), float(logs[0] - logs[2]), 0]
    assert found["occlusion", None].scores.tolist() == pytest.approx(wanted, abs=1e-6)
    positive = figures(NOT_GOOD, target="positive", method="saliency")["saliency", None]
    assert positive.scores.tolist() == [0, 0, 2, 0]


def test_the_words_fill_the_gap_between_the_text_and_unknown_words():
    model = kim_model()
    seen = seen_text(model, "good bad film")
    scores = neocog.look(model, "good bad film", method="integrated_gradients", trust=False).texts[0].figures[0]
    where = entry(model.network, seen.inputs)
    gap = where.run(where.values)[0, 0] - model.network(torch.zeros_like(seen.inputs))[0, 0]
    assert scores.target == "negative"
    assert float(scores.scores.sum()) == pytest.approx(float(gap.detach()), abs=1e-5)


def test_ngrams_of_the_text_with_what_their_filter_adds():
    found = figures(NOT_GOOD)
    first = found["ngrams", "filters.0"].ngrams
    assert [(each.filter, each.words, each.value, each.effect) for each in first[:1]] == [
        (2, ("not", "good", "yes"), 2.0, 4.0)
    ]
    by_filter = {each.filter: each for each in first}
    assert by_filter[0].words == ("good", "yes", "") and by_filter[0].text == "good yes \N{MIDDLE DOT}"
    assert by_filter[0].effect == 0  # it adds to positive alone
    assert len(first) == 100 and {layer for _, layer in found if layer} == {"filters.0", "filters.1", "filters.2"}


def test_answers_and_unknown_words_are_those_of_predict():
    model = kim_model()
    looked = neocog.look(model, [NOT_GOOD, "good"], trust=False).texts
    for each, said in zip(looked, model.predict([NOT_GOOD, "good"]), strict=True):
        assert each.answers[0] == (said.label, pytest.approx(said.probability, abs=1e-6))
    assert looked[0].tokens == ("film", "not", "good", "yes") and looked[0].known == (True, True, True, False)


def test_trust_counts_words_and_no_padding():
    trust = figures(NOT_GOOD, method="occlusion", trust=True)["occlusion", None].trust
    # "not" goes first; what is left speaks for neither class more than for the other.
    chances = [torch.tensor(pair).softmax(0)[0] for pair in ([4.0, 2], [2.0, 2], *[[0.0, 0]] * 3)]
    area = sum(float(a + b) / 2 for a, b in itertools.pairwise(chances)) / 4
    assert trust.deletion == pytest.approx(area, abs=1e-6)
    assert trust.deletion < trust.deletion_chance and trust.insertion > trust.insertion_chance
    assert np.isnan(figures("good", method="saliency", trust=True)["saliency", None].trust.rank)


def test_every_method_for_texts_answers():
    found = figures(NOT_GOOD, method="all", trust=True)
    assert {method for method, _ in found} == set(TEXT_NAMES)
    errors = {method: each.error for (method, _), each in found.items() if each.error}
    assert errors == {}
    assert all(len(each.scores) == 4 for each in found.values() if each.scores is not None)


def test_ngrams_of_data(tmp_path):
    data = tmp_path / "films.csv"
    data.write_text("text,label\ngood film,positive\nnot good film,negative\nfilm bad,negative\n,negative\n")
    with pytest.raises(DataError):  # nothing of the data is left out silently
        neocog.look(kim_model(), "good", data=tmp_path / "none.csv", trust=False)
    found = neocog.look(kim_model(), "good", data=data, method="ngrams", layer="filters.0")
    (figure,) = found.figures
    third = [each for each in figure.ngrams if each.filter == 2]
    assert (third[0].words, third[0].value, third[0].source) == (("not", "good", "film"), 2.0, "films.csv:3")
    assert len(third) == 3 and third[0].value > third[1].value
    with pytest.raises(UsageError, match="--data is for ngrams"):
        neocog.look(kim_model(), "good", data=data, method="saliency")


def test_layers_that_see_the_words_are_found():
    model = kim_model()
    seen = seen_text(model, "good")
    assert filter_layers(model.network, seen.inputs) == ("filters.0", "filters.1", "filters.2")
    with pytest.raises(NetworkError, match=r"Did you mean filters\.0"):
        neocog.look(model, "good", layer="filter.0")
    refused = neocog.look(model, "good", layer="head", trust=False).texts[0].figures[-1]
    assert "n-grams are of layers with maps" in refused.error


def test_texts_backwards_and_by_character():
    from dataclasses import replace

    from neocog.tasks.text_prediction import TextPredictor

    model = kim_model()
    numbers = replace(model.predictor.preprocessing, backward=True)
    turned = replace(model, predictor=TextPredictor(numbers))
    found = neocog.look(turned, "good not film", trust=False).texts[0]  # the network reads film not good
    assert found.tokens == ("good", "not", "film")
    told = {(each.method, each.layer): each for each in found.figures}
    assert told["gradient_times_input", None].scores.tolist() == [2, 2, 0]
    assert told["ngrams", "filters.0"].ngrams[0].words == ("", "good", "not")
    letters = replace(model, predictor=TextPredictor(replace(numbers, tokeniser="characters", words=tuple("abcd"))))
    found = neocog.look(letters, "abc", trust=False).texts[0]
    assert found.between == "" and found.tokens == ("a", "b", "c")


def test_look_writes_what_it_returns_and_escapes_it(tmp_path):
    text = "good <script>alert(1)</script> film"
    found = neocog.look(kim_model(), [text, "  ", "film"], out=tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["look.json", "report.html"]
    assert json.loads((tmp_path / "out" / "look.json").read_text()) == json.loads(json.dumps(found.to_json()))
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<script" not in page and "alert" in page and 'class="word"' in page
    assert [bool(each.error) for each in found.texts] == [False, True, False]
    assert "the text is empty" in page
    with pytest.raises(UsageError, match="something of that name"):
        neocog.look(kim_model(), text, out=tmp_path / "out")


def test_neighbours_now_and_before(tmp_path):
    model = kim_model("multichannel")
    still, moved = model.network.tables()
    with torch.no_grad():
        still.weight[1:] = torch.tensor([[1.0, 0, 0, 0], [0.9, 0.1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
        moved.weight[1:] = torch.tensor([[1.0, 0, 0, 0], [-1, 0.1, 0, 0], [0.8, 0, 1, 0], [0, 0, 0, 1]])
    (good, bad) = neocog.look(model, words="good, bad").neighbours
    assert good.word == "good" and good.before[0][0] == "bad" and good.now[0][0] == "film"
    ((other, now, before),) = bad.others
    assert other == "good" and before > 0.9 and now < -0.9
    plain = neocog.look(kim_model(), words=["good"])
    assert plain.neighbours[0].before is None and "--vectors" in plain.notes[0]
    vectors = tmp_path / "v.txt"
    vectors.write_text("good 1 0 0 0\nfilm 1 0.1 0 0\nother 1 1 1 1\n")
    told = neocog.look(kim_model(), words="good,bad", vectors=vectors, out=tmp_path / "out")
    assert told.neighbours[0].before == (("film", pytest.approx(1 / 1.01**0.5)),)
    assert told.neighbours[1].before is None and "no vector of bad" in told.notes[0]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "began at random" in page and "Near words" in page


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"words": "goood"}, "good"),
        ({"vectors": "x.txt"}, "--words"),
        ({"unit": 3}, "--unit"),
        ({"root": "x"}, "--root"),
        ({"target": "postive"}, "positive"),
        ({"top": 0}, "top"),
    ],
)
def test_what_cannot_be_followed(options, words):
    with pytest.raises(UsageError, match=words):
        neocog.look(kim_model(), "good", **options)


def test_nothing_to_look_at(tmp_path):
    with pytest.raises(UsageError, match="nothing to look at"):
        neocog.look(kim_model())
    with pytest.raises(UsageError, match="no such file"):
        neocog.look(kim_model(), Path("none.txt"))
    short = tmp_path / "short.txt"
    short.write_text("good 1 2\n")
    with pytest.raises(UsageError, match="2 numbers"):
        neocog.look(kim_model(), words="good", vectors=short)


def test_the_model_stays_as_it_is(tmp_path):
    model = kim_model()
    before = {name: each.clone() for name, each in model.network.state_dict().items()}
    random = torch.random.get_rng_state()
    neocog.look(model, NOT_GOOD)
    assert all(torch.equal(before[name], each) for name, each in model.network.state_dict().items())
    assert torch.equal(random, torch.random.get_rng_state())
    modules = list(model.network.modules())
    assert not any(each._forward_hooks or each._forward_pre_hooks or each.training for each in modules)
    assert all(each.grad is None and each.requires_grad for each in model.network.parameters())


def test_files_of_texts(tmp_path):
    path = kim_file(tmp_path)
    (tmp_path / "lines.txt").write_bytes("good film\nbad \xe9\n".encode("latin-1"))
    found = neocog.look(path, tmp_path / "lines.txt", encoding="latin-1", method="saliency", trust=False)
    assert [each.tokens for each in found.texts] == [("good", "film"), ("bad", "\xe9")]
    table = tmp_path / "t.csv"
    table.write_text("a,b\ngood,1\nbad,2\n")
    found = neocog.look(path, table, text_column="a", method="saliency", trust=False)
    assert [each.input for each in found.texts] == ["good", "bad"]
