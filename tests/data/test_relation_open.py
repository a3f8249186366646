"""The door for relations: which files are found, what a bag of several relations is, what parts come of it."""

from __future__ import annotations

import json

import pytest

from neocog.core.errors import DataError
from neocog.data.relation_open import as_texts, hold_relations, open_relations
from neocog.data.text_lines import first_line

GOOD = '{}\t"A <e1>cat</e1> in a <e2>box</e2> of {}."\n{}\nComment:\n\n'


def semeval(path, count):
    path.write_text("".join(GOOD.format(n, n, ("In(e1,e2)", "Other")[n % 2]) for n in range(1, count + 1)))
    return path


def bag(relations, text="a"):
    sentence = f"<e1>cat</e1> {text} <e2>box</e2>"
    return {"head": "cat", "tail": "box", "relations": relations, "sentences": [sentence, sentence]}


def bags(path, rows):
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_a_bag_of_several_relations_is_a_sample_for_each(tmp_path):
    path = bags(tmp_path / "some.jsonl", [bag(["In", "Of"]), bag(["NA"], "b")])
    data = open_relations(path, for_training=False)
    part = data.parts["train"]
    assert [data.classes[label] for label in part.labels] == ["In", "Of", "NA"]
    assert [part.items.name(place) for place in range(3)] == ["some.jsonl:1", "some.jsonl:1", "some.jsonl:2"]
    assert part.items.digest(0) == part.items.digest(1) != part.items.digest(2)
    assert "1 bags of 2 have several relations: a sample each" in data.notes[0]


def test_copies_of_one_bag_stay_in_one_part(tmp_path):
    rows = [bag(["In", "Of"], f"w{n}") for n in range(40)]
    data = open_relations(bags(tmp_path / "some.jsonl", rows))
    assert sum(map(len, data.parts.values())) == 80
    names = {part: {each.items.name(place) for place in range(len(each))} for part, each in data.parts.items()}
    assert not names["train"] & (names["val"] | names["test"])
    assert not names["val"] & names["test"]


def test_parts_that_are_missing_are_kept_aside(tmp_path):
    data = open_relations(semeval(tmp_path / "all.txt", 50))
    assert {name: len(part) for name, part in data.parts.items()} == {"train": 41, "val": 4, "test": 5}
    assert data.classes == ("In(e1,e2)", "Other")


def test_which_data_hold_relations(tmp_path):
    assert hold_relations(semeval(tmp_path / "a.txt", 2))
    assert hold_relations(str(tmp_path))
    assert hold_relations(bags(tmp_path / "b.jsonl", [bag(["In"])]))
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "train.txt").write_text("pos a film\nneg a film\n")
    (texts / "more.jsonl").write_text('{"text": "a", "label": "b"}\n')
    for other in (texts, texts / "train.txt", texts / "more.jsonl", tmp_path / "none", None):
        assert not hold_relations(other)
    semeval(tmp_path / "train_a.txt", 2)
    semeval(tmp_path / "train_b.txt", 2)
    assert hold_relations(tmp_path)  # and whoever reads them has the words
    with pytest.raises(DataError, match="both hold the train part"):
        open_relations(tmp_path)


def test_a_file_that_is_named_is_read_whatever_it_holds(tmp_path):
    (tmp_path / "a.txt").write_text("pos a film\n")
    with pytest.raises(DataError, match=r"a\.txt, line 1: expected a number, a tab"):
        open_relations(tmp_path / "a.txt")
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n')
    with pytest.raises(DataError, match=r"a\.jsonl, line 1: h and t should be objects"):
        open_relations(tmp_path / "a.jsonl")
    with pytest.raises(DataError, match="cannot be read"):
        open_relations(tmp_path / "none.txt")


def test_samples_as_texts_have_their_marks(tmp_path):
    texts = as_texts(open_relations(bags(tmp_path / "b.jsonl", [bag(["In"]), bag(["Of"], "b")]), for_training=False))
    part = texts.parts["train"]
    assert part.items.read(0) == "<e1>cat</e1> a <e2>box</e2>\n<e1>cat</e1> a <e2>box</e2>"
    assert (part.items.name(1), part.labels, texts.classes) == ("b.jsonl:2", (0, 1), ("In", "Of"))


def test_the_first_line_is_read_alone(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbf\n  \nfirst \xff\nsecond\n")
    assert first_line(path) == "first \ufffd"
    path.write_bytes("one\n".encode("utf-16"))
    assert first_line(path, "utf-16") == "one"
    path.write_text("\n" * 100 + "late\n")
    assert first_line(path) == ""
    assert first_line(tmp_path) == ""
