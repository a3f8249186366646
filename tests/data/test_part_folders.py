"""Folders called train, dev and test are parts, never classes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from neocog.core.errors import DataError
from neocog.data.conll_open import holds_tags, open_tagged
from neocog.data.folder import read_folder
from neocog.data.text_open import open_texts


def written(root, files):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


def test_one_file_of_labelled_lines_in_each(tmp_path):
    lines = {part: "".join(f"{label} film {part} {n}\n" for n in range(9) for label in ("pos", "neg")) for part in "ab"}
    data = open_texts(written(tmp_path, {"train/x.txt": lines["a"], "test/x.txt": lines["b"]}), for_training=False)
    assert data.classes == ("neg", "pos")
    assert {name: len(part) for name, part in data.parts.items()} == {"train": 18, "test": 18}
    assert data.parts["test"].items.name(3) == "test/x.txt:4"
    assert "test from test/x.txt" in data.notes[0]


def test_one_file_of_tagged_words_in_each(tmp_path):
    sentence = "Anna B-PER\nlives O\n\n"
    written(tmp_path, {"train/a.txt": 3 * sentence, "Dev/a.txt": sentence, "test/a.txt": 2 * sentence})
    assert holds_tags(tmp_path)
    data = open_tagged(tmp_path)
    assert {name: len(part) for name, part in data.parts.items()} == {"train": 3, "val": 1, "test": 2}
    assert data.classes == ("B-PER", "O")


def test_several_files_in_each_are_no_classes(tmp_path):
    written(tmp_path, {f"{part}/{n}.txt": "a text" for part in ("train", "test") for n in range(3)})
    with pytest.raises(DataError, match=r"folders are called as parts; expected one file in each.*test/ holds 3"):
        open_texts(tmp_path)


def test_class_folders_beside_one_called_test_are_classes(tmp_path):
    written(tmp_path, {f"{name}/{n}.txt": f"{name} {n}" for name in ("test", "exam") for n in range(20)})
    assert open_texts(tmp_path).classes == ("exam", "test")


def test_pictures_right_inside_parts_are_refused(tmp_path):
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / part / "1.png")
    with pytest.raises(DataError, match=r"test/, train/ are called as parts, and hold pictures but no class folders"):
        read_folder(tmp_path)
    (tmp_path / "plane").mkdir()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "plane" / "1.png")
    assert read_folder(tmp_path).classes == ("plane", "test", "train")
