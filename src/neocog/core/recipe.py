"""A recipe: every number of a training run, in one frozen table that the run folder writes down and can read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OptimiserName = Literal["sgd", "rmsprop", "adam", "adamw", "adadelta"]
ScheduleName = Literal["constant", "step", "cosine", "one-cycle", "inverse-time"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]


@dataclass(frozen=True)
class Augmentation:
    """Random changes to training pictures; the default changes nothing.

    ``crop_scale`` is the range of the area that a random resized crop keeps and ``crop_ratio`` of its aspect
    (Szegedy et al. 2015, section 6); ``shift`` pads and crops at random by so many pixels of the network's input (the
    CIFAR recipe); ``jitter`` the largest relative change of brightness, contrast and saturation; ``erasing`` the
    probability of random erasing (Zhong et al. 2017).
    """

    crop_scale: tuple[float, float] | None = None
    crop_ratio: tuple[float, float] = (3 / 4, 4 / 3)
    shift: int = 0
    horizontal_flip: bool = False
    vertical_flip: bool = False
    jitter: float = 0.0
    erasing: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    ``learning_rate`` belongs to ``batch_size`` samples a step (over all processes, accumulation included).
    ``alpha`` is the smoothing constant of RMSprop and AdaDelta (its rho).
    ``decay`` is weight decay: decoupled for AdamW, L2 in the gradient otherwise; it spares norms, biases and word
    vectors. ``max_norm`` is the largest norm of each row of the head's weight, put back after each step; 0 is none.
    ``l1`` and ``l2`` are the courses' penalties, added to the loss over the same weights: l1 sum|w|, l2 sum w^2.
    ``warmup`` is in epochs. ``step_at`` are the fractions of the run at which the step schedule multiplies by
    ``step_factor``. ``time_decay`` is Keras's classic ``lr / (1 + decay * step)``, for the inverse-time schedule.
    ``mixup`` and ``cutmix`` are the alphas of their Beta distributions, 0 is off; ``ema`` the decay of the running
    average of the weights, 0 is off; ``patience`` the epochs without a better validation metric before stopping, 0 is
    off. ``accumulate`` is the number of pieces that a batch goes in; ``clip`` the largest norm of the gradient.
    """

    name: str
    epochs: int
    batch_size: int
    optimiser: OptimiserName = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9
    nesterov: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    alpha: float = 0.9
    epsilon: float = 1e-8
    decay: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    schedule: ScheduleName = "constant"
    warmup: float = 0.0
    final_fraction: float = 0.0
    step_at: tuple[float, ...] = (0.5, 0.75)
    step_factor: float = 0.1
    time_decay: float = 0.0
    accumulate: int = 1
    clip: float = 0.0
    max_norm: float = 0.0
    label_smoothing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    class_weights: bool = False
    ema: float = 0.0
    patience: int = 0
    dropout: float | None = None
    precision: Precision = "auto"
    augmentation: Augmentation = Augmentation()
    source: str = ""
