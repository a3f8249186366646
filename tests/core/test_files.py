"""Files are the old one or the whole new one, on a full disk too."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from neocog.core.errors import ModelFileError, ResourceError
from neocog.core.files import remove_leftovers, write_atomically, write_text
from neocog.training import checkpoint
from neocog.training.checkpoint import Snapshot


def snapshot(values: int, mark: float = 1.0) -> Snapshot:
    return Snapshot({"network/w": torch.full((values,), mark)}, {"values": values})


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    done = mount and subprocess.run([mount, *options], capture_output=True, check=False)
    if not done or done.returncode:
        pytest.skip("mounting a tmpfs needs root; the limit on the size of files is tested instead")
    yield folder
    subprocess.run([shutil.which("umount") or "umount", str(folder)], check=True)


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond 64 KiB, which fails as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_new_file_takes_the_old_ones_place(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    write_text(path, "größer")
    assert path.read_text(encoding="utf-8") == "größer"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_files_have_the_modes_of_the_umask(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    checkpoint.save(tmp_path / "ours", snapshot(3))
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


@pytest.mark.parametrize(
    ("number", "text"),
    [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "may not be written"), (errno.EIO, "cannot")],
)
def test_a_failed_write_leaves_the_old_file(tmp_path: Path, number: int, text: str) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def half(temporary: Path) -> None:
        temporary.write_text("ne")
        raise OSError(number, os.strerror(number))

    with pytest.raises(ResourceError, match=text):
        write_atomically(path, half)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_missing_folder_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match=r"gone.a\.txt: cannot be written"):
        write_text(tmp_path / "gone" / "a.txt", "text")


def test_leftovers_of_a_killed_process_are_swept(tmp_path: Path) -> None:
    (tmp_path / ".last.ckpt.1-2.tmp").write_text("half")
    (tmp_path / ".tmpOA9TKr").write_text("half, by safetensors")
    (tmp_path / "kept.tmp").write_text("a user's")
    remove_leftovers(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept.tmp"]


def test_a_full_disk_keeps_the_last_checkpoint(small_disk: Path) -> None:
    path = small_disk / "last.ckpt"
    checkpoint.save(path, snapshot(50_000))
    for size in (220_000, 400_000):  # too large beside the old one; too large for the disk
        with pytest.raises(ResourceError, match="the disk is full"):
            checkpoint.save(path, snapshot(size, mark=2.0))
        assert checkpoint.load(path).facts == {"values": 50_000}
        assert [entry.name for entry in small_disk.iterdir()] == ["last.ckpt"]
    checkpoint.save(path, snapshot(60_000))
    assert checkpoint.load(path).facts == {"values": 60_000}


@pytest.mark.usefixtures("small_files")
def test_a_limit_on_files_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    checkpoint.save(path, snapshot(1000))
    with pytest.raises(ResourceError, match="the disk is full"):
        checkpoint.save(path, snapshot(100_000))
    assert checkpoint.load(path).facts == {"values": 1000}
    assert [entry.name for entry in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_checkpoint_holds_what_was_put_in(tmp_path: Path) -> None:
    shared = torch.arange(6.0).view(1, 2, 3, 1).to(memory_format=torch.channels_last)
    tensors = {"a/x": shared, "a/y": shared, "b/steps": torch.tensor(3), "b/half": torch.ones(2, dtype=torch.bfloat16)}
    checkpoint.save(tmp_path / "c", Snapshot(tensors, {"rate": 0.1 + 0.2, "best": None, "loss": float("inf")}))
    loaded = checkpoint.load(tmp_path / "c")
    assert loaded.facts == {"rate": 0.1 + 0.2, "best": None, "loss": float("inf")}
    assert set(loaded.group("a")) == {"x", "y"}
    for name, tensor in tensors.items():
        assert loaded.tensors[name].dtype == tensor.dtype
        assert torch.equal(loaded.tensors[name], tensor)


def test_any_changed_byte_of_a_checkpoint_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "c"
    checkpoint.save(path, snapshot(4))
    good = path.read_bytes()
    for place in range(0, len(good), 7):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x11]) + good[place + 1 :])
        with pytest.raises(ModelFileError):
            checkpoint.load(path)
