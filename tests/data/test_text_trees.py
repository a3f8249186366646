"""Sentiment trees: every phrase with its label, nothing of another part in train, each refusal with file and line."""

from __future__ import annotations

import pytest

from neocog.core.errors import DataError, UsageError
from neocog.data.text_open import open_texts
from neocog.data.text_rows import Reading
from neocog.data.text_sniff import holds_texts
from neocog.data.text_trees import ESCAPES, holds_trees, phrases
from neocog.verbs.text_inputs import expand_texts

TRAIN = (
    "(4 (2 A) (3 (3 fine) (2 film)))\n"
    "\n"
    r"(2 (2 -LRB-) (2 (2 either\/or) (2 -RRB-)))"
    "\n"
    "(0 (1 bad) (2 film))\n"
    "(1 (1 A) (1 dud))\n"
)
DEV = "(1 (1 bad) (2 FILM))\n(3 (3 good))\n(2 (2 so))\n"
TEST = "(3 (3 fine) (2 film))\n(0 (0 awful))\n"


@pytest.fixture
def bank(tmp_path):
    for name, content in (("train", TRAIN), ("dev", DEV), ("test", TEST)):
        (tmp_path / f"{name}.txt").write_text(content)
    return tmp_path


def rows(dataset, part):
    items = dataset.parts[part].items
    labels = dataset.parts[part].labels
    return [(items.name(place), dataset.classes[label], items.read(place)) for place, label in enumerate(labels)]


def test_the_phrases_of_a_tree_are_its_nodes_the_sentence_first():
    found = phrases("(3 (2 A) (3 (3 (2 truly) (3 fine)) (2 film)))", "x")
    assert [tuple(phrase) for phrase in found] == [
        ("A truly fine film", "3", 1, 4),
        ("A", "2", 1, 1),
        ("truly fine film", "3", 2, 4),
        ("truly fine", "3", 2, 3),
        ("truly", "2", 2, 2),
        ("fine", "3", 3, 3),
        ("film", "2", 4, 4),
    ]


@pytest.mark.parametrize("escape", ESCAPES)
def test_what_the_treebank_writes_for_marks_is_undone(escape):
    assert phrases(f"(2 (2 a{escape}b) (2 -LRB))", "x")[0].text == f"a{ESCAPES[escape]}b -LRB"


def test_train_learns_each_phrase_once_and_none_that_is_a_sentence_elsewhere(bank):
    assert holds_texts(bank)
    dataset = open_texts(bank)
    assert rows(dataset, "train") == [
        ("train.txt:1", "4", "A fine film"),
        ("train.txt:1 words 1-1", "2", "A"),
        ("train.txt:1 words 2-2", "3", "fine"),
        ("train.txt:1 words 3-3", "2", "film"),
        ("train.txt:3", "2", "( either/or )"),
        ("train.txt:3 words 1-1", "2", "("),
        ("train.txt:3 words 2-3", "2", "either/or )"),
        ("train.txt:3 words 2-2", "2", "either/or"),
        ("train.txt:3 words 3-3", "2", ")"),
        ("train.txt:4 words 1-1", "1", "bad"),
        ("train.txt:5", "1", "A dud"),
        ("train.txt:5 words 2-2", "1", "dud"),
    ]
    assert rows(dataset, "val") == [
        ("dev.txt:1", "1", "bad FILM"),
        ("dev.txt:2", "3", "good"),
        ("dev.txt:3", "2", "so"),
    ]
    assert rows(dataset, "test") == [("test.txt:1", "3", "fine film"), ("test.txt:2", "0", "awful")]
    assert any("2 that are sentences of another part" in note for note in dataset.notes)


def test_binary_leaves_the_neutral_out_and_says_so(bank):
    dataset = open_texts(bank, reading=Reading(trees="binary"))
    assert [row[1:] for row in rows(dataset, "train")] == [
        *[("1", "A fine film"), ("1", "fine"), ("0", "bad"), ("0", "A dud"), ("0", "dud")]
    ]
    assert [row[1:] for row in rows(dataset, "val")] == [("0", "bad FILM"), ("1", "good")]
    assert list(dataset.parts) == ["train", "val", "test"]
    assert not any(note.startswith("train: 1 neutral") for note in dataset.notes)
    assert any(note == "val: 1 neutral sentences of 3 out" for note in dataset.notes)


