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
    "view",
    "words",
    "dom",
    "scene",
    "tools",
    "grid",
    "heatmap",
    "flow",
    "reading",
    "says",
    "save",
    "table",
    "instrument",
)
HOSTS = ("streamlit", "standalone")


def bundle(host: Literal["streamlit", "standalone"]) -> str:
    """All modules and one host as one text.

    Code that runs from memory or from inside a page has no neighbours to import. Each module's own
    imports are dropped, and so is ``export`` before all but the host's default: every name is
    unique across the modules (a test holds this).
    """
    texts = [(_HERE / f"{name}.js").read_text("utf-8") for name in (*MODULES, host)]
    return "\n".join(map(_joinable, texts))


def _joinable(module: str) -> str:
    """A module without imports, exports and comment lines: it travels with every payload."""
    for unwanted in (
        r"^import [^;]*;\n",
        r"^export (?!default)",
        r"^ *//.*\n",
        r"^ */\*\*(?:[^*]|\*(?!/))*\*/\n",
    ):
        module = re.sub(unwanted, "", module, flags=re.MULTILINE)
    return module


def css() -> str:
    """The instrument's style sheet."""
    return (_HERE / "instrument.css").read_text("utf-8")
