"""What a user can name as inputs."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from neocog.verbs.inputs import Found, Nothing, expand


def names(*arguments: str | Path, stdin: bytes = b"") -> list[str]:
    entries = list(expand(arguments, io.BytesIO(stdin)))
    assert all(isinstance(entry, Found) for entry in entries), entries
    return [entry.name for entry in entries]


def reason(argument: str, stdin: bytes = b"") -> str:
    (entry,) = expand([argument], io.BytesIO(stdin))
    assert isinstance(entry, Nothing)
    assert entry.name == argument
    return entry.reason


def test_a_folder_gives_its_pictures_sorted(painted: Path) -> None:
    assert names("photos") == ["photos/a.png", "photos/b.png", "photos/broken.png", "photos/deep/g.JPG"]
    assert names(Path("photos/deep")) == ["photos/deep/g.JPG"]


def test_order_is_that_of_the_arguments(painted: Path) -> None:
    assert names("photos/b.png", "photos/deep", "photos/a.png", "photos/b.png") == [
        *("photos/b.png", "photos/deep/g.JPG", "photos/a.png", "photos/b.png")
    ]


def test_globs(painted: Path) -> None:
    assert names("photos/*.png") == ["photos/a.png", "photos/b.png", "photos/broken.png"]
    assert names("photos/[ab].png") == ["photos/a.png", "photos/b.png"]
    assert names("**/*.JPG") == ["photos/deep/g.JPG"]
    assert names("photos/**") == [
        "photos/a.png",
        "photos/b.png",
        "photos/broken.png",
        "photos/deep/g.JPG",
        "photos/notes.md",
    ]
    assert reason("*.gif") == "no file matches"


def test_a_file_whose_name_looks_like_a_glob_is_that_file(painted: Path) -> None:
    Path("photos/a.png").rename("photos/[ab].png")
    assert names("photos/[ab].png") == ["photos/[ab].png"]


def test_a_missing_file_is_still_an_input(painted: Path) -> None:
    assert names("nowhere.png") == ["nowhere.png"]


def test_text_lists_and_stdin(painted: Path) -> None:
    content = b"\xef\xbb\xbfphotos/a.png\r\n\n  \nno such.png\nphotos/ \xff.png"
    Path("list.txt").write_bytes(content)
    expected = ["photos/a.png", "no such.png", "photos/ \udcff.png"]
    assert names("list.txt") == expected
    assert names("-", stdin=content) == expected


def test_paths_in_a_list_are_beside_it_or_in_the_working_folder(painted: Path) -> None:
    Path("photos/list.txt").write_text("a.png\nphotos/b.png\n")
    entries = list(expand(["photos/list.txt"]))
    assert entries == [Found("a.png", Path("photos/a.png")), Found("photos/b.png", Path("photos/b.png"))]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "id,Path,label\n1,photos/a.png,red\n2,,\n3,photos/b.png\n4\n"),
        ("t.tsv", "file\tid\nphotos/a.png\t1\nphotos/b.png\t2\n"),
        ("t.csv", "photos/a.png,red\nphotos/b.png,blue\n"),
        ("t.csv", "\ufeffimage;label\n photos/x;1\n".replace(" photos/x", "photos/a.png") + "photos/b.png;2\n"),
        ("t.csv", "input,label,probability,error\nphotos/a.png,red,1,\nphotos/b.png,blue,1,\n"),
    ],
)
def test_tables(painted: Path, name: str, content: str) -> None:
    Path(name).write_text(content)
    assert names(name) == ["photos/a.png", "photos/b.png"]


def test_a_table_with_awkward_names(painted: Path) -> None:
    Path("t.csv").write_text('path\n"a,b\nc"".png"\n')
    assert names("t.csv") == ['a,b\nc".png']


def test_what_leads_to_nothing_says_why(painted: Path) -> None:
    Path("empty").mkdir()
    Path("empty.txt").write_text("\n\n")
    Path("other.csv").write_text("id,label\n1,red\n")
    Path("empty.csv").write_text("")
    assert "no picture files" in reason("empty")
    assert "names no file" in reason("empty.txt")
    assert "column called path, got id, label" in reason("other.csv")
    assert "empty file" in reason("empty.csv")
    assert "stdin" in reason("-")


def test_links_in_circles_are_entered_once(painted: Path) -> None:
    Path("photos/deep/back").symlink_to(Path("photos").absolute())
    assert names("photos") == ["photos/a.png", "photos/b.png", "photos/broken.png", "photos/deep/g.JPG"]


def test_a_name_too_long_is_only_a_file_that_is_not_there(painted: Path) -> None:
    assert names("x" * 5000) == ["x" * 5000]


def test_names_that_are_not_utf8(painted: Path) -> None:
    strange = os.fsdecode(b"photos/s\xff.png")
    Path("photos/a.png").rename(strange)
    assert strange in names("photos")