def test_sentences_alone_by_option_as_stored_and_without_parts(bank):
    sentences = ["A fine film", "( either/or )", "bad film", "A dud"]
    for dataset in (open_texts(bank, reading=Reading(phrases=False)), open_texts(bank, for_training=False)):
        assert [row[2] for row in rows(dataset, "train")] == sentences
    (bank / "dev.txt").unlink()
    (bank / "train.txt").write_text(TRAIN + "(1 (1 not) (2 so))\n")
    assert any("sentences alone" in note for note in open_texts(bank).notes)
    with pytest.raises(UsageError, match="--phrases: no val part"):
        open_texts(bank, reading=Reading(phrases=True))


def test_predicting_for_trees_reads_their_sentences(bank):
    assert [text for _, text in expand_texts([bank / "dev.txt"])] == ["bad FILM", "good", "so"]


BROKEN = {
    "(3 (2 A) (3 gem)": "1 brackets of the tree are not closed",
    "(3 (2 A) (3 gem)))": "follows a tree that is whole",
    "(3 (2 A) (3 gem)) (2 x)": "follows a tree that is whole",
    "(3 (2 A) (7 gem))": "label 0 to 4 behind the bracket, got '7'",
    "(3 (2 A) (gem))": "label 0 to 4 behind the bracket, got 'gem'",
    "(3 (2 A) (3 ))": "closes without a word",
    "(3 (2 A) gem)": "'gem' has no label of its own",
    "(3 (2 A gem))": "'gem' has no label of its own",
    "(3 (2 A (3 gem)))": "'A' stands beside a bracket",
    "A gem": "'A' has no label of its own",
    ")": "closes without a word",
}


@pytest.mark.parametrize("line", BROKEN)
def test_what_is_no_tree_is_refused_with_its_line(bank, line):
    (bank / "train.txt").write_text(TRAIN + line + "\n")
    with pytest.raises(DataError) as caught:
        open_texts(bank)
    assert "train.txt, line 6: " in str(caught.value)
    assert BROKEN[line] in str(caught.value)


def test_options_of_trees_are_for_trees_and_columns_are_not(bank, tmp_path):
    with pytest.raises(UsageError, match=r"--text-column 1: .*holds trees"):
        open_texts(bank, reading=Reading(text_column="1"))
    plain = tmp_path / "plain.csv"
    plain.write_text("text,label\ngood,1\nbad,0\n")
    with pytest.raises(UsageError, match=r"--trees: .*holds no trees"):
        open_texts(plain, reading=Reading(trees="binary"))


def test_neutral_trees_alone_are_nothing_to_tell_apart(bank):
    (bank / "test.txt").write_text("(2 (2 so))\n")
    with pytest.raises(DataError, match=r"test.txt: there is no tree, or neutral ones only"):
        open_texts(bank, reading=Reading(trees="binary"))


def test_bracketed_lines_that_are_no_trees_stay_texts(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("(1) good\n(2) bad\n(1) fine (so far)\n")
    assert not holds_trees(path)


def test_the_published_counts(shared_data):
    folder = shared_data / "text_classification" / "sst_trees"
    sizes = {}
    for trees in ("fine", "binary"):
        stored = open_texts(folder, reading=Reading(trees=trees), for_training=False)
        sizes[trees] = [len(stored.parts[part]) for part in ("train", "val", "test")]
    assert sizes == {"fine": [8544, 1101, 2210], "binary": [6920, 872, 1821]}


def test_the_published_phrases(shared_data):
    folder = shared_data / "text_classification" / "sst_trees"
    dataset = open_texts(folder)
    items = dataset.parts["train"].items
    texts = {text.lower() for text in items.texts}
    assert len(texts) == len(items) == 156_817 - 5
    for part in ("val", "test"):
        assert not texts & {text.lower() for text in dataset.parts[part].items.texts}
    assert len(open_texts(folder, reading=Reading(trees="binary")).parts["train"]) == 76_961 - 2
