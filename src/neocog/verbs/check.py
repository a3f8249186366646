"""The verb ``check``: the data doctor's report, and the list that ``train --exclude`` takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from neocog.core.errors import UsageError

if TYPE_CHECKING:
    from neocog.data.dataset import DataSet
    from neocog.data.findings import Finding, Progress
    from neocog.data.text_rows import Reading

LIST_NAME = "neocog-check.csv"


@dataclass(frozen=True)
class Report:
    """What `check` found.

    ``samples`` is the number of samples of each part, ``what`` the word for them (pictures, texts); ``findings``
    everything found, gravest kinds first, and ``meanings`` what each kind that can be found means; ``proposals`` the
    (path, reason) of the samples that training had better leave out, which are written to ``list_file`` (None where
    there was nothing to write); ``notes`` what the reader passed over.
    """

    source: str
    what: str
    classes: tuple[str, ...]
    samples: Mapping[str, int]
    findings: tuple[Finding, ...]
    meanings: Mapping[str, str]
    proposals: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    list_file: Path | None

    @property
    def counts(self) -> dict[str, int]:
        """Number of findings by kind, gravest kinds first."""
        return dict(Counter(finding.kind for finding in self.findings))


def check(
    data: str | Path | None = None,
    *,
    root: str | Path | None = None,
    list_out: str | Path | None = None,
    near: bool = True,
    max_pixels: int | None = None,
    workers: int | None = None,
    encoding: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    trees: str | None = None,
    progress: Progress | None = None,
) -> Report:
    """Examines labelled pictures or texts, whatever `train` takes; changes and deletes nothing of them.

    ``list_out`` is where the samples proposed for leaving out are written (default ``neocog-check.csv`` in the current
    folder; only where there are any); ``near`` also looks for near copies; ``progress`` is told how many are examined,
    of how many. ``root``, ``max_pixels`` and ``workers`` are for pictures; ``encoding``, ``text_column``,
    ``label_column`` and ``trees`` say how texts are read. Raises DataError where nothing can be read, with file and
    line for what is no text; UsageError where ``list_out`` is a file that is no such list, and for an option of the
    other kind of data; ResourceError where the list cannot be written.
    """
    from neocog.data.findings import proposals
    from neocog.data.held import held_in
    from neocog.data.text_lines import ENCODING
    from neocog.data.text_rows import Reading

    target = Path(list_out) if list_out is not None else Path(LIST_NAME)
    of_pictures: dict[str, Any] = {"root": root, "max_pixels": max_pixels, "workers": workers}
    of_texts = {"encoding": encoding, "text_column": text_column, "label_column": label_column, "trees": trees}
    held = held_in(data)
    if held == "relations":
        of_others = {**of_pictures, **of_texts, "encoding": None}
        _refuse_options(of_others, "other data", f"{data} holds sentences with relations")
        _refuse_own(target)
        examined = _relations(data or "", near=near, progress=progress, encoding=encoding)
    elif held == "tags":
        _refuse_options({**of_pictures, "trees": trees}, "other data", f"{data} holds tagged sentences")
        _refuse_own(target)
        columns = Reading(encoding or ENCODING, text_column, label_column)
        examined = _tagged(data or "", columns, progress=progress)
    elif held == "texts":
        _refuse_options(of_pictures, "pictures", f"{data} holds texts")
        _refuse_own(target)
        examined = _texts(data or "", near=near, progress=progress, **of_texts)
    else:
        _refuse_options(of_texts, "texts", f"{data or 'the digits'}: these are no texts")
        _refuse_own(target)
        examined = _pictures(data, near=near, progress=progress, **of_pictures)
    proposed = proposals(examined.findings)
    return Report(
        source=examined.dataset.source,
        what=examined.what,
        classes=examined.dataset.classes,
        samples={name: len(part) for name, part in examined.dataset.parts.items()},
        findings=examined.findings,
        meanings=examined.meanings,
        proposals=proposed,
        notes=examined.dataset.notes,
        list_file=_write(target, proposed) if proposed else None,
    )


class _Examined(NamedTuple):
    what: str
    dataset: DataSet[Any]
    findings: tuple[Finding, ...]
    meanings: Mapping[str, str]


def _pictures(
    data: str | Path | None,
    *,
    near: bool,
    progress: Progress | None,
    root: str | Path | None,
    max_pixels: int | None,
    workers: int | None,
) -> _Examined:
    from neocog.data.decode import MAX_PIXELS
    from neocog.data.doctor import KINDS, examine
    from neocog.data.open import read_source, without_empty

    dataset = without_empty(read_source(data, root))
    pixels = max_pixels or MAX_PIXELS
    findings = examine(dataset, near=near, max_pixels=pixels, workers=workers, progress=progress)
    return _Examined("pictures", dataset, findings, KINDS)


def _texts(
    data: str | Path,
    *,
    near: bool,
    progress: Progress | None,
    encoding: str | None,
    text_column: str | None,
    label_column: str | None,
    trees: str | None,
) -> _Examined:
    from neocog.data.open import without_empty
    from neocog.data.text_doctor import KINDS, examine
    from neocog.data.text_lines import ENCODING
    from neocog.data.text_open import read_texts
    from neocog.data.text_rows import Reading

    reading = Reading(encoding or ENCODING, text_column, label_column, trees)
    dataset = without_empty(read_texts(data, reading, whole=False, kin=True))
    return _Examined("texts", dataset, examine(dataset, near=near, progress=progress), KINDS)


def _tagged(data: str | Path, reading: Reading, *, progress: Progress | None) -> _Examined:
    from neocog.data.conll_open import open_tagged
    from neocog.data.tag_doctor import KINDS, examine

    dataset = open_tagged(data, reading=reading)
    return _Examined("tagged sentences", dataset, examine(dataset, progress=progress), KINDS)


def _relations(data: str | Path, *, near: bool, progress: Progress | None, encoding: str | None) -> _Examined:
    """Examines sentences with the marks of their entities; a bag is the text of all its sentences."""
    from neocog.data.relation_open import are_bags, as_texts, open_relations
    from neocog.data.text_doctor import KINDS, examine
    from neocog.data.text_lines import ENCODING

    relations = open_relations(data, encoding=encoding or ENCODING, for_training=False)
    what, dataset = "bags of sentences" if are_bags(relations) else "sentences", as_texts(relations)
    return _Examined(what, dataset, examine(dataset, near=near, progress=progress), KINDS)


def _refuse_options(options: Mapping[str, object], owners: str, instead: str) -> None:
    for option, value in options.items():
        if value is not None:
            raise UsageError(f"--{option.replace('_', '-')} is for {owners}, and {instead}; leave it out")


def _refuse_own(target: Path) -> None:
    """A list made before may be replaced; the user's own table may not."""
    from neocog.data.exclude import COLUMNS

    if not target.exists():
        return
    try:
        with target.open(encoding="utf-8") as file:
            first = file.readline().strip()
    except (OSError, UnicodeDecodeError):
        first = ""
    if first != ",".join(COLUMNS):
        raise UsageError(f"{target} exists and is no list of exclusions; give another name by --out")


def _write(target: Path, proposed: tuple[tuple[str, str], ...]) -> Path:
    from neocog.core.files import write_text
    from neocog.data.exclude import list_text

    write_text(target, list_text(proposed))
    return target
