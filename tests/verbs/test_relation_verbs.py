"""Relations through train, test, predict and check: sentences and bags, the same verbs, the same files."""

from __future__ import annotations

import csv
import io
import json

import pytest
import torch
from click.testing import CliRunner

import neocog
from neocog.cli.main import neocog as command
from neocog.core.errors import DataError, UsageError
from neocog.core.relation_score import relation_score
from neocog.data.semeval import marked_sentence
from neocog.tasks.model import load
from neocog.training import loop
from neocog.verbs.relation_inputs import expand_relations

RELATIONS = ("In(e1,e2)", "In(e2,e1)", "Part(e1,e2)", "Other")
BETWEEN = ("lives inside", "always holds", "belongs to", "sleeps beside")
SMALL = {"recipe": "smoke", "dimension": 8, "quiet": True, "device": "cpu"}


def sentence(n: int, relation: int) -> str:
    """Returns a sentence whose words between the entities say its relation."""
    ends = ("tree", "house", "box")[n % 3], ("cat", "dog", "man")[n // 3 % 3]
    return f"Some <e1>old {ends[0]}</e1> {BETWEEN[relation]} the <e2>{ends[1]}</e2> {'there ' * (n % 5)}today {n}."


def semeval(path, count):
    blocks = [f'{n}\t"{sentence(n, n % 4)}"\n{RELATIONS[n % 4]}\nComment:\n' for n in range(1, count + 1)]
    path.write_text("\n".join(blocks))
    return path


def bags(path, count):
    """Writes bags of one to three sentences, one of them of the bag's relation; the first bag has two relations."""
    rows = []
    for n in range(count):
        told = [sentence(10 * n + place, n % 4 if place == n % 3 else 3) for place in range(n % 3 + 1)]
        rows.append({"head": f"h{n}", "tail": "t", "relations": [RELATIONS[n % 4]], "sentences": told})
    rows[0]["relations"] = [RELATIONS[0], RELATIONS[2]]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("relations")
    semeval(folder / "TRAIN_FILE.TXT", 160)
    semeval(folder / "TEST_FILE.TXT", 40)
    run = neocog.train(folder, dimension=16, epochs=10, lr=0.01, quiet=True, out=folder / "run", device="cpu")
    return run, folder


@pytest.fixture(scope="module")
def trained_on_bags(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bags")
    data = bags(folder / "train.jsonl", 120)
    return neocog.train(data, dimension=16, epochs=3, lr=0.01, quiet=True, out=folder / "run", device="cpu"), data


def test_relations_are_learned_and_the_official_figure_comes_first(trained):
    run, folder = trained
    assert (run.summary["task"], run.summary["network"]) == ("relation classification", "pcnn")
    assert next(iter(run.summary["test"])) == "macro_f1"
    assert run.summary["test"]["macro_f1"] == run.summary["test"]["top1"] == 1
    assert run.verdict().startswith("macro f1 100.0 %; 100.0 % of 40 held-out test sentences right")
    report = (run.folder / "report.html").read_text()
    assert "Official score of each relation" in report
    assert "macro F1 by the official rules" in report
    measured = neocog.test(run.folder / "model.safetensors", folder, device="cpu", out=folder / "test")
    assert measured.metrics == run.results["test"].metrics
    assert "Official score" in (folder / "test" / "report.html").read_text()
    assert "val_macro_f1" in (run.folder / "metrics.csv").read_text().splitlines()[0]


def test_the_official_figure_is_that_of_the_answers_table(trained, tmp_path):
    run, _ = trained
    data = semeval(tmp_path / "TEST.TXT", 30)
    data.write_text(data.read_text().replace("lives inside", "always holds"))  # so that some answers are wrong
    result = neocog.test(run.folder / "model.safetensors", data, device="cpu")
    rows = [dict(zip(result.tables()["answers"][0], row, strict=True)) for row in result.tables()["answers"][1:]]
    score = relation_score([row["truth"] for row in rows], [row["label"] for row in rows])
    assert 0 < result.metrics["macro_f1"] < 1
    assert result.metrics["macro_f1"] == pytest.approx(score.macro_f1)
    assert score.wrong_direction


def test_answers_for_sentences_however_they_come(trained, tmp_path):
    run, folder = trained
    model = load(run.folder / "model.safetensors", "cpu")
    texts = [sentence(n, n % 4) for n in range(20)]
    answers = model.predict(texts)
    assert [each.label for each in answers] == [RELATIONS[n % 4] for n in range(20)]
    for text, answer in zip(texts, answers, strict=True):
        (alone,) = model.predict(text)
        assert (alone.input, alone.label) == (answer.input, answer.label)
        assert alone.probability == pytest.approx(answer.probability, abs=1e-6)
        assert model.predict([marked_sentence(text, "here")])[0].label == answer.label
    unlabelled = tmp_path / "some.txt"
    unlabelled.write_text("".join(f'{n}\t"{text}"\n\n' for n, text in enumerate(texts, 1)))
    lines = tmp_path / "lines.txt"
    lines.write_text("\n".join(texts) + "\n")
    for path in (unlabelled, lines):
        found = neocog.predict(run.folder / "model.safetensors", path, device="cpu")
        assert [(each.input, each.label) for each in found] == [(each.input, each.label) for each in answers]
    of_folder = neocog.predict(run.folder / "model.safetensors", folder, device="cpu")
    assert len(of_folder) == 200


def test_what_has_no_marks_has_a_row_with_the_reason(trained, tmp_path):
    model = str(trained[0].folder / "model.safetensors")
    lines = tmp_path / "lines.txt"
    lines.write_text(f"{sentence(1, 1)}\nno marks\n\n<e1>a</e1> <e2> </e2>\n")
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"head": "a", "tail": "b", "sentences": ["<e1>a</e1>"]}\n')
    found = CliRunner().invoke(command, ["predict", model, str(lines), str(bad), "--csv", "--device", "cpu"])
    rows = list(csv.DictReader(io.StringIO(found.stdout)))
    assert found.exit_code == 1
    assert [row["label"] for row in rows] == [RELATIONS[1], "", "", "", ""]
    assert rows[1]["error"].startswith("the text: <e1> is there 0 times")
    assert rows[2] == {"input": f"{lines}:3", "label": "", "probability": "", "error": "the text is empty"}
    assert "there is no word between the marks of e2" in rows[3]["error"]
    assert f"{bad}, line 1: sentence 1: <e2> is there 0 times" in rows[4]["error"]
    with pytest.raises(UsageError, match="there is no such file"):
        neocog.predict(model, tmp_path / "none.txt", device="cpu")


def test_an_empty_text_is_not_the_working_folder(tmp_path, monkeypatch):
    semeval(tmp_path / "train.txt", 3)
    monkeypatch.chdir(tmp_path)
    assert list(expand_relations([""])) == [("", "")]


def test_bags_through_the_same_verbs(trained_on_bags, tmp_path):
    run, data = trained_on_bags
    assert run.summary["network"] == "pcnn_attention"
    assert sum(run.summary["samples"].values()) == 121  # one bag has two relations
    path = run.folder / "model.safetensors"
    measured = neocog.test(path, data, device="cpu")
    assert measured.metrics["macro_f1"] == run.summary["test"]["macro_f1"]
    named = neocog.predict(path, data, device="cpu", top=4)
    assert [each.input for each in named[:2]] == [f"{data}:1", f"{data}:2"]
    assert sum(named[0].probabilities) == pytest.approx(1, abs=1e-5)
    (single,) = neocog.predict(path, sentence(1, 1), device="cpu")
    assert single.label in RELATIONS
    model = load(path, "cpu")
    weights = model.network.attention(
        model.predictor.collate([model.predictor.read(marked_sentence("<e1>a</e1> <e2>b</e2>", ""))])
    )
    assert torch.equal(weights, torch.ones_like(weights))


def test_a_bag_is_refused_by_a_model_of_sentences(trained, trained_on_bags):
    model = load(trained[0].folder / "model.safetensors", "cpu")
    bag = trained_on_bags[0].results["test"].items.read(0)
    (answer,) = model.predict(bag)
    assert answer.error == f"a bag of {len(bag.sentences)} sentences; this model takes single sentences"
    found = neocog.predict(model, trained_on_bags[1], device="cpu")
    assert len(found) == sum(n % 3 + 1 for n in range(120))  # but not its sentences one by one
    with pytest.raises(UsageError, match=r"pcnn takes single sentences, and .* holds bags; --net pcnn_attention does"):
        neocog.train(trained_on_bags[1], net="pcnn", **SMALL)


@pytest.mark.parametrize("net", ["zeng_cnn", "cnn_attention"])
def test_the_other_networks_take_sentences(trained, tmp_path, net):
    run = neocog.train(trained[1], net=net, out=tmp_path / "run", **SMALL)
    assert run.summary["test"]["n"] == 40
    answers = neocog.predict(run.folder / "model.safetensors", [sentence(1, 1), "none"], device="cpu")
    assert [bool(each.error) for each in answers] == [False, True]


def test_word_vectors_fill_the_table_of_words_alone(trained, tmp_path):
    vectors = tmp_path / "v.txt"
    vectors.write_text("".join(f"{word} {' '.join([str(value)] * 8)}\n" for word, value in (("cat", 1), ("moon", 2))))
    run = neocog.train(
        trained[1], vectors=vectors, recipe="smoke", lr=1e-9, out=tmp_path / "run", quiet=True, device="cpu"
    )
    model = run.model
    words = model.contract.preprocessing["words"]
    table = model.network.vectors.words.weight
    assert table.shape == (len(words) + 1, 8)
    for word, value in (("cat", 1), ("moon", 2)):
        assert table[words.index(word) + 1].tolist() == pytest.approx([value] * 8, abs=1e-4)
    with pytest.raises(UsageError, match=r"--dimension 9: the vectors of .* have 8 numbers"):
        neocog.train(trained[1], vectors=vectors, **{**SMALL, "dimension": 9})


def test_a_run_taken_up_again_ends_as_if_it_had_not_stopped(trained, tmp_path, monkeypatch):
    options = {**SMALL, "epochs": 2, "recipe": "fast"}
    whole = neocog.train(trained[1], out=tmp_path / "whole", **options)
    taken, plain = 0, loop._Run._step

    def stopping(self, phase, stepper, batch):
        nonlocal taken
        taken += 1
        if taken == 3:
            self.stop.wanted = True
        plain(self, phase, stepper, batch)

    monkeypatch.setattr(loop._Run, "_step", stopping)
    with pytest.raises(BaseException, match="resume"):
        neocog.train(trained[1], out=tmp_path / "cut", **options)
    monkeypatch.undo()
    taken_up = neocog.train(resume=tmp_path / "cut", quiet=True)
    first, second = (each.model.network.state_dict() for each in (whole, taken_up))
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_bad_data_and_options_get_one_line(tmp_path):
    path = semeval(tmp_path / "train.txt", 20)
    path.write_text(path.read_text().replace("In(e2,e1)", "what is this", 1))
    with pytest.raises(DataError, match=r"train\.txt, line 2: expected a relation such as"):
        neocog.train(path, **SMALL)
    good = semeval(tmp_path / "good.txt", 20)
    with pytest.raises(UsageError, match="relations start from word vectors: give --vectors"):
        neocog.train(good, weights="imagenet", **SMALL)
    with pytest.raises(UsageError, match="--mode is for text classification, and these data are for relation"):
        neocog.train(good, mode="static", **SMALL)
    with pytest.raises(UsageError, match="kim_cnn is for text classification"):
        neocog.train(good, net="kim_cnn", **SMALL)
    with pytest.raises(UsageError, match="--tokeniser characters: entities are of words"):
        neocog.train(good, tokeniser="characters", **SMALL)
    with pytest.raises(DataError, match="no train part to learn from; found test"):
        neocog.train(semeval(tmp_path / "test.txt", 20), **SMALL)
    with pytest.raises(DataError, match="holds both bags and single sentences"):
        folder = tmp_path / "both"
        folder.mkdir()
        semeval(folder / "train.txt", 20)
        bags(folder / "test.jsonl", 20)
        neocog.train(folder, **SMALL)


def test_look_names_the_words_that_say_the_relation(trained):
    run, _ = trained
    found = neocog.look(run.folder / "model.safetensors", sentence(4, 2), method="occlusion").texts[0]
    assert found.answers[0][0] == RELATIONS[2]
    strongest = found.figures[0].scores.argsort(descending=True)[:2]
    assert set(BETWEEN[2].split()) & {found.tokens[int(place)] for place in strongest}


def test_check_examines(tmp_path):
    semeval(tmp_path / "train.txt", 20)
    text = (tmp_path / "train.txt").read_text()
    (tmp_path / "train.txt").write_text(f"{text}\n21\t{sentence(3, 3)}\nOther\n")
    found = neocog.check(tmp_path, list_out=tmp_path / "list.csv")
    assert (found.counts["duplicate"], found.proposals[0][0]) == (1, "train.txt:81")
    trained_without = neocog.train(tmp_path, exclude=tmp_path / "list.csv", out=tmp_path / "run", **SMALL)
    assert sum(trained_without.summary["samples"].values()) == 20
