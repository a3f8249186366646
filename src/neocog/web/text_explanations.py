"""The explanations of a text: a score for each word, with the same methods and the same trust as `neocog look`."""

from __future__ import annotations

from collections.abc import Collection

from neocog.verbs.look_methods import Method
from neocog.verbs.look_text_methods import TEXT_METHODS
from neocog.verbs.look_words import trust_of_words, word_scores
from neocog.web.encode import Json, array, shown_map
from neocog.web.kinds import Shown
from neocog.web.session import Session


def text_methods_json(fast: Collection[str]) -> list[Json]:
    """Returns the methods that give each word a score; ``fast`` are the names of those that take few passes."""
    return [
        {
            "name": each.name,
            "title": each.title,
            "paper": each.paper,
            "needs": [need for need in each.of.needs if need != "data"],
            "about": each.about,
            "shows": "signed" if each.of.signed else "heat",
            "usual": each.usual,
            "fast": each.name in fast,
        }
        for each in TEXT_METHODS
        if each.of is not None
    ]


def explain_text(
    session: Session, shown: Shown, method: Method, target: int | None, layer: str | None, *, trust: bool
) -> Json:
    """Returns the scores of a text's words: exactly, and as a map over the places of the network's input."""
    seen = shown.text
    scores = word_scores(method, session.network, seen, target=target, layer=layer)
    trusted = None
    if trust:
        chances = session.chances.setdefault(shown.id, {})
        found = trust_of_words(method, session.network, seen, scores, target=target, layer=layer, chances=chances)
        trusted = dict(vars(found))
    return {
        "signed": method.signed,
        "heat": shown_map(seen.by_place(scores.float()), full=True),
        "scores": array(scores),
        "words": list(seen.tokens),
        "overlay": None,
        "trust": trusted,
    }
