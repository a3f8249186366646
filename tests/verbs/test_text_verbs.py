"""Texts through train, test and predict: the same verbs, the same files, the same contracts."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

import neocog
from neocog.cli.main import neocog as command
from neocog.core.errors import DataError, UsageError
from neocog.tasks.model import load

SMALL = {"recipe": "smoke", "dimension": 8, "quiet": True}
GOOD, BAD = ("good", "fine", "great", "lovely"), ("bad", "poor", "awful", "dull")


def sentences(path: Path, count: int = 160) -> Path:
    rows = []
    for n in range(count):
        label, said = ("pos", GOOD) if n % 2 else ("neg", BAD)
        rows.append(f"{label} the film is {said[n // 2 % 4]} {'so ' * (n % 5)}in part {n}")
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    data = sentences(folder / "films.txt")
    return neocog.train(data, dimension=16, epochs=12, lr=0.01, quiet=True, out=folder / "run", device="cpu"), data


def test_good_and_bad_words_are_learned_and_a_run_leaves_what_it_should(trained):
    run, data = trained
    assert run.summary["task"] == "text classification"
    assert run.summary["test"]["top1"] == 1
    assert {"model.safetensors", "config.toml", "split.csv", "summary.json", "report.html"} <= {
        path.name for path in run.folder.iterdir()
    }
    assert (run.folder / "split.csv").read_text().count("films.txt:") == 160
    assert "<blockquote>" in (run.folder / "report.html").read_text()
    assert "TEXTS" in run.text()
    measured = neocog.test(run.folder / "model.safetensors", data, device="cpu")
    assert measured.metrics["top1"] == run.summary["test"]["top1"]
    assert measured.samples == run.summary["test"]["n"]
    assert not measured.warnings
    assert "trained on" in neocog.test(run.folder / "model.safetensors", data, part="all", device="cpu").warnings[0]


def test_answers_do_not_depend_on_company_or_way_in(trained, tmp_path):
    model = load(trained[0].folder / "model.safetensors", "cpu")
    texts = ["good", "a dull film", "lovely " * 30, "zzz", "the"]
    together = model.predict(texts)
    for text, answer in zip(texts, together, strict=True):
        (alone,) = model.predict(text)
        assert alone.input == text
        assert alone.label == answer.label
        assert alone.probability == pytest.approx(answer.probability, abs=1e-6)
    folded = load(trained[0].folder / "model.safetensors", "cpu", fold=True).predict(texts)
    assert [each.probability for each in folded] == pytest.approx([each.probability for each in together], abs=1e-5)
    (tmp_path / "x.txt").write_text("\n".join(texts[:2]))
    (tmp_path / "x.csv").write_text("id,text\n1,good\n2,a dull film\n")
    for file in ("x.txt", "x.csv"):
        found = neocog.predict(model, tmp_path / file)
        assert [(each.input, each.label) for each in found] == [(each.input, each.label) for each in together[:2]]


def test_what_cannot_be_answered_has_its_row_and_reason(trained, tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes(b"good\n\nb\xe9d\n\xc3\xa9\xc3\xa9\n" + b"x" * 1_000_000 + b"\nbad\n")
    found = neocog.predict(trained[0].folder / "model.safetensors", [path, str(tmp_path / "none.txt")], device="cpu")
    assert [each.label for each in found] == ["pos", "", "", "", "", "neg", ""]
    reasons = [each.error or "" for each in found]
    for reason, part in zip(
        reasons, ("", "is empty", "0xe9", "leaves no word", "1,000,000 characters", "", "no such file"), strict=True
    ):
        assert part in reason
    with pytest.raises(UsageError, match="no such file"):
        neocog.predict(trained[0].folder / "model.safetensors", tmp_path / "none.txt")


def test_the_command_line_keeps_its_contract(trained):
    model = str(trained[0].folder / "model.safetensors")
    given = ["predict", model, "-", 'a bad, "dull" film', "--csv"]
    result = CliRunner().invoke(command, given, input="good\n\nbad\n")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["label"] for row in rows] == ["pos", "", "neg", "neg"]
    assert list(rows[0]) == ["input", "label", "probability", "error"]
    assert rows[3]["input"] == 'a bad, "dull" film'
    assert result.exit_code == 1


def test_an_interrupted_run_ends_in_the_same_bits(trained, tmp_path, monkeypatch):
    from neocog.training import loop

    data, whole = trained[1], tmp_path / "whole"
    options = {"dimension": 8, "epochs": 3, "quiet": True, "device": "cpu", "optimiser": "adadelta", "lr": 1.0}
    neocog.train(data, out=whole, **options)
    taken = 0
    plain = loop._Run._step

    def stopping(self, phase, stepper, batch):
        nonlocal taken
        taken += 1
        if taken == 4:
            self.stop.wanted = True
        plain(self, phase, stepper, batch)

    monkeypatch.setattr(loop._Run, "_step", stopping)
    with pytest.raises(BaseException, match="resume"):
        neocog.train(data, out=tmp_path / "cut", **options)
    monkeypatch.undo()
    neocog.train(resume=tmp_path / "cut")
    first, second = (load(each / "model.safetensors", "cpu").network.state_dict() for each in (whole, tmp_path / "cut"))
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_vectors_start_the_tables_and_static_ones_stay(tmp_path):
    data = sentences(tmp_path / "films.txt", 60)
    vectors = tmp_path / "v.txt"
    vectors.write_text("good 1 2 3\nbad -1 -2 -3\nzebra 5 5 5\n")
    run = neocog.train(data, vectors=vectors, mode="multichannel", recipe="smoke", quiet=True, out=tmp_path / "run")
    config = (tmp_path / "run" / "log.jsonl").read_text()
    assert "3 of 3 words taken" in config
    model = load(tmp_path / "run" / "model.safetensors", "cpu")
    words = list(model.contract.preprocessing["words"])
    static = model.network.static_words.weight
    given = static[[words.index(word) + 1 for word in ("good", "bad", "zebra")]]
    assert float(given.std()) == pytest.approx(0.25 / 3**0.5)  # of a uniform draw between -0.25 and 0.25
    torch.testing.assert_close(given / given[0, 0], torch.tensor([[1.0, 2, 3], [-1, -2, -3], [5, 5, 5]]))
    assert not torch.equal(model.network.words.weight[words.index("bad") + 1], static[words.index("bad") + 1])
    assert torch.equal(model.network.words.weight[words.index("zebra") + 1], static[words.index("zebra") + 1])
    assert not static[0].any()
    assert run.model.contract.arguments["dimension"] == 3


def test_a_network_of_words_takes_characters_as_words(tmp_path):
    vectors = tmp_path / "v.txt"
    vectors.write_text("g 1 2 3\nb -1 -2 -3\n")
    data = sentences(tmp_path / "films.txt", 24)
    options = {"tokeniser": "characters", "net": "lstm_text", "bidirectional": True, "recipe": "smoke", "quiet": True}
    run = neocog.train(data, vectors=vectors, mode=None, out=tmp_path / "run", device="cpu", **options)
    tables = [each for each in run.model.network.modules() if isinstance(each, torch.nn.Embedding)]
    assert tables[0].embedding_dim == 3
    assert run.model.contract.arguments["bidirectional"] is True


REFUSED = {
    "static without vectors": ({"mode": "static"}, "--mode static starts from given word vectors"),
    "a picture's option": ({"size": 32}, "--size is for image classification, and these data are for text"),
    "a picture's network": ({"net": "lenet5"}, "lenet5 is for image classification"),
    "weights": ({"weights": "imagenet"}, "--vectors FILE"),
    "columns of lines": ({"text_column": "2"}, "has `label text` lines and no columns"),
    "no such encoding": ({"encoding": "latin-x"}, "no such encoding"),
    "characters of words": ({"net": "kim_cnn", "dimension": 0}, "--dimension must lie between"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_options_that_do_not_fit_are_one_line(tmp_path, case):
    options, message = REFUSED[case]
    with pytest.raises(UsageError, match=message):
        neocog.train(sentences(tmp_path / "films.txt", 40), quiet=True, out=tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_a_class_that_the_model_does_not_know_names_its_line(trained, tmp_path):
    path = tmp_path / "other.txt"
    path.write_text("pos good\nneutral so so\n")
    with pytest.raises(DataError, match=r"class 'neutral', of other.txt:2"):
        neocog.test(trained[0].folder / "model.safetensors", path)


def test_pictures_refuse_what_is_for_texts(tmp_path):
    with pytest.raises(UsageError, match="--vectors is for text classification"):
        neocog.train("digits", vectors="v.txt", out=tmp_path / "run", quiet=True)


def test_characters_that_a_network_does_not_have_are_said(tmp_path, capsys):
    path = tmp_path / "films.txt"
    path.write_text("".join(f"{n % 2} \u597d\u574f{chr(97 + n)}\n" for n in range(24)))
    neocog.train(path, net="character_cnn_small", recipe="smoke", samples=4, out=tmp_path / "run", device="cpu")
    assert (
        "70 different ones known; 67% of the training part's characters are not among them" in capsys.readouterr().err
    )


@pytest.mark.parametrize("net", ["character_cnn_small", "vdcnn9", "dpcnn"])
def test_the_other_networks_train_and_answer(tmp_path, net):
    data = sentences(tmp_path / "films.txt", 24)
    own = {"dimension": 8} if net == "dpcnn" else {}
    run = neocog.train(data, net=net, recipe="smoke", batch=12, quiet=True, out=tmp_path / "run", **own)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["network"] == net
    assert run.model.predict("a good film")[0].label in ("pos", "neg")
