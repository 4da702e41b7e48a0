"""The instrument's JavaScript and CSS, put together for a host."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

_HERE = Path(__file__).parent

Host = Literal[
    "streamlit", "standalone", "steps", "stepsfile", "pair", "pairfile", "headspage", "explainpage"
]

# In the order in which they use one another.
MODULES = (
    "scores",
    "data",
    "model",
    "palette",
    "path",
    "rail",
    "view",
    "words",
    "dom",
    "sight",
    "paint",
    "theme",
    "scene",
    "save",
    "record",
    "svg",
    "pdf",
    "shoot",
    "table",
    "tools",
    "picked",
    "grid",
    "heatmap",
    "flow",
    "layers",
    "photo",
    "reading",
    "says",
    "files",
    "matrix",
    "film",
    "instrument",
    "compare",
    "address",
    "alone",
    "walk",
    "stages",
    "stepwords",
    "steppictures",
    "stepnumbers",
    "stepper",
    "headmap",
    "survey",
    "finder",
    "heads",
    "explained",
    "curves",
    "switchoff",
    "explain",
)
_HEADS = ("headmap", "survey", "finder", "heads")
_EXPLAINED = ("headmap", "explained", "curves", "switchoff", "explain")
_OWN = (*_HEADS, *_EXPLAINED)
_WALKED = ("walk", "stages", "stepwords", "steppictures", "stepnumbers", "stepper")
_DRAWN = (
    "scores",
    "data",
    "model",
    "view",
    "palette",
    "dom",
    "paint",
    "theme",
    "save",
    "tools",
    "matrix",
)
_SAVED = ("record", "svg", "pdf", "shoot", "files")


def _all_but(*left_out: str) -> tuple[str, ...]:
    return tuple(name for name in MODULES if name not in left_out)


def _only(*names: str) -> tuple[str, ...]:
    return tuple(name for name in MODULES if name in names)


HOSTS: Mapping[Host, tuple[str, ...]] = {
    "streamlit": _all_but(*_WALKED, *_OWN, "compare", "alone"),
    "standalone": _all_but(*_WALKED, *_OWN, "compare", "address"),
    "pair": _all_but(*_WALKED, *_OWN, "alone"),
    "pairfile": _all_but(*_WALKED, *_OWN, "address"),
    "steps": _only(*_DRAWN, *_SAVED, *_WALKED, "address"),
    "stepsfile": _only(*_DRAWN, *_SAVED, *_WALKED, "alone"),
    "headspage": _only(*_DRAWN, *_SAVED, *_HEADS, "address"),
    "explainpage": _only(*_DRAWN, *_SAVED, *_EXPLAINED, "address"),
}
SHEETS: Mapping[Host, tuple[str, ...]] = {
    "streamlit": ("instrument",),
    "standalone": ("instrument",),
    "pair": ("instrument", "compare", "steps"),
    "pairfile": ("instrument", "compare", "steps"),
    "steps": ("instrument", "steps"),
    "stepsfile": ("instrument", "steps"),
    "headspage": ("instrument", "steps", "heads"),
    "explainpage": ("instrument", "steps", "compare", "heads", "explain"),
}
_EXPORTED = re.compile(r"^export (?:async )?(?:const|function|class) (\w+)", re.MULTILINE)


def bundle(host: Host) -> str:
    """The modules that a host uses, and the host, as one text.

    Code that runs from memory or from inside a page has no neighbours to import. So each module
    becomes a function that gives back what it exports; only these names are seen by the others (a
    test holds that no two modules export the same one).
    """
    return "\n".join([*(_enclosed(name) for name in HOSTS[host]), _joinable(_read(host))])


def exports(name: str) -> list[str]:
    """The names that a module exports."""
    return _EXPORTED.findall(_read(name))


def _read(name: str) -> str:
    return (_HERE / f"{name}.js").read_text("utf-8")


def _enclosed(name: str) -> str:
    names = ", ".join(exports(name))
    return f"const {{ {names} }} = (() => {{\n{_joinable(_read(name))}return {{ {names} }};\n}})();"


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


def css(host: Host = "streamlit") -> str:
    """The style sheet of a host's part."""
    return "\n".join((_HERE / f"{sheet}.css").read_text("utf-8") for sheet in SHEETS[host])
