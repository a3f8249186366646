"""The verb dream: what it writes, what it refuses, and that it leaves the model as it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from colours import paint
from PIL import Image

import neocog
from neocog.core.errors import NetworkError, UnreadableInput, UsageError
from neocog.tasks.model import Model
from neocog.verbs.dream import dream
from neocog.verbs.dream_wishes import Wish, read_wishes


@pytest.fixture
def loaded(model_file: Path) -> Model:
    return neocog.load(model_file, "cpu")


def test_one_dream_is_one_picture_with_how_it_was_made(loaded: Model, tmp_path: Path):
    made = dream(loaded, "c3:5", out=tmp_path / "five.png", steps=3, seed=4)
    assert {path.name for path in tmp_path.iterdir()} == {"five.png", "five.json"}
    with Image.open(tmp_path / "five.png") as picture:
        assert picture.size == (32, 32)
        assert np.array_equal(np.asarray(picture), made.dreams[0].pixels)
    told = json.loads((tmp_path / "five.json").read_text())
    assert told["network"] == "lenet5_modern"
    assert (told["method"], told["steps"], told["seed"]) == ("maximise", 3, 4)
    assert told["dreams"][0]["layer"] == "c3"
    assert told["dreams"][0]["unit"] == [5]
    assert told["dreams"][0]["after"] > told["dreams"][0]["before"]


def test_several_make_a_folder_with_a_sheet(loaded: Model, tmp_path: Path):
    made = dream(loaded, ["c1:0-1", "c3:2,4,4", "s2"], classes=["red", "2"], out=tmp_path / "new", steps=2)
    names = {"c1_0.png", "c1_1.png", "c3_2,4,4.png", "s2.png", "class-red.png", "class-blue.png"}
    assert {path.name for path in (tmp_path / "new").iterdir()} == names | {"sheet.png", "dreams.json"}
    assert made.file == tmp_path / "new" / "sheet.png"
    assert [each.words for each in made.dreams][-2:] == ["class red", "class blue"]


def test_a_unit_in_its_place_gets_what_it_looks_for(loaded: Model):
    layer = loaded.network.get_submodule("c1")
    best = float(
        (2 * layer.weight[2].abs().sum() + layer.bias[2]).detach()
    )  # black and white are -2 and 2 to this network
    (made,) = dream(loaded, "c1:2,5,7", steps=100).dreams
    assert 0.7 * best < made.after < best


@pytest.mark.parametrize("options", [{}, {"plain": True}])
def test_a_class_is_reached(loaded: Model, options):
    (made,) = dream(loaded, classes="green", steps=40, **options).dreams
    assert made.after > made.before
    assert made.label == "green"


def test_the_same_seed_gives_the_same_and_the_model_stays(loaded: Model):
    state = {name: tensor.clone() for name, tensor in loaded.network.state_dict().items()}
    random = torch.get_rng_state()
    one, again, other = (dream(loaded, "c3:1", steps=2, seed=seed).dreams[0] for seed in (0, 0, 1))
    assert np.array_equal(one.pixels, again.pixels)
    assert not np.array_equal(one.pixels, other.pixels)
    assert all(torch.equal(tensor, state[name]) for name, tensor in loaded.network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert all(each.requires_grad for each in loaded.network.parameters())


def test_from_a_picture_and_back_from_its_features(loaded: Model, tmp_path: Path):
    picture = paint(tmp_path / "red.png", "red", 128)
    started = dream(loaded, "c3", start=picture, steps=2)
    assert started.method == "deepdream"
    assert started.dreams[0].after > started.dreams[0].before
    inverted = dream(loaded, ["c1", "c3"], invert=picture, steps=60)
    assert [0 <= each.error < 1 for each in inverted.dreams] == [True, True]
    assert inverted.picture == str(picture)


def test_what_is_there_is_never_overwritten(loaded: Model, tmp_path: Path):
    (tmp_path / "a.png").write_text("mine")
    (tmp_path / "b.json").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    for name in ("a.png", "b.png", "full"):
        with pytest.raises(UsageError, match="never overwritten"):
            dream(loaded, "c1:0", out=tmp_path / name, steps=1)
    with pytest.raises(UsageError, match="no folder"):
        dream(loaded, "c1:0", out=tmp_path / "nowhere" / "a.png", steps=1)
    with pytest.raises(UsageError, match=r"ends in \.png"):
        dream(loaded, "c1:0", out=tmp_path / "a.jpg", steps=1)
    assert (tmp_path / "a.png").read_text() == "mine"


@pytest.mark.parametrize(
    ("layers", "options", "error", "words"),
    [
        ("c4:1", {}, NetworkError, "Did you mean"),
        ("c3:16", {}, UsageError, "channels 0 to 15"),
        ("c3:1,99,0", {}, UsageError, "lie in 10x10"),
        ("c3:x", {}, UsageError, "a unit is a channel"),
        ("c3:5-2", {}, UsageError, "a range"),
        ((), {}, UsageError, "nothing to dream of"),
        ((), {"classes": "gren"}, UsageError, "Did you mean green"),
        ("c3", {"plain": True, "start": "a.png"}, UsageError, "choose one"),
        ("c3:1", {"invert": "a.png"}, UsageError, "without units"),
        ("c3:1", {"steps": 0}, UsageError, "from 1"),
        ("c3:1", {"size": 31}, NetworkError, "32x32"),
        ("c3", {"start": "nowhere.png"}, UnreadableInput, "nowhere.png"),
    ],
)
def test_refusals(loaded: Model, layers, options, error, words):
    with pytest.raises(error, match=words):
        dream(loaded, layers, **options)


def test_nothing_is_left_where_a_unit_is_not_there(loaded: Model, tmp_path: Path):
    with pytest.raises(UsageError):
        dream(loaded, ["c3:1", "c3:99"], out=tmp_path / "new", steps=1)
    assert not (tmp_path / "new").exists()


def test_wishes_are_read_once_each(loaded: Model):
    wishes = read_wishes(["c3:1", "c3:0-2"], [], loaded.network, loaded.classes)
    assert wishes == [Wish("c3", (1,)), Wish("c3", (0,)), Wish("c3", (2,))]


def test_progress_is_told(loaded: Model):
    seen = []
    dream(loaded, ["c1:0", "c1:1"], steps=2, progress=lambda *told: seen.append(told[:4]))
    assert seen == [(1, 2, "c1:0", 1), (1, 2, "c1:0", 2), (2, 2, "c1:1", 1), (2, 2, "c1:1", 2)]
