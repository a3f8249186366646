"""The verbs on tagged sentences: train, test, predict, resume, and data that cannot be followed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import neocog
from neocog.cli.predict import command as predict
from neocog.cli.test import command as measure
from neocog.core.errors import DataError, NeocogError, UsageError

NOUNS, VERBS = ("Cat", "dog", "bird", "Fox", "cow"), ("sees", "hears", "likes", "meets")


def columns(count: int, start: int = 0, tag: str = "NP") -> str:
    """Sentences ``the NOUN VERB the NOUN .`` with their chunks."""
    made = []
    for place in range(start, start + count):
        subject, verb, thing = NOUNS[place % 5], VERBS[place % 4], NOUNS[(place // 5) % 5]
        words = ("The", subject, verb, "the", thing, ".")
        tags = (f"B-{tag}", f"I-{tag}", "B-VP", f"B-{tag}", f"I-{tag}", "O")
        made.append("\n".join(f"{word} {own}" for word, own in zip(words, tags, strict=True)))
    return "\n\n".join(made) + "\n"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chunks")
    (folder / "train.txt").write_text(columns(60))
    (folder / "test.txt").write_text(columns(20, start=7))
    return folder


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> neocog.Run:
    out = tmp_path_factory.mktemp("runs") / "run"
    return neocog.train(data, epochs=12, dimension=12, batch=8, dropout=0.0, out=str(out), device="cpu", quiet=True)


def test_training_learns_and_says_so(run: neocog.Run) -> None:
    assert run.summary["task"] == "tagging"
    assert run.summary["test"]["f1"] == 1.0
    assert "F1 100.0 % of spans in 20 held-out test sentences" in run.verdict()
    page = (run.folder / "report.html").read_text()
    assert "Types of spans" in page
    assert "No mistakes to show." in page
    assert set(run.summary["classes"]) == {"B-NP", "E-NP", "O", "S-VP"}


def test_a_sentence_a_file_and_words_are_tagged(run: neocog.Run, tmp_path: Path) -> None:
    model = run.folder / "model.safetensors"
    [one] = neocog.predict(model, "The fox sees the cow.")
    assert one.words == ("The", "fox", "sees", "the", "cow", ".")
    assert one.labels == ("B-NP", "I-NP", "B-VP", "B-NP", "I-NP", "O")
    assert all(0 < chance <= 1 for chance in one.probabilities)
    file = tmp_path / "plain.conll"
    file.write_text("The\ncat\n\nthe\ndog\nlikes\n")
    found = neocog.predict(model, [file, "dog", ""])
    assert [each.words for each in found] == [("The", "cat"), ("the", "dog", "likes"), ("dog",), ()]
    assert found[-1].error
    loaded = neocog.load(model)
    assert loaded.predict([("The", "New York", "sees")])[0].labels[0] == "B-NP"
    assert loaded.predict([3])[0].error == "expected a sentence or its words, got int"


def test_an_answer_does_not_depend_on_its_neighbours(run: neocog.Run) -> None:
    loaded = neocog.load(run.folder / "model.safetensors")
    texts = ["The cat sees the dog.", "dog", "The fox likes the bird. The cow meets the cat and hears the dog."]
    together = loaded.predict(texts)
    for text, found in zip(texts, together, strict=True):
        [alone] = loaded.predict(text)
        assert alone.labels == found.labels
        assert alone.probabilities == pytest.approx(found.probabilities, abs=1e-5)


def test_the_commands_print(run: neocog.Run, data: Path, tmp_path: Path) -> None:
    model = str(run.folder / "model.safetensors")
    tested = CliRunner().invoke(measure, [model, str(data), "--out", str(tmp_path / "tested")])
    assert tested.exit_code == 0, tested.output
    assert "F1" in tested.stdout
    assert "span" in tested.stdout
    rows = (tmp_path / "tested" / "answers.csv").read_text().splitlines()
    assert rows[0] == "input,word,truth,tag,probability,error"
    assert rows[1].startswith("test.txt:1,The,B-NP,B-NP,")
    assert len(rows) == 1 + 20 * 6
    lines = CliRunner().invoke(predict, [model, "The cat sees the dog."]).stdout
    assert lines == "The/B-NP cat/I-NP sees/B-VP the/B-NP dog/I-NP ./O\n"
    row = json.loads(CliRunner().invoke(predict, [model, "--jsonl", "The cat"]).stdout)
    assert (row["words"], row["labels"]) == (["The", "cat"], ["B-NP", "I-NP"])
    table = CliRunner().invoke(predict, [model, "--csv", "The cat"]).stdout.splitlines()
    assert table[0] == "input,label,probability,error"
    assert table[1].startswith("The cat,B-NP I-NP,0.")


def test_another_scheme_is_compared_by_its_spans(run: neocog.Run, tmp_path: Path) -> None:
    text = columns(8).replace("I-NP", "E-NP").replace("B-VP", "S-VP")
    (tmp_path / "test.txt").write_text(text)
    found = neocog.test(run.folder / "model.safetensors", tmp_path / "test.txt")
    assert found.metrics["f1"] == 1.0
    assert found.metrics["accuracy"] == 1.0


def test_an_unknown_tag_names_its_sentence(run: neocog.Run, tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text(columns(2) + "\n" + columns(1, tag="QP"))
    with pytest.raises(DataError, match=r"test.txt:15: the model does not know the tag 'B-QP'"):
        neocog.test(run.folder / "model.safetensors", tmp_path / "test.txt")
    (tmp_path / "test.txt").write_text("the DET\ncat NOUN\n\na DET\ndog NOUN\n")
    with pytest.raises(DataError, match=r"the tags are of single words .* the model's are of spans"):
        neocog.test(run.folder / "model.safetensors", tmp_path / "test.txt")


def test_words_have_tags_of_their_own(tmp_path: Path) -> None:
    rows = columns(40).replace("B-NP", "DET").replace("I-NP", "NOUN").replace("B-VP", "VERB").replace(" O", " PUNCT")
    (tmp_path / "data.conll").write_text(rows)
    run = neocog.train(
        tmp_path / "data.conll",
        net="collobert_sentence",
        likelihood="word",
        epochs=25,
        dropout=0.0,
        dimension=8,
        batch=8,
        out=str(tmp_path / "run"),
        quiet=True,
    )
    assert run.summary["test"]["accuracy"] == 1.0
    assert "f1" not in run.summary["test"]
    assert "tags right in" in run.verdict()
    again = neocog.test(run.folder / "model.safetensors", tmp_path / "data.conll")
    assert again.metrics["accuracy"] == 1.0
    assert "kept out" in again.statement or "splits it" in again.statement


def test_an_interrupted_run_goes_on_to_the_same_weights(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"epochs": 3, "dimension": 6, "batch": 8, "device": "cpu", "quiet": True}
    whole = neocog.train(data, out=str(tmp_path / "whole"), **options)
    from neocog.tasks.tagging import Tagging

    calls, loss = [0], Tagging.loss

    def interrupted(self: Tagging, *given: object) -> object:
        calls[0] += 1
        if calls[0] == 12:
            raise KeyboardInterrupt
        return loss(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Tagging, "loss", interrupted)
    with pytest.raises(BaseException):  # noqa: B017 - Ctrl-C has its own class
        neocog.train(data, out=str(tmp_path / "cut"), checkpoint_seconds=0.0, **options)
    monkeypatch.undo()
    resumed = neocog.train(resume=tmp_path / "cut", quiet=True)
    assert (resumed.folder / "model.safetensors").read_bytes()[-4000:] == (
        whole.folder / "model.safetensors"
    ).read_bytes()[-4000:]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"weights": "imagenet"}, "--vectors"),
        ({"net": "kim_cnn"}, "text classification"),
        ({"mode": "static"}, "--mode is for text classification"),
        ({"flip": True}, "image classification"),
        ({"scheme": "IOB3"}, "IOB2"),
        ({"fold": 2}, "--folds"),
    ],
)
def test_what_cannot_be_followed_is_refused(data: Path, options: dict[str, object], reason: str) -> None:
    with pytest.raises(NeocogError, match=reason):
        neocog.train(data, quiet=True, **options)


def test_bad_files_name_their_line(tmp_path: Path) -> None:
    file = tmp_path / "train.txt"
    file.write_text(columns(3) + "\nThe B-NP extra\ncat I-NP\n")
    with pytest.raises(DataError, match=r"train.txt, line 22"):
        neocog.train(tmp_path, task="tagging", quiet=True)
    file.write_text("The O\n\ncat O\n")
    with pytest.raises(NeocogError, match="one class"):
        neocog.train(tmp_path, task="tagging", quiet=True)
    with pytest.raises(UsageError, match="name a file or folder"):
        neocog.train(None, task="tagging", quiet=True)


def test_folds_have_their_own_figure(tmp_path: Path) -> None:
    (tmp_path / "data.conll").write_text(columns(40))
    found = neocog.train(
        tmp_path / "data.conll", folds=2, epochs=2, dimension=6, batch=8, out=str(tmp_path / "folds"), quiet=True
    )
    assert found.verdict().startswith("F1 of spans ")
    assert "in 40 sentences on average over 2 folds" in found.verdict()
    assert set(found.summary["test"]) == {"f1", "f1_spread", "n"}


def without_spans(count: int) -> str:
    return (
        "\n\n".join("\n".join(f"{word} O" for word in ("Oh", NOUNS[place % 5], "!")) for place in range(count)) + "\n"
    )


def test_a_test_part_without_spans_has_no_f1(data: Path, tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text(columns(30) + "\n" + without_spans(30))
    (tmp_path / "test.txt").write_text(without_spans(4))
    run = neocog.train(tmp_path, epochs=8, dimension=8, batch=8, dropout=0.0, out=str(tmp_path / "run"), quiet=True)
    assert (
        "no span, true or answered, in 4 held-out test sentences, so no F1; 100.0 % of 12 tags right" in run.verdict()
    )
    written = json.loads((run.folder / "summary.json").read_text(), parse_constant=pytest.fail)
    assert written["test"]["f1"] is None
    assert written["test"]["accuracy"] == 1.0
    assert "None, true or answered." in (run.folder / "report.html").read_text()
    model = str(run.folder / "model.safetensors")
    tested = CliRunner().invoke(measure, [model, str(tmp_path / "test.txt")])
    assert tested.exit_code == 0, tested.output
    assert "no spans, true or answered" in tested.stdout
    assert [line.split()[1] for line in tested.stdout.splitlines() if line.startswith("F1")] == ["-"]
    (tmp_path / "other.txt").write_text(columns(3))
    assert neocog.test(model, tmp_path / "other.txt").metrics["f1"] > 0


def test_a_fold_without_spans_counts_in_no_mean(tmp_path: Path) -> None:
    (tmp_path / "data.conll").write_text(columns(4) + "\n" + without_spans(26))
    found = neocog.train(
        tmp_path / "data.conll", folds=8, epochs=6, dimension=6, batch=4, out=str(tmp_path / "folds"), quiet=True
    )
    assert None in found.accuracies
    known = [value for value in found.accuracies if value is not None]
    assert known
    assert found.summary["test"]["f1"] == pytest.approx(sum(known) / len(known))
    left = len(found.runs) - len(known)
    assert f"on average over {len(known)} folds" in found.verdict()
    assert f"{left} without a figure left out" in found.verdict()
    assert json.loads((tmp_path / "folds" / "folds.json").read_text(), parse_constant=pytest.fail)["test"]["n"] == 30


def test_sentences_are_called_sentences(run: neocog.Run, data: Path, tmp_path: Path) -> None:
    model = str(run.folder / "model.safetensors")
    tested = CliRunner().invoke(measure, [model, str(data), "--out", str(tmp_path / "tested")])
    assert tested.stderr.startswith(f"neocog: tested on the test part of {data}: 20 sentences\n")
    assert "Sentences" in (tmp_path / "tested" / "report.html").read_text()
    seen = CliRunner().invoke(measure, [model, str(data), "--part", "train"])
    assert "trained on 54 of these 60 sentences" in seen.stderr


def test_sentences_that_train_split_off_are_tested_alone(tmp_path: Path) -> None:
    (tmp_path / "data.conll").write_text(columns(40))
    run = neocog.train(tmp_path / "data.conll", recipe="smoke", dimension=6, out=str(tmp_path / "run"), quiet=True)
    model = run.folder / "model.safetensors"
    again = neocog.test(model, tmp_path / "data.conll")
    assert (again.samples, again.metrics["f1"]) == (4, run.summary["test"]["f1"])
    assert not again.warnings
    whole = neocog.test(model, tmp_path / "data.conll", part="all")
    assert "trained on 32 of these 40 sentences" in whole.warnings[0]
