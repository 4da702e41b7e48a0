"""The instrument in Streamlit: mounted, and what it sends back checked."""

import functools
from collections.abc import Callable

import streamlit as st

from explorer.instrument.assets import bundle, css


@functools.cache
def _component() -> Callable[..., object]:
    return st.components.v2.component(
        "attention_instrument", html='<div class="ax"></div>', css=css(), js=bundle("streamlit")
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
