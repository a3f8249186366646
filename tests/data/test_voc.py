import pytest

from neocog.core.errors import DataError
from neocog.core.reference.localisation import Box
from neocog.data.voc import CORNERS, LabelledBox, read_voc


def annotation(*things, size=(40, 30), filename="a.jpg"):
    objects = "".join(
        f"<object><name>{label}</name><difficult>{difficult}</difficult><bndbox>"
        + "".join(f"<{key}>{value}</{key}>" for key, value in zip(CORNERS, corners, strict=True))
        + "</bndbox></object>"
        for label, difficult, corners in things
    )
    width, height = size
    return (
        f"<annotation><filename>{filename}</filename><size><width>{width}</width><height>{height}</height></size>"
        f"{objects}</annotation>"
    )


@pytest.fixture
def folder(tmp_path):
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "ImageSets/Main/train.txt").write_text("a\n\n")
    (tmp_path / "JPEGImages/a.jpg").write_bytes(b"")
    return tmp_path


def written(folder, content):
    (folder / "Annotations/a.xml").write_text(content)
    return folder


def test_pixels_counted_from_one_become_edges_counted_from_zero(folder):
    things = (("cat", 0, (1, 1, 40, 30)), ("dog", 1, (2, 3, 4.5, 5)))
    part = read_voc(written(folder, annotation(*things)), "train")
    (picture,) = part.pictures
    assert (picture.path, picture.width, picture.height) == (folder / "JPEGImages/a.jpg", 40, 30)
    assert picture.things == (
        LabelledBox("cat", Box(0, 0, 40, 30)),
        LabelledBox("dog", Box(1, 2, 4.5, 5), difficult=True),
    )
    assert picture.boxes("cat") == [Box(0, 0, 40, 30)]
    assert picture.boxes("bird") == []
    assert part.notes == ()


def test_boxes_without_an_area_are_left_out_and_others_cut_both_noted(folder):
    things = (("cat", 0, (7, 7, 7, 7)), ("dog", 0, (0, 1, 50, 9)), ("cow", 0, (60, 1, 70, 9)))
    part = read_voc(written(folder, annotation(*things)), "train")
    assert part.pictures[0].things == (LabelledBox("dog", Box(0, 0, 40, 9)),)
    assert [note.split("and is ")[1] for note in part.notes] == ["left out.", "cut there.", "left out."]
    assert "a: the cat box (7.0, 7.0, 7.0, 7.0) has no area" in part.notes[0]


def test_an_annotation_does_not_say_where_to_read(folder):
    part = read_voc(written(folder, annotation(filename="../../else/a.jpg")), "train")
    assert part.pictures[0].path == folder / "JPEGImages/a.jpg"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<annotation>", "is no XML"),
        ("<page/>", "expected an <annotation>"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><annotation/>', "declares entities"),
        ("<annotation/>\0", "declares entities"),
        (annotation(filename="b.jpg"), "b.jpg is not in"),
        (annotation(size=(0, 30)), "size should be positive"),
        (annotation(size=("wide", 30)), "size/width should be a number, got 'wide'"),
        (annotation(("", 0, (1, 1, 2, 2))), "has no name"),
        (annotation(("cat", 0, (1, 1, "nan", 2))), "bndbox/xmax should be a number"),
    ],
)
def test_what_is_no_annotation_is_refused(folder, content, reason):
    with pytest.raises(DataError, match=reason):
        read_voc(written(folder, content), "train")


def test_parts_and_annotations_that_are_not_there(folder):
    with pytest.raises(DataError, match=r"parts \(train\)"):
        read_voc(folder, "test")
    with pytest.raises(DataError, match=r"a\.xml cannot be read"):
        read_voc(folder, "train")


def test_the_blood_cells(shared_data):
    parts = {name: read_voc(shared_data / "bccd", name) for name in ("train", "val", "test")}
    assert [len(part.pictures) for part in parts.values()] == [205, 87, 72]
    notes = [note for part in parts.values() for note in part.notes]
    assert sorted(note.split(":")[0] for note in notes) == ["BloodImage_00338", "BloodImage_00343"]
    assert sum(len(picture.things) for part in parts.values() for picture in part.pictures) == 4888 - 2
