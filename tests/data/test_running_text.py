"""Running text: its pieces, its parts in order, its windows, its tokens."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neocog.core.errors import DataError, ModelFileError
from neocog.data.language_preprocess import UNKNOWN, LanguagePreprocessing, known_tokens, tokens_of
from neocog.data.loader import BatchLoader
from neocog.data.running_text import LONGEST_PIECE, in_pieces, open_running_text
from neocog.data.window_source import NOT_SCORED, WindowSource


def lines(first: int, last: int) -> str:
    return "".join(f"line {number}\n" for number in range(first, last))


def joined(data, part: str) -> str:
    return "".join(data.parts[part].items.pieces)


def test_the_last_tenths_are_kept_aside_in_order_and_nothing_is_lost(tmp_path):
    path = tmp_path / "book.txt"
    path.write_bytes(b"\xef\xbb\xbf" + lines(0, 100).replace("\n", "\r\n").encode())
    data = open_running_text(path)
    assert joined(data, "train") + joined(data, "val") + joined(data, "test") == lines(0, 100)
    assert {name: len(part) for name, part in data.parts.items()} == {"train": 81, "val": 9, "test": 10}
    assert data.parts["test"].items.name(0) == "book.txt:91"
    assert "the last 10 of 100 lines kept aside" in data.notes[0]
    assert list(open_running_text(path, for_training=False).parts) == ["train"]


def test_parts_by_files_by_folders_and_files_that_follow_upon_each_other(tmp_path):
    for name, text in (("a.train.txt", "one\n"), ("a.dev.txt", "two\n"), ("a.test.txt", "three")):
        (tmp_path / name).write_text(text)
    for source in (tmp_path, tmp_path / "a.train.txt", tmp_path / "a"):
        data = open_running_text(source)
        assert [joined(data, part) for part in ("train", "val", "test")] == ["one\n", "two\n", "three\n"]
    alone = open_running_text(tmp_path / "a.test.txt", for_training=False)
    assert list(alone.parts) == ["test"]
    for part in ("train", "valid", "test"):
        (tmp_path / "b" / part).mkdir(parents=True)
        (tmp_path / "b" / part / "x.txt").write_text(part)
    assert joined(open_running_text(tmp_path / "b"), "val") == "valid\n"
    (tmp_path / "c").mkdir()
    for name in ("2.txt", "1.txt", "README.txt", "3.png"):
        (tmp_path / "c" / name).write_text(name)
    several = open_running_text(tmp_path / "c", for_training=False)
    assert joined(several, "train") == "1.txt\n2.txt\n"
    assert "train from 1.txt, 2.txt" in several.notes


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.csv", b"a,b\n", "x.csv is no running text"),
        ("x.txt", b"", "the train part is empty"),
        ("x.txt", b"caf\xe9\n", "line 1: the byte 0xe9 is not utf-8"),
        ("x.txt", b"one line\n", "too few"),
    ],
)
def test_what_is_no_running_text_is_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words):
        open_running_text(tmp_path / name)


def test_there_must_be_a_file_and_a_train_part(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        open_running_text(tmp_path / "none.txt")
    with pytest.raises(DataError, match="there are no text files"):
        open_running_text(tmp_path)
    (tmp_path / "x.test.txt").write_text("a\n")
    with pytest.raises(DataError, match="no train part to learn from; found test"):
        open_running_text(tmp_path / "x.test.txt")


@given(st.text(alphabet="ab ", max_size=3 * LONGEST_PIECE))
def test_long_lines_are_pieces_cut_behind_spaces(line):
    pieces = in_pieces(line)
    assert "".join(pieces) == line
    assert all(0 < len(piece) <= LONGEST_PIECE for piece in pieces) or line == ""
    assert all(piece.endswith(" ") or " " not in piece[1:] for piece in pieces[:-1])


plain = st.text(alphabet=st.characters(codec="utf-8", exclude_characters=UNKNOWN), max_size=40)


@given(plain)
def test_characters_there_and_back(text):
    made = LanguagePreprocessing("characters", known_tokens([text], "characters", 0), 8)
    numbers = made.numbers(text)
    assert made.text(made.words[number - 1] for number in numbers.tolist()) == text
    assert not len(numbers) or int(numbers.min()) > 1  # all are known
    assert LanguagePreprocessing.from_contract(made.to_contract()) == made


def test_words_are_told_line_by_line_and_the_rare_are_one():
    text = "a b a\nb c\n\na"
    assert tokens_of(text, "whitespace") == ["a", "b", "a", "\n", "b", "c", "\n", "\n", "a"]
    known = known_tokens([text], "whitespace", 10)
    assert known == (UNKNOWN, "\n", "a", "b")  # c occurs once
    assert known_tokens([text], "whitespace", 2) == (UNKNOWN, "\n", "a")
    made = LanguagePreprocessing("whitespace", known, 8)
    assert made.numbers("b c\nzzz").tolist() == [4, 1, 2, 1]
    assert made.text(["a", "b", "\n", "a"]) == "a b\na"
    assert (made.unit, LanguagePreprocessing("characters", known, 8).unit) == ("word", "character")
    with pytest.raises(ModelFileError, match="'klingon' is unknown"):
        LanguagePreprocessing.from_contract({**made.to_contract(), "tokeniser": "klingon"})


@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 12))
def test_every_token_is_told_once_from_those_before_it(count, window, context):
    tokens = torch.arange(1, count + 1)
    batch = WindowSource(tokens, window, context=context).load(torch.arange(-(-count // window)))
    scored = batch.targets != NOT_SCORED
    assert (batch.targets[scored] + 1).tolist() == tokens.tolist()
    assert batch.inputs[scored].tolist() == [0, *tokens.tolist()[:-1]]
    for inputs, targets in zip(batch.inputs, batch.targets, strict=True):
        first = int((targets != NOT_SCORED).nonzero()[0])
        seen = inputs[: first + 1]
        own = int(seen[-1])
        assert seen[seen > 0].tolist() == list(range(max(own - context, 1), own + 1))


def test_training_windows_move_with_the_epoch_and_not_with_anything_else():
    source = WindowSource(torch.arange(1, 104), 10, shifted=True)
    assert (len(source), source.draws) == (10, 1)
    epochs = []
    for epoch in (0, 0, 1):
        loader = BatchLoader(source, seed=3, shuffle=True)
        batches = list(loader.batches(4, epoch=epoch))
        for batch in batches:
            assert torch.equal(batch.inputs[:, 1:], batch.targets[:, :-1] + 1)
            assert int(batch.targets.min()) >= 0
        epochs.append(torch.cat([batch.inputs[:, 0] for batch in batches]))
    assert torch.equal(epochs[0], epochs[1])
    assert not torch.equal(epochs[0].sort().values, epochs[2].sort().values)
    assert len(WindowSource(torch.arange(1, 4), 10, shifted=True)) == 1
