"""SemEval-2010 task 8: sentences, their entities among the tokens, and each refusal with its file and line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neocog.core.errors import DataError
from neocog.core.relation_score import relation_score
from neocog.data.relation_open import open_relations
from neocog.data.semeval import RelationSentence, holds_relations, marked_tokens, read_semeval
from neocog.data.tokenise import kim, whitespace, words

TEXT = (
    '8001\t"The most common <e1>audits</e1> were about <e2>waste</e2> and recycling."\n'
    "Message-Topic(e1,e2)\nComment: Assuming an audit = an audit document.\n\n"
    '8002\t"<e2>City chairs</e2>, says a <e1>company</e1>-man."\nProduct-Producer(e2,e1)\nComment:\n\n'
    "8003\tNo <e1>one</e1> <e2>knows</e2>\nOther\n"
)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_sentences(tmp_path, end):
    first, second, third = read_semeval(write(tmp_path / "a.txt", TEXT.replace("\n", end)))
    assert first.text == "The most common audits were about waste and recycling."
    assert (first.entities, first.relation) == (("audits", "waste"), "Message-Topic(e1,e2)")
    assert first.comment == "Assuming an audit = an audit document."
    assert (second.entities, second.turned) == (("company", "City chairs"), True)
    assert (third.number, third.relation, third.comment, third.line) == (8003, "Other", "", 9)
    assert [each.line for each in (first, second)] == [1, 5]


def test_entities_among_the_tokens(tmp_path):
    first, second, third = read_semeval(write(tmp_path / "a.txt", TEXT))
    found = marked_tokens(first, words)
    assert (found.e1, found.e2) == ((3, 4), (6, 7))
    assert found.tokens[3:7] == ("audits", "were", "about", "waste")
    turned = marked_tokens(second, words)
    assert turned.tokens == ("city", "chairs", ",", "says", "a", "company", "-", "man", ".")
    assert (turned.e1, turned.e2) == ((5, 6), (0, 2))
    assert marked_tokens(second, whitespace).tokens[-2:] == ("company", "-man.")
    assert (marked_tokens(third, words).e1, marked_tokens(third, words).e2) == ((1, 2), (2, 3))


def test_an_entity_that_the_tokeniser_throws_away_keeps_its_place():
    sentence = RelationSentence(1, ("a ", "\u732b \u72ac", " b ", "c", ""), "Other", "", 1)
    found = marked_tokens(sentence, kim)
    assert found.tokens == ("a", "\u732b", "\u72ac", "b", "c")
    assert (found.e1, found.e2) == ((1, 3), (4, 5))


PIECE = st.text("ab .,'-", max_size=6)
ENTITY = st.text("ab .,'-", min_size=1, max_size=6).filter(str.strip)


@given(PIECE, ENTITY, PIECE, ENTITY, PIECE, st.booleans())
def test_entities_are_where_the_tokens_say(before, one, between, two, behind, turned):
    sentence = RelationSentence(1, (before, one, between, two, behind), "Other", "", 1, turned)
    for tokenise in (whitespace, words):
        found = marked_tokens(sentence, tokenise)
        for (start, end), entity in zip((found.e1, found.e2), sentence.entities, strict=True):
            assert start < end
            assert list(found.tokens[start:end]) == tokenise(entity)


GOOD = '1\t"A <e1>b</e1> c <e2>d</e2>."\n'
REFUSED = {
    "no number": ('"A <e1>b</e1> <e2>d</e2>"\nOther\n', r"line 1: expected a number, a tab"),
    "no tab": ("1 A <e1>b</e1> <e2>d</e2>\nOther\n", r"line 1: expected a number, a tab"),
    "no mark": ("1\tA <e1>b</e1> d\nOther\n", r"line 1: <e2> is there 0 times"),
    "a mark that does not close": ("1\tA <e1>b <e2>d</e2>\nOther\n", r"line 1: </e1> is there 0 times"),
    "a mark twice": ("1\tA <e1>b</e1> <e2>d</e2> <e1>x</e1>\nOther\n", r"line 1: <e1> is there 2 times"),
    "marks that cross": ("1\tA <e1>b <e2>c</e1> d</e2>\nOther\n", r"line 1: the marks of e1 and e2 cross"),
    "a mark inside the other": ("1\tA <e1>b <e2>c</e2> d</e1>\nOther\n", r"line 1: the marks of e1 and e2 cross"),
    "marks the wrong way round": ("1\tA </e1>b<e1> <e2>d</e2>\nOther\n", r"line 1: the marks of e1 and e2 cross"),
    "an empty entity": ("1\tA <e1> </e1> <e2>d</e2>\nOther\n", r"line 1: there is no word between the marks of e1"),
    "no relation": (GOOD, r"line 1: the sentence has no relation in the line below"),
    "a comment in its place": (GOOD + "Comment: x\n", r"line 1: the sentence has no relation"),
    "a blank line too early": (GOOD + "\nOther\n", r"line 1: the sentence has no relation"),
    "a wrong direction": (GOOD + "Cause-Effect(e1,e3)\n", r"line 2: expected a relation such as .*\(e1,e3\)"),
    "two directions the same": (GOOD + "Cause-Effect(e1,e1)\n", r"line 2: expected a relation"),
    "two words": (GOOD + "Cause Effect\n", r"line 2: expected a relation"),
    "two relations": (GOOD + "Other\nOther\n", r"line 3: expected a blank line between sentences"),
    "no blank line": (GOOD + "Other\nComment:\n" + GOOD, r"line 4: expected a blank line between sentences"),
    "a number twice": (GOOD + "Other\n\n\n" + GOOD + "Other\n", r"line 5: number 1 is that of line 1 too"),
    "a bad byte": (GOOD.encode() + b"Other\nComment: caf\xe9\n", r"line 3: the byte 0xe9 is not utf-8"),
    "nothing": ("\n\n", r"is empty; expected a number, a tab"),
    "a long line": ("1\t" + "x" * 600_000, r"line 1: 600,002 characters"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_has_its_file_and_line(tmp_path, case):
    content, message = REFUSED[case]
    with pytest.raises(DataError, match=r"a\.txt.*" + message) as raised:
        read_semeval(write(tmp_path / "a.txt", content))
    assert "\n" not in str(raised.value)


def test_without_labels_the_relation_may_be_missing(tmp_path):
    path = write(tmp_path / "a.txt", GOOD + "\n" + GOOD.replace("1\t", "2\t") + "Comment: why\n\n" + TEXT)
    found = read_semeval(path, labelled=False)
    assert [each.relation for each in found[:3]] == ["", "", "Message-Topic(e1,e2)"]
    assert found[1].comment == "why"


def test_a_folder_of_parts_and_a_file(tmp_path):
    write(tmp_path / "TRAIN_FILE.TXT", TEXT)
    write(tmp_path / "TEST_FILE_FULL.TXT", GOOD + "Other\n")
    write(tmp_path / "training_README.txt", "Training Data\n")
    write(tmp_path / "answers_test.txt", "8001\tOther\n")
    found = open_relations(tmp_path, for_training=False)
    assert {part: len(items) for part, items in found.parts.items()} == {"train": 3, "test": 1}
    assert found.classes == ("Message-Topic(e1,e2)", "Other", "Product-Producer(e2,e1)")
    assert found.parts["train"].items.name(1) == "TRAIN_FILE.TXT:5"
    assert list(open_relations(tmp_path / "TEST_FILE_FULL.TXT", for_training=False).parts) == ["test"]
    assert list(open_relations(write(tmp_path / "some.txt", TEXT), for_training=False).parts) == ["train"]
    write(tmp_path / "train.txt", TEXT)
    with pytest.raises(DataError, match="both hold the train part"):
        open_relations(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no sentences with relations; expected a file"):
        open_relations(tmp_path / "empty")


def test_which_files_are_of_this_format(tmp_path):
    assert holds_relations(write(tmp_path / "a.txt", "\n" + TEXT))
    for number, other in enumerate(("", "8001\tOther\n", "pos a film\n", "1\tHi\thi\tX\n")):
        assert not holds_relations(write(tmp_path / f"{number}.txt", other))


def test_sentences_that_differ_in_their_marks_differ():
    pieces = ("A ", "b", " c ", "d", "")
    one, other = (RelationSentence(1, pieces, "Other", "", 1, turned) for turned in (False, True))
    moved = RelationSentence(1, ("A b ", "c", " ", "d", ""), "Other", "", 1)
    assert len({each.content for each in (one, other, moved)}) == 3


def test_the_task_has_the_published_counts(shared_data):
    found = open_relations(shared_data / "semeval2010_task8", for_training=False)
    assert {part: len(items) for part, items in found.parts.items()} == {"train": 8000, "test": 2717}
    assert len(found.classes) == 19
    assert [found.parts[part].items.read(0).number for part in ("train", "test")] == [1, 8001]
    gold = [each.relation for each in found.parts["test"].items.sentences]
    assert gold.count("Other") == 454
    perfect = relation_score(gold, gold)
    assert (perfect.macro_f1, len(perfect.by_relation)) == (1, 9)
    assert sum(each.gold for each in perfect.by_relation.values()) == 2717 - 454
    for each in found.parts["test"].items.sentences:
        marked = marked_tokens(each, whitespace)
        assert " ".join(marked.tokens[slice(*marked.e1)]) == " ".join(each.entities[0].split())
