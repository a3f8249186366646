"""What a page shows of a sentence alone: its words with their tags, a bag's sentences, scores by features of words."""

from __future__ import annotations

from collections.abc import Sequence

from neocog.report.markup import LONGEST_VALUE, Column, Html, disclosure, element, join, name, percent, table, text

# A tag with its probability.
Tag = tuple[str, float]
# The name of a feature and its part of each word's score.
Part = tuple[str, Sequence[float]]


def tag_line(tokens: Sequence[str], tags: Sequence[Tag]) -> Html:
    """Returns the words in one line, each with its tag low behind it and the tag's probability as its title."""
    words = [
        element("span", join((text(token), element("sub", text(tag)))), class_="word", title=percent(chance))
        for token, (tag, chance) in zip(tokens, tags, strict=True)
    ]
    line = element("p", join(words, " "), class_="words")
    rows = [(name(token), text(tag), text(percent(chance))) for token, (tag, chance) in zip(tokens, tags, strict=True)]
    columns = (Column("Word"), Column("Tag"), Column("Probability", numeric=True))
    return join((line, disclosure("How probable each tag is", table("Tags", columns, rows))))


def bag_table(bag: Sequence[tuple[str, float]]) -> Html:
    """Returns a bag's sentences with how much the answer's relation heeds each, in the bag's order."""
    rows = [(name(sentence, LONGEST_VALUE), text(percent(weight))) for sentence, weight in bag]
    columns = (Column("Sentence"), Column("Attention", numeric=True))
    return table("The sentences of the bag", columns, rows, kind="settings")


def parts_table(tokens: Sequence[str], scores: Sequence[float], parts: Sequence[Part]) -> Html:
    """Returns each word's score by features, to be opened; words without any are left out.

    Where the features' parts add up to the scores, their sums stand below.
    """
    columns = (Column("Word"), *(Column(title, numeric=True) for title, _ in parts), Column("Score", numeric=True))
    every = [*(values for _, values in parts), scores]
    rows = [
        (name(token), *(text(f"{values[place]:+.3g}") for values in every))
        for place, token in enumerate(tokens)
        if any(values[place] for values in every)
    ]
    adds = all(
        abs(sum(values[place] for _, values in parts) - score) <= 1e-4 * (1 + abs(score))
        for place, score in enumerate(scores)
    )
    footer = (text("all words"), *(text(f"{sum(values):+.3g}") for values in every)) if adds else ()
    return disclosure("By feature", table("Scores by feature", columns, rows, footer=footer)) if rows else Html("")
