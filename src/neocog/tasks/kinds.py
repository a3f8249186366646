"""The kinds of task: what each has to supply so that ``train`` works on its data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from neocog.core.errors import UsageError, near_names
from neocog.core.recipe import Recipe
from neocog.core.registry import Record, Weights
from neocog.core.task import Batch, Loader, Task
from neocog.data.dataset import DataSet, Part
from neocog.data.held import held_in
from neocog.report.mistakes import Shown
from neocog.report.page import Section
from neocog.tasks.choice import Choice
from neocog.tasks.model import Model
from neocog.tasks.options import TrainOptions, refuse_foreign
from neocog.tasks.plan import Plan
from neocog.tasks.result import Occasion, Result


@dataclass(frozen=True)
class Place:
    """Which process this is of how many, and with how many threads it reads."""

    rank: int = 0
    world: int = 1
    workers: int | None = None


@dataclass(frozen=True)
class Work:
    """What a run works on: the task and the loader of each part.

    ``train`` is shuffled and augmented; ``plain`` holds every part in order and without augmentation; ``keys`` names
    the content of each of its samples, for caches; ``labels`` (N,) are their classes. ``views`` are changes of a
    prepared batch under which its classes stay, the first of them none: for pictures that may be mirrored, the mirror.
    """

    task: Task
    train: Loader
    plain: Mapping[str, Loader]
    keys: Mapping[str, Callable[[], tuple[str, ...]]]
    labels: Mapping[str, Tensor]
    views: tuple[Callable[[Batch], Batch], ...]


class Kind(Protocol):
    """One kind of task: how its data are read, what suits them, and what its report says."""

    @property
    def name(self) -> str:
        """The name that the model file carries, e.g. ``"image classification"``."""

    def read(self, options: TrainOptions) -> DataSet[Any]:
        """Reads the data, with every part that a run needs; unreadable samples are left out and named in its notes."""

    def stored(self, options: TrainOptions, exclude: str | Iterable[str] | None) -> DataSet[Any]:
        """Reads the data with the parts that they have, for a test."""

    def readable(self, data: DataSet[Any]) -> DataSet[Any]:
        """Returns the data without what training would leave out as unreadable."""

    def what(self, data: DataSet[Any]) -> str:
        """Returns the word for the samples of the data: samples, sentences, bags, lines."""

    def choose(self, data: DataSet[Any]) -> Choice:
        """Returns the network that suits the data, and the reason."""

    def recipe(self, name: str | None, record: Record, data: DataSet[Any], *, pretrained: bool) -> Recipe:
        """Returns the recipe of that name, or the one that suits the data."""

    def preprocessing(
        self, data: DataSet[Any], record: Record, weights: Weights | None, options: TrainOptions
    ) -> dict[str, Any]:
        """Returns every number between a raw sample and the network's input, as the model file carries them."""

    def describe_input(self, data: DataSet[Any], preprocessing: Mapping[str, Any]) -> str:
        """Returns the line that says how the samples meet the network's input."""

    def arguments(self, data: DataSet[Any], preprocessing: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the arguments of the network's builder."""

    def fitting(self, record: Record, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the arguments that this network's builder takes."""

    def fill(self, network: nn.Module, data: DataSet[Any], plan: Plan) -> None:
        """Puts into a network that has not trained yet what it starts from beside weights (word vectors)."""

    def check(self, network: nn.Module, preprocessing: Mapping[str, Any]) -> None:
        """Raises NetworkError when the network cannot take such inputs."""

    def work(self, data: DataSet[Any], plan: Plan, place: Place) -> Work:
        """Returns the task and the loaders of a run."""

    @property
    def chosen_by(self) -> tuple[str, str]:
        """The figure of the val part by which the best epoch is chosen, e.g. ``"top1"``, and its title."""

    def measure(
        self,
        model: Model,
        data: DataSet[Any],
        part: Part[Any],
        occasion: Occasion,
        *,
        batch_size: int | None = None,
        workers: int | None = None,
    ) -> Result:
        """Returns what a model answers for a part of data; raises DataError for a truth that the model does not know.

        Classes are matched by name, never by position. A sample that cannot be read is refused, and named.
        """

    def sections(self, result: Any, part: Part[Any]) -> list[Section]:
        """Returns what the report says of a result of this kind with samples; ``part`` holds them."""

    def describe(self, data: DataSet[Any]) -> tuple[str, ...]:
        """Returns the lines that say what the data are."""

    def pictures(self, part: Part[Any], places: Sequence[int]) -> Mapping[int, Shown]:
        """Returns samples as the report shows them, by place: uint8 pictures or words."""


def find(options: TrainOptions) -> Kind:
    """Returns the kind of task that the options name, in full or by its first word; else the one that the data are for.

    Raises UsageError for an unknown task, and for options of another one.
    """
    from neocog.tasks.image_kind import ImageClassificationKind
    from neocog.tasks.language_kind import LanguageKind
    from neocog.tasks.relation_kind import RelationKind
    from neocog.tasks.tag_kind import TaggingKind
    from neocog.tasks.text_kind import TextClassificationKind

    of_texts: tuple[Kind, ...] = (TextClassificationKind(), TaggingKind(), RelationKind(), LanguageKind())
    all_kinds: tuple[Kind, ...] = (ImageClassificationKind(), *of_texts)
    kinds = {kind.name: kind for kind in all_kinds}
    suited = {
        "relations": RelationKind.name,
        "tags": TaggingKind.name,
        "texts": TextClassificationKind.name,
        "pictures": ImageClassificationKind.name,
    }
    name = options.task or suited[held_in(options.data)]
    found = next((kind for own, kind in kinds.items() if f"{own} ".startswith(f"{name} ")), None)
    if found is None:
        raise UsageError(f"no task is called {name!r}.{near_names(name, kinds)} There are: {', '.join(kinds)}.")
    refuse_foreign(options, found.name)
    return found
