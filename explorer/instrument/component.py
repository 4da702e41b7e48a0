"""The browser parts in Streamlit: one way to mount them all."""

import functools
from collections.abc import Callable
from typing import TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.instrument.assets import Host, bundle, css
from explorer.language import ENGLISH, spoken

Heard = TypeVar("Heard")
_HEARD = "heard_parts"  # in the session: those that were heard and are not drawn again yet


@functools.cache
def _component(host: Host, language: str) -> Callable[..., object]:
    shown = f'<div class="ax" lang="{language}"></div>'
    html = shown if host != "place" else "<i></i>"  # which shows nothing
    return st.components.v2.component(
        f"attention_{host}_{language}", html=html, css=css(host) or None, js=bundle(host, language)
    )


def show(host: Host, payload: bytes, *, key: str, **told: Callable[[object], None]) -> None:
    """Draw one of the browser parts.

    Args:
        host: Which.
        payload: What it shows, from the part's own file in `wire`.
        key: The element's own name; the same key keeps the same picture alive.
        told: For each name under which the part sends something: who is told what was sent. That
            may be anything, as a page may be tampered with: see `heard`.
    """
    # Streamlit would put other code into the same element, and leave the picture before alive.
    key = key if spoken() == ENGLISH else f"{key}_{spoken()}"
    on = {f"on_{name}_change": _telling(key, name, tell) for name, tell in told.items()}
    _component(host, spoken())(data=payload, key=key, **on)
    st.session_state.get(_HEARD, set()).discard(key)


def heard(
    read: Callable[[object], Heard | None], tell: Callable[[Heard], None]
) -> Callable[[object], None]:
    """Tells what can be read in what a page sent, and nothing otherwise.

    Args:
        read: Reads it, as the functions of `wire.request` do; None where it cannot be.
        tell: Given what was read.
    """

    def hear(sent: object) -> None:
        found = read(sent)
        if found is not None:
            tell(found)

    return hear


def _telling(key: str, name: str, tell: Callable[[object], None]) -> Callable[[], None]:
    def told() -> None:
        st.session_state.setdefault(_HEARD, set()).add(key)
        tell(getattr(st.session_state.get(key), name, None))

    return told


def are_left() -> bool:
    """Whether a part was heard that will not be drawn in this run; asked once.

    A browser may put what two parts send within a moment into one message, and then only the
    first of them is drawn.
    """
    context = get_script_run_ctx()
    alone = context is not None and len(context.fragment_ids_this_run or ()) == 1
    return alone and bool(st.session_state.pop(_HEARD, None))
