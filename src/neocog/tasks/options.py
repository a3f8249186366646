"""Every option of ``neocog train`` in one table, from which function, command line and ``config.toml`` are made."""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from neocog.core.errors import UsageError, near_names
from neocog.core.recipe import Recipe
from neocog.tasks.option_checks import check_ranges

CLASSES, LANGUAGE, TAGS = "text classification", "language modelling", "tagging"
RELATIONS = "relation classification"


def _option(help: str, default: Any = None, **metadata: Any) -> Any:
    return field(default=default, metadata={"help": help, **metadata})


@dataclass(frozen=True)
class TrainOptions:
    """What a user can ask of a training run; None leaves the choice to Neocog, which says what it chose and why."""

    data: str | None = _option(
        "Folder of class folders, CSV/TSV/JSONL, `label text` lines, .npz, .zip, or a known set; none: digits."
    )
    task: str | None = _option("The task, when the data alone do not tell.", group="Data")
    root: str | None = _option("Where local copies of known data sets lie (or NEOCOG_DATA).", group="Data")
    exclude: str | None = _option("List of paths to leave out, as `neocog check` writes it.", group="Data")
    split_seed: int = _option("Seed of the split into train, val and test.", 0, group="Data")
    samples: int | None = _option("Train on so many of the training samples; val and test stay whole.", group="Data")
    max_bad: float = _option("Largest fraction of unreadable files to go on with.", 0.01, group="Data")

    folds: int | None = _option(
        "Cross-validate: train once a fold, test on it, and give the mean.", group="Data", only=(CLASSES, TAGS)
    )
    fold: int | None = _option("Of --folds this one alone, from 1.", group="Data", only=(CLASSES, TAGS))
    encoding: str | None = _option(
        "Encoding of text files; UTF-8 unless told, e.g. latin-1.",
        group="Text",
        only=(CLASSES, LANGUAGE, TAGS, RELATIONS),
    )
    text_column: str | None = _option(
        "Column of a table (its name, or its number from 1) that holds the texts.",
        group="Text",
        only=(CLASSES, TAGS),
    )
    label_column: str | None = _option(
        "Column of a table of texts that holds the labels.", group="Text", only=(CLASSES, TAGS)
    )
    trees: str | None = _option(
        "Labels of sentiment trees: five (fine), or two without what is neutral; fine unless told.",
        choices=("fine", "binary"),
        group="Text",
        only="text classification",
    )
    phrases: bool | None = _option(
        "Learn the phrases of trees too, as Kim did; where there are val and test parts unless told.",
        group="Text",
        only="text classification",
    )
    tokeniser: str | None = _option(
        "How texts become tokens; of running text, characters unless told.",
        choices=("kim", "kim-cased", "kim-sst", "words", "whitespace", "characters"),
        group="Text",
        only=(CLASSES, LANGUAGE, RELATIONS),
    )
    vocabulary: int | None = _option(
        "Of running text in words so many of the most frequent are told apart; 10000 unless told.",
        group="Text",
        only=LANGUAGE,
    )
    window: int | None = _option(
        "Tokens of running text that a training sample holds; 64 characters or 35 words unless told.",
        group="Text",
        only=LANGUAGE,
    )
    vectors: str | None = _option(
        "Word vectors: GloVe text (also .gz), word2vec .bin, or .safetensors.",
        group="Text",
        only=(CLASSES, TAGS, RELATIONS),
    )
    words: int | None = _option(
        "So many of the vectors' first words are known beside those of the training part; 50000 unless told.",
        group="Text",
        only=(CLASSES, TAGS, RELATIONS),
    )
    mode: str | None = _option(
        "Kim's modes: random vectors, given ones that stay, given ones that learn, or both.",
        choices=("rand", "static", "non-static", "multichannel"),
        group="Text",
        only="text classification",
    )
    dimension: int | None = _option(
        "Numbers in a word vector; those of --vectors, else the network's own (mostly 300).",
        group="Text",
        only=(CLASSES, LANGUAGE, TAGS, RELATIONS),
    )
    bidirectional: bool | None = _option(
        "A recurrent network reads the text from its end, too; taggers do unless told.",
        group="Text",
        only=(CLASSES, TAGS),
    )

    scheme: str | None = _option(
        "How tags of spans are learned; BIOES unless told. Answers are in the data's own scheme.",
        choices=("IOB1", "IOB2", "BIOES"),
        group="Text",
        only=TAGS,
    )
    likelihood: str | None = _option(
        "What a tagger learns: each word's tag, or with transitions the whole sentence; the sentence unless told.",
        choices=("word", "sentence"),
        group="Text",
        only=TAGS,
    )

    net: str | None = _option(
        "The network's name (`neocog zoo` lists them), or your own, module:function.", group="Network"
    )
    weights: str | None = _option(
        "imagenet, none, FILE, torchvision:FILE, timm:FILE, keras:FILE or https://...", group="Network"
    )
    size: int | None = _option(
        "Side of the network's square input in pixels.", group="Network", only="image classification"
    )
    grey: bool | None = _option(
        "Read pictures as grey, or as colour; as they are unless told.", group="Network", only="image classification"
    )
    dropout: float | None = _option("Dropout probability, for networks that have dropout.", group="Network")
    flip_average: bool | None = _option(
        "Average predictions over picture and mirror image.", group="Network", only="image classification"
    )

    transfer: str | None = _option(
        "For pretrained weights: frozen features, fine-tuning, or none (from scratch).",
        choices=("features", "finetune", "none"),
        group="Transfer",
    )
    everything: bool = _option("Fine-tune all layers in the end, not the last stages alone.", False, group="Transfer")
    minutes: float | None = _option("Time that training may take; plans the epochs by a short probe.", group="Transfer")

    recipe: str | None = _option(
        "paper (as published), fast (ours) or smoke (seconds).", choices=("paper", "fast", "smoke"), group="Recipe"
    )
    epochs: int | None = _option("Passes over the training part.", group="Recipe", recipe="epochs")
    batch: int | None = _option("Samples a step, over all processes.", group="Recipe", recipe="batch_size")
    optimiser: str | None = _option(
        "The optimiser.", choices=("sgd", "rmsprop", "adam", "adamw", "adadelta"), group="Recipe", recipe="optimiser"
    )
    lr: str | None = _option("Learning rate, or `find` for a range test with its picture.", group="Recipe")
    momentum: float | None = _option("Momentum of SGD and RMSprop.", group="Recipe", recipe="momentum")
    nesterov: bool | None = _option("Nesterov's momentum.", group="Recipe", recipe="nesterov")
    decay: float | None = _option("Weight decay; spares norms and biases.", group="Recipe", recipe="decay")
    l1: float | None = _option("L1 penalty, added to the loss.", group="Recipe", recipe="l1")
    l2: float | None = _option("L2 penalty, added to the loss.", group="Recipe", recipe="l2")
    schedule: str | None = _option(
        "How the learning rate moves.",
        choices=("constant", "step", "cosine", "one-cycle", "inverse-time"),
        group="Recipe",
        recipe="schedule",
    )
    warmup: float | None = _option("Epochs of linear warm-up.", group="Recipe", recipe="warmup")
    accumulate: int | None = _option("Pieces a batch goes in, gradients added up.", group="Recipe", recipe="accumulate")
    clip: float | None = _option("Largest norm of the gradient.", group="Recipe", recipe="clip")
    max_norm: float | None = _option(
        "Largest norm of each class's weights in the last layer.", group="Recipe", recipe="max_norm"
    )
    label_smoothing: float | None = _option("Label smoothing.", group="Recipe", recipe="label_smoothing")
    mixup: float | None = _option("Alpha of MixUp.", group="Recipe", recipe="mixup", only="image classification")
    cutmix: float | None = _option("Alpha of CutMix.", group="Recipe", recipe="cutmix", only="image classification")
    class_weights: bool | None = _option(
        "Weigh the loss by inverse class frequency.", group="Recipe", recipe="class_weights"
    )
    ema: float | None = _option("Decay of the running average of the weights.", group="Recipe", recipe="ema")
    patience: int | None = _option(
        "Epochs without a better validation before stopping.", group="Recipe", recipe="patience"
    )
    precision: str | None = _option(
        "Arithmetic of the training step.", choices=("auto", "fp32", "bf16", "fp16"), group="Recipe", recipe="precision"
    )

    crop: float | None = _option(
        "Least area of a random resized crop, 0..1; 1 is off.", group="Augmentation", only="image classification"
    )
    flip: bool | None = _option(
        "Mirror pictures left to right at random.",
        group="Augmentation",
        augment="horizontal_flip",
        only="image classification",
    )
    shift: int | None = _option(
        "Move pictures at random by so many pixels.", group="Augmentation", augment="shift", only="image classification"
    )
    jitter: float | None = _option(
        "Change of brightness, contrast and saturation.",
        group="Augmentation",
        augment="jitter",
        only="image classification",
    )
    erasing: float | None = _option(
        "Probability of random erasing.", group="Augmentation", augment="erasing", only="image classification"
    )

    out: str | None = _option("The run folder to make; runs/NAME unless told.", group="Run")
    seed: int = _option("Seed of everything random in training.", 0, group="Run")
    device: str | None = _option("cpu, cuda or cuda:N; a GPU when there is one.", group="Run")
    workers: int | None = _option("Threads that read pictures; as many as cores unless told.", group="Run")
    sync_bn: bool = _option("Synchronise batch norm over processes.", False, group="Run")
    checkpoint_seconds: float = _option("Seconds between checkpoints.", 30.0, group="Run")
    quiet: bool = _option("Say nothing but errors.", False, group="Run")

    def to_config(self) -> dict[str, Any]:
        """Returns what differs from the defaults, as plain values for ``config.toml``."""
        return {
            option.name: getattr(self, option.name)
            for option in fields(self)
            if getattr(self, option.name) != option.default and option.name not in ("out", "quiet")
        }

    def to_words(self) -> list[str]:
        """Returns what `neocog` is to be called with to train the same, but for the folder: ``["train", ...]``."""
        words = ["train", *([self.data] if self.data else [])]
        for name, value in self.to_config().items():
            flag = "--" + name.replace("_", "-")
            if isinstance(value, bool):
                words.append(flag if value else f"--no-{flag[2:]}")
            elif name != "data":
                words += [flag, str(value)]
        return words


