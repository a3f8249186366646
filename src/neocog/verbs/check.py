"""The verb ``check``: the data doctor's report, and the list that ``train --exclude`` takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neocog.core.errors import UsageError

if TYPE_CHECKING:
    from neocog.data.doctor import Finding

LIST_NAME = "neocog-check.csv"


@dataclass(frozen=True)
class Report:
    """What `check` found.

    ``samples`` is the number of samples of each part; ``findings`` everything found, gravest kinds first; ``proposals``
    the (path, reason) of the samples that training had better leave out, which are written to ``list_file`` (None where
    there was nothing to write); ``notes`` what the reader passed over.
    """

    source: str
    classes: tuple[str, ...]
    samples: Mapping[str, int]
    findings: tuple[Finding, ...]
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
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Examines labelled pictures, whatever `train` takes; changes and deletes nothing of them.

    ``list_out`` is where the samples proposed for leaving out are written (default ``neocog-check.csv`` in the current
    folder; only where there are any); ``near`` also looks for near copies; ``progress`` is told how many are examined,
    of how many. Raises DataError where nothing can be read, UsageError where ``list_out`` is a file that is no such
    list, ResourceError where it cannot be written.
    """
    from neocog.data.decode import MAX_PIXELS
    from neocog.data.doctor import examine, proposals
    from neocog.data.open import read_source, without_empty
    from neocog.data.text_sniff import holds_texts

    if holds_texts(data):
        raise UsageError(f"{data} holds texts, and check examines pictures; training itself refuses faulty rows")
    target = Path(list_out) if list_out is not None else Path(LIST_NAME)
    _refuse_foreign(target)
    dataset = without_empty(read_source(data if data is not None else "digits", root))
    max_pixels = max_pixels or MAX_PIXELS
    findings = examine(dataset, near=near, max_pixels=max_pixels, workers=workers, progress=progress)
    proposed = proposals(findings)
    return Report(
        source=dataset.source,
        classes=dataset.classes,
        samples={name: len(part) for name, part in dataset.parts.items()},
        findings=findings,
        proposals=proposed,
        notes=dataset.notes,
        list_file=_write(target, proposed) if proposed else None,
    )


def _refuse_foreign(target: Path) -> None:
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
