"""What a network sees: explanations that take any module and its inputs, give tensors, and leave nothing behind.

One method a file. They are imported here at once, so that a name that a method shares with its file is the method's.
"""

from neocog.explain.deconvnet import deconvnet as deconvnet
from neocog.explain.deepdream import deep_dream as deep_dream
from neocog.explain.feature_maps import feature_maps as feature_maps
from neocog.explain.features import features as features
from neocog.explain.filters import filters as filters
from neocog.explain.gradcam import grad_cam as grad_cam
from neocog.explain.gradcam import grad_cam_plus_plus as grad_cam_plus_plus
from neocog.explain.gradient_input import gradient_times_input as gradient_times_input
from neocog.explain.guided import guided_backpropagation as guided_backpropagation
from neocog.explain.guided import guided_grad_cam as guided_grad_cam
from neocog.explain.integrated import integrated_gradients as integrated_gradients
from neocog.explain.inversion import invert_features as invert_features
from neocog.explain.maximal_input import maximal_input as maximal_input
from neocog.explain.maximise import ascend as ascend
from neocog.explain.maximise import maximise as maximise
from neocog.explain.neighbours import nearest_neighbours as nearest_neighbours
from neocog.explain.ngrams import firing_ngrams as firing_ngrams
from neocog.explain.occlusion import occlusion as occlusion
from neocog.explain.pointing import boxes_from_maps as boxes_from_maps
from neocog.explain.pointing import energy_inside as energy_inside
from neocog.explain.pointing import localisation_error as localisation_error
from neocog.explain.pointing import pointing_game as pointing_game
from neocog.explain.probes import linear_probes as linear_probes
from neocog.explain.projection import project as project
from neocog.explain.randomisation import randomisation as randomisation
from neocog.explain.receptive import receptive_field as receptive_field
from neocog.explain.receptive import sight as sight
from neocog.explain.relevance import relevance as relevance
from neocog.explain.removal import deletion as deletion
from neocog.explain.removal import insertion as insertion
from neocog.explain.saliency import gradient as gradient
from neocog.explain.saliency import saliency as saliency
from neocog.explain.scorecam import score_cam as score_cam
from neocog.explain.smoothgrad import smoothgrad as smoothgrad
from neocog.explain.strongest import patches as patches
from neocog.explain.strongest import strongest_activations as strongest_activations
from neocog.explain.word_neighbours import word_cosine as word_cosine
from neocog.explain.word_neighbours import word_neighbours as word_neighbours
from neocog.explain.words import word_saliency as word_saliency
from neocog.explain.words import words_in_ansi as words_in_ansi
from neocog.explain.words import words_in_html as words_in_html

__all__ = [
    "ascend",
    "boxes_from_maps",
    "deconvnet",
    "deep_dream",
    "deletion",
    "energy_inside",
    "feature_maps",
    "features",
    "filters",
    "firing_ngrams",
    "grad_cam",
    "grad_cam_plus_plus",
    "gradient",
    "gradient_times_input",
    "guided_backpropagation",
    "guided_grad_cam",
    "insertion",
    "integrated_gradients",
    "invert_features",
    "linear_probes",
    "localisation_error",
    "maximal_input",
    "maximise",
    "nearest_neighbours",
    "occlusion",
    "patches",
    "pointing_game",
    "project",
    "randomisation",
    "receptive_field",
    "relevance",
    "saliency",
    "score_cam",
    "sight",
    "smoothgrad",
    "strongest_activations",
    "word_cosine",
    "word_neighbours",
    "word_saliency",
    "words_in_ansi",
    "words_in_html",
]
