"""The ways to look at a text, as a table; those of pictures that say nothing about words are refused with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from neocog.core.errors import UsageError, near_names
from neocog.verbs.look_methods import ALL, METHODS, Method, find_method

Kind = Literal["words", "ngrams"]
NGRAMS = "ngrams"


@dataclass(frozen=True)
class TextMethod:
    """One way to look at a text: a score for each word (``of`` is the method of `METHODS`), or what filters saw."""

    name: str
    title: str
    paper: str
    about: str
    usual: bool = False
    of: Method | None = None


# What each method of pictures says of words, and whether it is among those that are shown unless told.
_ABOUT = {
    "saliency": ("How much the class's score changes with each word's vector: the length of the gradient.", True),
    "gradient_times_input": (
        "The gradient times the word's vector: what each word adds to the score (orange) or takes from it (blue), "
        "roughly.",
        True,
    ),
    "smoothgrad": ("Saliency averaged over copies of the word vectors with noise.", False),
    "integrated_gradients": (
        "Each word's share of what the text adds to the score of a text of unknown words; the shares add up to it.",
        True,
    ),
    "guided_backpropagation": (
        "The gradient with its negative parts cut off at each rectifier, as a length by word. It may show the text "
        "more than the network; see its trust.",
        False,
    ),
    "grad_cam": ("Where a layer's maps speak for the class, spread over the words that they lie on.", False),
    "grad_cam_plus_plus": ("Grad-CAM with weights by place, so that several mentions of the class all show.", False),
    "score_cam": ("A layer's maps weighted by the score that the text has when only what a map shows is left.", False),
    "guided_grad_cam": ("Guided backpropagation where Grad-CAM is strong, as a length by word.", False),
    "occlusion": (
        "How far the class's log-probability falls when the word is an unknown one: orange speaks for the class, blue "
        "against.",
        True,
    ),
    "relevance": ("The score handed back layer by layer in proportion to what each unit contributed.", False),
}
_REFUSED = {
    "deconvnet": f"it draws what a unit saw as a picture; {NGRAMS} names the words that a filter saw, exactly",
    "feature_maps": f"maps over words are no pictures; {NGRAMS} names the words that each filter answers to",
    "filters": f"the weights of a filter over word vectors are no picture; {NGRAMS} names the words that fire it",
    "receptive_field": f"the words that a filter sees are as many as its n-grams have; see {NGRAMS}",
    "strongest_activations": f"patches are cut out of pictures; {NGRAMS} with --data names the n-grams of the data",
    "nearest_neighbours": "it lays out pictures; --words names the nearest words to a word",
}
TEXT_METHODS = (
    *(
        TextMethod(each.name, each.title, each.paper, *_ABOUT[each.name], of=each)
        for each in METHODS
        if each.name in _ABOUT
    ),
    TextMethod(
        NGRAMS,
        "N-grams that fire the filters",
        "Kim 2014, arXiv:1408.5882; Jacovi et al. 2018, arXiv:1809.08037",
        "The words that each filter of a layer answers most to: in this text, with what the filter adds to the score, "
        "and in the data where some are given.",
        usual=True,
    ),
)  # fmt: skip
TEXT_NAMES = tuple(method.name for method in TEXT_METHODS)


def text_method(name: str) -> TextMethod:
    """Returns the method of that name, in any writing.

    Raises UsageError with near names, and with the reason for a method that is of pictures alone.
    """
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    for method in TEXT_METHODS:
        if plain.replace("_", "").rstrip("s") == method.name.replace("_", "").rstrip("s"):
            return method
    try:
        known = find_method(name).name
    except UsageError:
        raise UsageError(
            f"no method for texts is called {name!r}.{near_names(plain, TEXT_NAMES)} There are {', '.join(TEXT_NAMES)}."
        ) from None
    raise UsageError(f"{known} does not go with texts: {_REFUSED[known]}.")


def chosen_text_methods(
    names: Iterable[str], refused: Mapping[str, str] = MappingProxyType({})
) -> tuple[TextMethod, ...]:
    """Returns the methods asked for, in the table's order: the usual ones where none is, and all for ``all``.

    ``refused`` are those that do not go with the model's kind of texts, with the reason that UsageError gives.
    """
    asked = list(names)
    found = {text_method(name) for name in asked if name != ALL}
    for each in found:
        if each.name in refused:
            raise UsageError(f"{each.name} does not go with this model: {refused[each.name]}.")
    able = [each for each in TEXT_METHODS if each.name not in refused]
    if not asked:
        return tuple(each for each in able if each.usual)
    return tuple(each for each in able if ALL in asked or each in found)
