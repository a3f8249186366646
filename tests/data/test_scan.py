from __future__ import annotations

import pytest

from neocog.core.errors import DataError
from neocog.data.folder import read_folder
from neocog.data.known import read_digits
from neocog.data.scan import scan


def names(part):
    return [part.items.name(index) for index in range(len(part))]


def test_unreadable_pictures_are_named_and_leave_their_part(photos):
    root = photos({"train/cat": 3, "train/dog": 3, "test/cat": 2, "test/dog": 2})
    (root / "train/cat/1.png").write_bytes((root / "train/cat/1.png").read_bytes()[:200])
    (root / "test/dog/0.png").write_bytes(b"no picture at all")
    dataset = read_folder(root)
    scanned, bad = scan(dataset, max_bad=0.5)
    assert [(each.part, each.name) for each in bad] == [("train", "train/cat/1.png"), ("test", "test/dog/0.png")]
    assert "truncated" in bad[0].reason
    assert names(scanned.parts["train"]) == [name for name in names(dataset.parts["train"]) if name != bad[0].name]
    assert scanned.parts["train"].labels == (0, 0, 1, 1, 1)
    assert scanned.parts["test"].labels == (0, 0, 1)
    assert any(note.startswith("left out, unreadable: test/dog/0.png: ") for note in scanned.notes)


def test_more_bad_ones_than_allowed_stop(photos):
    root = photos({"cat": 50, "dog": 50})
    (root / "dog/0.png").write_bytes(b"")
    scanned, bad = scan(read_folder(root))
    assert len(bad) == 1
    assert len(scanned.parts["train"]) == 99
    (root / "dog/1.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"2 of 100 pictures cannot be read, more than the 1\.00% .*dog/0\.png"):
        scan(read_folder(root))


def test_a_file_that_has_gone_is_unreadable(photos):
    root = photos({"cat": 2})
    dataset = read_folder(root)
    (root / "cat/0.png").unlink()
    _, bad = scan(dataset, max_bad=1)
    assert "No such file" in bad[0].reason


def test_arrays_have_no_unreadable_rows():
    dataset = read_digits()
    assert scan(dataset) == (dataset, ())
