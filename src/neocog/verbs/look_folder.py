"""What ``neocog look --out`` leaves: the sheets as PNG, ``look.json`` and a report in one file."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image

from neocog.core.errors import ResourceError, UsageError
from neocog.core.files import why_not_written, write_text
from neocog.report.look_page import Drawn, LookPage, PictureSection
from neocog.report.markup import percent, plural
from neocog.report.sheet import short
from neocog.verbs.look_methods import METHODS
from neocog.verbs.look_result import Figure, Look, Looked, refusals
from neocog.verbs.look_trust import Trust

# Beyond so many pictures the page would no longer open at once; the others' figures are files alone.
ON_PAGE = 24
REPORT, TABLE = "report.html", "look.json"
Made = TypeVar("Made")


def refuse(folder: Path) -> None:
    """Raises UsageError where there is something already: nothing is ever overwritten."""
    if folder.is_symlink() or (folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))):
        raise UsageError(f"--out {folder}: there is something of that name already; give a new folder.")


def write(folder: Path, look: Look) -> Look:
    """Writes everything, all or nothing, and returns the look with its files, relative to the folder.

    Raises UsageError where the folder is not empty, and ResourceError where it cannot be written.
    """

    def fill(inside: Path) -> Look:
        filed = _with_files(inside, look)
        _page(filed).page().write(inside / REPORT)
        write_table(inside, filed.to_json())
        return filed

    return replace(whole(folder, fill), folder=folder)


def write_table(folder: Path, values: dict[str, Any]) -> None:
    """Writes ``look.json``."""
    write_text(folder / TABLE, json.dumps(values, indent=1, ensure_ascii=False) + "\n")


def whole(folder: Path, fill: Callable[[Path], Made]) -> Made:
    """Has a new folder filled, all or nothing, and returns what ``fill`` does; raises as `write` does."""
    refuse(folder)
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        made = fill(unfinished)
        unfinished.replace(folder)
    except OSError as error:
        raise ResourceError(why_not_written(folder, error)) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return made


def _with_files(folder: Path, look: Look) -> Look:
    readable = [place for place, each in enumerate(look.pictures) if not each.error]
    digits = len(str(len(look.pictures)))
    pictures = []
    for place, each in enumerate(look.pictures):
        single = len(look.pictures) == 1
        inner = Path() if single else Path(f"{place + 1:0{digits}}_{_slug(Path(each.input).stem)}")
        if place in readable:
            (folder / inner).mkdir(exist_ok=True)
            _save_seen(folder / inner / "seen.png", each)
        pictures.append(replace(each, figures=_saved(folder, inner, each.figures)))
    return replace(look, pictures=tuple(pictures), figures=_saved(folder, Path(), look.figures))


def _save_seen(path: Path, each: Looked) -> None:
    assert each.picture is not None
    array = each.picture.permute(1, 2, 0).contiguous().numpy()
    Image.fromarray(array[..., 0] if array.shape[2] == 1 else array).save(path)


def _saved(folder: Path, inner: Path, figures: Sequence[Figure]) -> tuple[Figure, ...]:
    taken: set[str] = set()
    result = []
    for figure in figures:
        if figure.drawn is None:
            result.append(figure)
            continue
        name = _free(figure, taken)
        Image.fromarray(figure.drawn).save(folder / inner / name, optimize=True)
        result.append(replace(figure, file=inner / name))
    return tuple(result)


def _free(figure: Figure, taken: set[str]) -> str:
    """Returns the method's name, with the layer, or a number, where that is taken."""
    tries = [figure.method, f"{figure.method}-{_slug(figure.layer or '')}".rstrip("-")]
    tries += [f"{figure.method}-{number}" for number in range(2, len(taken) + 3)]
    name = next(each for each in tries if each not in taken)
    taken.add(name)
    return f"{name}.png"


def _slug(words: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", words).strip("-.")[:40] or "picture"


def _page(look: Look) -> LookPage:
    readable = [each for each in look.pictures if not each.error]
    titles = {figure.title for figure in look.all_figures if not figure.error}
    return LookPage(
        title=f"A look into {look.network}",
        verdict=_verdict(look, readable),
        facts=[("Model", look.model), ("Network", look.network), ("Pictures", f"{len(readable):,}")],
        pictures=[_section(each) for each in readable[:ON_PAGE]],
        network=[_drawn(figure) for figure in look.figures if not figure.error],
        refused=refusals(look.figures),
        unread=[(each.input, each.error) for each in look.refused],
        left=[each.input for each in readable[ON_PAGE:]],
        papers=[(each.title, each.about, each.paper) for each in METHODS if each.title in titles],
        notes=look.notes,
    )


def _verdict(look: Look, readable: Sequence[Looked]) -> str:
    if len(readable) == 1:
        label, chance = readable[0].answers[0]
        return f"{label}, says the network, with {percent(chance)}."
    ways = len({figure.method for figure in look.all_figures if not figure.error})
    return f"{plural(len(readable), 'picture')} in {plural(ways, 'way', 'ways')}."


def _section(each: Looked) -> PictureSection:
    assert each.picture is not None
    pixels = each.picture.permute(1, 2, 0).contiguous().numpy()
    return PictureSection(
        name=each.input,
        picture=pixels if pixels.shape[2] in (1, 3) else pixels[..., :1],
        answers=each.answers,
        figures=[_drawn(figure) for figure in each.shown],
        refused=refusals(each.figures),
    )


def _drawn(figure: Figure) -> Drawn:
    assert figure.drawn is not None
    about = next(each.about for each in METHODS if each.name == figure.method)
    file = "" if figure.file is None else figure.file.as_posix()
    return Drawn(figure.title, about, figure.drawn, tuple(_facts(figure)), figure.note, file)


def _facts(figure: Figure) -> list[tuple[str, str]]:
    rows = [("Layer", figure.layer), ("Unit", _unit(figure)), ("Class", figure.target)]
    if figure.score is not None and figure.probability is not None:
        rows += [("Score (logit)", short(figure.score)), ("Probability", percent(figure.probability))]
    return [(label, value) for label, value in rows if value] + trust_facts(figure.trust)


def trust_facts(trust: Trust | None) -> list[tuple[str, str]]:
    """Returns the scores of trust with their names, as far as there are any."""
    if trust is None:
        return []
    rows = [("Like random weights", f"{trust.rank:.2f}")]
    if trust.deletion == trust.deletion:
        rows.append(("Deletion", f"{trust.deletion:.2f} (random {trust.deletion_chance:.2f})"))
        rows.append(("Insertion", f"{trust.insertion:.2f} (random {trust.insertion_chance:.2f})"))
    return rows


def _unit(figure: Figure) -> str:
    if figure.unit is None:
        return ""
    channel, *place = figure.unit
    return f"channel {channel}" + (f" at {', '.join(map(str, place))}" if place else "")
