"""Columns of words and tags: every form gives the same sentences, and each refusal its file and line."""

from __future__ import annotations

from collections import Counter

import pytest

from neocog.core.errors import DataError, UsageError
from neocog.core.span_score import span_score
from neocog.core.spans import scheme_of
from neocog.data.conll import MOST_WORDS, read_columns
from neocog.data.conll_open import holds_tags, open_tagged, part_of, read_tagged
from neocog.data.text_rows import Reading

WORDS = [("He", "sleeps", "."), ("Yes",)]
TAGS = [("B-NP", "B-VP", "O"), ("O",)]
FORMS = {
    "spaces.txt": "He PRP B-NP\nsleeps VBZ B-VP\n. . O\n\nYes UH O\n",
    "tabs.conll": "He\tPRP\tB-NP\nsleeps\tVBZ\tB-VP\n.\t.\tO\n\nYes\tUH\tO",
    "windows.txt": "\ufeffHe PRP B-NP\r\nsleeps VBZ B-VP\r\n. . O\r\n\r\nYes UH O\r\n\r\n\r\n",
    "wide.txt": "\n\n  He   PRP  B-NP \nsleeps VBZ B-VP\n. . O\n \t \nYes UH O\n",
    "mixed.txt": "He PRP B-NP\nsleeps\tVBZ\tB-VP\n.\t. O\n\nYes UH O\n",
    "documents.txt": "-DOCSTART- -X- O\n\nHe PRP B-NP\nsleeps VBZ B-VP\n. . O\n-DOCSTART- -X- O\nYes UH O\n",
    "short.documents.txt": "-DOCSTART-\n\nHe PRP B-NP\nsleeps VBZ B-VP\n. . O\n\n-DOCSTART-\n\nYes UH O\n",
    "comments.tsv": "# id 1\nHe\tPRP\tB-NP\nsleeps\tVBZ\tB-VP\n.\t.\tO\n\n# id 2 domain=en\nYes\tUH\tO\n",
    "comments.txt": "# id 1\tdomain=en\nHe PRP B-NP\nsleeps VBZ B-VP\n. . O\n\n# text = Yes\nYes UH O\n",
    "remarks.txt": "# of the first half\nHe PRP B-NP\nsleeps VBZ B-VP\n. . O\n\n# short\nYes UH O\n",
    "sources.tsv": "#\ta.org\nHe\tPRP\tB-NP\nsleeps\tVBZ\tB-VP\n.\t.\tO\n\n#\tb.org\t1999\tc\nYes\tUH\tO\n",
    "header.tsv": "token\tpos\tner_tags\nHe\tPRP\tB-NP\nsleeps\tVBZ\tB-VP\n.\t.\tO\n\nYes\tUH\tO\n",
    "header.apart.txt": "word pos chunk\n\nHe PRP B-NP\nsleeps VBZ B-VP\n. . O\n\nYes UH O\n",
}


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path, labelled=True, **reading):
    return read_columns(path, Reading(**reading), labelled=labelled)[0]


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_sentences(tmp_path, name):
    path = write(tmp_path / name, FORMS[name])
    found = read_tagged(path, Reading())[0]
    assert [each.words for each in found] == WORDS
    assert [each.tags for each in found] == TAGS
    lines = path.read_bytes().decode("utf-8-sig").split("\n")
    assert [lines[each.line - 1].split()[0] for each in found] == ["He", "Yes"]


def test_comments_that_might_be_words_are_told_and_words_are_none(tmp_path):
    path = write(tmp_path / "a.txt", "# one remark more\nHe PRP O\n\n# # B-NP\n5 CD I-NP\n\n#tag NN O\n")
    found, notes = read_columns(path, Reading())
    assert [each.words for each in found] == [("He",), ("#", "5"), ("#tag",)]
    assert notes == ["a.txt: taken for comments, as they begin with # and have other columns: line 1"]
    with pytest.raises(DataError, match="line 3: 1 column where line 1 has 3"):
        read(write(tmp_path / "b.txt", "He PRP O\n\n#tag\n"))


