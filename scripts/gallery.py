"""Makes docs/gallery: the figures that courses on convolutional networks show, with networks trained here.

    python scripts/gallery.py --data FOLDER [--out docs/gallery] [--work FOLDER] [--only NAME ...]

FOLDER holds mnist (the idx files) and clothing_small (class folders in train, validation and test). Trained networks
are kept in the work folder and taken from there the next time. About five minutes on two cores.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sparse_autoencoder import PATCH, patches, scaled, trained
from torch import Tensor

import neocog
from neocog.data.open import open_pictures
from neocog.explain import objectives
from neocog.explain.maximal_input import maximal_input
from neocog.explain.maximise import maximise
from neocog.report.explained import around_grey, kernels_sheet, maps_sheet
from neocog.report.heat import scale_of
from neocog.report.overlay import in_colours, overlay
from neocog.report.sheet import Tile, sheet
from neocog.report.thumbnails import Pixels
from neocog.tasks.model import Model
from neocog.verbs.look_data import normalised
from neocog.verbs.look_methods import as_map, attribution, find_method

# Depths at which the photographs' network is asked what it dreams of and what a strong unit saw.
DEPTHS = ("stage2", "stage3", "stage4", "stage5", "stage6", "last_relu")
LARGEST = 300_000


@dataclass(frozen=True)
class Means:
    """Where the data and the trained networks lie."""

    data: Path
    work: Path

    def digits(self) -> Model:
        """LeNet-5 as it is taught today, trained on MNIST."""
        return self._trained("mnist", "mnist", net="lenet5_modern", epochs=4, samples=20_000)

    def clothes(self) -> Model:
        """EfficientNet-Lite0 with its ImageNet weights and a new head for ten kinds of clothes."""
        return self._trained("clothes", str(self.data / "clothing_small"), transfer="features")

    def photographs(self, part: str, step: int) -> list[tuple[Pixels, str, Tensor]]:
        """Every ``step``-th photograph of a part: as seen, its class, as it enters the network (C, H, W)."""
        stored = open_pictures(self.data / "clothing_small", for_training=False)
        chosen = stored.parts[part].subset(range(0, len(stored.parts[part]), step))
        model = self.clothes()
        samples = [model.predictor.read(chosen.items.read(place)) for place in range(len(chosen))]
        inputs = normalised(model, torch.stack(samples))
        names = [stored.classes[label] for label in chosen.labels]
        return [(_pixels(one), name, each) for one, name, each in zip(samples, names, inputs, strict=True)]

    def _trained(self, name: str, data: str, **options: object) -> Model:
        folder = self.work / name
        if not (folder / "model.safetensors").is_file():
            neocog.train(data, root=str(self.data), out=str(folder), quiet=True, **options)
        return neocog.load(folder / "model.safetensors", device="cpu")


def filters(means: Means) -> Pixels:
    kernels = neocog.explain.filters(means.digits().network, layer="c1")
    return kernels_sheet(kernels.numpy(), range(len(kernels)))


def filters_in_colour(means: Means) -> Pixels:
    kernels = neocog.explain.filters(means.clothes().network).numpy()
    alive = [place for place, each in enumerate(kernels) if np.abs(each).max() > 0.05 * np.abs(kernels).max()]
    return kernels_sheet(kernels[alive], alive)


def feature_maps(means: Means) -> Pixels:
    model = means.digits()
    stored = open_pictures("mnist", root=str(means.data), for_training=False)
    part = stored.parts["test"]
    rows = []
    for digit in (2, 7):
        place = part.labels.index(digit)
        sample = model.predictor.read(part.items.read(place))
        inputs = normalised(model, sample[None])
        seen = sheet([Tile(in_colours(_pixels(sample)), "input")], side=84)
        parts = [seen]
        for layer in ("c1_relu", "c3_relu"):
            maps = neocog.explain.feature_maps(model.network, inputs, layer=layer)[0].numpy()
            parts.append(maps_sheet(maps, range(len(maps))))
        rows.append(_beside(parts))
    return _below(rows)


def saliency(means: Means) -> Pixels:
    model = means.clothes()
    names = {"saliency": "saliency", "smoothgrad": "SmoothGrad", "grad_cam": "Grad-CAM", "occlusion": "occlusion"}
    tiles = []
    for pixels, name, inputs in _of_classes(means.photographs("test", 3), ("hat", "shoes", "dress")):
        tiles.append(Tile(in_colours(pixels), name))
        with torch.no_grad():
            target = int(model.network(inputs[None]).argmax())
        for method, title in names.items():
            way = find_method(method)
            flat = as_map(way, attribution(way, model.network, inputs[None], target=target))[0].numpy()
            tiles.append(Tile(overlay(pixels, flat, scale_of(flat, signed=way.signed)), title))
    return sheet(tiles, side=168, columns=len(names) + 1)


def deconvnet(means: Means) -> Pixels:
    model = means.digits()
    stored = open_pictures("mnist", root=str(means.data), for_training=False)
    part = stored.parts["test"]
    tiles = []
    for digit in (0, 2, 3, 5, 7):
        sample = model.predictor.read(part.items.read(part.labels.index(digit)))
        inputs = normalised(model, sample[None])
        tiles.append(Tile(in_colours(_pixels(sample)), "input"))
        for layer, count in (("c1_relu", 2), ("c3_relu", 4)):
            maps = neocog.explain.feature_maps(model.network, inputs, layer=layer)[0]
            for channel in maps.flatten(1).amax(1).argsort(descending=True)[:count].tolist():
                back = neocog.explain.deconvnet(model.network, inputs, layer=layer, unit=channel)[0]
                tiles.append(Tile(around_grey(back.numpy()), f"{layer[:2].upper()}, {channel}"))
    return sheet(tiles, side=96, columns=7)


def dreams(means: Means) -> Pixels:
    model = means.clothes()
    numbers = model.contract.preprocessing
    tiles = []
    for layer in DEPTHS:
        for channel in (1, 5, 9, 12):
            made = maximise(
                model.network, objectives.channel(layer, channel), (3, 112, 112), steps=96,
                mean=numbers["mean"], std=numbers["std"],
            )[0]  # fmt: skip
            tiles.append(Tile(_pixels((made * 255).round().to(torch.uint8)), f"{layer}, {channel}"))
    return sheet(tiles, side=112, columns=8)


def autoencoder(means: Means) -> Pixels:
    pictures = torch.stack([torch.from_numpy(pixels) for pixels, _, _ in means.photographs("train", 12)])
    net = trained(scaled(patches(pictures)))
    units = maximal_input(net).reshape(-1, PATCH, PATCH)
    tiles = [Tile(_grey(each.numpy())) for each in units]
    return sheet(tiles, side=40, columns=10)


def neighbours(means: Means) -> Pixels:
    model = means.clothes()
    known, asked = means.photographs("train", 3), means.photographs("test", 3)
    layer = "flatten"
    rows = neocog.explain.features(model.network, [each[None] for _, _, each in known], layer=layer)
    tiles = []
    for pixels, name, inputs in _of_classes(asked, ("hat", "shoes", "dress", "pants", "t-shirt")):
        query = neocog.explain.features(model.network, [inputs[None]], layer=layer)
        found = neocog.explain.nearest_neighbours(rows, query, 6)
        tiles.append(Tile(in_colours(pixels), name))
        tiles += [Tile(in_colours(known[place][0]), known[place][1]) for place in found.indices[0].tolist()]
    return sheet(tiles, side=112, columns=7)


def _of_classes(
    pictures: Sequence[tuple[Pixels, str, Tensor]], names: Sequence[str]
) -> list[tuple[Pixels, str, Tensor]]:
    """Returns the second photograph of each class."""
    return [[each for each in pictures if each[1] == name][1] for name in names]


def _pixels(sample: Tensor) -> Pixels:
    return np.ascontiguousarray(sample.permute(1, 2, 0).numpy())


def _grey(values: np.ndarray) -> Pixels:
    place = scale_of(values, signed=True).position(values)
    return in_colours(np.rint(place * 255).astype(np.uint8))


def _beside(parts: Sequence[Pixels]) -> Pixels:
    height = max(each.shape[0] for each in parts)
    return np.concatenate([_padded(each, height, each.shape[1]) for each in parts], 1)


def _below(rows: Sequence[Pixels]) -> Pixels:
    width = max(each.shape[1] for each in rows)
    return np.concatenate([_padded(each, each.shape[0], width) for each in rows])


def _padded(pixels: Pixels, height: int, width: int) -> Pixels:
    canvas = np.full((height, width, 3), pixels[0, 0], np.uint8)
    canvas[: pixels.shape[0], : pixels.shape[1]] = pixels
    return canvas


@dataclass(frozen=True)
class Figure:
    """One figure of the page: how it is made, its heading, and what there is to see."""

    make: Callable[[Means], Pixels]
    heading: str
    words: str


FIGURES = {
    "filters": Figure(
        filters, "First-layer filters: digits",
        "The six 5×5 kernels of C1 of LeNet-5 (as it is taught today, with ReLU) after MNIST: orange is above zero, "
        "blue below. Edges of several directions.",
    ),
    "filters_in_colour": Figure(
        filters_in_colour, "First-layer filters: photographs",
        "The 3×3 kernels of EfficientNet-Lite0's stem, ImageNet weights, grey is zero; those that are almost zero are "
        "left out. Colours on one side, edges on the other.",
    ),
    "feature_maps": Figure(
        feature_maps, "Feature maps on MNIST",
        "What C1 and C3 of the same LeNet-5 make of two test digits; the number is the map's mean.",
    ),
    "saliency": Figure(
        saliency, "Saliency of photographs",
        "Three test photographs of clothing_small through EfficientNet-Lite0: what speaks for the predicted class. "
        "Saliency and SmoothGrad go by the gradient, Grad-CAM by the last maps, occlusion by covering patches (orange: "
        "the probability falls; blue: it rises).",
    ),
    "deconvnet": Figure(
        deconvnet, "Deconvnet of strong units",
        "Test digits through the same LeNet-5, and from the strongest units of C1 and C3 back to the pixels that made "
        "them fire; below each the layer and the channel, grey is zero. C1 sees a stroke, C3 a corner or an arc.",
    ),
    "dreams": Figure(
        dreams, "Dreams by depth",
        "Pictures that excite a channel most, from noise (Fourier parameterisation, colours decorrelated, jitter, "
        "rotation and scale): from colours and strokes to textures to parts of things. Below each layer and channel.",
    ),
    "autoencoder": Figure(
        autoencoder, "One hundred hidden units of a sparse autoencoder",
        "The input of length 1 that excites each hidden unit most, in closed form (its weights over their length), of "
        "the autoencoder 100-100-100 trained on 10×10 patches of photographs: edges at all places and "
        "directions.",
    ),
    "neighbours": Figure(
        neighbours, "Six nearest neighbours of five photographs",
        "On the left a test photograph, then the six of every third training photograph whose 1,280 features before "
        "the head are nearest.",
    ),
}  # fmt: skip

HEAD = """# Gallery

