from __future__ import annotations

import gzip
import hashlib
import io
import struct
import urllib.error

import numpy as np
import pytest

from neocog.core import download
from neocog.core.errors import DataError, ResourceError
from neocog.data.known import DOWNLOADED, read_known


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NEOCOG_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NEOCOG_DATA", raising=False)
    return tmp_path / "cache"


def idx(array):
    return gzip.compress(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes())


def mnist_like():
    return {
        f"{stem}-{kind}": idx(np.zeros(shape, np.uint8))
        for stem in ("train", "t10k")
        for kind, shape in (("images-idx3-ubyte.gz", (3, 4, 4)), ("labels-idx1-ubyte.gz", (3,)))
    }


@pytest.mark.parametrize("place", ["fashion_mnist", "fashion-mnist", "FashionMNIST/raw"])
def test_a_copy_below_the_root_is_found(tmp_path, place, monkeypatch):
    (tmp_path / "root" / place).mkdir(parents=True)
    for name, content in mnist_like().items():
        (tmp_path / "root" / place / name).write_bytes(content)
    dataset = read_known("fashion-mnist", tmp_path / "root")
    assert dataset.source == "fashion-mnist"
    assert dataset.classes[5] == "Sandal"
    assert place.split("/")[0] in dataset.notes[0]
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path / "root"))
    assert len(read_known("fashion-mnist").parts["train"]) == 3


def test_files_of_mnist_are_not_taken_for_fashion_mnist(tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    for name, content in mnist_like().items():
        (tmp_path / "mnist" / name).write_bytes(content)
    monkeypatch.setattr(download.urllib.request, "urlopen", offline)
    with pytest.raises(ResourceError):
        read_known("fashion-mnist", tmp_path / "mnist")
    assert len(read_known("mnist", tmp_path / "mnist").parts["test"]) == 3


def offline(address, timeout):
    raise urllib.error.URLError("no network here")


def test_an_offline_machine_is_told_which_files_go_where(cache, monkeypatch):
    monkeypatch.setattr(download.urllib.request, "urlopen", offline)
    with pytest.raises(ResourceError) as caught:
        read_known("mnist")
    text = str(caught.value)
    assert "no network here" in text
    assert str(cache / "mnist") in text
    assert all(name in text for name in DOWNLOADED["mnist"].files)
    assert not list((cache / "mnist").iterdir())


def test_what_is_downloaded_is_verified_and_kept(cache, monkeypatch):
    contents = mnist_like()
    asked = []

    def serve(address, timeout):
        asked.append(address)
        return io.BytesIO(contents[address.rsplit("/", 1)[1]])

    monkeypatch.setattr(download.urllib.request, "urlopen", serve)
    files = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    folder = download.fetch(files, ("https://one.example/",), cache / "mnist")
    assert sorted(path.name for path in folder.iterdir()) == sorted(contents)
    assert len(read_known("mnist").parts["train"]) == 3
    download.fetch(files, ("https://one.example/",), cache / "mnist")
    assert len(asked) == 4


def test_a_wrong_hash_keeps_nothing_and_tries_the_next_address(cache, monkeypatch):
    good = b"right"

    def serve(address, timeout):
        return io.BytesIO(good if "two" in address else b"wrong")

    monkeypatch.setattr(download.urllib.request, "urlopen", serve)
    files = {"a.gz": hashlib.sha256(good).hexdigest()}
    with pytest.raises(ResourceError, match="expected"):
        download.fetch(files, ("https://one.example/",), cache)
    assert not list(cache.iterdir())
    download.fetch(files, ("https://one.example/", "https://two.example/"), cache)
    assert (cache / "a.gz").read_bytes() == good


def test_a_root_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="is no folder"):
        read_known("mnist", tmp_path / "nowhere")


@pytest.mark.parametrize(("name", "count", "first"), [("mnist", 60000, 5), ("fashion-mnist", 60000, 9)])
def test_the_real_sets_are_read(shared_data, name, count, first):
    dataset = read_known(name, shared_data)
    assert len(dataset.parts["train"]) == count
    assert len(dataset.parts["test"]) == 10000
    assert dataset.parts["train"].labels[0] == first
    assert dataset.parts["train"].items.read(0).shape == (28, 28)
