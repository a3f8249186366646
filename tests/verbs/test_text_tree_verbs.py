"""Sentiment trees through the verbs: trained on phrases, tested and predicted on sentences."""

from __future__ import annotations

import pytest

import neocog
from neocog.core.errors import DataError

WORDS = {"0": "awful", "1": "weak", "2": "long", "3": "good", "4": "superb"}


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bank")
    for name, count in (("train", 60), ("dev", 10), ("test", 15)):
        rows = ((label, WORDS[label], number) for number in range(count // 5) for label in WORDS)
        trees = "".join(f"({label} ({label} {word}) (2 (2 film) (2 {name}{number})))\n" for label, word, number in rows)
        (folder / f"{name}.txt").write_text(trees)
    return folder


def test_a_binary_model_is_tested_and_predicts_on_sentences(bank, tmp_path):
    run = neocog.train(
        bank, trees="binary", tokeniser="kim-sst", net="kim_cnn", recipe="smoke", epochs=3, dimension=8,
        out=tmp_path / "run", quiet=True,
    )  # fmt: skip
    model = run.folder / "model.safetensors"
    assert run.summary["test"]["n"] == 12
    result = neocog.test(model, bank, trees="binary")
    assert (result.part, result.samples, result.classes) == ("test", 12, ("0", "1"))
    assert result.metrics["top1"] == pytest.approx(run.summary["test"]["top1"])
    with pytest.raises(DataError, match="does not know the class '2'"):
        neocog.test(model, bank)
    answers = list(neocog.predict(model, [bank / "test.txt"]))
    assert [each.input for each in answers][:2] == ["awful film test0", "weak film test0"]
