from __future__ import annotations

import pytest

from neocog.core.errors import DataError
from neocog.data.table import read_table


@pytest.fixture
def table(photos):
    """Writes a table beside photos/cat/{0,1}.png and photos/dog/{0,1}.png."""
    root = photos({"cat": 2, "dog": 2})

    def write(text, name="labels.csv", encoding="utf-8"):
        (root / name).write_bytes(text.encode(encoding))
        return root / name

    return write


def rows(dataset):
    return [
        (part, stored.items.name(index), dataset.classes[label])
        for part, stored in dataset.parts.items()
        for index, label in enumerate(stored.labels)
    ]


FOUR = [("train", f"{name}/{number}.png", name) for name in ("cat", "dog") for number in (0, 1)]
PLAIN = "cat/0.png,cat\ncat/1.png,cat\ndog/0.png,dog\ndog/1.png,dog\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (PLAIN, "labels.csv"),
        ("path,label\n" + PLAIN, "labels.csv"),
        ("Filename,Class\n" + PLAIN, "labels.csv"),
        (PLAIN.replace(",", "\t"), "labels.tsv"),
        (PLAIN.replace(",", ";"), "labels.csv"),
        ("\ufeffpath,label\r\n" + PLAIN.replace("\n", "\r\n\r\n"), "labels.csv"),
        ('path,label\n"cat/0.png","cat"\n' + PLAIN.split("\n", 1)[1], "labels.csv"),
    ],
)
def test_tables_with_and_without_headers(table, text, name):
    assert rows(read_table(table(text, name))) == FOUR


def test_columns_are_found_by_name_in_any_order(table):
    text = "id,label,split,image\n1,cat,train,cat/0.png\n2,dog,train,dog/0.png\n"
    text += "3,cat,valid,cat/1.png\n4,dog,Test,dog/1.png\n"
    assert rows(read_table(table(text))) == [
        ("train", "cat/0.png", "cat"),
        ("train", "dog/0.png", "dog"),
        ("val", "cat/1.png", "cat"),
        ("test", "dog/1.png", "dog"),
    ]


def test_a_third_column_of_parts_needs_no_header(table):
    text = "cat/0.png,cat,train\ncat/1.png,cat,test\ndog/0.png,dog,train\ndog/1.png,dog,test\n"
    assert set(read_table(table(text)).parts) == {"train", "test"}


def test_a_third_column_of_other_things_is_left(table):
    text = "cat/0.png,cat,0.5\ndog/1.png,dog,0.1\n"
    assert set(read_table(table(text)).parts) == {"train"}


def test_numbers_as_labels_are_ordered_as_numbers(table):
    assert read_table(table("cat/0.png,10\ncat/1.png,9\ndog/0.png,2\n")).classes == ("2", "9", "10")


def test_paths_may_be_absolute(table, photos, tmp_path):
    file = table(f"{tmp_path}/photos/cat/0.png,cat\ndog/0.png,dog\n")
    assert read_table(file).parts["train"].items.read(0) == (tmp_path / "photos/cat/0.png").read_bytes()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\ncat/0.png,cat\ncat/1.png,\ndog/0.png\n", r"2 of 3 rows have no label: line 3, 4"),
        ("path,label\n,cat\ndog/0.png,dog\n", "have no path: line 2"),
        ("path,label,split\ncat/0.png,cat,train\ndog/0.png,dog,holdout\n", "name no part .*line 3"),
        ("cat/0.png,cat\ncat/0.png,dog\n", "cat .train. in line 1 and dog .train. in line 2"),
        ("a.png,cat\nb.png,dog\n", "none of its 2 files exists"),
        ("path,label\n", "a header and no rows"),
        ("", "is empty"),
        ("cat/0.png\ndog/0.png\n", "one column"),
        ("what,ever\ncat/0.png,cat\n", "names what, ever"),
    ],
)
def test_bad_tables_are_refused_by_line(table, text, message):
    with pytest.raises(DataError, match=message):
        read_table(table(text))


def test_text_that_is_not_utf8_is_refused(table):
    with pytest.raises(DataError, match="UTF-8"):
        read_table(table("cat/0.png,Kätzchen\n", encoding="latin-1"))


def test_repeated_rows_are_noted(table):
    dataset = read_table(table(PLAIN + "cat/0.png,cat\n"))
    assert rows(dataset) == FOUR
    assert dataset.notes == ("1 repeated rows passed over",)