def test_the_columns_are_chosen_by_number_and_by_name(tmp_path):
    path = write(tmp_path / "a.txt", FORMS["spaces.txt"])
    tags = ("PRP", "VBZ", ".")
    for column in ("2", "pos", "POS"):
        assert read(path, label_column=column)[0].tags == tags
    assert read(path, text_column="3", label_column="1")[0].words == TAGS[0]
    header = write(tmp_path / "b.tsv", FORMS["header.tsv"])
    assert read(header, label_column="pos")[0].tags == tags
    found, notes = read_columns(header, Reading())
    assert notes == ["b.tsv: line 1 names the columns: token, pos, ner_tags"]
    swapped = write(tmp_path / "c.tsv", "tag\tword\nO\tYes\n")
    assert read(swapped, label_column="tag")[0].words == ("Yes",)
    assert found[0].words == WORDS[0]


def test_two_four_and_seven_columns(tmp_path):
    assert read(write(tmp_path / "2.txt", "He B-PER\n"))[0].tags == ("B-PER",)
    four = write(tmp_path / "4.txt", "EU NNP B-NP B-ORG\n")
    assert read(four)[0].tags == ("B-ORG",)
    assert read(four, label_column="chunk")[0].tags == ("B-NP",)
    assert read(write(tmp_path / "7.txt", "a b c d e f G\n"))[0].tags == ("G",)


def test_words_that_look_like_marks_of_the_format_stay_words(tmp_path):
    rows = [
        "# NN O",
        "-X- NN O",
        "-DOCSTART-s NN O",
        "\u00a0 NN O",
        "10\u00a0000 CD O",
        "a#b NN O",
        '" `` O',
        "\u2028 SP O",
    ]
    found = read(write(tmp_path / "a.txt", "\n".join(rows) + "\n"))
    assert [each.words for each in found] == [tuple(row.split(" ")[0] for row in rows)]


def test_without_labels_words_alone_will_do(tmp_path):
    found = read(write(tmp_path / "a.txt", "He\nsleeps\n\nYes\n"), labelled=False)
    assert [(each.words, each.tags) for each in found] == [(("He", "sleeps"), ()), (("Yes",), ())]
    more = read(write(tmp_path / "b.txt", FORMS["spaces.txt"]), labelled=False)
    assert [each.words for each in more] == WORDS


