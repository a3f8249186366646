"""The features' files: what is written is read, damage is ignored, the folder stays small."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from torch import Tensor

from neocog.core.errors import ResourceError
from neocog.training.feature_cache import FeatureCache, gather_rows, sample_digest, weights_digest


def rows(*names: str, seed: int = 0) -> dict[bytes, Tensor]:
    own = torch.Generator().manual_seed(seed)
    return {sample_digest(name): torch.randn(2, 5, generator=own) for name in names}


def same(first: dict[bytes, Tensor], second: dict[bytes, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_what_is_written_is_read_to_the_last_bit(tmp_path: Path) -> None:
    cache, written = FeatureCache(tmp_path / "new" / "folder"), rows("a", "b", "c")
    cache.write("key", written)
    assert same(cache.read("key"), written)
    assert cache.read("other key") == {}


def test_rows_are_added_to_those_that_are_there(tmp_path: Path) -> None:
    cache, first, second = FeatureCache(tmp_path), rows("a", "b"), rows("c", seed=1)
    cache.write("key", first)
    cache.write("key", second)
    assert same(cache.read("key"), {**first, **second})
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_a_truncated_file_is_ignored_and_written_anew(tmp_path: Path, keep: int) -> None:
    cache = FeatureCache(tmp_path)
    cache.write("key", rows("a", "b"))
    path = cache.path("key")
    path.write_bytes(path.read_bytes()[:keep])
    assert cache.read("key") == {}
    cache.write("key", rows("c"))
    assert same(cache.read("key"), rows("c"))


def test_a_single_altered_bit_is_noticed(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.write("key", rows("a", "b"))
    path = cache.path("key")
    content = bytearray(path.read_bytes())
    content[-3] ^= 4
    path.write_bytes(content)
    assert cache.read("key") == {}


def test_a_foreign_file_is_ignored(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    cache = FeatureCache(tmp_path)
    save_file({"weight": torch.zeros(3)}, cache.path("key"))
    assert cache.read("key") == {}


def test_the_files_used_longest_ago_make_room(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    for age, key in ((300, "old"), (200, "older use"), (100, "young")):
        cache.write(key, rows("a"))
        stamp = cache.path(key).stat().st_mtime - age
        os.utime(cache.path(key), (stamp, stamp))
    assert cache.read("old")  # now it was used last
    size = cache.path("old").stat().st_size
    FeatureCache(tmp_path, limit=3 * size).write("new", rows("a"))
    kept = {key for key in ("old", "older use", "young", "new") if cache.read(key)}
    assert kept == {"old", "young", "new"}


def test_the_newest_file_stays_even_where_it_alone_is_too_large(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, limit=1)
    cache.write("first", rows("a"))
    cache.write("second", rows("a"))
    assert not cache.read("first")
    assert cache.read("second")


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="NEOCOG_CACHE"):
        FeatureCache(tmp_path / "file" / "folder").write("key", rows("a"))


def test_rows_are_gathered_in_the_order_of_the_samples() -> None:
    known = rows("a", "b")
    a, b = (sample_digest(name) for name in ("a", "b"))
    assert torch.equal(gather_rows(known, [b, a, b]), torch.stack([known[b], known[a], known[b]], 1))


def test_the_digest_of_weights_sees_names_types_shapes_and_bits() -> None:
    weight = torch.zeros(2, 3)
    variants = [
        [("w", weight)],
        [("v", weight)],
        [("w", weight.reshape(3, 2))],
        [("w", weight.int())],
        [("w", weight + 1)],
        [("w", weight), ("b", weight)],
    ]
    assert len({weights_digest(variant) for variant in variants}) == len(variants)
    channels_last = torch.randn(2, 3, 4, 4)
    assert weights_digest([("w", channels_last)]) == weights_digest(
        [("w", channels_last.to(memory_format=torch.channels_last))]
    )
