"""The page's files put together into one: its modules become one script, its style and answers stand beside it.

The modules keep to one form: an import is a line ``import { a, b as c } from "./x.js";``, an export stands before the
function, class or const that it exports, and no two import each other in a circle.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from neocog.web.static_files import listed

MAIN, STYLE, INDEX = "main.js", "style.css", "index.html"
_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./([\w./-]+)";[^\S\n]*$', re.MULTILINE)
_EXPORT = re.compile(r"^export\s+((?:async\s+)?function\*?|class|const|let)\s+([\w$]+)", re.MULTILINE)
_STRAY = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


def bundled(answers: str) -> str:
    """Returns the whole page with the answers, JSON in which no ``<`` stands, inside it."""
    script = joined(MAIN, lambda name: listed()[name].read_text("utf-8"))
    style = listed()[STYLE].read_text("utf-8")
    page = listed()[INDEX].read_text("utf-8")
    inner = (
        f'<script type="application/json" id="embedded">{answers}</script>\n<script type="module">\n{script}</script>'
    )
    page = _put(page, r'<script type="module" src="/static/main\.js"></script>', inner)
    return _put(page, r'<link rel="stylesheet" href="/static/style\.css">', f"<style>\n{style}</style>")


def _put(page: str, pattern: str, text: str) -> str:
    result, count = re.subn(pattern, lambda _: text, page)
    if count != 1:
        raise AssertionError(f"{INDEX} should hold {pattern} once, it holds it {count} times")
    return result


def joined(main: str, read: Callable[[str], str]) -> str:
    """Returns a module and all that it imports as one script: each a function that gives its exports, in order."""
    done: dict[str, str] = {}
    _join(main, read, done, ())
    return "".join(done.values()).replace("</script", "<\\/script")


def _join(name: str, read: Callable[[str], str], done: dict[str, str], above: tuple[str, ...]) -> None:
    if name in above:
        raise AssertionError(f"the page's modules import each other in a circle: {', '.join((*above, name))}")
    if name in done:
        return
    source = read(name)
    for _, other in _IMPORT.findall(source):
        _join(other, read, done, (*above, name))
    body = _IMPORT.sub(lambda found: f"const {{{_renamed(found[1])}}} = {_variable(found[2])};", source)
    exports = [found[1] for found in _EXPORT.findall(body)]
    body = _EXPORT.sub(r"\1 \2", body)
    stray = _STRAY.search(body)
    if stray:
        raise AssertionError(f"{name}: the line {stray[0]!r} is an import or export of another form")
    done[name] = f"const {_variable(name)} = (() => {{\n{body}\nreturn {{ {', '.join(exports)} }};\n}})();\n"


def _renamed(names: str) -> str:
    return re.sub(r"\bas\b", ":", names).replace(" :", ":")


def _variable(name: str) -> str:
    return "M_" + re.sub(r"\W", "_", name.removesuffix(".js"))
