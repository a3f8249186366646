from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neocog.core.errors import DataError, UsageError
from neocog.data.dataset import DataSet, Part
from neocog.data.items import ArrayItems
from neocog.data.split import LARGEST_VAL, choose, fewer, keep_aside, quotas, split_table


def dataset(labels, contents=None, classes=None):
    """Samples whose content is their number (or as given), each a 2 x 2 picture."""
    contents = range(len(labels)) if contents is None else contents
    array = np.array([[[c % 256, c // 256], [0, 0]] for c in contents], dtype=np.uint8).reshape(-1, 2, 2)
    count = max(labels, default=0) + 1 if classes is None else classes
    return DataSet("made", tuple(map(str, range(count))), {"train": Part(ArrayItems(array, "made"), tuple(labels))})


def contents(part):
    return sorted(
        int(part.items.read(index)[0, 0]) + 256 * int(part.items.read(index)[0, 1]) for index in range(len(part))
    )


def test_quotas_by_hand():
    # 15 % of 30 is 4.5, rounded to even 4: exact shares 4/3 each, so one each and the remainder to the first
    assert quotas([10, 10, 10], 0.15) == [2, 1, 1]
    # 15 % of 20 is 3: exact shares 2.7 and 0.3
    assert quotas([18, 2], 0.15) == [3, 0]
    assert quotas([1, 1, 1], 0.5) == [0, 0, 0]
    assert quotas([2, 0], 0.15) == [1, 0]
    assert quotas([1000, 1000], 0.15, most=10) == [5, 5]


@given(st.lists(st.integers(0, 60), min_size=1, max_size=12), st.sampled_from([0.1, 0.15, 0.5]))
def test_quotas_leave_one_and_meet_the_total_where_they_can(sizes, fraction):
    shares = quotas(sizes, fraction)
    assert all(0 <= share <= max(0, size - 1) for share, size in zip(shares, sizes, strict=True))
    wanted = max(1, round(sum(sizes) * fraction))
    assert sum(shares) <= wanted
    for share, size in zip(shares, sizes, strict=True):
        assert abs(share - size * wanted / max(1, sum(sizes))) <= 1 or share == max(0, size - 1)


@given(st.lists(st.integers(0, 3), min_size=12, max_size=80), st.integers(0, 5))
@settings(max_examples=50, deadline=None)
def test_parts_are_disjoint_and_complete_and_train_has_every_class(labels, seed):
    whole = dataset(labels)
    split = keep_aside(whole, seed=seed)
    assert list(split.parts) == ["train", "val", "test"]
    found = [content for part in split.parts.values() for content in contents(part)]
    assert sorted(found) == list(range(len(labels)))
    assert set(split.parts["train"].labels) == set(labels)


@given(st.randoms(use_true_random=False), st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_files_does_not_matter(random, seed):
    labels = [number % 3 for number in range(40)]
    pairs = list(enumerate(labels))
    random.shuffle(pairs)
    straight = keep_aside(dataset(labels), seed=seed)
    shuffled = keep_aside(dataset([label for _, label in pairs], [content for content, _ in pairs]), seed=seed)
    for name, part in straight.parts.items():
        assert contents(part) == contents(shuffled.parts[name])


def test_seeds_split_differently():
    labels = [number % 2 for number in range(60)]
    tests = {tuple(contents(keep_aside(dataset(labels), seed=seed).parts["test"])) for seed in range(5)}
    assert len(tests) == 5


@given(st.lists(st.integers(0, 15), min_size=20, max_size=60), st.integers(0, 3))
@settings(max_examples=50, deadline=None)
def test_copies_stay_together_whatever_their_labels(content, seed):
    labels = [number % 2 for number in range(len(content))]
    part = dataset(labels, content).parts["train"]
    kept = set(choose(part, 2, seed=seed, purpose="test", fraction=0.3))
    for i in range(len(content)):
        for j in range(len(content)):
            assert content[i] != content[j] or (i in kept) == (j in kept)


def test_contents_of_many_copies_are_split_too():
    """Three contents of a class, 10, 20 and 20 times each: a tenth of 100 holds none of them."""
    contents = [0] * 10 + [1] * 20 + [2] * 20 + [3] * 20 + [4] * 20 + [5] * 10
    whole = dataset([0] * 50 + [1] * 50, contents)
    split = keep_aside(whole, fraction=0.05)
    assert {name: len(part) for name, part in split.parts.items()} == {"train": 40, "val": 40, "test": 20}
    assert all(set(part.labels) == {0, 1} for part in split.parts.values())
    with pytest.raises(DataError, match="40 samples, 2 of them different, are too few to keep a test part aside"):
        keep_aside(dataset([0] * 20 + [1] * 20, [0] * 20 + [1] * 20))


def test_parts_that_exist_stay_as_they_are():
    whole = dataset([0, 1] * 20)
    part = whole.parts["train"]
    given = DataSet("made", whole.classes, {"train": part.subset(range(30)), "test": part.subset(range(30, 40))})
    split = keep_aside(given)
    assert contents(split.parts["test"]) == list(range(30, 40))
    assert len(split.parts["val"]) == 4
    assert "no val part: 4 of 30" in split.notes[0]
    assert keep_aside(split) == split


def test_val_is_bounded():
    labels = tuple(number % 2 for number in range(60000))
    array = np.arange(60000, dtype=np.uint32).view(np.uint8).reshape(60000, 2, 2)
    part = Part(ArrayItems(array, "made"), labels)
    split = keep_aside(DataSet("made", ("0", "1"), {"train": part, "test": part}))
    assert len(split.parts["val"]) == LARGEST_VAL


def test_too_few_samples_are_refused():
    with pytest.raises(DataError, match="too few"):
        keep_aside(dataset([0, 1]))
    with pytest.raises(DataError, match="expected a train part"):
        keep_aside(DataSet("made", ("0",), {"test": dataset([0]).parts["train"]}))


def test_classes_of_two_and_three_keep_one_in_train():
    for labels in permutations([0, 0, 0, 1, 1]):
        assert set(keep_aside(dataset(list(labels))).parts["train"].labels) == {0, 1}


def test_the_table_names_every_sample_once():
    table = split_table(keep_aside(dataset([0, 1] * 10)))
    assert sorted(int(name[5:-1]) for name, _, _ in table) == list(range(20))
    assert {part for _, _, part in table} == {"train", "val", "test"}
    assert all(label == str(int(name[5:-1]) % 2) for name, label, _ in table)


def test_fewer_training_samples_are_stratified_and_the_same_each_time():
    whole = keep_aside(dataset([0, 1, 1] * 30))
    some = fewer(whole, 20)
    labels = some.parts["train"].labels
    share = whole.parts["train"].labels.count(0) / 65
    assert len(labels) == 20
    assert abs(labels.count(0) - 20 * share) < 1
    assert set(contents(some.parts["train"])) < set(contents(whole.parts["train"]))
    assert some.parts["test"] == whole.parts["test"] and some.parts["val"] == whole.parts["val"]
    assert contents(fewer(whole, 20).parts["train"]) == contents(some.parts["train"])
    assert contents(fewer(whole, 20, seed=1).parts["train"]) != contents(some.parts["train"])
    assert "training on 20 of 65 samples" in some.notes[-1]
    assert fewer(whole, 10_000) == whole
    with pytest.raises(UsageError, match="each of the 2 classes"):
        fewer(whole, 1)
