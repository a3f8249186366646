"""Labelled texts from every form of file: nothing dropped, nothing shifted, each refusal with its file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neocog.core.errors import DataError, UsageError
from neocog.data.text_lines import split_lines
from neocog.data.text_open import open_texts
from neocog.data.text_rows import Reading, read_rows
from neocog.data.text_sniff import holds_texts

ROWS = [("pos" if place % 2 else "neg", f"film, number {place}") for place in range(20)]


def texts(dataset, part="train"):
    items = dataset.parts[part].items
    return [(dataset.classes[label], items.read(place)) for place, label in enumerate(dataset.parts[part].labels)]


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


FORMS = {
    "lines.txt": "".join(f"{label} {text}\n" for label, text in ROWS),
    "windows.txt": "".join(f"{label} {text}\r\n" for label, text in ROWS).rstrip(),
    "tabs.txt": "".join(f"{label}\t{text}\n" for label, text in ROWS),
    "head.csv": "\ufeffReview,Sentiment\n" + "".join(f'"{text}",{label}\n' for label, text in ROWS),
    "bare.csv": "".join(f'{label},"{text}"\n' for label, text in ROWS),
    "odd.csv": "id,abc,xyz\n" + "".join(f'{place},"{row[1]}",{row[0]}\n' for place, row in enumerate(ROWS)),
    "semicolon.csv": "label;text\n" + "".join(f"{label};{text}\n" for label, text in ROWS),
    "plain.tsv": "text\tlabel\n" + "".join(f"{text}\t{label}\n" for label, text in ROWS),
    "rows.jsonl": "".join(json.dumps({"text": text, "label": label}) + "\n" for label, text in ROWS),
    "odd.jsonl": "".join(json.dumps({"id": i, "said": row[1], "is": row[0]}) + "\n" for i, row in enumerate(ROWS)),
    "rows.json": "".join(json.dumps({"text": text, "label": label}) + "\n" for label, text in ROWS),
    "mpqa.all": "".join(f"{label} {text}\n" for label, text in ROWS),
    "SMSSpamCollection": "".join(f"{label}\t{text}\n" for label, text in ROWS),
    "bar.csv": "label|text\n" + "".join(f"{label}|{text}\n" for label, text in ROWS),
    "inside.csv": "".join(f'{label},"{text}"\n' for label, text in ROWS).replace("film, number", "a;b;c, number"),
    "dated.csv": "".join(f'{label},Monday the 7th of April 2009,"{text}"\n' for label, text in ROWS),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_rows_in_order(tmp_path, name):
    path = write(tmp_path / name, FORMS[name])
    assert holds_texts(path)
    found = texts(open_texts(path, for_training=False))
    assert [(label, text.replace("a;b;c", "film")) for label, text in found] == ROWS


def test_folders_of_texts_and_of_one_file_of_lines(tmp_path):
    for label in ("pos", "neg"):
        for place in range(3):
            write(tmp_path / "many" / label / f"{place}.txt", f"{label} film\nof {place}\n")
        write(tmp_path / "one" / label / "all.txt", f"{label} a\n\n{label} b\n")
    many = open_texts(tmp_path / "many", for_training=False)
    assert texts(many)[:2] == [("neg", "neg film\nof 0"), ("neg", "neg film\nof 1")]
    one = open_texts(tmp_path / "one", for_training=False)
    assert texts(one) == [("neg", "neg a"), ("neg", "neg b"), ("pos", "pos a"), ("pos", "pos b")]
    assert one.parts["train"].items.name(1) == "neg/all.txt:3"
    assert holds_texts(tmp_path / "many")


@pytest.mark.parametrize(
    "files",
    [
        ("x.train.txt", "x.dev.txt", "x.test.txt"),
        ("train.csv", "val.csv", "test.csv"),
        ("X.train", "X.valid", "X.test"),
        ("x_train.jsonl", "x_validation.jsonl", "x_test.jsonl"),
    ],
)
def test_official_parts_are_files_called_alike(tmp_path, files):
    for place, name in enumerate(files):
        form = "bare.csv" if ".csv" in name else "rows.jsonl" if ".jsonl" in name else "lines.txt"
        write(tmp_path / name, "".join(FORMS[form].splitlines(keepends=True)[: 20 - 2 * place]))
    for source in (tmp_path, tmp_path / files[0]):
        parts = open_texts(source).parts
        assert {name: len(part) for name, part in parts.items()} == {"train": 20, "val": 18, "test": 16}
    alone = open_texts(tmp_path / files[2], for_training=False)
    assert {name: len(part) for name, part in alone.parts.items()} == {"test": 16}


def test_a_prefix_names_a_family_and_several_sets_are_told_apart(tmp_path):
    for name in ("a.train.txt", "a.test.txt", "b.train.txt", "contest.txt"):
        write(tmp_path / name, FORMS["lines.txt"])
    assert set(open_texts(tmp_path / "a").parts) == {"train", "val", "test"}
    assert set(open_texts(tmp_path / "contest.txt", for_training=False).parts) == {"train"}
    with pytest.raises(DataError, match=r"several sets.*a.*b"):
        open_texts(tmp_path)


def test_a_column_of_parts_and_columns_by_name_or_number(tmp_path):
    rows = "".join(f"{text},{label},{'test' if place % 4 == 0 else 'train'},x\n"
                   for place, (label, text) in enumerate((a, b.replace(",", "")) for a, b in ROWS))  # fmt: skip
    path = write(tmp_path / "parts.csv", "text,label,split,other\n" + rows)
    dataset = open_texts(path)
    assert len(dataset.parts["test"]) == 5
    for columns in (("text", "split"), ("1", "3")):
        assert open_texts(path, reading=Reading("utf-8", *columns), for_training=False).classes == ("test", "train")
    with pytest.raises(UsageError, match=r"--text-column txt.*Did you mean text"):
        open_texts(path, reading=Reading("utf-8", "txt", None))


REFUSED = {
    "empty text": ("x.txt", "pos good\nneg\nneg bad\n", r"x.txt:2: 1 of 3 texts are empty"),
    "no label": ("x.csv", "text,label\ngood,pos\nbad,\n", r"x.csv, line 3: 1 of 2 rows have no label"),
    "no label, line": ("x.txt", "pos good\n  bad\n", r"x.txt, line 2: .* no label"),
    "too few cells": ("x.csv", "text,label\ngood,pos\nbad\n", r"x.csv, line 3: 1 cells where the first line has 2"),
    "an open quote": ("x.csv", 'text,label\n"good,pos\nbad,neg\n', r"x.csv, line 2"),
    "a megabyte": ("x.txt", f"pos good\nneg {'x' * 1_000_000}\n", r"x.txt, line 2: 1,000,004 characters"),
    "a megabyte, table": ("x.csv", f"text,label\na,pos\n{'x' * 1_000_000},neg\n", r"x.csv, line 3: 1,000,000 char"),
    "no part": ("x.csv", "text,label,split\na,pos,train\nb,neg,\n", r"x.csv, line 3: '' names no part; expected train"),
    "no part, json": (
        "x.jsonl",
        '{"text":"a","label":"b","split":"test"}\n{"text":"c","label":"d"}\n',
        r"x.jsonl, line 2: '' names no part; expected train",
    ),
    "no json": ("x.jsonl", '{"text":"a","label":"b"}\n{"text"\n', r"x.jsonl, line 2: not JSON"),
    "a number": ("x.jsonl", '{"text":"a","label":"b"}\n{"text":1,"label":"c"}\n', r"line 2: 'text' should be a text"),
    "no field": ("x.jsonl", '{"text":"a","label":"b"}\n{"text":"a"}\n', r"line 2: no field called label"),
    "a bad byte": (
        "x.txt",
        b"pos good\nneg b\xe9d\n",
        r"line 2: the byte 0xe9 is not utf-8.*--encoding latin-1",
    ),
    "two of a name": ("x.csv", "text,Label,label\na,pos,1\n", r"line 1: the columns 2 and 3 .*--label-column 2"),
    "a tab lost": ("x.txt", "a film\tpos\na plot\tneg\n" * 10 + "a film pos\n", r"x.txt, line 21: 1 cells"),
    "sentences": (
        "x.txt",
        "".join(f"the end of {n}\nA film\nIt was\n{f'rare{n}' if n < 15 else 'the'} one\n" for n in range(40)),
        r"18 different first words in 160 lines",
    ),
    "wide characters": ("x.csv", "text,label\na,pos\n".encode("utf-16"), r"line 1: .*0xff.*--encoding utf-16"),
    "no labels": ("x.txt", "".join(f"word{n} is first\n" for n in range(30)), r"30 different first words in 30 lines"),
    "one class": ("x.txt", "pos good\npos bad\n", "one class only"),
    "nothing": ("x.txt", "", "x.txt is empty"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_file_and_line(tmp_path, case):
    name, content, message = REFUSED[case]
    with pytest.raises(DataError, match=message) as caught:
        open_texts(write(tmp_path / name, content))
    assert "\n" not in str(caught.value)


def test_files_of_one_set_have_text_and_label_in_the_same_columns(tmp_path):
    write(tmp_path / "train.csv", "".join(f"{n % 2},A name,A much longer text of {n}\n" for n in range(9)))
    write(tmp_path / "test.csv", "".join(f"{n % 2},A title by far longer {n},Text {n}\n" for n in range(9)))
    with pytest.raises(DataError, match=r"text read from column 3 by a guess.* column 2; say --text-column"):
        open_texts(tmp_path)
    assert len(open_texts(tmp_path, reading=Reading(text_column="3")).parts["test"]) == 9


def test_no_row_of_a_short_table_is_taken_for_a_header(tmp_path):
    for name, content in {
        "three.tsv": "good film\tpos\nbad film\tneg\nfine film\tpos\n",
        "cut.csv": "good film,pos\nbad film\n",
        "one.csv": "good film\nfine\npoor\nfine\npoor\n",
    }.items():
        rows, _ = read_rows(write(tmp_path / name, content), Reading(), labelled=False)
        assert (rows[0].text, len(rows)) == ("good film", content.count("\n"))
    rows, _ = read_rows(write(tmp_path / "ids.tsv", "number\twhat is said\n1\tgood film\n"), Reading(), labelled=False)
    assert [row.text for row in rows] == ["good film"]


def test_columns_of_one_name_are_told_apart_by_number_and_whole_floats_are_numbers(tmp_path):
    path = write(tmp_path / "x.csv", "text,label,label\na,pos,1\nb,neg,0\n")
    assert open_texts(path, reading=Reading(label_column="3"), for_training=False).classes == ("0", "1")
    path = write(tmp_path / "x.jsonl", '{"text":"a","label":1.0}\n{"text":"b","label":2}\n')
    assert open_texts(path, for_training=False).classes == ("1", "2")


def test_latin_1_and_separators_that_are_none(tmp_path):
    lines = [f"pos caf\xe9\x85 bar {place}" if place % 2 else f"neg \x1cx {place}" for place in range(20)]
    path = write(tmp_path / "x.txt", "\n".join(lines).encode("latin-1"))
    dataset = open_texts(path, reading=Reading("latin-1"), for_training=False)
    assert texts(dataset)[1] == ("pos", "caf\xe9\x85 bar 1")
    assert len(dataset.parts["train"]) == 20
    assert split_lines("a\rb\r") == ["a", "b"]
    with pytest.raises(UsageError, match="no such encoding"):
        open_texts(path, reading=Reading("latin-x"))


def test_copies_of_a_text_stay_together_and_the_split_is_written_by_line(tmp_path):
    path = write(tmp_path / "x.txt", "".join(f"{label} {text}\n" * 3 for label, text in ROWS))
    dataset = open_texts(path)
    found = {name: {text for _, text in texts(dataset, name)} for name in dataset.parts}
    assert not found["train"] & found["test"]
    assert not found["train"] & found["val"]
    assert dataset.parts["train"].items.name(0).startswith("x.txt:")


def test_pictures_are_not_taken_for_texts(tmp_path):
    write(tmp_path / "photos" / "cat" / "1.png", b"")
    assert not holds_texts(tmp_path / "photos")
    assert not holds_texts(write(tmp_path / "list.csv", "path,label\na.png,cat\n"))
    assert not holds_texts(write(tmp_path / "bare.csv", "a.png,cat\nb.png,dog\n"))
    assert not holds_texts(write(tmp_path / "names", "a.png,cat\nb.png,dog\n"))
    assert holds_texts(write(tmp_path / "said.txt", "pos look at cat.png\nneg a film\npos a plot\n"))
    assert not holds_texts(write(tmp_path / "data.bin", b"\x00\x01 text\n"))
    assert not holds_texts(None)
    assert not holds_texts(tmp_path / "nothing.csv")


def test_the_sets_of_kims_table_come_as_they_are(shared_data):
    folder = shared_data / "text_classification"
    latin = Reading("latin-1")
    assert len(open_texts(folder / "mr.all.txt", reading=latin, for_training=False).parts["train"]) == 10_662
    for name, sizes in {"sst1": (8544, 1101, 2210), "sst2": (6920, 872, 1821)}.items():
        assert tuple(len(part) for part in open_texts(folder / name).parts.values()) == sizes
    trec = open_texts(folder / "trec.train.txt", reading=latin)
    assert (len(trec.parts["train"]) + len(trec.parts["val"]), len(trec.parts["test"])) == (5452, 500)