The figures that courses on convolutional networks show, made by one command with networks trained here:

```
python scripts/gallery.py --data DATA
```

DATA holds `mnist` (the idx files) and `clothing_small` (class folders). The same for networks and pictures of your own:
`neocog look MODEL PICTURE --out FOLDER` and `neocog dream MODEL LAYER:CHANNEL`.
"""


def write_page(out: Path) -> None:
    parts = [HEAD]
    for name, figure in FIGURES.items():
        parts.append(f"\n## {figure.heading}\n\n{figure.words}\n\n![{figure.heading}]({name}.png)\n")
    (out / "README.md").write_text("".join(parts), encoding="utf-8")


def save(pixels: Pixels, path: Path) -> None:
    """Writes a sheet; one of photographs with a palette, since it is to be read on a page and not measured."""
    image = Image.fromarray(pixels)
    image.save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        image.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "docs" / "gallery")
    parser.add_argument("--work", type=Path, default=Path("runs") / "gallery")
    parser.add_argument("--only", nargs="+", choices=FIGURES, default=list(FIGURES))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    means = Means(given.data, given.work)
    for name in given.only:
        save(FIGURES[name].make(means), given.out / f"{name}.png")
        print(f"{name}.png: {(given.out / f'{name}.png').stat().st_size:,} bytes", flush=True)
    write_page(given.out)


if __name__ == "__main__":
    main()
