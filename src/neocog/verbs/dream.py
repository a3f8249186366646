"""``dream``: pictures that excite what a network has learnt, from noise or from a picture; features turned back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor, nn

from neocog.core.errors import NetworkError, UnreadableInput, UsageError
from neocog.core.inputs import check_input
from neocog.data.decode import decode
from neocog.data.preprocess import PicturePreprocessing
from neocog.data.resize import prepare, resize
from neocog.explain.maximise import OnStep, reached
from neocog.tasks.model import Model
from neocog.tasks.picture_prediction import PicturePredictor
from neocog.verbs import dream_files
from neocog.verbs.dream_ways import STEPS, WAYS, Dream, Job, gray
from neocog.verbs.dream_wishes import read_wishes
from neocog.verbs.opening import open_model

# The side of dreams from noise, where the network takes it; smaller networks dream at their own size.
SIDE = 128
# Told of each step: which dream of how many, what it is of, the step, how far it came.
Progress = Callable[[int, int, str, int, float], None]


@dataclass(frozen=True)
class Dreams:
    """What the verb made: of which model, how, and the pictures; ``file`` is the sheet, or the only picture."""

    model: str
    network: str
    method: str
    steps: int
    seed: int
    picture: str | None
    dreams: tuple[Dream, ...]
    file: Path | None = None


def dream(
    model: str | Path | Model,
    layers: str | Iterable[str] = (),
    *,
    out: str | Path | None = None,
    classes: str | Iterable[str] = (),
    steps: int | None = None,
    size: int | None = None,
    seed: int = 0,
    plain: bool = False,
    start: str | Path | None = None,
    invert: str | Path | None = None,
    device: str | None = None,
    net: str | None = None,
    progress: Progress | None = None,
) -> Dreams:
    """Makes pictures that excite layers, units or classes of a model, and writes them where ``out`` says.

    ``model`` is a model file, a loaded model, or a network of the zoo with ImageNet weights. ``layers`` are ``LAYER``,
    ``LAYER:CHANNEL``, ``LAYER:FIRST-LAST`` or ``LAYER:CHANNEL,ROW,COLUMN``, with names as `neocog zoo` prints them;
    ``classes`` names or numbers. ``out`` is a new folder, or a .png file for one picture or the sheet of several;
    nothing is ever overwritten. ``plain`` is gradient ascent from noise without tricks; ``start`` a picture to change
    (DeepDream); ``invert`` one whose features at the layer are turned back into a picture. ``steps`` are 256, of
    DeepDream 10 for each of its sizes, of an inversion 300; ``size`` is the side, 128 or the model's own unless told.

    Raises NetworkError for an unknown layer, UsageError for what cannot be followed, UnreadableInput for a picture that
    cannot be read, ResourceError where nothing can be written.
    """
    if out is not None:
        dream_files.refuse(Path(out))
    method = _method(plain, start, invert)
    if steps is not None and steps < 1:
        raise UsageError(f"steps are from 1, got {steps}.")
    if size is not None and size < 1:
        raise UsageError(f"size is a number of pixels from 1, got {size}.")
    loaded = open_model(model, device, net=net)
    wishes = read_wishes(_several(layers), _several(classes), loaded.network, loaded.classes)
    if invert is not None and any(wish.layer is None or wish.unit is not None for wish in wishes):
        raise UsageError("an inversion is of a whole layer's features; name layers without units, and no classes.")
    source = start if start is not None else invert
    job = _job(loaded, method, steps, size, seed, source)
    for wish in wishes:  # a unit that is not there is refused before anything is made
        reached(job.network, wish.objective, job.normal(gray(job)))
    made = []
    for number, wish in enumerate(wishes, 1):
        made.append(WAYS[method](job, wish, _teller(progress, number, len(wishes), wish.words)))
    picture = None if source is None else str(source)
    name = "model" if isinstance(model, Model) else str(model)
    dreams = Dreams(name, loaded.contract.network, method, job.steps, seed, picture, tuple(made))
    return dreams if out is None else dream_files.write(Path(out), dreams)


def _method(plain: bool, start: object, invert: object) -> str:
    told = {"--plain": plain or None, "--start": start, "--invert": invert}
    given = [flag for flag, value in told.items() if value is not None]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} are different ways to dream; choose one.")
    return {"--plain": "ascend", "--start": "deepdream", "--invert": "invert"}[given[0]] if given else "maximise"


def _several(words: str | Iterable[str]) -> list[str]:
    return [words] if isinstance(words, str) else list(words)


def _job(model: Model, method: str, steps: int | None, size: int | None, seed: int, source: str | Path | None) -> Job:
    if not isinstance(model.predictor, PicturePredictor):
        raise UsageError(f"dreams are pictures, and this model is for {model.contract.task}.")
    preprocessing = model.predictor.preprocessing
    picture = None
    if source is not None:
        picture = _read(Path(source), model.network, preprocessing, size, whole=method == "deepdream")
        picture = picture.to(model.device)
    shape = _shape(model.network, preprocessing, size) if picture is None else tuple(picture.shape)
    assert len(shape) == 3
    return Job(model.network, preprocessing, shape, steps or STEPS[method], seed, picture)


def _shape(network: nn.Module, preprocessing: PicturePreprocessing, size: int | None) -> tuple[int, int, int]:
    own = (preprocessing.channels, *preprocessing.size)
    if size is not None:
        asked = (preprocessing.channels, size, size)
        check_input(network, asked)
        return asked
    small = (preprocessing.channels, SIDE, SIDE)
    return small if min(preprocessing.size) > SIDE and _fits(network, small) else own


def _fits(network: nn.Module, shape: tuple[int, int, int]) -> bool:
    try:
        check_input(network, shape)
    except NetworkError:
        return False
    return True


def _read(
    path: Path, network: nn.Module, preprocessing: PicturePreprocessing, size: int | None, *, whole: bool
) -> Tensor:
    """Returns a picture (C, H, W) in [0, 1]; ``whole`` and not cut to a square, where the network takes it so."""
    try:
        raw = path.read_bytes()
        pixels = decode(raw, channels=preprocessing.channels, exif=preprocessing.exif)
        short = size or min(preprocessing.size)
        factor = short / min(pixels.shape[1:])
        shape = (max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[2] * factor)))
        if not (whole and _fits(network, (preprocessing.channels, *shape))):
            own = preprocessing if size is None else _square(preprocessing, size)
            check_input(network, (own.channels, *own.size))
            return prepare(raw, own).float() / 255
        return resize(pixels, shape, preprocessing.filter).float() / 255
    except OSError as error:
        raise UnreadableInput(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnreadableInput as error:
        raise UnreadableInput(f"{path}: {error}") from error


def _square(preprocessing: PicturePreprocessing, size: int) -> PicturePreprocessing:
    """Returns the preprocessing for another size, its resize in proportion."""
    factor = size / min(preprocessing.size)
    return replace(
        preprocessing,
        size=(size, size),
        resize=round(preprocessing.resize * factor),
        pad=round(preprocessing.pad * factor),
    )


def _teller(progress: Progress | None, number: int, count: int, words: str) -> OnStep:
    def tell(step: int, score: Tensor, _: Tensor) -> None:
        if progress is not None:
            progress(number, count, words, step, float(score[0]))

    return tell
