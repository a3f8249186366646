"""What is chosen for which pictures, and how they meet the network's input."""

from __future__ import annotations

import numpy as np
import pytest

from neocog import architectures
from neocog.core.errors import DataError, UsageError
from neocog.core.recipe import Augmentation, Recipe
from neocog.data.dataset import DataSet, Part
from neocog.data.items import ArrayItems
from neocog.tasks import timing
from neocog.tasks.choice import choose_network, describe_input, preprocessing_for
from neocog.tasks.classification import ClassificationLoss, balanced_weights
from neocog.tasks.deciding import decide, fingerprint
from neocog.tasks.image_kind import ImageClassificationKind
from neocog.tasks.options import TrainOptions, apply_to_recipe, make_options
from neocog.tasks.plan import Plan
from neocog.tasks.survey import Survey, survey
from neocog.training.phases import Phase


def look(height: int, width: int, *, grey: bool = False, same: bool = True) -> Survey:
    return Survey(height=height, width=width, same_size=same, grey=grey, border=0, samples=100)


def arrays(count: int = 20, side: int = 8, classes: int = 2, channels: int = 1) -> DataSet[object]:
    generator = np.random.default_rng(0)
    shape = (count, side, side) if channels == 1 else (count, side, side, channels)

    def part(name: str, size: int) -> Part[object]:
        items = ArrayItems(generator.integers(1, 255, (size, *shape[1:])).astype(np.uint8), name)
        return Part(items, tuple(place % classes for place in range(size)))

    parts = {"train": part("train", count), "val": part("val", 6), "test": part("test", 6)}
    return DataSet("arrays", tuple("abcdefgh"[:classes]), parts)


@pytest.mark.parametrize(
    ("pictures", "net", "weights"),
    [
        (look(8, 8, grey=True), "lenet5", "none"),
        (look(28, 28, grey=True), "keras_cifar", "none"),
        (look(32, 32), "keras_cifar", "none"),
        (look(400, 300, same=False), "efficientnet_lite0", "imagenet"),
        (look(92, 112, grey=True), "efficientnet_lite0", "imagenet"),
    ],
)
def test_the_network_suits_the_pictures(pictures: Survey, net: str, weights: str) -> None:
    choice = choose_network(pictures)
    assert (choice.net, choice.weights) == (net, weights)
    assert f"{pictures.height}x{pictures.width}" in choice.reason


@pytest.mark.parametrize(
    ("side", "resize", "pad"),
    [(8, 24, 4), (16, 16, 8), (28, 28, 2), (32, 32, 0), (40, 32, 0)],
)
def test_small_pictures_are_enlarged_by_a_whole_factor_and_framed(side: int, resize: int, pad: int) -> None:
    numbers = preprocessing_for(architectures.record("lenet5"), None, look(side, side, grey=True), size=None, grey=None)
    assert (numbers.size, numbers.resize, numbers.pad, numbers.channels) == ((32, 32), resize, pad, 1)
    assert numbers.resize + 2 * numbers.pad == 32


def test_pretrained_weights_bring_their_own_preprocessing() -> None:
    record = architectures.record("efficientnet_lite0")
    weights = record.weights[0]
    numbers = preprocessing_for(record, weights, look(400, 300), size=None, grey=None)
    assert (numbers.size, numbers.resize) == ((weights.size,) * 2, weights.size)
    assert (numbers.mean, numbers.std, numbers.channels) == (weights.mean, weights.std, 3)
    grey = preprocessing_for(record, weights, look(400, 300, grey=True), size=None, grey=None)
    assert grey.channels == 3, "pretrained kernels take grey as three equal channels"


def test_the_input_is_described_in_numbers() -> None:
    pictures = look(8, 8, grey=True)
    numbers = preprocessing_for(architectures.record("lenet5"), None, pictures, size=None, grey=None)
    assert describe_input(pictures, numbers) == (
        "input 32x32x1: pictures of 8x8 enlarged to 24x24 (bilinear), with 4 pixels of value 0 around"
    )


def test_a_survey_sees_size_colour_and_border() -> None:
    pictures = np.zeros((5, 10, 12, 3), np.uint8)
    pictures[:, 2:8, 2:8, 0] = 200
    seen = survey(Part(ArrayItems(pictures, "x"), (0,) * 5))
    assert seen == Survey(height=10, width=12, same_size=True, grey=False, border=0, samples=5)


