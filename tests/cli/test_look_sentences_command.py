"""The command ``neocog look`` on tagged sentences and relations: words on stdout, one-line errors."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from neocog import architectures
from neocog.cli.main import run
from neocog.core import modelfile
from neocog.core.contract import ModelContract
from neocog.data.relation_preprocess import RelationPreprocessing
from neocog.data.tag_features import UNKNOWN
from neocog.data.tag_preprocess import TagPreprocessing
from neocog.nn.marked import REACH

WORDS = ("they", "live", "in", "york", "fire", "was", "caused", "by", "fuel")
TAGS = TagPreprocessing((UNKNOWN, *WORDS), ((), ()), "IOB2", "BIOES")
QUIET = ("--no-trust", "--method")


def saved(folder: Path, network: str, task: str, classes: tuple[str, ...], words: int, numbers: dict) -> str:
    arguments = {"classes": len(classes), "channels": words, "dimension": 4, "dropout": 0.0}
    path = folder / f"{network}.safetensors"
    torch.manual_seed(0)
    state = architectures.create(network, **arguments).state_dict()
    modelfile.save(path, state, ModelContract(network, arguments, task, classes, numbers))
    return str(path)


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("tags")
    return saved(folder, "collobert_window", "tagging", ("O", "S-LOC"), len(WORDS) + 1, TAGS.to_contract())


@pytest.fixture(scope="module")
def relations(tmp_path_factory: pytest.TempPathFactory) -> str:
    numbers = RelationPreprocessing("words", WORDS, REACH).to_contract()
    folder = tmp_path_factory.mktemp("relations")
    return saved(folder, "pcnn", "relation classification", ("Other", "Cause"), len(WORDS), numbers)


def test_a_tagged_sentence_and_one_word_of_it(tagger: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    given = ["look", tagger, "They live in York\x1b[2J", "--word", "in", "--class", "S-LOC", "--out", str(out)]
    assert run([*given, *QUIET, "occlusion", "--method", "ngrams"]) == 0
    said = capsys.readouterr()
    answer, scores, *grams = said.out.splitlines()
    assert [each.rpartition("/")[0] for each in answer.split()][:3] == ["They", "live", "in"]
    assert {each.rpartition("/")[2] for each in answer.split()} <= {"O", "B-LOC"} and "\x1b" not in said.out
    assert scores.startswith("  occlusion\tin/S-LOC\tThey=")
    assert len(grams) == 1 and grams[0].startswith("  window:") and grams[0].split("\t")[1] == "in/S-LOC"
    assert str(out / "report.html") in said.err and (out / "look.json").is_file()


def test_entities_are_marked(relations: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = "<e1>fire</e1> was caused by <e2>fuel</e2>"
    assert run(["look", relations, text, *QUIET, "saliency"]) == 0
    answer, scores = capsys.readouterr().out.splitlines()
    assert answer.split("\t")[0] in ("Other", "Cause") and answer.endswith(text)
    assert "fire/e1=" in scores and "fuel/e2=" in scores and " was=" in scores


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["They live", "--word", "paris"], "none of the words asked for"),
        (["They live", "--method", "grad_cam"], "does not go with this model"),
        (["They live", "--class", "LOC"], "S-LOC"),
        (["They live", "--unit", "3"], "--unit"),
        (["They live", "--words", "yorck"], "york"),
        ([], "nothing to look at"),
    ],
)
def test_one_line_and_nothing_left(
    tagger: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    out = tmp_path / "out"
    assert run(["look", tagger, *options, "--out", str(out)]) == 2
    error = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("neocog: looked at")]
    assert words in error[0] and len(error) == 1 and not out.exists()


def test_words_of_relations_and_the_explorer_are_refused_in_one_line(
    tagger: str, relations: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["look", relations, "<e1>fire</e1> was <e2>fuel</e2>", "--word", "was"]) == 2
    assert "--word asks about the tag of one word" in capsys.readouterr().err
    for model in (tagger, relations):
        assert run(["explore", model]) == 2
        error = capsys.readouterr().err
        assert "`neocog look` takes it" in error and error.count("\n") == 1
