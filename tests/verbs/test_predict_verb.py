"""`neocog.predict`: one answer an input, in order, whatever is wrong with some."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import neocog
from neocog.core.errors import ModelFileError, UsageError
from neocog.data.preprocess import PicturePreprocessing
from neocog.tasks.model import Model, load
from neocog.tasks.picture_prediction import PicturePredictor, log_probabilities

GREEN = np.zeros((20, 30, 3), np.uint8) + np.array([0, 255, 0], np.uint8)


def test_one_row_an_input_in_order(painted: Path, model: Model) -> None:
    found = neocog.predict(model, ["photos", "missing.png", "photos/b.png", "photos/deep/.."])
    assert [(each.input, each.label) for each in found[:6]] == [
        ("photos/a.png", "red"),
        ("photos/b.png", "blue"),
        ("photos/broken.png", ""),
        ("photos/deep/g.JPG", "green"),
        ("missing.png", ""),
        ("photos/b.png", "blue"),
    ]
    assert "not a picture" in (found[2].error or "")
    assert found[4].error == "there is no such file"
    assert found[4].probability is None
    assert len(found) == 10


def test_top_names_more_classes_and_at_most_all(painted: Path, model: Model) -> None:
    (answer,) = neocog.predict(model, "photos/a.png", top=2)
    # Logits are (1 - 0.5) / 0.25 = 2 for red and -2 for the others; of equal ones the first class comes first.
    red, green = math.exp(2), math.exp(-2)
    assert answer.labels == ("red", "green")
    assert answer.probabilities == pytest.approx((red / (red + 2 * green), green / (red + 2 * green)), abs=1e-6)
    (answer,) = neocog.predict(model, Path("photos/a.png"), top=99)
    assert answer.labels == ("red", "green", "blue")
    assert sum(answer.probabilities) == pytest.approx(1)


@pytest.mark.parametrize("inputs", [[], ["*.gif"], ["empty"], ["*.gif", "empty"]])
def test_without_any_file_nothing_is_done(painted: Path, model: Model, inputs: list[str]) -> None:
    Path("empty").mkdir()
    with pytest.raises(UsageError):
        neocog.predict(model, inputs)


def test_beside_files_what_leads_to_nothing_is_a_row(painted: Path, model: Model) -> None:
    Path("empty").mkdir()
    found = neocog.predict(model, ["*.gif", "photos/a.png", "empty"])
    assert [(each.input, each.label, each.error) for each in found] == [
        ("*.gif", "", "no file matches"),
        ("photos/a.png", "red", None),
        ("empty", "", "there are no picture files in this folder"),
    ]


@pytest.mark.parametrize("options", [{"top": 0}, {"batch": 0}])
def test_impossible_options_are_refused(painted: Path, model: Model, options: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        neocog.predict(model, "photos/a.png", **options)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 64])
@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_and_threads_keep_the_order(painted: Path, model: Model, batch_size: int, workers: int) -> None:
    inputs = ["photos/a.png", "photos/broken.png", "photos/b.png", "x", "y", "photos/deep/g.JPG", "z"] * 5
    found = neocog.predict(model, inputs, batch=batch_size, workers=workers)
    assert [each.input for each in found] == inputs
    assert [each.label for each in found] == ["red", "", "blue", "", "", "green", ""] * 5


def test_memory_stays_bounded(painted: Path, model: Model) -> None:
    """Of endless inputs only as many are read as the first answers need."""
    taken = 0

    def endless() -> Iterator[tuple[str, Any]]:
        nonlocal taken
        while True:
            taken += 1
            yield str(taken), GREEN if taken % 2 else b"broken"

    answers = model.stream(endless(), batch_size=4)
    assert [next(answers).label for _ in range(6)] == ["green", ""] * 3
    answers.close()
    assert taken < 40
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("neocog-reader")]


def test_a_long_run_of_refused_inputs_is_reported(model: Model) -> None:
    answers = list(model.stream(((str(n), b"") for n in range(200)), batch_size=2))
    assert [each.input for each in answers] == [str(n) for n in range(200)]
    assert all(each.error == "the file is empty" for each in answers)


class TestKindsOfPictures:
    def test_every_kind_gives_the_same_answer(self, tmp_path: Path, model: Model) -> None:
        path = tmp_path / "p.png"
        Image.fromarray(GREEN).save(path)
        kinds = [
            path,
            str(path),
            path.read_bytes(),
            Image.open(path),
            GREEN,
            torch.from_numpy(GREEN).permute(2, 0, 1),
        ]
        found = model.predict(kinds, top=3)
        assert {each.labels for each in found} == {("green", "red", "blue")}
        assert {each.probabilities for each in found} == {found[0].probabilities}
        assert [each.input for each in found] == [str(path), str(path), *(f"input[{place}]" for place in range(2, 6))]
        for kind in kinds:
            assert model.predict(kind, top=3)[0].probabilities == pytest.approx(found[0].probabilities, abs=1e-6)

    def test_stacks(self, model: Model) -> None:
        stack = np.stack([GREEN, GREEN[..., [1, 0, 2]]])
        assert [each.label for each in model.predict(stack)] == ["green", "red"]
        assert [each.label for each in model.predict(torch.from_numpy(stack).permute(0, 3, 1, 2))] == ["green", "red"]
        assert len(model.predict(np.zeros((5, 8, 8), np.uint8))) == 5  # five grey pictures
        assert len(model.predict(np.zeros((8, 8), np.uint8))) == 1

    def test_orientation_of_a_pillow_image_is_applied(self, tmp_path: Path, model: Model) -> None:
        pixels = np.zeros((40, 40, 3), np.uint8)
        pixels[:20, :, 0] = 255  # red above, black below: turned, it is red on one side
        exif = Image.Exif()
        exif[0x0112] = 6
        path = tmp_path / "turned.png"
        Image.fromarray(pixels).save(path, exif=exif)
        predictor = model.predictor
        assert torch.equal(predictor.read(path), predictor.read(Image.open(path)))
        assert not torch.equal(predictor.read(path), predictor.read(pixels))

    def test_a_pillow_image_stays_as_it_is(self, tmp_path: Path, model: Model) -> None:
        image = Image.new("RGBA", (9, 9))
        before = image.tobytes()
        model.predict(image)
        assert (image.mode, image.tobytes()) == ("RGBA", before)

    @pytest.mark.parametrize(
        ("raw", "says"),
        [
            (np.zeros((4, 4, 3), np.float32), "uint8"),
            (np.zeros((4, 4, 5), np.uint8), "(4, 4, 5)"),
            (torch.zeros(3, 4, 4), "uint8"),
            (torch.zeros(2, 4, 4, dtype=torch.uint8), "1|3"),
            (torch.zeros(4, 4, dtype=torch.uint8), "1|3"),
            (b"", "empty"),
            (3.5, "float"),
            (None, "NoneType"),
            (Path(), "folder"),
            (Path("\0"), "null"),
            (Path("/dev/null"), "device"),
        ],
    )
    def test_what_is_no_picture_says_why(self, model: Model, raw: Any, says: str) -> None:
        (answer,) = model.predict([raw])
        assert answer.labels == ()
        assert says in (answer.error or "")

    def test_a_pillow_image_of_too_many_pixels_is_refused(self, model: Model) -> None:
        small = replace(model.predictor.preprocessing, max_pixels=100)  # type: ignore[attr-defined]
        limited = replace(model, predictor=PicturePredictor(small))
        (answer,) = limited.predict(Image.new("RGB", (20, 20)))
        assert "400 pixels" in (answer.error or "")


class TestFlipAveraging:
    def test_probabilities_are_averaged(self) -> None:
        network = nn.Sequential(nn.Flatten(), nn.Linear(2, 3))
        pictures = torch.tensor([[[[1.0, -2.0]]]])  # (1, 1, 1, 2)
        plain = log_probabilities(network, pictures, False).exp()
        mirrored = log_probabilities(network, pictures.flip(-1), False).exp()
        averaged = log_probabilities(network, pictures, True).exp()
        torch.testing.assert_close(averaged, (plain + mirrored) / 2)
        assert not torch.allclose(plain, mirrored)

    def test_it_follows_the_contract(self, model: Model) -> None:
        preprocessing = PicturePreprocessing(
            size=(1, 2), resize=0, filter="nearest", mean=(0.0,), std=(1.0,), channels=1, flip_average=True
        )
        network = nn.Sequential(nn.Flatten(), nn.Linear(2, 3))
        sided = replace(model, network=network, predictor=PicturePredictor(preprocessing))
        left, right = np.array([[0, 255]], np.uint8), np.array([[255, 0]], np.uint8)
        first, second = sided.predict([left, right], top=3)
        assert first.labels == second.labels
        assert first.probabilities == pytest.approx(second.probabilities, abs=1e-7)


class TestIndependence:
    """An answer is that of its input, not of the company it comes in."""

    @pytest.fixture
    def pictures(self) -> np.ndarray:
        return np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), dtype=np.uint8)

    def test_company_changes_nothing_at_the_same_batch_size(self, model_file: Path, pictures: np.ndarray) -> None:
        model = load(model_file, "cpu")
        whole = model.predict(pictures, top=3)
        for place in range(10):
            company = np.roll(255 - pictures, 3, axis=0)
            company[place] = pictures[place]
            assert model.predict(company, top=3)[place] == whole[place]

    def test_batch_size_changes_no_more_than_rounding(self, model_file: Path, pictures: np.ndarray) -> None:
        model = load(model_file, "cpu")
        whole = model.predict(pictures, top=3)
        for size in (1, 3, 7):
            for one, other in zip(model.predict(pictures, top=3, batch_size=size), whole, strict=True):
                assert one.labels == other.labels
                assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)


def test_a_bad_model_is_refused(painted: Path) -> None:
    with pytest.raises(ModelFileError):
        neocog.predict("photos/a.png", "photos")
