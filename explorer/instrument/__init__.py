"""The instrument in Streamlit: its parts put together, mounted, and what it sends back checked."""

import functools
import re
from collections.abc import Callable
from pathlib import Path

import streamlit as st

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
    "grid",
    "heatmap",
    "flow",
    "reading",
    "table",
    "tools",
    "instrument",
    "streamlit",
)


def bundle() -> str:
    """All modules as one text.

    Streamlit runs a component from memory, where a module has no neighbours to import. Each
    module's own imports are dropped, and so is ``export`` before all but the last one's default:
    every name is unique across the modules (a test holds this).
    """
    parts = []
    for name in MODULES:
        text = (_HERE / f"{name}.js").read_text("utf-8")
        text = re.sub(r"^import .*?;\n", "", text, flags=re.MULTILINE | re.DOTALL)
        parts.append(re.sub(r"^export (?!default)", "", text, flags=re.MULTILINE))
    return "\n".join(parts)


@functools.cache
def _component() -> Callable[..., object]:
    return st.components.v2.component(
        "attention_instrument",
        html='<div class="ax"></div>',
        css=(_HERE / "instrument.css").read_text("utf-8"),
        js=bundle(),
    )


def show(payload: bytes, *, key: str, on_layer: Callable[[int], None]) -> None:
    """Draw the instrument.

    Args:
        payload: From `pack`.
        key: The element's own name; the same key keeps the same picture alive.
        on_layer: Called with a layer that the reader wants and the browser does not have.
    """

    def wanted() -> None:
        layer = getattr(st.session_state.get(key), "layer", None)
        if type(layer) is int and 0 <= layer < 1000:  # whatever a page may send
            on_layer(layer)

    _component()(data=payload, key=key, on_layer_change=wanted)
