"""The CRF against the enumeration of every sequence of tags."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neocog.core.errors import DataError, NetworkError
from neocog.core.spans import is_well_formed
from neocog.nn.crf import PADDING, Constraints, LinearChainCRF, constraints


def crf_of(tags, seed=0, spread=1.0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    crf = LinearChainCRF(tags).to(dtype)
    with torch.no_grad():
        crf.start.copy_(spread * torch.randn(tags, generator=generator, dtype=dtype))
        crf.transitions.copy_(spread * torch.randn(tags, tags, generator=generator, dtype=dtype))
    return crf


def scores_of(*shape, seed=1, spread=1.0, dtype=torch.float64):
    return spread * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def mask_of(lengths, longest):
    return torch.arange(longest) < torch.tensor(lengths)[:, None]


def every_path(crf, scores):
    """All sequences of tags of one sentence (L, K), each with its score, summed one by one."""
    length, tags = scores.shape
    paths = list(itertools.product(range(tags), repeat=length))
    totals = []
    for path in paths:
        total = crf.start[path[0]] + scores[0, path[0]]
        for place in range(1, length):
            total = total + crf.transitions[path[place - 1], path[place]] + scores[place, path[place]]
        totals.append(total)
    return paths, torch.stack(totals)


CASES = st.tuples(st.integers(1, 4), st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(0, 10_000))


@settings(max_examples=25)
@given(CASES)
def test_likelihood_marginals_and_best_path_are_those_of_the_enumeration(case):
    tags, lengths, seed = case
    longest = max(lengths) + seed % 2
    crf, scores, mask = (
        crf_of(tags, seed),
        scores_of(len(lengths), longest, tags, seed=seed + 1),
        mask_of(lengths, longest),
    )
    gold = torch.randint(tags, (len(lengths), longest), generator=torch.Generator().manual_seed(seed))
    likelihood, partition = crf(scores, gold, mask), crf.log_partition(scores, mask)
    marginals, decoded = crf.marginals(scores, mask), crf.decode(scores, mask)
    for row, length in enumerate(lengths):
        paths, totals = every_path(crf, scores[row, :length])
        own = paths.index(tuple(gold[row, :length].tolist()))
        torch.testing.assert_close(partition[row], totals.logsumexp(0))
        torch.testing.assert_close(likelihood[row], totals.log_softmax(0)[own])
        chances = totals.softmax(0)
        for place, tag in itertools.product(range(length), range(tags)):
            through = sum(chance for path, chance in zip(paths, chances, strict=True) if path[place] == tag)
            torch.testing.assert_close(marginals[row, place, tag], through)
        assert tuple(decoded.tags[row, :length].tolist()) == paths[int(totals.argmax())]
        assert (decoded.tags[row, length:] == PADDING).all()
        assert (marginals[row, length:] == 0).all()
        torch.testing.assert_close(decoded.scores[row], totals.max().detach())


def test_a_hand_computed_sentence():
    crf = LinearChainCRF(2)
    with torch.no_grad():
        crf.start.copy_(torch.tensor([1.0, 0.0]))
        crf.transitions.copy_(torch.tensor([[0.0, 2.0], [0.0, -1.0]]))
    scores = torch.tensor([[[0.0, 1.0], [0.5, 0.0]]])
    # 00: 1+0+0+0.5 = 1.5;  01: 1+0+2+0 = 3;  10: 0+1+0+0.5 = 1.5;  11: 0+1-1+0 = 0
    total = torch.tensor([1.5, 3.0, 1.5, 0.0]).logsumexp(0)
    torch.testing.assert_close(crf.log_partition(scores)[0], total)
    torch.testing.assert_close(crf(scores, torch.tensor([[0, 1]]))[0], 3.0 - total)
    decoded = crf.decode(scores)
    assert decoded.tags.tolist() == [[0, 1]]
    assert decoded.scores.item() == 3.0


def test_gradients_are_those_of_the_enumeration():
    crf, scores = crf_of(3), scores_of(2, 4, 3).requires_grad_()
    gold, lengths = torch.tensor([[0, 2, 1, 1], [2, 2, 0, 0]]), [4, 2]
    wanted = [scores, crf.start, crf.transitions]
    own = torch.autograd.grad(crf(scores, gold, mask_of(lengths, 4)).sum(), wanted)
    total = scores.new_zeros(())
    for row, length in enumerate(lengths):
        paths, totals = every_path(crf, scores[row, :length])
        total = total + totals.log_softmax(0)[paths.index(tuple(gold[row, :length].tolist()))]
    for mine, theirs in zip(own, torch.autograd.grad(total, wanted), strict=True):
        torch.testing.assert_close(mine, theirs)
    assert (own[0][1, 2:] == 0).all()


def test_gradcheck_of_likelihood_and_marginals():
    crf, scores = crf_of(2), scores_of(2, 3, 2).requires_grad_()
    gold, mask = torch.tensor([[0, 1, 1], [1, 0, 0]]), mask_of([3, 1], 3)
    assert torch.autograd.gradcheck(lambda x: crf(x, gold, mask), scores)
    assert torch.autograd.gradcheck(lambda x: crf.marginals(x, mask), scores)


def test_marginals_are_the_gradient_of_the_log_partition():
    crf, scores, mask = crf_of(5), scores_of(3, 7, 5).requires_grad_(), mask_of([7, 1, 4], 7)
    (gradient,) = torch.autograd.grad(crf.log_partition(scores, mask).sum(), scores)
    torch.testing.assert_close(crf.marginals(scores, mask), gradient)


def test_untrained_it_is_a_softmax_of_each_word():
    crf, scores = LinearChainCRF(4).double(), scores_of(2, 3, 4)
    torch.testing.assert_close(crf.marginals(scores), scores.softmax(2))
    assert torch.equal(crf.decode(scores).tags, scores.argmax(2))


@pytest.mark.parametrize("rubbish", [0.0, 1e30, float("nan"), float("inf"), -float("inf")])
def test_what_stands_behind_the_end_changes_nothing(rubbish):
    crf, scores, mask = crf_of(3), scores_of(2, 5, 3), mask_of([3, 5], 5)
    gold = torch.tensor([[0, 1, 2, -100, 99], [0, 1, 2, 1, 0]])
    spoilt = scores.masked_fill(~mask[:, :, None], rubbish).requires_grad_()
    likelihood = crf(spoilt, gold, mask)
    likelihood.sum().backward()
    assert torch.equal(likelihood, crf(scores, gold, mask))
    assert torch.equal(crf.decode(spoilt, mask).tags, crf.decode(scores, mask).tags)
    assert torch.equal(crf.marginals(spoilt, mask), crf.marginals(scores, mask))
    assert all(each.grad.isfinite().all() for each in (spoilt, crf.start, crf.transitions))


def test_sentences_of_a_batch_do_not_influence_each_other():
    crf, scores, lengths = crf_of(4), scores_of(3, 6, 4), [6, 2, 1]
    mask, gold = mask_of(lengths, 6), torch.randint(4, (3, 6), generator=torch.Generator().manual_seed(0))
    together, best = crf(scores, gold, mask), crf.decode(scores, mask)
    for row, length in enumerate(lengths):
        alone, own = scores[row : row + 1, :length], gold[row : row + 1, :length]
        torch.testing.assert_close(together[row : row + 1], crf(alone, own), rtol=1e-14, atol=0)
        assert best.tags[row, :length].tolist() == crf.decode(alone).tags[0].tolist()
        torch.testing.assert_close(
            crf.marginals(scores, mask)[row : row + 1, :length], crf.marginals(alone), rtol=1e-13, atol=0
        )


def test_a_sentence_without_words_has_likelihood_one_and_no_tags():
    crf, scores, mask = crf_of(3), scores_of(2, 2, 3).requires_grad_(), mask_of([0, 2], 2)
    gold = torch.zeros(2, 2, dtype=torch.long)
    assert crf(scores, gold, mask)[0] == 0
    assert crf.decode(scores, mask).tags[0].tolist() == [PADDING, PADDING]
    (gradient,) = torch.autograd.grad(crf(scores, gold, mask).sum(), scores)
    assert (gradient[0] == 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("spread", [1e3, 1e8, 1e30])
def test_extreme_scores_stay_finite_and_sharp(dtype, spread):
    crf, scores = (
        crf_of(3, spread=spread, dtype=dtype),
        scores_of(2, 30, 3, spread=spread, dtype=dtype).requires_grad_(),
    )
    best = crf.decode(scores)
    likelihood = crf(scores, best.tags)
    likelihood.sum().backward()
    assert likelihood.dtype == dtype
    assert likelihood.isfinite().all()
    torch.testing.assert_close(crf.log_partition(scores), best.scores)
    assert scores.grad.isfinite().all()
    marginals = crf.marginals(scores)
    torch.testing.assert_close(marginals.sum(2), torch.ones(2, 30, dtype=dtype))
    if spread == 1e3:
        assert torch.equal(marginals.argmax(2), best.tags)


def test_precisions_agree_and_halves_are_reckoned_in_float32():
    crf, scores = crf_of(5, dtype=torch.float32), scores_of(2, 40, 5, dtype=torch.float32)
    gold = torch.randint(5, (2, 40), generator=torch.Generator().manual_seed(0))
    double = crf_of(5, dtype=torch.float32).double()
    torch.testing.assert_close(crf(scores, gold).double(), double(scores.double(), gold), rtol=1e-5, atol=0)
    half = scores.bfloat16()
    assert torch.equal(crf(half, gold), crf(half.float(), gold))


BIOES = ["O", "B-A", "I-A", "E-A", "S-A", "B-B", "I-B", "E-B", "S-B"]
IOB = ["O", "B-A", "I-A", "B-B", "I-B"]


@settings(max_examples=20)
@given(st.sampled_from(["IOB1", "IOB2", "BIOES"]), st.integers(1, 4), st.integers(0, 10_000))
def test_constrained_decoding_gives_the_best_well_formed_tags(scheme, length, seed):
    names = IOB[:4] if scheme != "BIOES" else BIOES[:5]
    crf, scores = crf_of(len(names), seed, spread=2), scores_of(1, length, len(names), seed=seed, spread=2)
    decoded = crf.decode(scores, allowed=constraints(names, scheme))
    paths, totals = every_path(crf, scores[0])
    totals = totals.detach()
    good = [
        (float(total), path)
        for path, total in zip(paths, totals, strict=True)
        if is_well_formed([names[tag] for tag in path], scheme)
    ]
    assert tuple(decoded.tags[0].tolist()) == max(good)[1]
    assert decoded.scores.item() == pytest.approx(max(good)[0])


@pytest.mark.parametrize(("names", "scheme"), [(IOB, "IOB1"), (IOB, "IOB2"), (BIOES, "BIOES")])
def test_constrained_tags_of_unequal_lengths_are_well_formed(names, scheme):
    lengths = list(range(1, 9))
    crf, scores = crf_of(len(names), spread=3), scores_of(8, 8, len(names), spread=3)
    decoded = crf.decode(scores, mask_of(lengths, 8), constraints(names, scheme))
    for row, length in enumerate(lengths):
        assert is_well_formed([names[tag] for tag in decoded.tags[row, :length]], scheme)
    free = crf.decode(scores, mask_of(lengths, 8))
    assert (free.scores >= decoded.scores).all()


def test_decoding_leaves_no_graph_and_no_change():
    crf, scores = crf_of(3), scores_of(1, 4, 3).requires_grad_()
    kept = scores.detach().clone()
    assert not crf.decode(scores, allowed=constraints(["O", "B-A", "I-A"], "IOB2")).scores.requires_grad
    assert torch.equal(scores, kept)
    assert crf.start.isfinite().all()
    assert crf.transitions.isfinite().all()


def test_training_finds_a_rule_that_no_word_tells():
    """Tags alternate, the words say nothing: only the transitions can learn it."""
    crf, scores = LinearChainCRF(2), torch.zeros(1, 8, 2)
    gold = torch.tensor([[0, 1] * 4])
    optimiser = torch.optim.SGD(crf.parameters(), lr=1.0)
    for _ in range(60):
        optimiser.zero_grad()
        (-crf(scores, gold).mean()).backward()
        optimiser.step()
    assert crf.decode(scores).tags.tolist() == gold.tolist()
    assert crf(scores, gold).exp().item() > 0.8


def test_refusals():
    crf, scores = LinearChainCRF(3), torch.zeros(2, 4, 3)
    gold = torch.zeros(2, 4, dtype=torch.long)
    with pytest.raises(NetworkError, match=r"scores should be \(B, L, 3\) .* got \(2, 4, 5\)"):
        crf.decode(torch.zeros(2, 4, 5))
    with pytest.raises(NetworkError, match="L 1 or more"):
        crf.decode(torch.zeros(2, 0, 3))
    with pytest.raises(NetworkError, match=r"tags should be \(2, 4\).* got \(2, 3\)"):
        crf(scores, gold[:, :3])
    with pytest.raises(NetworkError, match=r"mask should be \(2, 4\)"):
        crf(scores, gold, torch.ones(2, 3, dtype=torch.bool))
    with pytest.raises(NetworkError, match="gap"):
        crf(scores, gold, torch.tensor([[1, 0, 1, 1], [1, 1, 1, 1]]))
    with pytest.raises(NetworkError, match="finite"):
        crf.decode(torch.full((1, 2, 3), float("nan")))
    with pytest.raises(NetworkError, match="no allowed sequence"):
        never = torch.zeros(3, dtype=torch.bool)
        crf.decode(scores, allowed=Constraints(never, never.expand(3, 3), never))
    with pytest.raises(NetworkError, match="for 5 tags; the CRF has 3"):
        crf.decode(scores, allowed=constraints(IOB, "IOB2"))
    with pytest.raises(NetworkError, match="one tag or more"):
        LinearChainCRF(0)
    with pytest.raises(DataError, match="'E-A' is not a tag of IOB2"):
        constraints(BIOES, "IOB2")
