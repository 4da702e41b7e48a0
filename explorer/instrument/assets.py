"""The instrument's JavaScript and CSS, put together for a host.

A host's code is its module and whatever that imports, and so on: the imports are the one list.
Beside a module may lie a sheet of its name, which goes where the module goes. A worker is a host of
its own, and travels as a text in the code of the pages that use it.
"""

import functools
import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

from explorer.language import ENGLISH, messages_within, plural_rule, say, t, tc

_HERE = Path(__file__).parent

Host = Literal[
    "explore",
    "explorefile",
    "steps",
    "stepsfile",
    "compare",
    "comparefile",
    "heads",
    "headsfile",
    "corpus",
    "corpusfile",
    "explain",
    "explainfile",
    "efficiency",
    "efficiencyfile",
    "article",
    "articlefile",
    "place",
    "tiles",
]
HOSTS: tuple[Host, ...] = get_args(Host)
_IMPORT = re.compile(r'^import (\{[^}]*\}) from "([^"]+)\.js";\n', re.MULTILINE)
_EXPORTED = re.compile(r"^export (?:async )?(?:const|function|class) (\w+)", re.MULTILINE)
_EXPORT = re.compile(r"^export\b.*", re.MULTILINE)


def modules_of(host: Host) -> tuple[str, ...]:
    """The modules that a host uses, each behind those that it uses; the host's own is the last.

    Raises:
        ValueError: Modules use one another in a ring.
    """
    found: dict[str, bool] = {}  # whether all that a module uses is there already

    def visit(module: str) -> None:
        if module in found:
            if not found[module]:
                raise ValueError(f"{module} uses itself by way of others")
            return
        found[module] = False
        for used, _ in imports_of(module):
            visit(used)
        found[module] = True
        order.append(module)

    order: list[str] = []
    visit(f"hosts/{host}")
    return tuple(order)


def imports_of(module: str) -> list[tuple[str, str]]:
    """The modules that a module imports from, such as ``numbers/data``, and the names in braces."""
    folder = posixpath.dirname(module)
    return [
        (posixpath.normpath(posixpath.join(folder, path)), names)
        for names, path in _IMPORT.findall(read(module))
    ]


@functools.cache
def terms(language: str = ENGLISH) -> dict[str, dict[str, str]]:
    """The words that are explained where they stand: what each says and, said, how it is called."""
    found: dict[str, dict[str, str]] = json.loads((_HERE.parent / "terms.json").read_text("utf-8"))
    if language == ENGLISH:
        return found
    for name, term in found.items():
        meaning = term["says"]
        term |= {"name": say(tc("term", name), language), "says": say(t(meaning), language)}
    return found


def _explained(language: str) -> dict[str, dict[str, str]]:
    """What words say, by their names and by what these are in the language."""
    known = terms(language)
    called = {term["name"]: term["says"] for term in known.values() if "name" in term}
    called |= {name: term["says"] for name, term in known.items()}
    return {name: {"says": says} for name, says in called.items()}


def read(module: str) -> str:
    """The text of a module."""
    return (_HERE / f"{module}.js").read_text("utf-8")


@functools.cache
def bundle(host: Host, language: str = ENGLISH) -> str:
    """The modules that a host uses, and the host, as one text, which speaks one language.

    Code that runs from memory or from inside a page has no neighbours to import. So each module
    becomes a function that gives back what it exports.
    """
    *used, own = modules_of(host)
    text = "\n".join([*map(_enclosed, used), _imported(own) + _joinable(read(own))])
    for empty, filling in _fillings(used, text, language):
        text = text.replace(empty, filling, 1)
    return text


@functools.cache
def css(host: Host = "explore") -> str:
    """The sheets of the modules that a host uses, in the order of these."""
    sheets = (_HERE / f"{module}.css" for module in modules_of(host))
    return "\n".join(sheet.read_text("utf-8") for sheet in sheets if sheet.is_file())


def _fillings(used: list[str], text: str, language: str) -> Iterator[tuple[str, str]]:
    """What stands empty in modules, and what is written in its place."""
    if "numbers/language" in used and language != ENGLISH:
        said = _literal(messages_within(text, language))
        yield "CATALOGUE = {}", f"CATALOGUE = {said}"
        yield f'LANGUAGE = "{ENGLISH}"', f'LANGUAGE = "{language}"'
        yield "Number(n !== 1)", f"Number({plural_rule(language)})"
    if "wire/terms" in used:
        yield "TERMS = {}", f"TERMS = {_literal(_explained(language))}"
    if "wire/workertext" in used:
        yield 'WORKER_TEXT = ""', f"WORKER_TEXT = {json.dumps(bundle('tiles'))}"


def _literal(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\u2028", "\\u2028")


def exported(text: str) -> list[str]:
    """The names that a module gives to others.

    Raises:
        ValueError: It exports in a form that would be lost on the way.
    """
    for line in _EXPORT.findall(text):
        if not _EXPORTED.match(line):
            raise ValueError(f"“{line}” is lost in a bundle: export each name by itself")
    return _EXPORTED.findall(text)


def _enclosed(module: str) -> str:
    text = read(module)
    names = ", ".join(exported(text))
    inside = f"{_imported(module)}{_joinable(text)}return {{ {names} }};\n"
    return f"const {_variable(module)} = (() => {{\n{inside}}})();"


def _imported(module: str) -> str:
    """The imports of a module as what they are in a bundle."""
    lines = (
        f"const {' '.join(names.split()).replace(' as ', ': ')} = {_variable(used)};\n"
        for used, names in imports_of(module)
    )
    return "".join(lines)


def _variable(module: str) -> str:
    return module.replace("/", "_")


def _joinable(module: str) -> str:
    """A module without imports, exports, comments and indentation: it travels with every payload.

    No module has a text of several lines, in which a space at the start of a line would count.
    """
    for unwanted in (
        r"^import [^;]*;\n",
        r"^export (?!default)",
        r"^ */\*\*(?:[^*]|\*(?!/))*\*/\n",
        r"^ *//.*\n",
        r"^ +",
        r"^\n",
    ):
        module = re.sub(unwanted, "", module, flags=re.MULTILINE)
    return module
