"""What ``neocog look --out`` leaves for texts: ``look.json`` and a report in one file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from neocog.report.look_text_page import Coloured, LookTextPage, Neighbours, NgramTable, TextSection
from neocog.report.markup import percent, plural
from neocog.report.sheet import short
from neocog.verbs.look_folder import REPORT, trust_facts, whole, write_table
from neocog.verbs.look_text_methods import TEXT_METHODS
from neocog.verbs.look_text_result import ExplainedWord, LookedText, TextFigure, TextLook

# Beyond so many texts the page would be too long to read; the others are in look.json alone.
ON_PAGE = 50


def write(folder: Path, look: TextLook) -> TextLook:
    """Writes both files, all or nothing, and returns the look with its folder.

    Raises UsageError where the folder is not empty, and ResourceError where it cannot be written.
    """

    def fill(inside: Path) -> TextLook:
        text_page(look).page().write(inside / REPORT)
        write_table(inside, look.to_json())
        return look

    return replace(whole(folder, fill), folder=folder)


def text_page(look: TextLook) -> LookTextPage:
    """Returns the report of a look."""
    readable = [each for each in look.texts if not each.error]
    shown = {figure.method for figure in look.all_figures if not figure.error}
    return LookTextPage(
        title=f"A look into {look.network}",
        verdict=_verdict(look, readable),
        facts=[("Model", look.model), ("Network", look.network), ("Texts", f"{len(readable):,}")],
        texts=[section for each in readable[:ON_PAGE] for section in _sections(each)],
        network=[_table(figure) for figure in look.figures if not figure.error],
        neighbours=[Neighbours(each.word, each.now, each.before, each.others) for each in look.neighbours],
        refused=_refusals(look.figures),
        unread=[(each.input, each.error) for each in look.refused],
        left=len(readable[ON_PAGE:]),
        papers=[(each.title, each.paper) for each in TEXT_METHODS if each.name in shown],
        notes=look.notes,
        reading=_reading(readable),
    )


def _verdict(look: TextLook, readable: list[LookedText]) -> str:
    if len(readable) == 1 and readable[0].answers:
        label, chance = readable[0].answers[0]
        return f"{label}, says the network, with {percent(chance)}."
    if len(readable) == 1:
        explained = plural(len(readable[0].explained), "word")
        return f"{plural(len(readable[0].tokens), 'word')} tagged, {explained} explained."
    if not readable:
        return f"The neighbours of {plural(len(look.neighbours), 'word')}."
    ways = len({figure.method for figure in look.all_figures if not figure.error})
    return f"{plural(len(readable), 'text')} in {plural(ways, 'way')}."


def _sections(each: LookedText) -> list[TextSection]:
    """Returns a text's section, and of a tagged sentence behind it one for each word that is explained."""
    whole = _section(each, [figure for figure in each.figures if figure.word is None])
    whole = replace(
        whole,
        unknown=[token for token, known in zip(each.tokens, each.known, strict=True) if not known],
        answers=each.answers,
        tags=list(zip(each.labels, each.chances, strict=True)) if each.chances else (),
        bag=each.bag,
        note=each.note,
    )
    return [whole, *(_word_section(each, one) for one in each.explained)]


def _word_section(each: LookedText, one: ExplainedWord) -> TextSection:
    made = _section(each, [figure for figure in each.figures if figure.word == one.word])
    title = f"{each.tokens[one.word]} ({each.labels[one.word]})"
    return replace(made, name=title, answers=one.answers)


def _section(each: LookedText, figures: list[TextFigure]) -> TextSection:
    good = [figure for figure in figures if not figure.error]
    return TextSection(
        name=each.input,
        tokens=each.tokens,
        unknown=(),
        answers=(),
        coloured=[_coloured(figure, each) for figure in good if figure.scores is not None],
        ngrams=[_table(figure) for figure in good if figure.scores is None],
        refused=_refusals(tuple(figures)),
        between=each.between,
    )


def _coloured(figure: TextFigure, of: LookedText) -> Coloured:
    assert figure.scores is not None
    parts = [(name, values.tolist()) for name, values in figure.parts]
    scores = figure.scores.tolist()
    return Coloured(figure.title, _about(figure), scores, _facts(figure), figure.note, of.marks(figure), parts)


def _reading(texts: list[LookedText]) -> tuple[str, ...]:
    return (
        *(_OF_TAGS if any(each.explained for each in texts) else ()),
        *(_OF_ENTITIES if any(any(each.marks()) for each in texts) else ()),
    )


_OF_TAGS = (
    "A word's tag is explained by the words of its sentence: the colours say how much each of them speaks for that tag "
    "at that word. A word's score is that of all its features, its own vector, its capitals and its suffixes; an "
    "unknown word is in lower case and has no known suffix. Words that cannot reach the tag, such as those outside a "
    "window, have no score and take no part in trust.",
)
_OF_ENTITIES = (
    "The entities are marked e1 and e2. How far a word stands from them stays what it is: scores are of the words, and "
    "an unknown word stands where the word stood.",
)


def _table(figure: TextFigure) -> NgramTable:
    of_data = figure.target is None
    chosen = figure.ngrams if of_data else figure.ngrams[: figure.count]
    rows = [
        (each.filter, each.text, each.value, each.source if each.effect is None else each.effect, each.piece)
        for each in chosen
    ]
    towards = "" if figure.target is None else f" Class: {figure.target}."
    return NgramTable(figure.title, _about(figure), figure.layer or "", rows, figure.note + towards, of_data)


def _about(figure: TextFigure) -> str:
    return next(each.about for each in TEXT_METHODS if each.name == figure.method)


def _facts(figure: TextFigure) -> list[tuple[str, str]]:
    rows = [("Layer", figure.layer or ""), ("Class", figure.target or "")]
    if figure.score is not None and figure.probability is not None:
        rows += [("Score (logit)", short(figure.score)), ("Probability", percent(figure.probability))]
    told = [] if figure.trust is None or figure.trust.rank != figure.trust.rank else trust_facts(figure.trust)
    return [(label, value) for label, value in rows if value] + told


def _refusals(figures: tuple[TextFigure, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys((figure.title, figure.error) for figure in figures if figure.error))
