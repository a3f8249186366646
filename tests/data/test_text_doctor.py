from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from neocog.cli.check import command
from neocog.core.errors import DataError, UsageError
from neocog.data.text_doctor import KINDS, examine
from neocog.data.text_open import open_texts, read_texts
from neocog.data.text_rows import Reading
from neocog.verbs.check import check

PLAIN = (
    *("a gem of a film", "not a dull minute", "warm and wise", "see it twice", "it sings"),
    *("bright from end to end", "the cast shines", "what a lovely thing", "moving and funny", "pure joy throughout"),
)


def lines(label, texts):
    return [f"{label} {text}" for text in texts]


def good():
    """Ten texts of each of two classes, which resemble each other in nothing."""
    return lines("pos", PLAIN) + lines("neg", (f"{text[::-1]} ugh" for text in PLAIN))


@pytest.fixture
def texts(tmp_path, monkeypatch):
    """Returns a writer of a file of `label text` lines after the good ones; work goes on in an empty folder."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    def write(name, rows, before=None, encoding="utf-8"):
        path = tmp_path / name
        path.write_text("\n".join((good() if before is None else before) + list(rows)) + "\n", encoding=encoding)
        return path

    return write


def found(path, **options):
    data = read_texts(path, Reading(**options), whole=False, kin=True)
    return {(finding.kind, finding.name): finding for finding in examine(data)}


def test_good_texts_have_no_findings(texts):
    report = check(texts("films.txt", []))
    assert report.findings == ()
    assert report.samples == {"train": 20}
    assert report.list_file is None


def test_each_kind_of_text_is_told(texts):
    long = "so many words " * 30
    path = texts(
        "films.txt", ["pos", "pos ?!", "neg lost\ufffdhere", "neg cafÃ©s again", "pos a \x97 dash", f"pos {long}"]
    )
    told = found(path)
    assert set(told) == {
        ("empty", "films.txt:21"),
        ("wordless", "films.txt:22"),
        ("lost characters", "films.txt:23"),
        ("wrong encoding", "films.txt:24"),
        ("control characters", "films.txt:25"),
        ("long", "films.txt:26"),
    }
    assert {kind for (kind, _), finding in told.items() if finding.propose} == {"empty"}
    assert {kind for kind, _ in told} <= set(KINDS)


def test_copies_conflicts_and_near_copies_in_one_part(texts):
    rows = ["pos it sings", "neg see it twice", "neg See it, TWICE!", "pos room 7 please", "pos Room 12, please"]
    told = found(texts("films.txt", rows))
    assert set(told) == {
        ("duplicate", "films.txt:21"),
        ("conflict", "films.txt:4"),
        ("conflict", "films.txt:22"),
        ("duplicate", "films.txt:22"),
        ("near duplicate", "films.txt:23"),
        ("number duplicate", "films.txt:25"),
    }
    assert told["conflict", "films.txt:4"].detail == "films.txt:4 (pos), films.txt:22 (neg)"
    assert told["near duplicate", "films.txt:23"].detail == "resembles films.txt:4, labelled pos"
    proposed = {name for (_, name), finding in told.items() if finding.propose}
    assert proposed == {"films.txt:21", "films.txt:4", "films.txt:22"}


def test_leaks_are_proposed_outside_the_test_part(texts):
    path = texts("films.train.txt", ["pos I saw it here", "neg and I slept there"])
    texts("films.test.txt", ["pos I saw it here", "neg And I slept: there"], before=[])
    told = found(path)
    assert set(told) == {("leak", "films.train.txt:21"), ("near leak", "films.train.txt:22")}
    assert all(finding.propose and finding.part == "train" for finding in told.values())


def test_a_test_file_brings_its_train_file_along_as_training_does(texts):
    texts("films.train.txt", [])
    assert check(texts("films.test.txt", ["pos one", "neg two"], before=[])).samples == {"train": 20, "test": 2}


@pytest.mark.parametrize(
    "wrong",
    ["cafÃ©", "naÃ¯ve", "donâ€™t", "â\x80\x9cyesâ\x80\x9d", "Ð¿Ñ€Ð¸", "ÎµÎ½", "æ—¥æœ¬", "ðŸ˜€"],
)
def test_utf8_read_as_latin1_is_told(texts, wrong):
    assert ("wrong encoding", "films.txt:21") in found(texts("films.txt", [f"pos {wrong}"]))


@pytest.mark.parametrize(
    "right",
    [
        "café",
        "naïve «Ünï»",
        "« liberté\xa0»",
        "VOILÀ\xa0!",
        "Âge d'or",
        "cão",
        "Ørsted",
        "привет",
        "日本",
        "😀 fine",
        "10 × 5",
    ],
)
def test_text_of_any_language_is_no_wrong_encoding(texts, right):
    assert found(texts("films.txt", [f"pos {right}"])) == {}


def test_a_whole_file_in_a_wrong_encoding_is_told(texts):
    path = texts("films.txt", ["pos très bien", "neg déjà vu"])
    assert not found(path)
    told = found(path, encoding="latin-1")
    assert set(told) == {("wrong encoding", "films.txt:21"), ("wrong encoding", "films.txt:22")}


def test_vowel_signs_are_no_marks_and_wide_letters_are_letters(texts):
    hindi = ["pos किताब", "neg कातब", "pos ＧＯＯＤ one", "pos good one"]
    assert set(found(texts("films.txt", hindi))) == {("near duplicate", "films.txt:24")}


def test_classes_that_spoil_training_of_texts(texts):
    path = texts("films.train.txt", ["odd only this", "Pos and that"])
    texts("films.test.txt", ["pos other", "neg words"], before=[])
    told = {(finding.kind, finding.part, finding.detail) for finding in check(path).findings}
    assert told == {
        ("alike names", "", "Pos, pos"),
        ("missing class", "test", "Pos, odd"),
        ("tiny class", "train", "Pos: 1 text"),
        ("tiny class", "train", "odd: 1 text"),
        ("imbalance", "train", "pos has 10, odd has 1"),
    }


def test_the_list_of_texts_is_what_train_excludes(texts):
    path = texts("films.txt", ["pos it sings", "neg"])
    with pytest.raises(DataError, match="empty"):
        open_texts(path)
    report = check(path)
    assert report.proposals == (
        ("films.txt:22", "empty: no text beside its label"),
        ("films.txt:21", "duplicate: copy of films.txt:5"),
    )
    data = open_texts(path, exclude=report.list_file)
    names = {name for part in data.parts.values() for name in part.items.names}
    assert names == {f"films.txt:{line}" for line in range(1, 21)}
    assert check(path, list_out=report.list_file).counts == {"empty": 1, "duplicate": 1}


def test_tables_folders_and_trees_are_examined_too(tmp_path, texts):
    table = texts("films.csv", ["text,label", "good,1", "bad,0", "good,1"], before=[])
    assert check(table, near=False).counts["duplicate"] == 1
    columns = texts("two.csv", ["a,b,c", "x,good,1", "x,bad,0", "y,good,1"], before=[])
    asked = check(columns, text_column="b", label_column="c", list_out="two-list.csv")
    assert asked.proposals == (("two.csv:4", "duplicate: copy of two.csv:2"),)
    for label, text in (("pos", "good"), ("neg", "good")):
        (tmp_path / "folder" / label).mkdir(parents=True)
        for number in range(2):
            (tmp_path / "folder" / label / f"{number}.txt").write_text(f"{text} {label * number}")
    told = check(tmp_path / "folder", list_out="third.csv")
    assert {each.name for each in told.findings if each.kind == "conflict"} == {"pos/0.txt", "neg/0.txt"}
    trees = texts("t.txt", ["(3 (2 A) (3 gem))", "(1 (2 a) (1 bore))", "(4 (2 a) (3 GEM))"], before=[])
    assert check(trees, trees="binary").counts["near duplicate"] == 1


def test_what_the_reader_refuses_is_one_line_with_file_and_line(texts):
    path = texts("films.csv", ["text,label", "good,1", "bad,", "fine,0"], before=[])
    result = CliRunner().invoke(command, [str(path)])
    assert isinstance(result.exception, DataError)
    assert "films.csv, line 3: 1 of 3 rows have no label" in str(result.exception)


def test_options_of_the_other_kind_of_data_are_refused(texts, photos):
    path = texts("films.txt", [])
    with pytest.raises(UsageError, match="--max-pixels is for pictures"):
        check(path, max_pixels=5)
    with pytest.raises(UsageError, match="--encoding is for texts"):
        check(photos({"cat": 1, "dog": 1}), encoding="latin-1")


def test_the_command_names_lines_and_the_next_step(texts):
    path = texts("films.txt", ["pos it sings", "neg déjà vu"], encoding="latin-1")
    runner = CliRunner()
    plain = runner.invoke(command, [str(path), "--encoding", "latin-1"])
    assert plain.exit_code == 0
    assert plain.stdout.splitlines()[1:] == [
        "duplicate: 1 (the same text again)",
        "  films.txt:21: copy of films.txt:5",
        "Proposed for leaving out of training: 1 of 22",
    ]
    assert plain.stdout.startswith(f"{path}: 22 texts (train 22), 2 classes")
    assert f"neocog train {path} --encoding latin-1 --exclude neocog-check.csv" in plain.stderr
    assert json.loads(runner.invoke(command, [str(path), "--encoding", "cp1252", "--json"]).stdout)["counts"] == {
        "duplicate": 1
    }
