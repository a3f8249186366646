from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from neocog.data.doctor import KINDS, examine
from neocog.data.findings import proposals
from neocog.data.likeness import BANDS, DISTANCE, SIDE, near_pairs, perceptual_hash
from neocog.data.open import read_source
from neocog.data.resize import resize


def kinds(findings):
    return {(finding.kind, finding.name) for finding in findings}


@pytest.fixture
def messy(photos, save, scene):
    """Twelve good pictures a class, and in class cat one of each kind of trouble."""
    root = photos({"cat": 12, "dog": 12}, size=(40, 50))
    good = scene(40, 50, 999)
    exif = Image.Exif()
    exif[0x0112] = 6
    sixteen = Image.fromarray((np.asarray(good.convert("L")).astype(np.uint16)) * 257)
    other = [scene(40, 50, seed) for seed in range(1000, 1012)]
    cat = root / "cat"
    for name, raw in {
        "truncated.jpg": save(other[0], "JPEG")[:-300],
        "corrupt.png": b"garbage",
        "empty.jpg": b"",
        "named.jpg": save(other[1]),
        "rotated.jpg": save(other[2], "JPEG", exif=exif),
        "gray.png": save(other[3].convert("L")),
        "palette.png": save(other[4].convert("P")),
        "clear.png": save(other[5].convert("RGBA")),
        "deep.png": save(sixteen),
        "print.jpg": save(other[6].convert("CMYK"), "JPEG"),
        "moving.gif": save(other[7], "GIF", save_all=True, append_images=[other[8]]),
        "bomb.png": save(Image.new("1", (3000, 3000))),
    }.items():
        (cat / name).write_bytes(raw)
    return root


def test_each_kind_of_file_is_told(messy):
    found = kinds(examine(read_source(messy), max_pixels=8_000_000))
    expected = {
        ("truncated", "cat/truncated.jpg"),
        ("corrupt", "cat/corrupt.png"),
        ("corrupt", "cat/empty.jpg"),
        ("extension", "cat/named.jpg"),
        ("rotated", "cat/rotated.jpg"),
        ("gray", "cat/gray.png"),
        ("palette", "cat/palette.png"),
        ("palette", "cat/moving.gif"),
        ("transparent", "cat/clear.png"),
        ("16-bit", "cat/deep.png"),
        ("gray", "cat/deep.png"),
        ("cmyk", "cat/print.jpg"),
        ("animated", "cat/moving.gif"),
        ("bomb", "cat/bomb.png"),
    }
    assert expected <= found
    assert found - expected <= {("transparent", "cat/moving.gif")}


def test_only_the_unreadable_are_proposed_and_all_kinds_are_known(messy):
    findings = examine(read_source(messy), max_pixels=8_000_000)
    unreadable = {"cat/truncated.jpg", "cat/corrupt.png", "cat/empty.jpg", "cat/bomb.png"}
    assert {name for name, _ in proposals(findings)} == unreadable
    order = [list(KINDS).index(finding.kind) for finding in findings]
    assert order == sorted(order)


def test_copies_leaks_and_conflicts(photos, save):
    root = photos({"train/cat": 12, "train/dog": 12, "test/cat": 3, "test/dog": 3})

    def copy(source, target):
        (root / target).write_bytes((root / source).read_bytes())

    def again(source, target):
        picture = Image.open(root / source).resize((80, 60), Image.Resampling.BICUBIC)
        (root / target).write_bytes(save(picture, "JPEG", quality=80))

    copy("train/cat/0.png", "train/cat/again.png")
    copy("test/dog/1.png", "train/dog/leaked.png")
    copy("train/cat/5.png", "train/dog/conflict.png")
    again("train/cat/2.png", "train/cat/smaller.jpg")
    again("test/cat/0.png", "train/cat/seen.jpg")
    findings = examine(read_source(root))
    assert kinds(findings) == {
        ("duplicate", "train/cat/again.png"),
        ("leak", "train/dog/leaked.png"),
        ("conflict", "train/cat/5.png"),
        ("conflict", "train/dog/conflict.png"),
        ("duplicate", "train/dog/conflict.png"),
        ("near duplicate", "train/cat/smaller.jpg"),
        ("near leak", "train/cat/seen.jpg"),
    }
    assert {name for name, _ in proposals(findings)} == {
        "train/cat/again.png",
        "train/dog/leaked.png",
        "train/cat/5.png",
        "train/dog/conflict.png",
        "train/cat/seen.jpg",
    }
    assert not any(kind.startswith("near") for kind, _ in kinds(examine(read_source(root), near=False)))


def test_classes_that_spoil_training(photos):
    dataset = read_source(photos({"train/cat": 40, "train/dog": 2, "test/cat": 2, "test/Cat": 1}))
    found = [(finding.kind, finding.part, finding.detail) for finding in examine(dataset)]
    assert ("alike names", "", "Cat, cat") in found
    assert ("tiny class", "train", "dog: 2 pictures") in found
    assert ("missing class", "train", "Cat") in found
    assert ("missing class", "test", "dog") in found
    assert ("imbalance", "train", "cat has 40, dog has 2") in found


def test_good_pictures_have_no_findings(photos):
    assert examine(read_source(photos({"cat": 30, "dog": 30}))) == ()


def thumbnail(picture):
    tensor = torch.from_numpy(np.array(picture.convert("L"))).unsqueeze(0)
    return resize(tensor, (SIDE, SIDE), "bilinear")[0]


def test_hashes_survive_a_new_size_and_compression_and_brightness(scene, save):
    for seed in range(20):
        picture = scene(120, 160, seed)
        code = perceptual_hash(thumbnail(picture))
        changed = picture.resize((97, 73), Image.Resampling.BICUBIC).point(lambda value: int(0.9 * value) + 5)
        again = perceptual_hash(thumbnail(Image.open(io.BytesIO(save(changed, "JPEG", quality=60)))))
        assert bin(code ^ again).count("1") <= DISTANCE


def test_flat_pictures_have_no_hash():
    assert perceptual_hash(torch.full((SIDE, SIDE), 200, dtype=torch.uint8)) is None


def test_pairs_are_those_that_comparing_all_with_all_gives():
    rng = np.random.default_rng(0)
    base = [int(code) for code in rng.integers(0, 2**63, 30)]
    codes = list(base)
    for code in base:
        for flips in (1, DISTANCE, DISTANCE + 1):
            codes.append(code ^ sum(1 << int(bit) for bit in rng.choice(64, flips, replace=False)))
    codes.append(None)
    same = np.tile(rng.integers(0, 256, (1, SIDE, SIDE), dtype=np.uint8), (len(codes), 1, 1))
    expected = [
        (i, j)
        for i in range(len(codes))
        for j in range(i + 1, len(codes))
        if None not in (codes[i], codes[j]) and bin(codes[i] ^ codes[j]).count("1") <= DISTANCE
    ]
    assert near_pairs(codes, same) == expected
    assert len(expected) >= 60
    assert BANDS > DISTANCE


def test_alike_hashes_of_unlike_thumbnails_are_no_pair():
    rng = np.random.default_rng(1)
    assert near_pairs([5, 5], rng.integers(0, 256, (2, SIDE, SIDE), dtype=np.uint8)) == []