def make_options(data: str | Path | None, given: dict[str, Any]) -> TrainOptions:
    """Returns the options with what was given.

    Raises UsageError for an unknown option, with near names, and for a value outside its choices.
    """
    known = {option.name: option for option in fields(TrainOptions)}
    for name, value in given.items():
        if name not in known:
            raise UsageError(f"train has no option {name!r}.{near_names(name, known)}")
        _check_choice(known[name], value)
    plain: dict[str, Any] = {name: str(value) if isinstance(value, Path) else value for name, value in given.items()}
    if isinstance(plain.get("lr"), float | int):
        plain["lr"] = repr(float(plain["lr"]))
    options = TrainOptions(data=None if data is None else str(data), **plain)
    check_ranges(options)
    return options


def refuse_foreign(options: TrainOptions, task: str) -> None:
    """Raises UsageError for an option that belongs to another task than this."""
    for option in fields(options):
        only = option.metadata.get("only", task)
        tasks = (only,) if isinstance(only, str) else only
        if task not in tasks and getattr(options, option.name) != option.default:
            flag = f"--{option.name.replace('_', '-')}"
            raise UsageError(f"{flag} is for {' and '.join(tasks)}, and these data are for {task}")


def _check_choice(option: Field[Any], value: Any) -> None:
    choices = option.metadata.get("choices")
    if choices and value is not None and value not in choices:
        raise UsageError(f"{option.name} must be one of {', '.join(choices)}; got {value!r}")


def apply_to_recipe(recipe: Recipe, options: TrainOptions) -> Recipe:
    """Returns the recipe with each option that was given in place of the recipe's own number."""
    changes: dict[str, Any] = {}
    augment: dict[str, Any] = {}
    for option in fields(options):
        value = getattr(options, option.name)
        if value is None or option.default is MISSING:
            continue
        if "recipe" in option.metadata:
            changes[option.metadata["recipe"]] = value
        elif "augment" in option.metadata:
            augment[option.metadata["augment"]] = value
    if options.crop is not None:
        augment["crop_scale"] = None if options.crop == 1 else (options.crop, 1.0)
    if options.lr not in (None, "find"):
        changes["learning_rate"] = float(options.lr or 0)
    if options.dropout is not None:
        changes["dropout"] = options.dropout
    return replace(recipe, **changes, augmentation=replace(recipe.augmentation, **augment))
