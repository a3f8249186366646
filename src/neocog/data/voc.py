"""Pascal VOC folders: pictures in JPEGImages, their boxes in Annotations, the parts in ImageSets/Main.

VOC counts pixels from 1 and a box's last ones belong to it, so that (1, 1, 640, 480) is a whole picture of 640x480
(VOC2012 development kit, section 4). Here a box goes from its left upper edge to its right lower one, from 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from neocog.core.errors import DataError
from neocog.core.reference.localisation import Box

LARGEST = 4 * 2**20  # bytes of an annotation
CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class LabelledBox:
    """One thing in a picture; ``difficult`` ones do not count in VOC's evaluation."""

    label: str
    box: Box
    difficult: bool = False
    truncated: bool = False


@dataclass(frozen=True)
class VocPicture:
    """A picture of ``width`` x ``height`` pixels with what is in it."""

    path: Path
    width: int
    height: int
    things: tuple[LabelledBox, ...]

    def boxes(self, label: str) -> list[Box]:
        """Returns the boxes of one class."""
        return [thing.box for thing in self.things if thing.label == label]


@dataclass(frozen=True)
class VocPart:
    """The pictures of one part in the order of its list, and what was repaired on the way, a sentence each."""

    pictures: tuple[VocPicture, ...]
    notes: tuple[str, ...]


def read_voc(root: Path, part: str) -> VocPart:
    """Reads the pictures that ``ImageSets/Main/PART.txt`` lists.

    A box without an area is left out, one that reaches beyond its picture is cut at its edge; both are noted.

    Raises DataError for a part that is not there, a picture or an annotation that is missing, and an annotation that
    is not VOC's.
    """
    listed = root / "ImageSets" / "Main" / f"{part}.txt"
    try:
        names = [line.split()[0] for line in listed.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        there = sorted(path.stem for path in listed.parent.glob("*.txt"))
        raise DataError(
            f"{listed} cannot be read; {root} should be a Pascal VOC folder with parts ({', '.join(there) or 'none'})."
        ) from error
    notes: list[str] = []
    return VocPart(tuple(_picture(root, name, notes) for name in names), tuple(notes))


def _picture(root: Path, name: str, notes: list[str]) -> VocPicture:
    place = root / "Annotations" / f"{Path(name).name}.xml"
    tree = _tree(place)
    # Only the name: an annotation does not say where on this machine to read.
    path = root / "JPEGImages" / Path(tree.findtext("filename") or f"{name}.jpg").name
    if not path.is_file():
        raise DataError(f"{place}: its picture {path.name} is not in {path.parent}.")
    width, height = (round(_number(tree, f"size/{side}", place)) for side in ("width", "height"))
    if width < 1 or height < 1:
        raise DataError(f"{place}: the picture's size should be positive, got {width}x{height}.")
    return VocPicture(path, width, height, tuple(_things(tree, place, width, height, notes)))


def _things(tree: ElementTree.Element, place: Path, width: int, height: int, notes: list[str]) -> Iterator[LabelledBox]:
    for thing in tree.iter("object"):
        label = (thing.findtext("name") or "").strip()
        if not label:
            raise DataError(f"{place}: an object has no name.")
        corners = [_number(thing, f"bndbox/{corner}", place) for corner in CORNERS]
        where = f"{place.stem}: the {label} box {tuple(corners)}"
        if corners[2] <= corners[0] or corners[3] <= corners[1]:
            notes.append(f"{where} has no area and is left out.")
            continue
        whole = Box(corners[0] - 1, corners[1] - 1, corners[2], corners[3])
        box = Box(max(whole.left, 0), max(whole.top, 0), min(whole.right, width), min(whole.bottom, height))
        if not box.area:
            notes.append(f"{where} lies outside the picture of {width}x{height} and is left out.")
            continue
        if box != whole:
            notes.append(f"{where} reaches beyond the picture of {width}x{height} and is cut there.")
        flags = (thing.findtext(flag, "0").strip() == "1" for flag in ("difficult", "truncated"))
        yield LabelledBox(label, box, *flags)


def _tree(place: Path) -> ElementTree.Element:
    try:
        content = place.read_bytes()
    except OSError as error:
        raise DataError(f"{place} cannot be read: {error.strerror or error}") from error
    # Entities could grow without end, and VOC has none; zero bytes are of encodings in which they could hide.
    if len(content) > LARGEST or b"<!DOCTYPE" in content or b"\0" in content:
        raise DataError(f"{place} is no annotation of Pascal VOC: it declares entities or is longer than 4 MiB.")
    try:
        tree = ElementTree.fromstring(content)  # noqa: S314 - without entities
    except ElementTree.ParseError as error:
        raise DataError(f"{place} is no XML: {error}") from error
    if tree.tag != "annotation":
        raise DataError(f"{place}: expected an <annotation> of Pascal VOC, got <{tree.tag}>.")
    return tree


def _number(within: ElementTree.Element, path: str, place: Path) -> float:
    written = within.findtext(path, "").strip()
    try:
        value = float(written)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{place}: {path} should be a number, got {written!r}.")
    return value
