"""Recurrent networks through the verbs: taggers learn, texts are classified from both ends, options that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

import neocog
from neocog.core.errors import UsageError
from neocog.tasks.model import load

OPTIONS = {"quiet": True, "device": "cpu"}
AGREEMENT = (("he", "PRON"), ("she", "PRON"), ("dogs", "NOUN"), ("cats", "NOUN"))


def tagged(path: Path, count: int = 120) -> Path:
    """Sentences whose first tag depends on the last word, which only a network that reads back can know."""
    rows = []
    for number in range(count):
        word, tag = AGREEMENT[number % 4]
        middle = [("really", "ADV")] * (number % 3)
        first = ("that", "SCONJ" if tag == "PRON" else "DET")
        rows.append("\n".join(f"{each} {own}" for each, own in (first, *middle, (word, tag))))
    path.write_text("\n\n".join(rows) + "\n")
    return path


def ordered(path: Path, count: int = 160) -> Path:
    """Texts in two classes that have the same words and differ in their order alone, at one end."""
    rows = []
    for number in range(count):
        said = ("yes", "no") if number % 2 else ("no", "yes")
        rows.append(f"{said[0]} {' '.join(said)} {'so ' * (number // 2 % 4)}then {number // 2}")
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("net", ["elman_tagger", "gru_tagger", "lstm_tagger"])
def test_a_tagger_tells_a_word_by_what_follows(net, tmp_path):
    data = tagged(tmp_path / "tags.txt")
    run = neocog.train(
        data, task="tagging", net=net, dimension=8, dropout=0.0, epochs=20, lr=0.01, out=tmp_path / "run", **OPTIONS
    )
    assert run.summary["test"]["accuracy"] == 1
    model = load(run.folder / "model.safetensors", "cpu")
    together = neocog.predict(model, ["that really she", "that cats"])
    assert [each.labels for each in together] == [("SCONJ", "ADV", "PRON"), ("DET", "NOUN")]
    (alone,) = neocog.predict(model, ["that cats"])
    assert alone.probabilities == pytest.approx(together[1].probabilities, abs=1e-6)
    measured = neocog.test(model, data, device="cpu")
    assert measured.metrics["accuracy"] == 1


def test_a_tagger_that_reads_onward_alone_cannot_know(tmp_path):
    data = tagged(tmp_path / "tags.txt")
    settings = {"dimension": 8, "dropout": 0.0, "epochs": 20, "lr": 0.01, "likelihood": "word"}
    run = neocog.train(
        data, task="tagging", net="gru_tagger", bidirectional=False, out=tmp_path / "run", **settings, **OPTIONS
    )
    assert 0.5 < run.summary["test"]["accuracy"] < 0.95
    assert load(run.folder / "model.safetensors", "cpu").contract.arguments["bidirectional"] is False


@pytest.mark.parametrize("net", ["elman_text", "gru_text", "lstm_text"])
def test_a_text_is_told_by_the_order_of_its_words(net, tmp_path):
    data = ordered(tmp_path / "order.txt")
    run = neocog.train(
        data, net=net, bidirectional=True, dimension=16, epochs=12, lr=0.01, out=tmp_path / "run", **OPTIONS
    )
    assert run.summary["test"]["top1"] == 1
    model = load(run.folder / "model.safetensors", "cpu")
    assert [each.label for each in model.predict(["yes no so then 7", "no yes so then 7"])] == ["yes", "no"]
    found = neocog.look(model, "yes no then", method="gradient_times_input", trust=False).texts[0].figures[0]
    assert len(found.scores) == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"net": "kim_cnn", "bidirectional": True}, "kim_cnn is not recurrent; leave --bidirectional out"),
        ({"net": "lstm_text", "mode": "multichannel"}, "--mode multichannel starts from given word vectors"),
        ({"net": "lstm_lm"}, "lstm_lm is for language modelling"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path, options, words):
    with pytest.raises(UsageError, match=words):
        neocog.train(ordered(tmp_path / "x.txt"), out=tmp_path / "run", **options, **OPTIONS)
