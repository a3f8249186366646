from __future__ import annotations

import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from neocog.core.errors import DataError, UnreadableInput
from neocog.data.open import open_pictures, read_source
from neocog.data.zipped import read_zip


@pytest.fixture
def archive(tmp_path, scene, save):
    """Writes an archive of pictures under these names."""

    def write(names, file="photos.zip"):
        with zipfile.ZipFile(tmp_path / file, "w") as opened:
            for seed, name in enumerate(names):
                opened.writestr(name, save(scene(12, 16, seed)) if name.endswith("png") else b"text")
        return tmp_path / file

    return write


def names(dataset, part="train"):
    items = dataset.parts[part].items
    return [items.name(index) for index in range(len(items))]


def test_one_archive_of_class_folders(archive):
    dataset = read_zip(archive(["dog/1.png", "cat/1.png", "cat/0.png", "cat/notes.txt", "__MACOSX/cat/._0.png"]))
    assert dataset.classes == ("cat", "dog")
    assert names(dataset) == ["photos.zip/cat/0.png", "photos.zip/cat/1.png", "photos.zip/dog/1.png"]


@pytest.mark.parametrize("top", ["", "set/"])
def test_one_archive_with_parts_perhaps_in_one_folder(archive, top):
    dataset = read_zip(
        archive([f"{top}{part}/{name}/0.png" for part in ("train", "valid", "test") for name in ("a", "b")])
    )
    assert list(dataset.parts) == ["train", "val", "test"]
    assert dataset.classes == ("a", "b")


def test_an_archive_for_each_part(archive, tmp_path):
    archive(["a/0.png", "b/0.png", "b/1.png"], "train.zip")
    archive(["b/0.png"], "test.zip")
    dataset = read_source(tmp_path)
    assert dataset.parts["train"].labels == (0, 1, 1)
    assert names(dataset, "test") == ["test.zip/b/0.png"]


def test_many_threads_read_one_archive(archive, scene, save):
    count = 60
    dataset = read_zip(archive([f"{number % 2}/{number:02}.png" for number in range(count)]))
    items = dataset.parts["train"].items
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(items.read, range(count)))
    assert together == [items.read(index) for index in range(count)]
    assert len({items.digest(index) for index in range(count)}) == count


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["1.png"], "outside a class folder"),
        (["a/1.txt"], "holds no pictures"),
        (["train/a/1.png", "b/1.png"], "beside the part folders"),
    ],
)
def test_archives_without_one_reading_are_refused(archive, entries, message):
    with pytest.raises(DataError, match=message):
        read_zip(archive(entries))


def test_rubbish_is_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"rubbish")
    with pytest.raises(DataError, match="zip archive"):
        read_zip(tmp_path / "a.zip")


def test_a_damaged_entry_is_one_refusal(archive):
    file = archive(["a/0.png", "b/0.png"])
    raw = bytearray(file.read_bytes())
    raw[60] ^= 0xFF  # within the first entry's data
    file.write_bytes(raw)
    items = read_zip(file).parts["train"].items
    with pytest.raises(UnreadableInput, match="CRC"):
        items.read(0)
    assert items.read(1)
    assert items.digest(0) != items.digest(1)


def test_the_cifar_archives_are_read(shared_data):
    dataset = open_pictures("cifar10", root=shared_data)
    assert {name: len(part) for name, part in dataset.parts.items()} == {"train": 8500, "val": 1500, "test": 2000}
    assert dataset.classes[0] == "airplane"
