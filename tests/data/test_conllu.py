"""CoNLL-U: the words are those with whole numbers, and each refusal has its file and line."""

from __future__ import annotations

import pytest

from neocog.core.errors import DataError, UsageError
from neocog.data.conll_open import is_conllu, open_tagged, read_tagged
from neocog.data.conllu import read_conllu
from neocog.data.text_rows import Reading


def row(number, form, upos="X", xpos="_"):
    return "\t".join([str(number), form, form.lower(), upos, xpos, "_", "0", "root", "_", "_"])


TEXT = [
    "# sent_id = 1",
    "# text = We've left.",
    row("1-2", "We've", "_"),
    row(1, "We", "PRON", "PRP"),
    row(2, "'ve", "AUX", "VBP"),
    row(3, "left", "VERB", "VBN"),
    row("3.1", "it", "PRON", "PRP"),
    row(4, ".", "PUNCT", "."),
    "",
    "# text = # 1",
    row("0.1", "nothing", "PRON"),
    row(1, "#", "SYM", "#"),
    row(2, "10 000", "NUM", "CD"),
    "",
]


def write(path, lines):
    path.write_bytes(lines if isinstance(lines, bytes) else "\n".join(lines).encode())
    return path


def read(path, labelled=True, **reading):
    return read_conllu(path, Reading(**reading), labelled=labelled)[0]


@pytest.mark.parametrize("end", ["", "\r"])
def test_ranges_and_empty_nodes_are_no_words(tmp_path, end):
    path = write(tmp_path / "a.conllu", [line + end for line in TEXT])
    first, second = read(path)
    assert (first.words, first.tags) == (("We", "'ve", "left", "."), ("PRON", "AUX", "VERB", "PUNCT"))
    assert (second.words, second.tags) == (("#", "10 000"), ("SYM", "NUM"))
    assert (first.line, second.line) == (4, 12)


def test_other_columns(tmp_path):
    path = write(tmp_path / "a.conllu", TEXT)
    for column in ("xpos", "XPOS", "5"):
        assert read(path, label_column=column)[0].tags == ("PRP", "VBP", "VBN", ".")
    assert read(path, text_column="lemma")[0].words[0] == "we"
    assert read(path, label_column="feats")[0].tags == ("_",) * 4
    with pytest.raises(UsageError, match=r"--label-column upso: .*has 10 columns.* Did you mean upos"):
        read(path, label_column="upso")


def test_it_is_recognised_by_its_content(tmp_path):
    path = write(tmp_path / "a.txt", TEXT)
    assert is_conllu(path, "utf-8")
    assert read_tagged(path, Reading())[0] == read(path)
    assert not is_conllu(write(tmp_path / "b.txt", ["1 CD O", "", "2 CD O"]), "utf-8")
    assert not is_conllu(write(tmp_path / "c.txt", [""]), "utf-8")


def test_columns_of_conllu_plus(tmp_path):
    lines = ["# global.columns = ID FORM UPOS BIO:NER", "1\tEU\tPROPN\tB-ORG", "2\tsays\tVERB\tO", ""]
    path = write(tmp_path / "a.conllup", lines)
    assert read(path)[0].tags == ("PROPN", "VERB")
    assert read(path, label_column="bio:ner")[0].tags == ("B-ORG", "O")
    without = write(tmp_path / "b.conllup", ["# global.columns = FORM UPOS", "EU\tPROPN", "says\tVERB", ""])
    assert read(without)[0].tags == ("PROPN", "VERB")


def test_without_labels_they_may_be_unspecified(tmp_path):
    path = write(tmp_path / "a.conllu", [row(1, "Hi", "_"), ""])
    assert read(path, labelled=False)[0].tags == ()


REFUSED = {
    "nine columns": (["# c", "1\tHi\thi\tX\t_\t_\t0\troot\t_"], r"line 2: 9 columns where CoNLL-U has 10"),
    "spaces": (["1 Hi hi X _ _ 0 root _ _"], r"line 1: 1 columns where CoNLL-U has 10, parted by tabs"),
    "a comment inside": ([row(1, "Hi"), "# now", row(2, "you")], r"line 2: 1 columns"),
    "no tag": ([row(1, "Hi"), row(2, "you", "_")], r"line 2: 1 of 2 words have no UPOS"),
    "an empty tag": ([row(1, "Hi", "")], r"line 1: the tag in column 4 is empty"),
    "an empty word": ([row(1, "")], r"line 1: the word in column 2 is empty"),
    "a word that is missing": ([row(1, "Hi"), row(3, "you")], r"line 2: word 3 where 2 is next"),
    "a missing blank line": ([row(1, "Hi"), row(1, "you")], r"line 2: word 1 where 2 is next"),
    "a range elsewhere": ([row(1, "Hi"), row("3-4", "you")], r"line 2: word 3-4 where 2 is next"),
    "a number that is none": ([row("x", "Hi")], r"line 1: 'x' is no word's number"),
    "a number of another script": ([row("\u0661", "Hi")], r"line 1: '\u0661' is no word's number"),
    "a bad byte": (row(1, "Hi").encode() + b"\n\xe9\n", r"line 2: the byte 0xe9 is not utf-8"),
    "nothing": ([""], r"is empty; expected CoNLL-U"),
    "comments alone": (["# a", "", "# b"], r"is empty; expected CoNLL-U"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_has_its_file_and_line(tmp_path, case):
    lines, message = REFUSED[case]
    with pytest.raises(DataError, match=r"a\.conllu.*" + message) as raised:
        read(write(tmp_path / "a.conllu", lines))
    assert "\n" not in str(raised.value)


def test_english_ewt_has_the_published_counts(shared_data):
    found = open_tagged(shared_data / "ud_english_ewt")
    counts = {part: (len(items), sum(map(len, items.items.sentences))) for part, items in found.parts.items()}
    assert counts == {"train": (12544, 204577), "val": (2001, 25147), "test": (2077, 25094)}
    assert len(found.classes) == 17
    assert len(open_tagged(shared_data / "ud_english_ewt", reading=Reading(label_column="xpos")).classes) == 49
    assert found.parts["test"].items.read(0).words == ("What", "if", "Google", "Morphed", "Into", "GoogleOS", "?")
