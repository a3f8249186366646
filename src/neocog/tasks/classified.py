"""What every kind of classification shares: how a part is measured, and what the report says of the answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from neocog.data.dataset import DataSet, Part
from neocog.report.confusion import Confusion, confusion_section
from neocog.report.mistakes import Mistake, Shown, mistakes_section
from neocog.report.page import Section
from neocog.report.scores import Calibration, ClassRow, calibration_section, classes_section
from neocog.tasks.evaluation import TestResult, answer
from neocog.tasks.model import Model
from neocog.tasks.result import Occasion
from neocog.tasks.statistics import wilson_interval
from neocog.tasks.tested_part import in_model_order

SHOWN_MISTAKES = 24
CHOSEN_BY = ("top1", "top-1 accuracy")  # the figure by which the best epoch is chosen, and its title


def measured(
    model: Model,
    data: DataSet[Any],
    part: Part[Any],
    occasion: Occasion,
    *,
    batch_size: int | None = None,
    workers: int | None = None,
) -> TestResult:
    """Returns what a model answers for a part of data, whose classes are matched with the model's by name."""
    labelled = in_model_order(data, part, model.classes)
    answers, refused = answer(model, labelled, batch_size=batch_size, workers=workers)
    return TestResult(
        contract=model.contract,
        data=occasion.data,
        part=occasion.part,
        statement=occasion.statement,
        items=labelled.items,
        answers=answers,
        refused=refused,
        warnings=occasion.warnings,
    )


def sections(result: TestResult, part: Part[Any], show: Callable[..., Mapping[int, Shown]]) -> list[Section]:
    """Returns how good a classifier is: confusion, classes, calibration and the worst mistakes as ``show`` gives them.

    ``show`` takes a part and places in it.
    """
    curve, worst = result.reliability, result.mistakes(SHOWN_MISTAKES)
    shown = show(part, [each.index for each in worst])
    mistakes = [
        Mistake(
            sample=each.name,
            truth=each.truth,
            answer=each.predicted,
            probability=each.probability,
            truth_probability=each.probability_of_truth,
            **_look(shown.get(each.index)),
        )
        for each in worst
    ]
    wrong = int((result.answers.predicted != result.answers.truth).sum())
    return [
        confusion_section(Confusion(result.classes, result.confusion), part=result.part),
        classes_section(_class_rows(result)),
        calibration_section(Calibration(curve.edges, curve.count, curve.confidence, curve.accuracy, curve.error)),
        mistakes_section(mistakes, wrong),
    ]


def _look(shown: Shown | None) -> dict[str, Any]:
    return {"excerpt": shown} if isinstance(shown, str) else {"picture": shown}


def _class_rows(result: TestResult) -> list[ClassRow]:
    rows = []
    for place, label in enumerate(result.classes):
        support = int(result.scores.support[place])
        low, high = wilson_interval(int(result.confusion[place, place]), support)
        scores = result.scores
        rows.append(
            ClassRow(
                label,
                float(scores.precision[place]),
                float(scores.recall[place]),
                float(scores.f1[place]),
                support,
                low,
                high,
            )
        )
    return rows
