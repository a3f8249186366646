"""Tokenisers, vocabulary, word vectors, and what a batch of texts looks like."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from neocog.core.errors import DataError, UsageError
from neocog.data.dataset import Part
from neocog.data.loader import BatchLoader
from neocog.data.text_items import TextItems
from neocog.data.text_preprocess import TextPreprocessing
from neocog.data.text_source import TextSource
from neocog.data.tokenise import ALPHABET, TOKENISERS, kim, kim_cased, kim_sst, suits_kim, tokeniser, words
from neocog.data.vectors import read_vectors
from neocog.data.vocabulary import coverage, vocabulary


def test_kims_cleaning():
    assert kim("It's GOOD, isn't it? (Yes!)") == ["it", "'s", "good", ",", "is", "n't", "it", "?", "(", "yes", "!", ")"]
    assert kim_cased("Who's He?") == ["Who", "'s", "He", "?"]
    assert kim_sst("It 's caf\xe9 - ok .") == ["it", "'s", "caf", "ok"]
    assert kim("-- ... --") == []


def test_words_of_any_language():
    found = words("L\u2019\xe9t\xe9 n'est pas 3,5 isn't.")
    assert found == [
        "l",
        "'",
        "\xe9t\xe9",
        "n",
        "'",
        "est",
        "pas",
        "3,5",
        "is",
        "n't",
        ".",
    ]
    assert words("\u041f\u0440\u0438\u0432\u0435\u0442!") == ["\u043f\u0440\u0438\u0432\u0435\u0442", "!"]
    # Chinese has no spaces; the vowels of Hindi and the accents of decomposed French belong to their letters.
    assert words("\u5f88\u597d\u7684, \u54413\u4e2a") == ["\u5f88", "\u597d", "\u7684", ",", "\u5441", "3", "\u4e2a"]
    hindi = ["\u0939\u093f\u0928\u094d\u0926\u0940", "\u0905\u091a\u094d\u091b\u0940"]
    assert words(" ".join(hindi)) == hindi
    assert words("\u0e04\u0e23\u0e31\u0e1a") == ["\u0e04", "\u0e23\u0e31", "\u0e1a"]
    assert words("E\u0301te\u0301 isn\u2019t") == ["e\u0301te\u0301", "is", "n't"]
    assert suits_kim(["plain English", "na\xefve but English, of course, all of it, from its head to its very tail"])
    assert not suits_kim(["fine film \U0001f600"] * 9)
    assert not suits_kim(["\u041f\u0440\u0438\u0432\u0435\u0442"])


def test_the_alphabet_is_the_papers_and_unknown_tokenisers_get_near_names():
    assert len(ALPHABET) == 70
    with pytest.raises(UsageError, match=r"'kin'. Did you mean kim"):
        tokeniser("kin")


@given(st.text())
@settings(max_examples=30)
def test_no_tokeniser_makes_empty_tokens(text):
    for name in TOKENISERS:
        assert all(tokeniser(name)(text)) or not tokeniser(name)(text)


def test_a_vocabulary_is_by_frequency_then_name_then_the_files_order():
    counts = {"b": 2, "a": 2, "c": 5}
    assert vocabulary(counts, ["z", "a", "y"]) == ("c", "a", "b", "z", "y")
    assert coverage(counts, ["c", "x"]) == (1 / 3, 5 / 9)


LINES = b"the 1 2 3\nfilm 4 5 6\nnew york 7 8 9\n"


def test_every_format_gives_the_same_vectors(tmp_path):
    (tmp_path / "v.txt").write_bytes(LINES)
    (tmp_path / "head.txt").write_bytes(b"3 3\n" + LINES)
    (tmp_path / "v.txt.gz").write_bytes(gzip.compress(LINES))
    matrix = np.arange(1, 10, dtype=np.float32).reshape(3, 3)
    names = ["the", "film", "new york"]
    packed = b"".join(name.replace(" ", "_").encode() + b" " + struct.pack("<3f", *row) + b"\n"
                      for name, row in zip(names, matrix, strict=True))  # fmt: skip
    (tmp_path / "v.bin").write_bytes(b"3 3\n" + packed)
    save_file({"vectors": matrix}, tmp_path / "v.safetensors", metadata={"words": "\n".join(names)})
    for file in ("v.txt", "head.txt", "v.txt.gz", "v.bin", "v.safetensors"):
        found = read_vectors(tmp_path / file, {"film", "new york", "new_york", "zebra"})
        assert (found.words[0], len(found.words), found.total, found.dimension) == ("film", 2, 3, 3)
        assert found.matrix.tolist() == [[4, 5, 6], [7, 8, 9]]
        assert read_vectors(tmp_path / file, (), first=1).words == ("the",)


BAD = {
    "another dimension": (b"a 1 2 3\nb 1 2\n", "line 2: 2 numbers where the lines before have 3"),
    "one more": (b"a 1 2 3\nb 1 2 3 4\n", "line 2: 4 numbers"),
    "no number": (b"a 1 2 3\nb 1 x 3\n", "line 2: expected numbers behind the word"),
    "not finite": (b"a 1 2 3\nb 1 nan 3\n", "line 2: a number of the vector is not finite"),
    "a megabyte": (b"a 1 2\nb " + b"1 " * 600_000, "line 2: longer than 1,000,000 bytes"),
    "nothing": (b"", "no word vectors"),
    "another language": (b"c 1 2\nd 3 4\n", "has none of the 2 words"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_vectors_are_one_line_with_file_and_number(tmp_path, case):
    content, message = BAD[case]
    path = tmp_path / "v.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"v.txt.*{message}") as caught:
        read_vectors(path, {"a", "b"})
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="cannot be read"):
        read_vectors(tmp_path / "none.txt", {"a"})


def test_damaged_vectors_are_one_line(tmp_path):
    packed = gzip.compress(LINES * 50)
    for name, content in {"short.gz": packed[:-9], "damaged.gz": packed[:30] + b"\x00" * 9 + packed[39:]}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=f"{name} cannot be read"):
            read_vectors(tmp_path / name, {"the"})
    (tmp_path / "v.bin").write_bytes(b"2 3\nthe " + struct.pack("<3f", 1, 2, 3) + b"film " + struct.pack("<2f", 1, 2))
    with pytest.raises(DataError, match=r"word 2 of 2: the file ends inside its vector"):
        read_vectors(tmp_path / "v.bin", {"the"})
    matrix = np.ones((2, 3), dtype=np.float32)
    for listed, message in {
        '["a", ': "JSON list of texts",
        '["a", 1]': "JSON list of texts",
        "a": "1 words for 2",
    }.items():
        save_file({"vectors": matrix}, tmp_path / "v.safetensors", metadata={"words": listed})
        with pytest.raises(DataError, match=message):
            read_vectors(tmp_path / "v.safetensors", {"a"})
    save_file({"vectors": matrix}, tmp_path / "v.safetensors", metadata={"words": "[UNK]\nodd\x85word\n"})
    assert read_vectors(tmp_path / "v.safetensors", (), first=2).words == ("[UNK]", "odd\x85word")


NUMBERS = TextPreprocessing("whitespace", ("a", "b", "c"), margin=(2, 3))


def test_texts_become_numbers_and_the_contract_brings_them_back():
    assert NUMBERS.numbers("c x a").tolist() == [3, 0, 1]
    assert NUMBERS.batch([NUMBERS.numbers("a b"), NUMBERS.numbers("c")]).tolist() == [
        [0, 0, 1, 2, 0, 0, 0],
        [0, 0, 3, 0, 0, 0, 0],
    ]
    fixed = TextPreprocessing("characters", tuple("abc"), length=2, backward=True)
    assert fixed.batch([fixed.numbers("abc")]).tolist() == [[2, 1]]
    for each in (NUMBERS, fixed):
        assert TextPreprocessing.from_contract(each.to_contract()) == each


@given(st.lists(st.lists(st.sampled_from("abcx"), max_size=6), min_size=1, max_size=12))
@settings(max_examples=25)
def test_training_and_prediction_pad_the_same(sentences):
    lines = [" ".join(sentence) for sentence in sentences]
    part = Part(TextItems(lines, lines), (0,) * len(lines))
    source = TextSource(part, NUMBERS)
    rows = torch.arange(len(lines)).flip(0)
    wanted = NUMBERS.batch([NUMBERS.numbers(lines[int(row)]) for row in rows])
    assert torch.equal(source.load(rows).inputs, wanted)


def test_batches_by_length_hold_every_sample_once_and_little_padding():
    torch.manual_seed(0)
    lines = [" ".join("a" * int(length)) for length in torch.randint(1, 40, (1003,))]
    source = TextSource(Part(TextItems(lines, lines), (0,) * len(lines)), NUMBERS)
    sizes = {}
    for lengths in (None, source.lengths):
        loader = BatchLoader(source, seed=3, shuffle=True, lengths=lengths)
        epochs = [[batch.indices for batch in loader.batches(32, epoch=epoch)] for epoch in (0, 0, 1)]
        assert all(sorted(torch.cat(epoch).tolist()) == list(range(1003)) for epoch in epochs)
        assert torch.equal(torch.cat(epochs[0]), torch.cat(epochs[1]))
        assert not torch.equal(torch.cat(epochs[0]), torch.cat(epochs[2]))
        assert {len(batch) for batch in epochs[0]} <= {31, 32}
        rest = [batch.indices for batch in loader.batches(32, epoch=0, start=5)]
        assert all(torch.equal(one, other) for one, other in zip(epochs[0][5:], rest, strict=True))
        sizes[lengths is None] = sum(batch.inputs.numel() for batch in loader.batches(32))
    assert sizes[False] < 0.75 * sizes[True]
