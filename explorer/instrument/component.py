"""The browser parts in Streamlit: mounted, and what they send back checked."""

import functools
from collections.abc import Callable, Mapping

import streamlit as st

from explorer.instrument.assets import Host, bundle, css
from explorer.instrument.want import MAX_PAIRS, Head, Want, tuples_of, view_of


@functools.cache
def _component(name: str, host: Host) -> Callable[..., object]:
    return st.components.v2.component(
        name, html='<div class="ax"></div>', css=css(host), js=bundle(host)
    )


def show(
    payload: bytes,
    *,
    key: str,
    on_want: Callable[[Want], None],
    on_walk: Callable[[Head], None],
) -> None:
    """Draw the instrument.

    Args:
        payload: From `pack`.
        key: The element's own name; the same key keeps the same picture alive.
        on_want: Called with what the reader wants and the browser does not have.
        on_walk: Called when the reader wants to see how a head's weights are made.
    """

    def wanted() -> None:
        want = Want.of(_sent(key, "want"))
        if want is not None:
            on_want(want)

    def walked() -> None:
        sent = _sent(key, "walk")
        if isinstance(sent, Mapping):
            on_walk(Head.of(sent))

    draw = _component("attention_instrument", "streamlit")
    draw(data=payload, key=key, on_want_change=wanted, on_walk_change=walked)


def show_steps(
    payload: bytes, *, key: str, on_want: Callable[[Head, Mapping[str, str] | None], None]
) -> None:
    """Draw one head's way, step by step.

    Args:
        payload: From `pack_walk`.
        key: The element's own name.
        on_want: Called with the layer and head that the reader wants, and the view of a file if
            one is wanted.
    """

    def wanted() -> None:
        sent = _sent(key, "want")
        if isinstance(sent, Mapping):
            on_want(Head.of(sent), view_of(sent.get("page")))

    _component("attention_steps", "steps")(data=payload, key=key, on_want_change=wanted)


def show_pair(
    payload: bytes,
    *,
    key: str,
    on_want: Callable[[str, Want], None],
    on_file: Callable[[Mapping[str, str]], None],
) -> None:
    """Draw two instruments side by side.

    Args:
        payload: From `pack_compare`.
        key: The element's own name.
        on_want: Called with the side, ``a`` or ``b``, and what is wanted for it.
        on_file: Called with the view of a file that is wanted.
    """

    def wanted() -> None:
        sent = _sent(key, "want")
        if not isinstance(sent, Mapping):
            return
        view = view_of(sent.get("page"))
        if view is not None:
            on_file(view)
        if sent.get("side") not in ("a", "b"):
            return
        want = Want.of(sent.get("want"))
        if want is not None:
            on_want(str(sent["side"]), want)

    _component("attention_pair", "pair")(data=payload, key=key, on_want_change=wanted)


def show_heads(
    payload: bytes,
    *,
    key: str,
    on_pairs: Callable[[tuple[tuple[int, ...], ...]], None],
    on_walk: Callable[[Head], None],
) -> None:
    """Draw all heads of a model.

    Args:
        payload: From `pack_heads`.
        key: The element's own name.
        on_pairs: Called with the words that the reader points at.
        on_walk: Called when the reader wants to see a head in Explore.
    """

    def wanted() -> None:
        pairs = tuples_of(_sent(key, "want"), "pairs", 3, MAX_PAIRS)
        if pairs is not None:
            on_pairs(pairs)

    def walked() -> None:
        sent = _sent(key, "walk")
        if isinstance(sent, Mapping):
            on_walk(Head.of(sent))

    draw = _component("attention_heads", "headspage")
    draw(data=payload, key=key, on_want_change=wanted, on_walk_change=walked)


def show_explain(
    payload: bytes,
    *,
    key: str,
    on_change: Callable[[tuple[tuple[int, ...], ...], tuple[int, ...]], None],
    on_at: Callable[[int], None],
) -> None:
    """Draw an explanation.

    Args:
        payload: From `pack_explain`.
        key: The element's own name.
        on_change: Called with the heads that shall be off, (layer, head) each, and the positions
            that shall be gone.
        on_at: Called with the position of the token that the reader asks about.
    """

    def wanted() -> None:
        sent = _sent(key, "want")
        heads, gone = tuples_of(sent, "off", 2), tuples_of(sent, "gone", 1)
        if heads is not None and gone is not None:
            on_change(heads, tuple(position for (position,) in gone))

    def asked() -> None:
        position = _sent(key, "at")
        if type(position) is int and position >= 0:
            on_at(position)

    draw = _component("attention_explained", "explainpage")
    draw(data=payload, key=key, on_want_change=wanted, on_at_change=asked)


def _sent(key: str, name: str) -> object:
    return getattr(st.session_state.get(key), name, None)
