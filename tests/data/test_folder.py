from __future__ import annotations

import pytest

from neocog.core.errors import DataError
from neocog.data.folder import read_folder


def names(dataset, part="train"):
    items = dataset.parts[part].items
    return [items.name(index) for index in range(len(items))]


def test_class_folders_become_classes_in_code_point_order(photos):
    dataset = read_folder(photos({"dog": 2, "Zebra": 1, "cat": 1}))
    assert dataset.classes == ("Zebra", "cat", "dog")
    assert names(dataset) == ["Zebra/0.png", "cat/0.png", "dog/0.png", "dog/1.png"]
    assert dataset.parts["train"].labels == (0, 1, 2, 2)
    assert dataset.notes == ()


@pytest.mark.parametrize(("val", "test"), [("val", "test"), ("valid", "Test"), ("validation", "testing")])
def test_part_folders_are_parts(photos, val, test):
    dataset = read_folder(photos({"train/cat": 2, "train/dog": 1, f"{val}/dog": 1, f"{test}/cat": 1}))
    assert list(dataset.parts) == ["train", "val", "test"]
    assert dataset.classes == ("cat", "dog")
    assert dataset.parts["val"].labels == (1,)
    assert names(dataset, "test") == [f"{test}/cat/0.png"]


def test_the_order_is_that_of_the_names_not_of_the_file_system(photos, monkeypatch):
    import os

    root = photos({"a": 4, "b": 3})
    expected = names(read_folder(root))
    walk = os.walk

    def backwards(*arguments, **options):
        for place, folders, files in walk(*arguments, **options):
            yield place, folders, files[::-1]

    monkeypatch.setattr(os, "walk", backwards)
    assert names(read_folder(root)) == expected


def test_a_class_may_be_called_test(photos):
    assert read_folder(photos({"test": 2, "trial": 1})).classes == ("test", "trial")


def test_hidden_and_system_files_are_passed_over_others_are_named(photos):
    root = photos({"cat": 1, "dog": 1})
    for name in ("cat/.DS_Store", "cat/Thumbs.db", "cat/notes.txt", ".git/config", "dog/._0.png", "readme.md"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"x")
    dataset = read_folder(root)
    assert names(dataset) == ["cat/0.png", "dog/0.png"]
    assert len(dataset.notes) == 2
    assert "cat/notes.txt" in dataset.notes[0]
    assert "readme.md" in dataset.notes[1]


def test_an_upper_case_suffix_is_a_picture(photos):
    root = photos({"cat": 1, "dog": 1})
    (root / "cat/0.png").rename(root / "cat/0.PNG")
    assert names(read_folder(root)) == ["cat/0.PNG", "dog/0.png"]


def test_folders_within_a_class_belong_to_it_and_are_noted(photos):
    dataset = read_folder(photos({"cat/old": 1, "cat/new": 1, "dog": 1}))
    assert dataset.classes == ("cat", "dog")
    assert "2 folders inside it all count as cat" in dataset.notes[0]


def test_links_in_a_ring_end(photos):
    root = photos({"cat": 1, "dog": 1})
    (root / "cat/self").symlink_to(root / "cat", target_is_directory=True)
    (root / "cat/up").symlink_to(root, target_is_directory=True)
    found = names(read_folder(root))
    assert found.count("cat/0.png") == 1
    assert len(found) < 6


def test_an_empty_class_folder_is_noted(photos):
    root = photos({"cat": 1, "dog": 1, "eel": 0})
    dataset = read_folder(root)
    assert dataset.classes == ("cat", "dog")
    assert dataset.notes == ("eel: no pictures, so no class comes of it",)


@pytest.mark.parametrize(
    ("counts", "loose", "message"),
    [
        ({"train/cat": 1, "dog": 1}, None, "side by side"),
        ({"val/cat": 1, "valid/cat": 1, "train/cat": 1}, None, "both hold the val part"),
        ({"cat": 1}, "1.jpg", "outside its class folders"),
        ({}, "1.jpg", "no class folders"),
        ({"train/cat": 1}, "train/1.jpg", "outside its class folders"),
        ({"cat": 0, "dog": 0}, None, "no pictures in class folders"),
    ],
)
def test_what_has_no_one_reading_is_refused(photos, counts, loose, message):
    root = photos(counts)
    if loose:
        (root / loose).parent.mkdir(parents=True, exist_ok=True)
        (root / loose).write_bytes(b"x")
    with pytest.raises(DataError, match=message):
        read_folder(root)


def test_digests_follow_the_content_and_subsets_keep_names(photos):
    root = photos({"cat": 2, "dog": 1})
    (root / "dog/0.png").write_bytes((root / "cat/1.png").read_bytes())
    items = read_folder(root).parts["train"].items
    assert items.digest(1) == items.digest(2) != items.digest(0)
    some = items.subset([2, 0])
    assert [some.name(0), some.name(1)] == ["dog/0.png", "cat/0.png"]
    assert some.read(0) == items.read(1)
