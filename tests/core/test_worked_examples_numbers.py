"""The courses' worked examples: ensembles, ImageNet, YOLO, maximal inputs, Kim's sentences, and what slides claim."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from neocog.core.reference.classification_error import top_k_error
from neocog.core.reference.localisation import Box, localisation_error, overlap
from neocog.core.reference.maximal_input import maximal_input
from neocog.core.reference.text import embedding_parameters, sentence_network_parameters
from neocog.core.reference.voting import exactly_right, majority_right
from neocog.core.reference.yolo import yolo_outputs, yolo_shape


def test_s2_three_classifiers_that_are_right_seven_times_in_ten():
    SLIDE = {3: 0.3492, 2: 0.4409, 1: 0.189, 0: 0.027}  # by how many are right
    true = {right: round(exactly_right(3, right, 0.7), 4) for right in SLIDE}
    assert true == {3: 0.343, 2: 0.441, 1: 0.189, 0: 0.027}
    assert sum(true.values()) == pytest.approx(1)
    assert sum(SLIDE.values()) == pytest.approx(1.0061)


def test_s2_their_majority():
    SLIDE = 0.78
    assert majority_right(3, 0.7) == pytest.approx(0.784)
    assert round(majority_right(3, 0.7), 2) == SLIDE
    assert round(0.3492 + 0.4409, 4) == 0.7901  # what the slide's addends give


TRAINING, VALIDATION, TEST = 1_281_167, 50_000, 100_000


def test_sizes_of_imagenets_challenge():
    assert (VALIDATION / 1000, TEST / 1000) == (50, 100)  # S0, pictures a class
    assert 732 < TRAINING / 1000 < 1300
    assert int(TRAINING / 1e5) / 10 == 1.2  # S0: 1.2 million
    assert round(TRAINING / 1e6, 2) == 1.28
    assert TRAINING + VALIDATION + TEST == 1_431_167
    assert round(1_431_167 / 1e6, 2) == 1.43  # S3


def test_s2_fourteen_million_pictures_are_not_those_of_the_thousand_classes():
    SLIDE = 14e6  # all of ImageNet, about 21,800 classes of any size
    assert round(SLIDE / TRAINING, 1) == 10.9


class Published(NamedTuple):
    """Top-5 errors: the slide's, the ensemble's that it is, one network's, and how many networks."""

    slide: float
    ensemble: float
    single: float
    networks: int


@pytest.mark.parametrize(
    "entry",
    [
        Published(15.3, 15.3, 18.2, 7),  # AlexNet, with more data; 16.4 without
        Published(7.3, 7.32, 9.1, 7),  # VGG of mixed depths; one VGG-19, centre crop (7.0 with many crops)
        Published(3.6, 3.57, 6.7, 6),  # ResNet; one ResNet-152, centre crop
    ],
)
def test_s0_the_errors_of_the_challenge_are_those_of_ensembles(entry):
    assert round(entry.ensemble, 1) == entry.slide
    assert entry.networks > 1
    assert entry.single > entry.slide


def test_s0_only_residual_networks_beat_the_human():
    human = 5.1
    assert [name for name, error in (("AlexNet", 15.3), ("VGG", 7.3), ("ResNet", 3.6)) if error < human] == ["ResNet"]
    assert 15.3 < 16.4 < 18.2  # AlexNet: seven with more data, five without, one
    assert 7.0 < 7.32 < 9.1  # VGG: the best one with many crops, the submission, one with one crop


def test_s1_alexnets_lead():
    SLIDE = 10.8  # "more than"
    assert round(26.2 - 15.3, 1) == 10.9 > SLIDE


def test_s1_zfnet_did_not_win():
    SLIDE_ZFNET = 11.2
    clarifai_with_more_data, clarifai, zfnet = 11.2, 11.7, 14.8
    assert clarifai_with_more_data == SLIDE_ZFNET
    assert SLIDE_ZFNET < clarifai < zfnet


TRUTH = {"cat": [Box(0, 0, 10, 10)], "dog": [Box(20, 20, 40, 40), Box(50, 50, 60, 60)]}
GUESSES = [("cat", Box(0, 0, 10, 8)), ("dog", Box(52, 50, 62, 60))]


def test_s0_localisation_error():
    assert overlap(GUESSES[0][1], TRUTH["cat"][0]) == pytest.approx(0.8)
    assert overlap(GUESSES[1][1], TRUTH["dog"][1]) == pytest.approx(0.667, abs=5e-4)
    others = [("bird", Box(0, 0, 10, 10)), ("cat", Box(50, 50, 60, 60)), ("fish", Box(1, 1, 2, 2))]
    assert localisation_error([*others, *GUESSES], TRUTH) == 0
    assert localisation_error([*others, GUESSES[0]], TRUTH) == 0.5


def test_s0_an_overlap_of_exactly_a_half_is_an_error():
    half = Box(0, 0, 10, 5)
    assert overlap(half, TRUTH["cat"][0]) == 0.5
    assert localisation_error([("cat", half)], {"cat": TRUTH["cat"]}) == 1
    assert localisation_error([("cat", half._replace(bottom=5.1))], {"cat": TRUTH["cat"]}) == 0


