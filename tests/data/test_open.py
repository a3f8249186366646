from __future__ import annotations

import os

import numpy as np
import pytest

from neocog.core.errors import DataError
from neocog.data.open import open_pictures, read_source


def names(dataset):
    return {part: {stored.items.name(i) for i in range(len(stored))} for part, stored in dataset.parts.items()}


def test_without_a_source_the_digits_come():
    dataset = open_pictures()
    assert dataset.source == "digits"
    assert dataset.classes == tuple("0123456789")
    assert {name: len(part) for name, part in dataset.parts.items()} == {"train": 1298, "val": 229, "test": 270}
    picture = dataset.parts["train"].items.read(0)
    assert picture.shape == (8, 8)
    assert picture.max() > 200


def test_a_folder_called_digits_is_not_taken_for_what_was_not_said(tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert len(open_pictures().parts["train"]) > 1000
    with pytest.raises(DataError, match="digits"):
        open_pictures("digits")


def test_a_flat_folder_gets_parts_and_says_so(photos):
    dataset = open_pictures(photos({"cat": 10, "dog": 10}))
    assert {name: len(part) for name, part in dataset.parts.items()} == {"train": 14, "val": 3, "test": 3}
    assert len([note for note in dataset.notes if "kept aside by --split-seed 0" in note]) == 2


def test_the_test_part_depends_on_the_split_seed_alone(photos):
    root = photos({"cat": 10, "dog": 10})
    assert names(open_pictures(root)) == names(open_pictures(str(root)))
    assert names(open_pictures(root))["test"] != names(open_pictures(root, split_seed=1))["test"]


def test_the_same_pictures_are_tested_wherever_and_however_they_lie(photos, tmp_path):
    root = photos({"cat": 10, "dog": 10})
    rows = [f"{path.relative_to(root)},{path.parent.name}" for path in sorted(root.rglob("*.png"), reverse=True)]
    (root / "labels.csv").write_text("path,label\n" + "\n".join(rows))
    assert names(open_pictures(root)) == names(open_pictures(root / "labels.csv"))


def test_without_training_in_mind_nothing_is_kept_aside(photos):
    dataset = open_pictures(photos({"cat": 3}), for_training=False)
    assert names(dataset) == {"train": {"cat/0.png", "cat/1.png", "cat/2.png"}}
    assert names(open_pictures(photos({"test/cat": 1}, root="tested"), for_training=False)) == {
        "test": {"test/cat/0.png"}
    }


def test_exclusions_by_name_by_path_and_from_a_list(photos, tmp_path):
    root = photos({"cat": 10, "dog": 10})
    (tmp_path / "list.csv").write_text("path,reason\ncat/3.png,blurred\nnobody.png,gone\n")
    (tmp_path / "list.txt").write_text(f"{root}/cat/3.png\n")
    left = names(open_pictures(root))
    for exclude in (tmp_path / "list.csv", tmp_path / "list.txt", ["cat/3.png"]):
        dataset = open_pictures(root, exclude=exclude, for_training=False)
        assert names(dataset)["train"] == set().union(*left.values()) - {"cat/3.png"}
        assert "1 samples left out by the list of exclusions" in dataset.notes
    assert any("nobody.png" in note for note in open_pictures(root, exclude=tmp_path / "list.csv").notes)


def test_a_class_excluded_wholly_is_gone_and_noted(photos):
    root = photos({"cat": 4, "dog": 4, "eel": 1})
    dataset = open_pictures(root, exclude=["eel/0.png"])
    assert dataset.classes == ("cat", "dog")
    assert "classes without samples: eel" in dataset.notes


def test_zero_classes_left(photos):
    root = photos({"cat": 1, "dog": 1})
    with pytest.raises(DataError, match="no samples and so no classes are left"):
        open_pictures(root, exclude=["cat/0.png", "dog/0.png"])


def test_a_class_of_one_picture_is_noted_and_stays_in_train(photos):
    dataset = open_pictures(photos({"cat": 10, "dog": 10, "eel": 1}))
    assert any("classes of one sample" in note and "eel" in note for note in dataset.notes)
    assert "eel/0.png" in names(dataset)["train"]


def test_a_class_that_is_only_tested_is_noted(photos):
    dataset = open_pictures(photos({"train/cat": 4, "train/dog": 4, "test/cat": 1, "test/eel": 2}))
    assert any("without training samples" in note and "eel" in note for note in dataset.notes)


def test_one_picture_per_class_is_too_few(photos):
    with pytest.raises(DataError, match="too few to keep a test part aside"):
        open_pictures(photos({"cat": 1, "dog": 1}))


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"cat": 3}, r"one class only \(cat\)"),
        ({"cat": 2, "Cat": 2}, "equal but for case"),
        ({"test/cat": 2, "test/dog": 2}, "only test; expected a train part"),
    ],
)
def test_folders_that_cannot_be_learned_from(photos, counts, message):
    with pytest.raises(DataError, match=message):
        open_pictures(photos(counts))


def test_paths_that_are_nothing(photos, tmp_path):
    root = photos({"cat": 2, "dog": 2})
    (tmp_path / "empty").mkdir()
    (tmp_path / "song.mp3").write_bytes(b"x")
    for source, message in (
        (tmp_path / "photo", r"neither a path nor a known set\. Did you mean .*photos"),
        ("mnits", r"Did you mean mnist"),
        (tmp_path / "empty", "is an empty folder"),
        (tmp_path / "song.mp3", "unknown kind"),
        (root / "cat/0.png", "is one picture"),
    ):
        with pytest.raises(DataError, match=message):
            read_source(source)
    with pytest.raises(DataError, match=r"known set\. Expected"):
        read_source("/nowhere/at/all")


def test_a_folder_is_dispatched_by_what_it_holds(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 5, 5), np.uint8), y=[0, 1, 0, 1])
    assert read_source(tmp_path / "a.npz").classes == ("0", "1")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_may_not_be_listed_is_refused(photos):
    root = photos({"cat": 1, "dog": 1})
    (root / "cat").chmod(0)
    try:
        with pytest.raises(DataError, match="cannot be"):
            read_source(root)
    finally:
        (root / "cat").chmod(0o755)
