"""How to run it again: settings, versions and commands."""

from __future__ import annotations

from collections.abc import Sequence

from neocog.report.markup import LONGEST_VALUE, Column, Html, facts, join, name, paragraph, table, text
from neocog.report.page import Section


def facts_section(heading: str, pairs: Sequence[tuple[str, str]], *, lead: str = "") -> Section:
    """Returns labels with short values (an estimate of time and memory, the versions of the libraries)."""
    words = paragraph(lead, class_="lead") if lead else Html("")
    return Section(heading, join((words, facts(pairs))))


def settings_section(heading: str, pairs: Sequence[tuple[str, str]], *, lead: str = "") -> Section:
    """Returns a table of options and their values (the recipe)."""
    words = paragraph(lead, class_="lead") if lead else Html("")
    rows = [(text(label), name(value, LONGEST_VALUE)) for label, value in pairs]
    return Section(heading, join((words, table(heading, (Column("Setting"), Column("Value")), rows, kind="settings"))))


def commands_section(commands: Sequence[tuple[str, str]], *, heading: str = "Run it again", lead: str = "") -> Section:
    """Returns shell commands, each under the words that say what it does."""
    words = paragraph(lead, class_="lead") if lead else Html("")
    blocks = join(
        Html(f'<p class="does">{text(does)}</p><pre tabindex="0"><code>{text(command)}</code></pre>')
        for does, command in commands
    )
    return Section(heading, join((words, blocks)))
