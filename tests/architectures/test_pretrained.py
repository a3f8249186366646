"""EfficientNet-Lite0's ImageNet weights, with the preprocessing of their record, on real photographs."""

from __future__ import annotations

import csv
import os

import numpy as np
import pytest
import torch
from PIL import Image

from neocog.architectures import create, weights_of
from neocog.data.preprocess import PicturePreprocessing
from neocog.data.resize import normalise, prepare
from neocog.nn.conv import SameConv2d
from neocog.nn.fold import folded


def test_imagenet_weights_fill_every_tensor_and_survive_another_head():
    network = create("efficientnet_lite0", weights="imagenet")
    assert network.head.weight.shape == (1000, 1280)
    untouched = [
        name for name, tensor in network.state_dict().items() if "running" in name and tensor.unique().numel() == 1
    ]
    assert untouched == []
    other = create("efficientnet_lite0", weights="imagenet", classes=10)
    assert other.head.weight.shape == (10, 1280)
    assert torch.equal(other.last.weight, network.last.weight)


def test_strided_layers_pad_as_tensorflow_does():
    network = create("efficientnet_lite0")
    strided = [name for name, module in network.named_modules() if getattr(module, "stride", None) == (2, 2)]
    assert strided == ["stem", *(f"stage{stage}.0.body.depthwise" for stage in (3, 4, 5, 7))]
    assert all(isinstance(network.get_submodule(name), SameConv2d) for name in strided)
    layer = SameConv2d(1, 1, 3, 2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(9.0).view(1, 1, 3, 3))
    # On an even input TensorFlow puts its only zero behind: the first unit sees pixels 0 to 2.
    assert layer(torch.ones(1, 1, 4, 4)).flatten().tolist() == [36.0, 21.0, 15.0, 8.0]


def test_photographs_are_recognised(shared_data):
    folder = shared_data / "imagenet_sample"
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[::20]
    expects = weights_of("efficientnet_lite0")
    network = create("efficientnet_lite0", weights="imagenet").eval()
    mean, std = (torch.tensor(each)[:, None, None] for each in (expects.mean, expects.std))
    pixels = torch.stack([cropped(folder / row["file"], expects.size) for row in rows])
    with torch.inference_mode():
        best = network((pixels - mean) / std).topk(5).indices
    truth = torch.tensor([int(row["index"]) for row in rows])[:, None]
    assert (best == truth).any(1).float().mean() >= 0.94
    assert (best[:, :1] == truth).float().mean() >= 0.80


@pytest.mark.skipif("NEOCOG_TEST_DEEP" not in os.environ, reason="half a minute; set NEOCOG_TEST_DEEP=1")
def test_the_level_of_the_whole_sample(shared_data):
    """966 of 1000 are in the top 5; no other size, filter, crop or mean of up to 18 views gave more than 967.

    Two of the 34 others show another class than their label's: n01978287 a fiddler crab, n01608432 a magnolia.
    """
    folder = shared_data / "imagenet_sample"
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    truth = torch.tensor([int(row["index"]) for row in rows])[:, None]
    expects = weights_of("efficientnet_lite0")
    numbers = PicturePreprocessing(
        (expects.size,) * 2, expects.resize, expects.filter, expects.mean, expects.std, channels=3
    )
    network = folded(create("efficientnet_lite0", weights="imagenet")).to(memory_format=torch.channels_last)
    best = []
    with torch.inference_mode():
        for start in range(0, len(rows), 50):
            pixels = [prepare((folder / row["file"]).read_bytes(), numbers) for row in rows[start : start + 50]]
            best.append(network(normalise(torch.stack(pixels), numbers)).topk(5).indices)
    hits = torch.cat(best) == truth
    assert hits.any(1).sum() >= 964
    assert hits[:, 0].sum() >= 849


def cropped(path, size):
    """Returns the middle of a picture, (3, size, size); all but a few are stored with a short side of 256."""
    with Image.open(path) as picture:
        scale = 256 / min(picture.size)
        sides = [round(side * scale) for side in picture.size]
        pixels = np.asarray(picture.convert("RGB").resize(sides, Image.Resampling.BICUBIC))
    top, left = ((side - size) // 2 for side in pixels.shape[:2])
    return torch.from_numpy(pixels[top : top + size, left : left + size].copy()).permute(2, 0, 1).float() / 255
