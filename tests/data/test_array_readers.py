from __future__ import annotations

import gzip
import io
import struct
import tarfile

import numpy as np
import pytest

from neocog.core.errors import DataError
from neocog.data.arrays import read_npz
from neocog.data.cifar import TEST, TRAIN, find_cifar, read_cifar
from neocog.data.idx import read_idx, read_idx_folder


def some(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def stored(dataset, part="train"):
    items = dataset.parts[part].items
    return np.stack([items.read(index) for index in range(len(items))])


@pytest.mark.parametrize(
    ("x", "y"), [("x", "y"), ("images", "labels"), ("X", "Y"), ("arr_0", "arr_1"), ("data", "target")]
)
def test_npz_keys_of_one_part(tmp_path, x, y):
    pictures = some(5, 8, 9, 3)
    np.savez(tmp_path / "a.npz", **{x: pictures, y: [2, 0, 1, 1, 10]})
    dataset = read_npz(tmp_path / "a.npz")
    assert dataset.classes == ("0", "1", "2", "10")
    assert dataset.parts["train"].labels == (2, 0, 1, 1, 3)
    assert np.array_equal(stored(dataset), pictures)
    assert dataset.parts["train"].items.name(3) == "train[3]"


@pytest.mark.parametrize("form", ["x_{}", "{}_x", "{}_images"])
def test_npz_keys_of_several_parts(tmp_path, form):
    label = form.replace("x", "y").replace("images", "labels")
    arrays = {form.format(part): some(4, 5, 5) for part in ("train", "val", "test")}
    arrays |= {label.format(part): np.array([[0], [1], [1], [0]]) for part in ("train", "val", "test")}
    np.savez(tmp_path / "a.npz", **arrays)
    dataset = read_npz(tmp_path / "a.npz")
    assert list(dataset.parts) == ["train", "val", "test"]
    assert dataset.parts["test"].labels == (0, 1, 1, 0)


@pytest.mark.parametrize(
    ("given", "shape"),
    [((5, 8, 9), (5, 8, 9)), ((5, 8, 9, 1), (5, 8, 9, 1)), ((5, 3, 8, 9), (5, 8, 9, 3)), ((5, 1, 8, 9), (5, 8, 9, 1))],
)
def test_npz_layouts(tmp_path, given, shape):
    np.savez(tmp_path / "a.npz", x=some(*given), y=[0, 1, 0, 1, 0])
    assert stored(read_npz(tmp_path / "a.npz")).shape == shape


def test_npz_floats_in_the_unit_interval_are_scaled(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([[[0.0, 0.5, 1.0]]]), y=["cat"])
    dataset = read_npz(tmp_path / "a.npz")
    assert stored(dataset).tolist() == [[[0, 128, 255]]]
    assert dataset.classes == ("cat",)


def test_npz_names_of_classes(tmp_path):
    np.savez(tmp_path / "a.npz", x=some(3, 4, 4), y=[2, 0, 2], class_names=["ant", "bee", "cow"])
    dataset = read_npz(tmp_path / "a.npz")
    assert dataset.classes == ("ant", "cow")
    assert dataset.parts["train"].labels == (1, 0, 1)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": np.zeros(3), "b": np.zeros(3)}, "holds a .*expected x and y"),
        ({"x": np.zeros((3, 4, 4), np.uint8), "y": [0, 1]}, "3 pictures in x, 2 labels in y"),
        ({"x": np.zeros((3, 4), np.uint8), "y": [0, 1, 0]}, "got \\(3, 4\\)"),
        ({"x": np.zeros((3, 4, 4, 5), np.uint8), "y": [0, 1, 0]}, "got \\(3, 4, 4, 5\\)"),
        ({"x": np.full((1, 4, 4), 2.0), "y": [0]}, "expected \\[0, 1\\]"),
        ({"x": np.full((1, 4, 4), -1), "y": [0]}, "expected \\[0, 255\\]"),
        ({"x": np.full((1, 4, 4), np.nan), "y": [0]}, "expected \\[0, 1\\]"),
        ({"x": np.zeros((2, 4, 4), np.uint8), "y": np.eye(2)}, "one label a picture"),
        ({"x": np.zeros((2, 4, 4), np.uint8), "y": [0.5, 1]}, "whole numbers"),
        ({"x": np.zeros((2, 4, 4), np.uint8), "y": ["cat", ""]}, "empty, the first at row 1"),
    ],
)
def test_npz_that_cannot_be_right_is_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=message):
        read_npz(tmp_path / "a.npz")