REFUSED = {
    "a row that is too short": ("He PRP B-NP\nsleeps B-VP\n", r"a\.txt, line 2: 2 columns where line 1 has 3"),
    "a row that is too long": ("a b\n\nc d\ne f g\n", r"a\.txt, line 4: 3 columns where line 1 has 2"),
    "a sentence of other columns": ("a b\n\nc d e\nf g h\n", r"a\.txt, line 3: 3 columns where line 1 has 2"),
    "a word without a tag": ("a\tb\nc\t\n", r"a\.txt, line 2: the tag in column 2 is empty"),
    "a tag without a word": ("a\tb\n\n \td\n", r"a\.txt, line 3: the word in column 1 is empty"),
    "a bad byte": (b"a b\n\xff c\n", r"a\.txt, line 2: the byte 0xff is not utf-8"),
    "nothing": ("", r"a\.txt is empty"),
    "blank lines": ("\n \n\t\n", r"a\.txt is empty"),
    "documents without words": ("-DOCSTART- O\n\n", r"a\.txt is empty"),
    "a header alone": ("word\ttag\n", r"a\.txt is empty"),
    "one column": ("a\nb\n", r"a\.txt: 1 column; expected a word and its tag"),
    "no blank lines": ("a b\n" * (MOST_WORDS + 1), r"a\.txt, line 1: a sentence of 10,001 words, more than 10,000"),
    "a long line": ("a b\nc " + "d" * 600_000 + "\n", r"a\.txt, line 2: 600,002 characters"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_has_its_file_and_line(tmp_path, case):
    content, message = REFUSED[case]
    with pytest.raises(DataError, match=message) as raised:
        read(write(tmp_path / "a.txt", content))
    assert "\n" not in str(raised.value)


def test_columns_that_there_are_not(tmp_path):
    path = write(tmp_path / "a.txt", FORMS["spaces.txt"])
    for column in ("4", "0", "-1", "²"):
        with pytest.raises(UsageError, match=r"--label-column .*has 3 columns, called word, pos, chunk; say a number"):
            read(path, label_column=column)
    with pytest.raises(UsageError, match=r"--label-column chunks: .* Did you mean chunk"):
        read(path, label_column="chunks")
    with pytest.raises(UsageError, match="column 1 cannot be both word and tag"):
        read(path, label_column="1")


def test_latin_1(tmp_path):
    path = write(tmp_path / "a.txt", "café N\n".encode("latin-1"))
    assert read(path, encoding="latin-1")[0].words == ("café",)


@pytest.mark.parametrize(
    "names",
    [
        ("train.txt", "dev.txt", "test.txt"),
        ("eng.train", "eng.testa", "eng.testb"),
        ("en_ewt-ud-train.conll", "en_ewt-ud-dev.conll", "en_ewt-ud-test.conll"),
        ("ner_train.bio", "ner_valid.bio", "ner_test.bio"),
    ],
)
def test_a_folder_of_parts_is_a_data_set(tmp_path, names):
    for name, word in zip(names, ("a", "b", "c"), strict=True):
        write(tmp_path / name, f"{word} T\n\n{word} U\n")
    write(tmp_path / "README.md", "# training\n")
    write(tmp_path / "LICENSE.txt", "Free as the wind.\n")
    for source in (tmp_path, *(tmp_path / name for name in names)):
        found = open_tagged(source)
        assert {part: items.items.read(0).words for part, items in found.parts.items()} == {
            "train": ("a",),
            "val": ("b",),
            "test": ("c",),
        }
        assert found.classes == ("T", "U")
        assert found.parts["val"].items.name(1) == f"{names[1]}:3"
    alone = open_tagged(tmp_path / names[2], alone=True)
    assert list(alone.parts) == ["test"]


def test_one_file_of_any_name_is_train(tmp_path):
    path = write(tmp_path / "sentences.conll", "a T\n")
    assert list(open_tagged(path).parts) == list(open_tagged(tmp_path).parts) == ["train"]


def test_items_know_their_content(tmp_path):
    items = open_tagged(write(tmp_path / "a.conll", "a T\nb T\n\na U\nb U\n\nab T\n")).parts["train"].items
    assert items.digest(0) == items.digest(1) != items.digest(2)
    assert items.identity(0) != items.identity(1)
    assert items.subset([2, 0]).name(0) == "a.conll:7"
    assert len(items.subset([2, 0])) == 2


def test_folders_that_are_no_data_set(tmp_path):
    with pytest.raises(DataError, match="no sentences with tags; expected a file"):
        open_tagged(tmp_path)
    for name in ("a-train.txt", "b-train.txt"):
        write(tmp_path / "two" / name, "a T\n")
    with pytest.raises(DataError, match=r"several sets of sentences; name one file of them, e\.g\. .*a-train\.txt"):
        open_tagged(tmp_path / "two")
    for name in ("train.txt", "train.conll"):
        write(tmp_path / "twice" / name, "a T\n")
    with pytest.raises(DataError, match=r"train\.txt both hold the train part"):
        open_tagged(tmp_path / "twice")
    with pytest.raises(DataError, match="cannot be read"):
        open_tagged(tmp_path / "missing.txt")


def test_parts_by_name(tmp_path):
    names = {"train.txt": "train", "eng.testa": "val", "eng.testb": "test", "contest.txt": None, "x_dev.conllu": "val"}
    names |= {"wnut17train.conll": "train", "2003.txt": None, "17b.test.conll": "test"}
    assert {name: part_of(tmp_path / name)[1] for name in names} == names


def test_conll2000_has_the_published_counts(shared_data):
    found = open_tagged(shared_data / "conll2000_chunking")
    counts = {part: (len(items), sum(map(len, items.items.sentences))) for part, items in found.parts.items()}
    assert counts == {"train": (8936, 211727), "test": (2012, 47377)}
    assert len(found.classes) == 23
    first = found.parts["train"].items.read(0)
    assert (first.words[:3], first.tags[:3]) == (("Confidence", "in", "the"), ("B-NP", "B-PP", "B-NP"))
    assert all(scheme_of(each.tags for each in items.items.sentences) == "IOB2" for items in found.parts.values())
    pos = open_tagged(shared_data / "conll2000_chunking", reading=Reading(label_column="pos"))
    assert pos.parts["train"].items.read(0).tags[:3] == ("NN", "IN", "DT")
    assert scheme_of(each.tags for each in pos.parts["train"].items.sentences) is None


def test_the_shared_task_s_baseline_scores_as_published(shared_data):
    """Each part of speech gets its most frequent chunk tag: Tjong Kim Sang and Buchholz 2000."""
    folder = shared_data / "conll2000_chunking"
    pos, chunks = (open_tagged(folder, reading=Reading(label_column=name)).parts for name in ("pos", "chunk"))
    counts = {}
    for known, gold in zip(pos["train"].items.sentences, chunks["train"].items.sentences, strict=True):
        for part, tag in zip(known.tags, gold.tags, strict=True):
            counts.setdefault(part, Counter())[tag] += 1
    best = {part: tags.most_common(1)[0][0] for part, tags in counts.items()}
    score = span_score(
        [each.tags for each in chunks["test"].items.sentences],
        [[best[part] for part in each.tags] for each in pos["test"].items.sentences],
    )
    figures = (score.overall.precision, score.overall.recall, score.overall.f1)
    assert [round(100 * each, 2) for each in figures] == [72.58, 82.14, 77.07]
    assert score.overall.gold == 23852


def test_a_slip_makes_no_other_data_of_tagged_sentences(tmp_path):
    many = FORMS["spaces.txt"] + "\n"
    for text, tagged in (
        (many * 10 + "The DT\ncat NN I-NP\n", True),  # the reader then names the line
        (many + "The DT\n", True),  # one slip, and the others end in tags of spans
        ("He PRP\nsleeps VBZ\n. .\n\nYes UH\nnow\n", False),
        ("He B-PER\nsleeps O\n. O\n", True),
        ("He O\nsleeps O\n", False),
        ("He was O\nShe was B\n", False),
        ("pos a good film\nneg a bad film\npos one\n\nneg very bad\n" * 20, False),
        ("1 good\n1 fine\n0 poor\n0 dull\n\n" * 5, False),  # labels and texts of one word
        ("spam\tcall now\nham\tsee you\nham\tok then\nspam\twin one\n\n" * 5, False),
        ("\n\n", False),
        ("", False),
    ):
        assert holds_tags(write(tmp_path / "data.txt", text)) is tagged
    assert holds_tags(write(tmp_path / "data.bio", "He PRP\n"))  # by its name
    with pytest.raises(DataError, match=r"data.txt, line 61: 2 columns where line 1 has 3"):
        open_tagged(write(tmp_path / "data.txt", many * 10 + "The DT\ncat NN I-NP\n"))


def test_bilou_and_bmes_are_read_as_bioes(tmp_path):
    lines = "Anna U-PER\nsaw O\nNew B-LOC\nYork I-LOC\nCity L-LOC\n\n"
    (tmp_path / "train.txt").write_text(3 * lines)
    (tmp_path / "test.txt").write_text("Rome U-LOC\nsleeps O\n\n")
    data = open_tagged(tmp_path)
    assert data.parts["train"].items.read(0).tags == ("S-PER", "O", "B-LOC", "I-LOC", "E-LOC")
    assert data.parts["test"].items.read(0).tags == ("S-LOC", "O")
    assert data.classes == ("B-LOC", "E-LOC", "I-LOC", "O", "S-LOC", "S-PER")
    assert any(note.startswith("tags of BILOU, read as BIOES: L-LOC as E-LOC") for note in data.notes)
    (tmp_path / "alone.bmes.txt").write_text("New B-LOC\nYork M-LOC\nCity E-LOC\n\n" * 2)
    assert open_tagged(tmp_path / "alone.bmes.txt").classes == ("B-LOC", "E-LOC", "I-LOC")
