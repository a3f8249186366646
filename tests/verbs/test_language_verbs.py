"""Running text through train, test, predict and generate."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

import neocog
from neocog.cli.main import neocog as command
from neocog.cli.main import run as command_line
from neocog.core.errors import DataError, UsageError
from neocog.tasks.kinds import find
from neocog.tasks.model import load
from neocog.tasks.options import TrainOptions
from neocog.training import loop

OPTIONS = {"task": "language", "net": "elman_lm", "quiet": True, "device": "cpu"}


def rhyme(path: Path, count: int = 300) -> Path:
    """Writes lines of which every second is like the one before the last."""
    path.write_text("".join("abcdefgh\n" if number % 2 else "12345678\n" for number in range(count)))
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("language")
    data = rhyme(folder / "rhyme.txt")
    return neocog.train(data, **OPTIONS, epochs=12, out=folder / "run"), data


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    (folder / "t.txt").write_text("one two three\nthree two one\n" * 100 + "four\n")
    return neocog.train(folder / "t.txt", **OPTIONS, tokeniser="whitespace", epochs=6, out=folder / "run")


def test_a_rhyme_is_learned_and_a_run_leaves_what_it_should(trained):
    run, _ = trained
    assert run.summary["task"] == "language modelling"
    figures = run.summary["test"]
    assert figures["bits_per_character"] < 0.2
    assert figures["perplexity"] == pytest.approx(2 ** figures["bits_per_character"])
    assert figures["n"] == 30 * 9
    assert run.verdict() == f"{figures['bits_per_character']:.3f} bits per character on 270 held-out test characters"
    assert "neocog generate" in run.text()
    page = (run.folder / "report.html").read_text()
    assert "Temperature 0.7" in page and "What surprised it most" in page and "Training" in page
    history = (run.folder / "metrics.csv").read_text().splitlines()
    assert "val_bits_per_character" in history[0] and len(history) == 13


def test_a_test_measures_what_was_kept_aside_and_says_what_was_learned_from(trained):
    run, data = trained
    model = run.folder / "model.safetensors"
    measured = neocog.test(model, data, device="cpu")
    assert measured.metrics["loss"] == pytest.approx(run.summary["test"]["loss"], abs=1e-6)
    assert not measured.warnings
    everything = neocog.test(model, data, part="all", device="cpu")
    assert everything.samples == 2700
    assert "trained on 243 of these 300 lines" in everything.warnings[0]
    costs = [each.bits * each.times for each in everything.by_token()]
    assert sum(costs) / everything.samples == pytest.approx(everything.metrics["bits_per_character"])
    assert sum(each.tokens for each in everything.lines()) == everything.samples


def test_other_text_costs_more_and_what_is_unknown_is_told(trained, tmp_path):
    run, _ = trained
    other = tmp_path / "other.txt"
    other.write_text("hgfedcba\n" * 20 + "zzz\n")
    found = neocog.test(run.folder / "model.safetensors", other, device="cpu", out=tmp_path / "report")
    assert found.part == "all" and found.samples == 184
    assert found.metrics["bits_per_character"] > 3
    assert found.warnings == ("3 of 184 characters are unknown to the model and told as one and the same.",)
    tables = {path.stem for path in (tmp_path / "report").glob("*.csv")}
    assert tables == {"classes", "answers"}
    told = json.loads((tmp_path / "report" / "test.json").read_text())
    assert (told["n"], told["unknown"]) == (184, 3)
    assert set(told["written"]) == {"0.2", "0.7", "1.2"}


def test_a_text_is_told_alone_as_in_company(trained):
    model = load(trained[0].folder / "model.safetensors", "cpu")
    known, strange, none = model.predict(["abcdefgh\n12345678", "a!b?", ""])
    assert known.label.endswith("bits per character") and float(known.label.split()[0]) < 0.5
    assert known.probability == pytest.approx(2 ** -float(known.label.split()[0]), abs=1e-3)
    assert strange.label.endswith("(2 unknown characters)")
    assert (none.label, none.error) == ("", "the text is empty")
    (alone,) = model.predict("abcdefgh\n12345678")
    assert alone.probability == pytest.approx(known.probability, abs=1e-6)


def test_it_writes_the_rhyme_behind_a_prompt(trained):
    model = load(trained[0].folder / "model.safetensors", "cpu")
    (text,) = neocog.generate(model, prompt="abcd", length=14, temperature=0)
    assert (text.prompt, text.text, str(text)) == ("abcd", "efgh\n12345678\n", "abcdefgh\n12345678\n")
    free = neocog.generate(model, length=40, temperature=3, count=3)
    assert [each.seed for each in free] == [0, 1, 2]
    assert len({each.text for each in free}) == 3
    assert neocog.generate(model, length=40, temperature=3, seed=2)[0].text == free[2].text
    assert all(len(each.text) == 40 for each in free)
    assert (
        neocog.generate(model, length=40, temperature=3, top=1)[0].text
        == neocog.generate(model, length=40, temperature=0)[0].text
    )
    # The warmer, the more it costs by its own measure.
    costs = [
        -math.log(model.predict(neocog.generate(model, length=300, temperature=each)[0].text)[0].probability)
        for each in (0.5, 1.5, 4)
    ]
    assert costs == sorted(costs)


def test_words_are_written_with_spaces_and_counted_as_words(words):
    assert words.summary["test"]["bits_per_word"] < 2
    assert "(perplexity " in words.verdict() and words.verdict().endswith("held-out test words")
    model = load(words.folder / "model.safetensors", "cpu")
    assert "four" not in model.classes  # which occurs once
    (text,) = neocog.generate(model, prompt="one two", length=6, temperature=0)
    assert str(text).startswith("one two three\nthree two one")
    with pytest.raises(UsageError, match="does not know the word: 'five'"):
        neocog.generate(model, prompt="one five")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"prompt": "añb漢"}, "does not know these characters: 'ñ', '漢'; it knows 17 different ones"),
        ({"length": 0}, "--length must be at least 1"),
        ({"count": 0}, "--count must be at least 1"),
        ({"temperature": -1}, "--temperature must be a number from 0 on"),
    ],
)
def test_what_cannot_be_written_is_refused(trained, options, words):
    with pytest.raises(UsageError, match=words):
        neocog.generate(trained[0].folder / "model.safetensors", device="cpu", **options)


def test_the_command_writes_to_stdout_and_has_the_exit_status_of_the_others(trained, model_file, capsys):
    model = str(trained[0].folder / "model.safetensors")
    result = CliRunner().invoke(command, ["generate", model, "--prompt", "1234", "--length", "5", "--temperature", "0"])
    assert (result.exit_code, result.output) == (0, "12345678\n\n")
    several = CliRunner().invoke(command, ["generate", model, "--count", "2", "--length", "3", "--jsonl"])
    assert [json.loads(line)["seed"] for line in several.output.splitlines()] == [0, 1]
    assert command_line(["generate", model, "--prompt", "ß"]) == 2
    assert "does not know the character: 'ß'" in capsys.readouterr().err
    assert command_line(["generate", str(model_file)]) == 2
    assert "is for image classification and writes no text" in capsys.readouterr().err
    assert command_line(["look", model, "abc", "--out", "nowhere"]) == 2
    assert "look takes models of pictures, texts, tags and relations" in capsys.readouterr().err
    assert command_line(["test", model, str(trained[1])]) == 0
    told = capsys.readouterr().out
    assert "bits per character" in told and "written at temperature 0.7" in told


def test_an_interrupted_run_ends_with_the_same_weights(trained, tmp_path, monkeypatch):
    data, taken, plain = trained[1], 0, loop._Run._step
    neocog.train(data, **OPTIONS, epochs=3, out=tmp_path / "whole")

    def stopping(self, phase, stepper, batch):
        nonlocal taken
        taken += 1
        self.stop.wanted = taken == 4
        plain(self, phase, stepper, batch)

    monkeypatch.setattr(loop._Run, "_step", stopping)
    with pytest.raises(BaseException, match="resume"):
        neocog.train(data, **OPTIONS, epochs=3, out=tmp_path / "cut")
    monkeypatch.undo()
    neocog.train(resume=tmp_path / "cut")
    states = [load(tmp_path / each / "model.safetensors", "cpu").network.state_dict() for each in ("whole", "cut")]
    assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"weights": "imagenet"}, UsageError, "language models start from scratch"),
        ({"samples": 5}, UsageError, "--samples is for samples that do not follow"),
        ({"exclude": "x"}, UsageError, "--exclude is for samples that do not follow"),
        ({"vocabulary": 5}, UsageError, "--vocabulary is for words"),
        ({"mode": "rand"}, UsageError, "--mode is for text classification"),
        ({"net": "kim_cnn"}, UsageError, "kim_cnn is for text classification"),
        ({"tokeniser": "whitespace"}, DataError, "'whitespace' leaves no token that occurs twice"),
    ],
)
def test_options_of_other_tasks_are_refused(tmp_path, options, error, words):
    data = tmp_path / "x.txt"
    data.write_text("a\nb\nc\n" if "tokeniser" in options else "a b c\n" * 20)
    with pytest.raises(error, match=words):
        neocog.train(data, **{**OPTIONS, "out": tmp_path / "run", **options})
    assert not (tmp_path / "run").exists()


def test_the_task_has_to_be_asked_for(tmp_path):
    path = rhyme(tmp_path / "x.txt")
    assert find(TrainOptions(data=str(path), task="language")).name == "language modelling"
    assert find(TrainOptions(data=str(path))).name == "text classification"


def test_the_command_says_characters_and_not_samples(trained, capsys):
    run, data = trained
    assert run.summary["what"] == "characters"
    assert command_line(["test", str(run.folder / "model.safetensors"), str(data), "--device", "cpu"]) == 0
    assert "270 characters\n" in capsys.readouterr().err


def test_a_language_model_is_not_looked_at_and_that_is_said_first(trained, capsys):
    run, _ = trained
    assert command_line(["look", str(run.folder / "model.safetensors"), "abc"]) == 2
    said = capsys.readouterr().err
    assert "look takes models of pictures, texts, tags and relations" in said
    assert "language modelling" in said