def test_npz_with_python_objects_or_rubbish_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object), y=[0])
    with pytest.raises(DataError, match="Python objects"):
        read_npz(tmp_path / "a.npz")
    for content in (b"", b"PK\x03\x04rubbish", b"rubbish"):
        (tmp_path / "b.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"b\.npz"):
            read_npz(tmp_path / "b.npz")


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(folder, packed=False, stem="t10k"):
    parts = {
        "train": (some(6, 4, 4), np.array([0, 1, 2, 2, 1, 0], np.uint8)),
        stem: (some(2, 4, 4), np.array([2, 2], np.uint8)),
    }
    for name, (images, labels) in parts.items():
        for kind, content in (("images-idx3", idx(images)), ("labels-idx1", idx(labels))):
            file = folder / f"{name}-{kind}-ubyte{'.gz' if packed else ''}"
            file.write_bytes(gzip.compress(content) if packed else content)
    return parts


@pytest.mark.parametrize("packed", [False, True])
def test_idx_folders(tmp_path, packed):
    parts = write_idx(tmp_path, packed)
    dataset = read_idx_folder(tmp_path)
    assert dataset.classes == ("0", "1", "2")
    assert np.array_equal(stored(dataset), parts["train"][0])
    assert dataset.parts["test"].labels == (2, 2)
    assert read_idx_folder(tmp_path, ("a", "b", "c", "d")).classes == ("a", "b", "c", "d")
    with pytest.raises(DataError, match="label 2"):
        read_idx_folder(tmp_path, ("a", "b"))


@pytest.mark.parametrize(
    "content", [b"", b"\0\0\x0d\x01", b"\0\0\x08\x03\0\0", idx(some(3, 3))[:-1], idx(some(3, 3)) + b"x"]
)
@pytest.mark.parametrize("packed", [False, True])
def test_damaged_idx_files_are_refused(tmp_path, content, packed):
    (tmp_path / "a").write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(DataError):
        read_idx(tmp_path / "a")


def test_a_cut_gzip_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(gzip.compress(idx(some(30, 30)))[:-20])
    with pytest.raises(DataError):
        read_idx(tmp_path / "a")


def cifar_rows(count, seed=0):
    rows = np.random.default_rng(seed).integers(0, 256, (count, 3073), dtype=np.uint8)
    rows[:, 0] %= 10
    return rows


def test_cifar_folders_and_archives_are_equal(tmp_path):
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for seed, name in enumerate((*TRAIN, TEST)):
        (folder / name).write_bytes(cifar_rows(2, seed).tobytes())
    with tarfile.open(tmp_path / "cifar-10-binary.tar.gz", "w:gz") as archive:
        archive.add(folder, "cifar-10-batches-bin")
    unpacked = read_cifar(find_cifar(tmp_path))
    packed = read_cifar(tmp_path / "cifar-10-binary.tar.gz")
    row = cifar_rows(2, 1)[1]
    assert len(unpacked.parts["train"]) == 10
    assert unpacked.classes[unpacked.parts["train"].labels[3]] == unpacked.classes[row[0]]
    picture = unpacked.parts["train"].items.read(3)
    assert picture.shape == (32, 32, 3)
    assert picture[5, 7].tolist() == [row[1 + plane * 1024 + 5 * 32 + 7] for plane in range(3)]
    for part in ("train", "test"):
        assert np.array_equal(stored(unpacked, part), stored(packed, part))
        assert unpacked.parts[part].labels == packed.parts[part].labels


@pytest.mark.parametrize("content", [b"", bytes(3072), b"\x0b" + bytes(3072)])
def test_damaged_cifar_is_refused(tmp_path, content):
    for name in (*TRAIN, TEST):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError):
        read_cifar(tmp_path)


def test_incomplete_cifar_is_refused(tmp_path):
    (tmp_path / TRAIN[0]).write_bytes(cifar_rows(1).tobytes())
    with pytest.raises(DataError, match="lacks data_batch_2"):
        read_cifar(tmp_path)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz"):
        pass
    (tmp_path / "x.tar.gz").write_bytes(stream.getvalue())
    with pytest.raises(DataError, match="lacks"):
        read_cifar(tmp_path / "x.tar.gz")
    (tmp_path / "x.tar.gz").write_bytes(stream.getvalue()[:-20])
    with pytest.raises(DataError):
        read_cifar(tmp_path / "x.tar.gz")
