"""What a user can name as texts, what is refused, and how a table shows long ones."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from neocog.cli.rows import as_table
from neocog.core.errors import UnreadableInput, UsageError
from neocog.data.conll_open import holds_words
from neocog.data.text_rows import Reading
from neocog.tasks.prediction import Prediction
from neocog.verbs.text_inputs import expand_texts, said

COLUMN = Reading(text_column="body")


def test_a_text_column_is_for_tables_alone(tmp_path: Path) -> None:
    lines, rows = tmp_path / "lines.txt", tmp_path / "rows.csv"
    lines.write_text("one text\n")
    rows.write_text("body,label\none text,a\n")
    assert list(expand_texts([rows], None, COLUMN)) == [("one text", "one text")]
    with pytest.raises(UsageError, match=r"--text-column body: .*lines.txt has a text a line and no columns"):
        list(expand_texts([lines], None, COLUMN))
    with pytest.raises(UsageError, match=r"--text-column body: the lines of stdin have a text a line"):
        list(expand_texts(["-"], io.BytesIO(b"one text\n"), COLUMN))


def test_a_line_that_is_no_text_is_named_once(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"good\n\xff\n\n")
    good, bad, blank = expand_texts([path])
    assert good == ("good", "good")
    assert (bad[0], str(bad[1])) == (f"{path}:2", "the byte 0xff is not utf-8")
    assert isinstance(blank[1], UnreadableInput)
    assert said([bad, ("a.jsonl", "a.jsonl, line 3: this is no JSON")]) == (
        f"{path}:2: the byte 0xff is not utf-8; a.jsonl, line 3: this is no JSON"
    )


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.csv", "id,text\n1,good\n2\n3,fine\n", "1 cells where the first line has 2"),
        ("a.jsonl", '{"text":"good"}\n{"text"\n{"text":"fine"}\n', "not JSON"),
        ("a.jsonl", '{"text":"good"}\n{"text":null}\n{"text":"fine"}\n', "should be a text, got null"),
    ],
)
def test_a_row_that_cannot_be_read_keeps_its_place(tmp_path: Path, name: str, content: str, why: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    good, bad, fine = expand_texts([path])
    assert (good[1], fine[1]) == ("good", "fine")
    assert bad[0] == f"{path}:{2 if 'json' in name else 3}"
    assert why in str(bad[1])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("word " * 30, 72),
        ("x" * 200_000, 72),  # one word, but no path
        ("folder/" * 20 + "a.png", 145),
    ],
)
def test_a_table_shows_paths_whole_and_the_beginning_of_texts(text: str, shown: int) -> None:
    _, row = as_table([Prediction(text, ("a",), (0.5,))], 1)
    assert len(row.split("  ")[0]) == shown


def test_lines_of_some_words_are_no_columns_for_a_slip(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Yes\nNo\n\n" * 15 + "Not yet\n")
    assert not holds_words(path)  # a text a line
    path.write_text("Yes UH\nNo UH\n\n" * 15 + "Not RB here\n")
    assert holds_words(path)  # a word and its tag a line, one of them spoilt
