import pytest
import torch
from torch import nn

from neocog.core.errors import NetworkError, UsageError
from neocog.explain.ngrams import firing_ngrams, words_behind

WORDS = ("<pad>", "a", "good", "bad", "film", "not")


class Kim(nn.Module):
    """Kim's network with hand-set numbers: a word's embedding is one-hot; filter 0 likes "not bad", filter 1 "good"."""

    def __init__(self, padding=0, flat=False):
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(torch.eye(6), freeze=False)
        self.flat = flat
        weight = torch.zeros(2, 6, 2)
        weight[0, 5, 0], weight[0, 3, 1], weight[1, 2, 0] = 2, 1, 3
        if flat:
            self.conv = nn.Conv2d(1, 2, (2, 6), padding=(padding, 0), bias=False)
            weight = weight.transpose(1, 2)[:, None]
        else:
            self.conv = nn.Conv1d(6, 2, 2, padding=padding, bias=False)
        self.conv.weight = nn.Parameter(weight)
        self.act = nn.ReLU(inplace=True)
        self.deep = nn.Conv1d(2, 1, 3, bias=False)
        nn.init.ones_(self.deep.weight)
        self.head = nn.Linear(1, 2)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = self.conv(x[:, None])[..., 0] if self.flat else self.conv(x.transpose(1, 2))
        return self.head(self.deep(self.act(x)).amax(2))


SENTENCES = torch.tensor([[1, 2, 4, 0, 0], [1, 5, 3, 4, 0], [5, 3, 5, 2, 4]])


@pytest.mark.parametrize("flat", [False, True])
def test_the_ngram_that_fires_each_filter(flat):
    found = firing_ngrams(Kim(flat=flat), [SENTENCES[:1], SENTENCES[1:]], WORDS, layer="conv", count=3)
    assert [(each.text, each.value, each.sample, each.start) for each in found[0]] == [
        ("not bad", 3, 1, 1),  # once, where it comes first
        ("not good", 2, 2, 2),
        ("a good", 0, 0, 0),
    ]
    assert [each.text for each in found[1][:1]] == ["good film"]
    assert firing_ngrams(Kim(flat=flat), [SENTENCES], WORDS, layer="conv", count=3) == found


def test_a_decoder_may_be_a_function_and_filters_chosen():
    found = firing_ngrams(Kim(), [SENTENCES], str, layer="act", filters=[1], count=1)
    assert {each: own[0].words for each, own in found.items()} == {1: ("2", "4")}


def test_beyond_the_ends_of_a_sentence_there_are_no_words():
    found = firing_ngrams(Kim(padding=1), [torch.tensor([[3, 1, 4]])], WORDS, layer="conv", count=1)
    assert (found[0][0].words, found[0][0].start, found[0][0].value) == (("bad",), 0, 1)


def test_layers_behind_others_have_longer_ngrams():
    found = firing_ngrams(Kim(), [SENTENCES], WORDS, layer="deep", count=1)
    # Three windows of two words each, seen through the rectifier; "bad not good film" has 5 too, and comes later.
    assert (found[0][0].words, found[0][0].value) == (("not", "bad", "not", "good"), 5)


def test_sentences_of_several_lengths():
    found = firing_ngrams(Kim(), [SENTENCES, torch.tensor([[1, 1, 5, 3, 5, 3, 1]])], WORDS, layer="conv", count=9)
    assert len(found[0]) == 9
    assert found[0][0].sample == 1


class Attends(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(6, 4)
        self.mix = nn.MultiheadAttention(4, 1, batch_first=True)
        self.conv = nn.Conv1d(4, 3, 1)

    def forward(self, tokens):
        x = self.embedding(tokens)
        return self.conv(self.mix(x, x, x)[0].transpose(1, 2)).amax(2)


def test_behind_attention_it_is_the_whole_sentence():
    torch.manual_seed(0)
    found = firing_ngrams(Attends(), [SENTENCES], WORDS, layer="conv", count=1)
    assert all(len(own[0].words) == 5 for own in found.values())


def test_the_network_stays_as_it_was_also_after_an_interrupt():
    module = Kim().train()

    def batches():
        yield SENTENCES
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        firing_ngrams(module, batches(), WORDS, layer="conv")
    assert all(each.training and not each._forward_hooks for each in module.modules())
    assert all(each.requires_grad and each.grad is None for each in module.parameters())


@pytest.mark.parametrize(
    ("error", "reason", "arguments"),
    [
        (NetworkError, "maps", {"layer": "head"}),
        (NetworkError, "no layer 'conf'. Did you mean conv", {"layer": "conf"}),
        (UsageError, "filters 0 to 1, got 2", {"layer": "conv", "filters": [2]}),
        (UsageError, "no batches", {"layer": "conv", "batches": []}),
        (UsageError, "whole numbers", {"layer": "conv", "batches": [torch.zeros(1, 3)]}),
        (UsageError, "count", {"layer": "conv", "count": 0}),
    ],
)
def test_what_has_no_ngrams_is_refused(error, reason, arguments):
    given = {"batches": [SENTENCES], **arguments}
    with pytest.raises(error, match=reason):
        firing_ngrams(Kim(), given.pop("batches"), WORDS, **given)


@pytest.mark.parametrize("length", [15, 16, 40, 64, 65, 150])
def test_an_ngram_is_as_wide_as_its_filter_in_sentences_of_any_length(length):
    """From sixteen sentences on torch takes another way to convolve, which spreads what is not a number."""
    net = nn.Sequential(nn.Embedding(50, 8), Turned(), nn.Conv1d(8, 5, 3))
    tokens = torch.randint(0, 50, (2, length), generator=torch.Generator().manual_seed(0))
    found = firing_ngrams(net, [tokens], str, layer="2", count=3)
    assert {len(gram.words) for grams in found.values() for gram in grams} == {3}


class Turned(nn.Module):
    def forward(self, x):
        return x.transpose(1, 2)


class Featured(Kim):
    """The same network, for words with a feature that it does not look at; two scores of the second word alone."""

    def forward(self, tokens):
        x = self.act(self.conv(self.embedding(tokens[..., 0]).transpose(1, 2)))
        return x[:, :, 1]


def test_words_may_have_features():
    featured = torch.stack([SENTENCES, torch.full_like(SENTENCES, 9)], 2)
    found = firing_ngrams(Featured(), [featured], WORDS, layer="conv", count=3)
    assert found == firing_ngrams(Kim(), [SENTENCES], WORDS, layer="conv", count=3)


@pytest.mark.parametrize("length", [5, 70])
def test_the_words_behind_an_output(length):
    tokens = torch.ones(1, length, 2, dtype=torch.int64)
    assert torch.nonzero(words_behind(Featured(), tokens)).flatten().tolist() == [1, 2]
    assert bool(words_behind(Kim(), tokens[..., 0]).all())
