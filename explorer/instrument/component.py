"""The instrument in Streamlit: mounted, and what it sends back checked."""

import functools
from collections.abc import Callable

import streamlit as st

from explorer.instrument.assets import bundle, css
from explorer.instrument.want import Want


@functools.cache
def _component() -> Callable[..., object]:
    return st.components.v2.component(
        "attention_instrument", html='<div class="ax"></div>', css=css(), js=bundle("streamlit")
    )


def show(payload: bytes, *, key: str, on_want: Callable[[Want], None]) -> None:
    """Draw the instrument.

    Args:
        payload: From `pack`.
        key: The element's own name; the same key keeps the same picture alive.
        on_want: Called with what the reader wants and the browser does not have.
    """

    def wanted() -> None:
        want = Want.of(getattr(st.session_state.get(key), "want", None))
        if want is not None:
            on_want(want)

    _component()(data=payload, key=key, on_want_change=wanted)
