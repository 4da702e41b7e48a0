"""The instrument's JavaScript and CSS, put together for a host."""

import re
from pathlib import Path
from typing import Literal

_HERE = Path(__file__).parent

# In the order in which they use one another.
MODULES = (
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
    "reading",
    "says",
    "files",
    "instrument",
)
HOSTS = ("streamlit", "standalone")
_EXPORTED = re.compile(r"^export (?:async )?(?:const|function|class) (\w+)", re.MULTILINE)


def bundle(host: Literal["streamlit", "standalone"]) -> str:
    """All modules and one host as one text.

    Code that runs from memory or from inside a page has no neighbours to import. So each module
    becomes a function that gives back what it exports; only these names are seen by the others (a
    test holds that no two modules export the same one).
    """
    return "\n".join([*(_enclosed(name) for name in MODULES), _joinable(_read(host))])


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


def css() -> str:
    """The instrument's style sheet."""
    return (_HERE / "instrument.css").read_text("utf-8")