def test_s0_top_5_error():
    scores = np.tile(np.arange(10.0), (4, 1))
    assert top_k_error(scores, np.array([9, 5, 4, 0]), 5) == 0.5


def test_s0_yolo():
    assert (yolo_shape(7, 2, 20), yolo_outputs(7, 2, 20)) == ((7, 7, 30), 1470)
    assert (yolo_shape(7, 3, 20), yolo_outputs(7, 3, 20)) == ((7, 7, 35), 1715)  # Darknet's later configuration


def test_s0_the_input_that_excites_most():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=100)  # S0's autoencoder: 100 - 50 - 100
    best = maximal_input(weights)
    assert best == pytest.approx(weights / np.sqrt((weights**2).sum()))
    assert weights @ best == pytest.approx(np.linalg.norm(weights))
    others = rng.normal(size=(20_000, 100))
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    assert (others @ weights).max() < 0.6 * np.linalg.norm(weights)


class Sentences(NamedTuple):
    """Table 1 of Kim 2014: classes, average length, sentences, words, words with a vector; table 2: accuracies."""

    classes: int
    length: int
    sentences: int
    words: int
    known: int
    random: float
    static: float
    nonstatic: float
    multichannel: float
    before: float


KIM = {
    "MR": Sentences(2, 20, 10662, 18765, 16448, 76.1, 81.0, 81.5, 81.1, 79.5),
    "SST-1": Sentences(5, 18, 11855, 17836, 16262, 45.0, 45.5, 48.0, 47.4, 48.7),
    "SST-2": Sentences(2, 19, 9613, 16185, 14838, 82.7, 86.8, 87.2, 88.1, 87.8),
    "Subj": Sentences(2, 23, 10000, 21323, 17913, 89.6, 93.0, 93.4, 93.2, 93.6),
    "TREC": Sentences(6, 10, 5952, 9592, 9125, 91.2, 92.8, 93.6, 92.2, 95.0),
    "CR": Sentences(2, 19, 3775, 5340, 5046, 79.8, 84.7, 84.3, 85.0, 82.7),
    "MPQA": Sentences(2, 3, 10606, 6246, 6083, 83.4, 89.6, 89.5, 89.4, 87.2),
}


@pytest.mark.parametrize(
    ("better", "worse", "mean"),
    [("static", "random", 3.66), ("nonstatic", "static", 0.59), ("multichannel", "nonstatic", -0.16)],
)
def test_s0_what_each_of_kims_modes_gains(better, worse, mean):
    gains = [getattr(entry, better) - getattr(entry, worse) for entry in KIM.values()]
    assert round(sum(gains) / len(gains), 2) == mean


def test_s0_where_two_channels_beat_the_best_before():
    ahead = [name for name, entry in KIM.items() if entry.multichannel > entry.before]
    assert ahead == ["MR", "SST-2", "CR", "MPQA"]


def test_s0_how_many_words_have_a_vector():
    shares = [round(100 * entry.known / entry.words, 1) for entry in KIM.values()]
    assert shares == [87.7, 91.2, 91.7, 84.0, 95.1, 94.5, 97.4]


def test_s0_parameters_of_kims_network():
    assert 100 * (3 + 4 + 5) * 300 + 300 == 360_300
    for entry in KIM.values():
        assert sentence_network_parameters(entry.classes) == 360_300 + 300 * entry.classes + entry.classes
    static = sentence_network_parameters(KIM["MR"].classes)
    trained = static + embedding_parameters(KIM["MR"].words)  # V + 1 rows, as in the author's code
    assert (static, trained) == (360_902, 5_990_702)


def test_s2_the_derivative_of_a_residual_block_is_one_more():
    """h + f(h): dh(n)/dh(n-1) = df/dh + 1, the identity matrix."""
    rng = np.random.default_rng(0)
    weights, h = rng.normal(size=(3, 3)), rng.normal(size=3)
    ends = [[np.tanh(weights @ (h + s * e)) + h + s * e for e in 1e-5 * np.eye(3)] for s in (1, -1)]
    jacobian = (np.array(ends[0]) - np.array(ends[1])).T / 2e-5
    own = (1 - np.tanh(weights @ h) ** 2)[:, None] * weights
    assert jacobian == pytest.approx(own + np.eye(3), abs=1e-8)


def test_who_came_first_by_the_month_in_the_arxiv_number():
    """S2 calls ResNet the first heavy user of batch norm; S1 gives one number for both versions of ShuffleNet."""
    bn_inception, resnet = "1502.03167", "1512.03385"
    shufflenet_v1, shufflenet_v2 = "1707.01083", "1807.11164"
    assert bn_inception < resnet
    assert shufflenet_v1 != shufflenet_v2
    assert (bn_inception[:4], shufflenet_v1[:4], shufflenet_v2[:4]) == ("1502", "1707", "1807")