def test_a_plan_survives_its_configuration() -> None:
    kind = ImageClassificationKind()
    plan = decide(kind, arrays(), make_options("x", {"mixup": 0.3, "net": "keras_cifar"}))
    assert Plan.from_config(plan.to_config()) == plan
    assert plan.recipe.mixup == 0.3
    assert plan.phases == (Phase("all layers", plan.recipe.epochs, plan.recipe.learning_rate),)
    with pytest.raises(DataError, match="whole plan"):
        Plan.from_config({"net": "lenet5"})


def test_frozen_features_are_the_default_of_pretrained_weights_and_take_no_steps() -> None:
    kind, data = ImageClassificationKind(), arrays(side=64, channels=3)
    plan = decide(kind, data, TrainOptions())
    assert (plan.net, plan.weights, plan.transfer, plan.phases) == ("efficientnet_lite0", "imagenet", "features", ())
    scratch = decide(kind, data, TrainOptions(transfer="none"))
    assert (scratch.weights, scratch.transfer) == ("none", "none")
    tuned = decide(kind, data, TrainOptions(transfer="finetune", everything=True))
    assert len(tuned.phases) == 2
    assert "stem" in (tuned.phases[-1].trains or ())
    assert not any(name.endswith("_bn") for phase in tuned.phases for name in phase.trains or ())


def test_one_class_is_nothing_to_tell_apart() -> None:
    with pytest.raises(DataError, match="two classes"):
        decide(ImageClassificationKind(), arrays(classes=1), TrainOptions())


def test_a_fingerprint_knows_names_labels_and_parts() -> None:
    data = arrays()
    moved = DataSet(data.source, data.classes, {**data.parts, "val": data.parts["test"], "test": data.parts["val"]})
    relabelled = DataSet(data.source, ("b", "a"), data.parts)
    assert fingerprint(data) == fingerprint(arrays())
    assert len({fingerprint(each) for each in (data, moved, relabelled)}) == 3


def test_options_take_the_place_of_the_recipe_s_numbers() -> None:
    recipe = Recipe("r", epochs=9, batch_size=8, augmentation=Augmentation(shift=2, horizontal_flip=True))
    changed = apply_to_recipe(recipe, make_options(None, {"epochs": 3, "lr": "0.5", "crop": 0.25, "flip": False}))
    assert (changed.epochs, changed.learning_rate, changed.batch_size) == (3, 0.5, 8)
    assert changed.augmentation == Augmentation(crop_scale=(0.25, 1.0), shift=2, horizontal_flip=False)
    assert apply_to_recipe(recipe, TrainOptions()) == recipe


@pytest.mark.parametrize("given", [{"crop": 0.0}, {"ema": 1.0}, {"batch": 0}, {"lr": "nan"}, {"split_seed": -1}])
def test_options_out_of_range_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        make_options(None, given)


def test_a_plan_is_cut_to_its_time() -> None:
    plan = decide(ImageClassificationKind(), arrays(), TrainOptions(net="keras_cifar", epochs=100))
    cost = timing.Cost(epoch_seconds=(6.0,), peak_bytes=1 << 20)
    assert cost.seconds(plan.phases) == 600
    assert timing.within(plan, cost, 60) == plan
    cut = timing.within(plan, cost, 1)
    assert cut.phases[0].epochs == cut.recipe.epochs == int(60 * timing.TRAINING_SHARE / 6)
    assert timing.within(plan, cost, 0.01).phases[0].epochs == 1


def test_class_weights_make_every_class_count_the_same() -> None:
    weights = balanced_weights([0, 0, 0, 1], classes=3)
    assert weights.tolist() == pytest.approx([4 / 6, 2.0, 0.0])
    assert 3 * weights[0] == pytest.approx(weights[1])


def test_the_loss_of_pieces_adds_up_to_the_whole_s() -> None:
    import torch

    logits, targets = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 0, 0, 0])
    loss = ClassificationLoss(0.1, torch.tensor([0.5, 2.0, 1.0]))
    whole = loss(logits, targets)
    parts = (loss(logits[:2], targets[:2]) * 2 + loss(logits[2:], targets[2:]) * 4) / 6
    torch.testing.assert_close(whole, parts)
