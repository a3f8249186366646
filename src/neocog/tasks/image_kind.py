"""What training needs to know of pictures in classes: how they are read, what suits them, which batches they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from neocog import recipes
from neocog.core.inputs import check_input
from neocog.core.recipe import Recipe
from neocog.core.registry import Record, Weights
from neocog.core.task import Batch
from neocog.data.dataset import PARTS, DataSet, Part
from neocog.data.decode import Picture, from_array, open_picture
from neocog.data.open import open_pictures
from neocog.data.preprocess import PicturePreprocessing
from neocog.data.scan import scan
from neocog.data.split import fewer
from neocog.report.page import Section
from neocog.report.thumbnails import LARGEST_SIDE, Pixels
from neocog.tasks import classified
from neocog.tasks.choice import SMALL, Choice, choose_network, describe_input, preprocessing_for
from neocog.tasks.evaluation import TestResult
from neocog.tasks.image_classification import NAME, make_task
from neocog.tasks.kinds import Place, Work
from neocog.tasks.loading import keys, loaders
from neocog.tasks.model import Model
from neocog.tasks.options import TrainOptions
from neocog.tasks.picture_sources import mean_and_std, plain_source, training_source
from neocog.tasks.plan import Plan
from neocog.tasks.result import Occasion
from neocog.tasks.survey import Survey, survey
from neocog.training.features import unchanged


class ImageClassificationKind:
    """`neocog.tasks.kinds.Kind` for pictures in classes; one object serves one run."""

    name = NAME
    chosen_by = classified.CHOSEN_BY

    def __init__(self) -> None:
        self._look: Survey | None = None

    def read(self, options: TrainOptions) -> DataSet[Picture]:
        """Reads the data and splits them where parts are missing; unreadable pictures are left out and named."""
        data = open_pictures(
            options.data,
            root=options.root,
            split_seed=options.split_seed,
            exclude=options.exclude,
        )
        readable, _ = scan(data, max_bad=options.max_bad, workers=options.workers)
        return readable if options.samples is None else fewer(readable, options.samples, seed=options.split_seed)

    def stored(self, options: TrainOptions, exclude: str | Iterable[str] | None) -> DataSet[Picture]:
        """Reads the data with the parts that they have, for a test."""
        return open_pictures(options.data, root=options.root, exclude=exclude, for_training=False)

    def readable(self, data: DataSet[Picture]) -> DataSet[Picture]:
        """Returns the data without the pictures that cannot be read."""
        return scan(data, max_bad=1.0)[0]

    def look(self, data: DataSet[Picture]) -> Survey:
        """Returns what the training pictures have in common; looked at once."""
        if self._look is None:
            self._look = survey(data.parts["train"])
        return self._look

    def what(self, data: DataSet[Picture]) -> str:
        """Returns the word for the samples."""
        del data
        return "samples"

    def choose(self, data: DataSet[Picture]) -> Choice:
        """Returns the network that suits the pictures, and the reason."""
        return choose_network(self.look(data))

    def recipe(self, name: str | None, record: Record, data: DataSet[Picture], *, pretrained: bool) -> Recipe:
        """Returns the recipe of that name; ours unless named."""
        look = self.look(data)
        return recipes.find(
            name or "fast",
            record.name,
            samples=len(data.parts["train"]),
            short_side=look.short_side,
            grey=look.grey,
            pretrained=pretrained,
        )

    def preprocessing(
        self, data: DataSet[Picture], record: Record, weights: Weights | None, options: TrainOptions
    ) -> dict[str, Any]:
        """Returns the numbers between a picture file and the network's input."""
        look = self.look(data)
        numbers = preprocessing_for(record, weights, look, size=options.size, grey=options.grey)
        if weights is None:
            mean, std = mean_and_std(data.parts["train"], numbers)
            numbers = replace(numbers, mean=mean, std=std)
        flip = options.flip_average if options.flip_average is not None else weights is not None
        return replace(numbers, flip_average=flip).to_contract()

    def describe_input(self, data: DataSet[Picture], preprocessing: Mapping[str, Any]) -> str:
        """Returns the line that says how the pictures meet the network's input."""
        return describe_input(self.look(data), PicturePreprocessing.from_contract(dict(preprocessing)))

    def arguments(self, data: DataSet[Picture], preprocessing: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the arguments of the network's builder."""
        side = preprocessing["size"][0]
        return {"classes": len(data.classes), "channels": preprocessing["channels"], "size": side}

    def fitting(self, record: Record, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Returns all arguments: what a network does not need, it ignores."""
        del record
        return dict(arguments)

    def fill(self, network: nn.Module, data: DataSet[Picture], plan: Plan) -> None:
        """Does nothing: pictures bring nothing beside weights."""

    def check(self, network: nn.Module, preprocessing: Mapping[str, Any]) -> None:
        """Raises NetworkError when the network cannot take pictures of that size."""
        check_input(network, (preprocessing["channels"], *preprocessing["size"]))

    def work(self, data: DataSet[Picture], plan: Plan, place: Place) -> Work:
        """Returns the task and the loaders of a run."""
        numbers = PicturePreprocessing.from_contract(dict(plan.preprocessing))
        train = data.parts["train"]
        small = self.look(data).short_side <= SMALL
        source = training_source(train, numbers, plan.recipe.augmentation, small=small, workers=place.workers)
        sources = {
            name: plain_source(part, numbers, keep=name == "val" and plan.transfer != "features", workers=place.workers)
            for name, part in data.parts.items()
        }
        shuffled, plain = loaders(source, sources, place, seed=plan.seed)
        return Work(
            make_task(data.classes, numbers, plan.recipe, source.remaining, train.labels),
            shuffled,
            plain,
            keys(data),
            {name: torch.tensor(part.labels, dtype=torch.int64) for name, part in data.parts.items()},
            (unchanged, mirrored) if numbers.flip_average else (unchanged,),
        )

    def pictures(self, part: Part[Picture], places: Sequence[int]) -> Mapping[int, Pixels]:
        """Returns samples as uint8 (H, W, 3), a large photograph at a fraction of its size."""
        return {place: _thumbnail(part.items.read(place)) for place in places}

    def measure(
        self,
        model: Model,
        data: DataSet[Picture],
        part: Part[Picture],
        occasion: Occasion,
        *,
        batch_size: int | None = None,
        workers: int | None = None,
    ) -> TestResult:
        """Returns what a model answers for a part of data."""
        return classified.measured(model, data, part, occasion, batch_size=batch_size, workers=workers)

    def sections(self, result: TestResult, part: Part[Picture]) -> list[Section]:
        """Returns confusion, classes, calibration and the worst mistakes."""
        return classified.sections(result, part, self.pictures)

    def describe(self, data: DataSet[Picture]) -> tuple[str, ...]:
        """Returns the lines that say what the data are."""
        look = self.look(data)
        counts = ", ".join(f"{len(data.parts[name]):,} {name}" for name in PARTS if name in data.parts)
        colour = "grey" if look.grey else "colour"
        size = f"{look.height}x{look.width}" if look.same_size else f"about {look.height}x{look.width}"
        return (f"{data.source}: {len(data.classes)} classes, {counts}; {colour} pictures of {size}", *data.notes)


def mirrored(batch: Batch) -> Batch:
    """Returns the batch with each picture's mirror image."""
    return replace(batch, inputs=batch.inputs.flip(-1)) if isinstance(batch.inputs, Tensor) else batch


def _thumbnail(raw: Picture) -> Pixels:
    if not isinstance(raw, bytes):
        picture = from_array(raw, 3)
    else:
        opened = open_picture(raw)
        picture = opened.pixels(3, opened.scale(min(opened.height, opened.width) / LARGEST_SIDE))
    pixels: Pixels = picture.permute(1, 2, 0).contiguous().numpy()
    return pixels
