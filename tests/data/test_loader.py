from __future__ import annotations

import threading
from itertools import chain, pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neocog.core.errors import UnreadableInput
from neocog.core.recipe import Augmentation
from neocog.core.task import Batch
from neocog.data.folder import read_folder
from neocog.data.loader import BatchLoader, share
from neocog.data.sources import ArrayPictures, FilePictures


class Counting:
    """A source whose inputs say which sample they are and which random numbers it got."""

    def __init__(self, count, draws=2, instant=True, fail=None):
        self.labels = torch.arange(count)
        self.draws = draws
        self.instant = instant
        self.fail = fail

    def __len__(self):
        return len(self.labels)

    def load(self, indices, uniform=None):
        if self.fail is not None and self.fail in indices.tolist():
            raise UnreadableInput(f"sample {self.fail}: gone")
        inputs = indices.float().unsqueeze(1)
        if uniform is not None:
            inputs = torch.cat([inputs, uniform], 1)
        return Batch(inputs, self.labels[indices], indices)


def flat(lists):
    return list(chain.from_iterable(lists))


def seen(loader, size, **options):
    return [batch.indices.tolist() for batch in loader.batches(size, **options)]


@given(st.integers(0, 200), st.integers(1, 70), st.integers(1, 5))
@settings(max_examples=150, deadline=None)
def test_an_epoch_has_every_sample_once_in_near_equal_batches(count, size, world):
    for shuffle in (False, True):
        ranks = [
            seen(BatchLoader(Counting(count), seed=4, shuffle=shuffle, rank=rank, world=world), size)
            for rank in range(world)
        ]
        assert len({len(each) for each in ranks}) == 1
        whole = [flat(parts) for parts in zip(*ranks, strict=True)]
        sizes = [len(batch) for batch in whole]
        assert len(whole) == -(-count // size)
        assert sorted(flat(whole)) == list(range(count))
        assert not sizes or max(sizes) - min(sizes) <= 1
        assert not sizes or max(sizes) <= size
        if not shuffle:
            assert flat(whole) == list(range(count))


def test_no_batch_of_one_is_left_over():
    assert [len(batch) for batch in seen(BatchLoader(Counting(65)), 64)] == [33, 32]


@given(st.integers(0, 1000), st.integers(1, 20))
def test_shares_are_contiguous_and_near_equal(count, shares):
    bounds = [share(count, shares, which) for which in range(shares)]
    assert bounds[0][0] == 0
    assert bounds[-1][1] == count
    assert all(left[1] == right[0] for left, right in pairwise(bounds))
    assert max(stop - start for start, stop in bounds) - min(stop - start for start, stop in bounds) <= 1


def test_orders_differ_by_epoch_and_seed_and_by_nothing_else():
    orders = [
        flat(seen(BatchLoader(Counting(50), seed=seed, shuffle=True), 7, epoch=epoch))
        for seed in (0, 1)
        for epoch in (0, 1)
    ]
    assert len({tuple(order) for order in orders}) == 4
    assert orders[3] == flat(seen(BatchLoader(Counting(50), seed=1, shuffle=True), 13, epoch=1))


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_threads_and_a_late_start_change_nothing(workers):
    plain = list(BatchLoader(Counting(100), seed=2, shuffle=True).batches(40, epoch=3))
    threaded = BatchLoader(Counting(100, instant=False), seed=2, shuffle=True, workers=workers)
    for start in (0, 1, 2, 3):
        got = list(threaded.batches(40, epoch=3, start=start))
        assert len(got) == len(plain) - start
        for ours, expected in zip(got, plain[start:], strict=True):
            assert torch.equal(ours.inputs, expected.inputs)
            assert torch.equal(ours.targets, expected.targets)
            assert torch.equal(ours.indices, expected.indices)


def test_a_process_gets_the_random_numbers_that_its_samples_have_in_one_process():
    whole = list(BatchLoader(Counting(50), seed=2, shuffle=True).batches(16))
    for rank in range(3):
        shares = list(BatchLoader(Counting(50), seed=2, shuffle=True, rank=rank, world=3).batches(16))
        for mine, batch in zip(shares, whole, strict=True):
            low, high = share(len(batch), 3, rank)
            assert torch.equal(mine.inputs, batch.inputs[low:high])


def test_a_readers_error_is_raised_in_its_place_and_threads_end():
    before = threading.active_count()
    batches = BatchLoader(Counting(100, instant=False, fail=70), workers=3).batches(10)
    good = [next(batches) for _ in range(7)]
    assert len(good) == 7
    with pytest.raises(UnreadableInput, match="sample 70"):
        next(batches)
    assert threading.active_count() == before


def test_closing_early_leaves_no_thread():
    before = threading.active_count()
    batches = BatchLoader(Counting(1000, instant=False), workers=4).batches(10)
    next(batches)
    assert threading.active_count() > before
    batches.close()
    assert threading.active_count() == before


def test_files_are_loaded_as_prepared_and_named_when_unreadable(photos, numbers):
    root = photos({"cat": 3, "dog": 3})
    part = read_folder(root).parts["train"]
    source = FilePictures(part, numbers(16, 18))
    batch = source.load(torch.tensor([5, 0]))
    assert batch.inputs.shape == (2, 3, 16, 16)
    assert batch.inputs.dtype == torch.uint8
    assert batch.targets.tolist() == [1, 0]
    assert source.load(torch.tensor([], dtype=torch.int64)).inputs.shape == (0, 3, 16, 16)
    (root / "cat/1.png").write_bytes(b"")
    with pytest.raises(UnreadableInput, match=r"cat/1\.png: the file is empty"):
        source.load(torch.tensor([1]))


@pytest.mark.parametrize("size", [(48, 64), (400, 300)])
def test_random_crops_do_not_depend_on_what_is_kept_in_memory(photos, save, scene, numbers, size):
    root = photos({"cat": 2, "dog": 2})
    for number, path in enumerate(sorted(root.rglob("*.png"))):
        path.with_suffix(".jpg").write_bytes(save(scene(*size, number), "JPEG"))
        path.unlink()
    part = read_folder(root).parts["train"]
    augmentation = Augmentation(crop_scale=(0.2, 1.0))
    loaders = [
        BatchLoader(FilePictures(part, numbers(16, 18), augmentation, memory=memory), seed=1, shuffle=True)
        for memory in (0, 20_000, 1 << 30)
    ]
    epochs = [[batch.inputs for epoch in range(3) for batch in loader.batches(2, epoch=epoch)] for loader in loaders]
    for other in epochs[1:]:
        assert all(torch.equal(a, b) for a, b in zip(epochs[0], other, strict=True))
    assert not torch.equal(epochs[0][0], epochs[0][2])


def test_array_pictures_are_slices():
    pictures = torch.randint(0, 256, (10, 1, 4, 4), dtype=torch.uint8)
    source = ArrayPictures(pictures, range(10), Augmentation(shift=1, crop_scale=(0.5, 1.0)))
    batch = source.load(torch.tensor([7, 2]))
    assert torch.equal(batch.inputs, pictures[[7, 2]])
    assert batch.targets.tolist() == [7, 2]
    assert source.remaining.crop_scale == (0.5, 1.0)
