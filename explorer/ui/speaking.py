"""The language of the reader, the switch to another, and sentences said in it at once."""

from collections.abc import Callable

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer import language

LANGUAGE = "lang"  # in a link
_SPOKEN, _CHOSEN = "language", "language_was_chosen"  # in the session
_FEW = 1  # other languages that each have a button; more are a menu


def start() -> None:
    """Find the reader's language: as the link says, or as the browser asks; then as was chosen."""
    session = st.session_state
    language.asks_reader(_of_session)
    if _SPOKEN in session:
        return
    linked = language.nearest(st.query_params.get(LANGUAGE))
    session[_SPOKEN] = linked or language.nearest(st.context.locale) or language.ENGLISH
    session[_CHOSEN] = linked is not None


def _of_session() -> str | None:
    if get_script_run_ctx(suppress_warning=True) is None:
        return None  # work that is done for all readers
    found: str | None = st.session_state.get(_SPOKEN)
    return found


def in_link() -> dict[str, str]:
    """The language as a link says it, where it was chosen."""
    return {LANGUAGE: language.spoken()} if is_chosen() else {}


def is_chosen() -> bool:
    """Whether a reader, or the link that he followed, has chosen the language."""
    return bool(st.session_state.get(_CHOSEN))


def switch(then: Callable[[], None]) -> None:
    """The other languages by their own names, in the head of every page.

    Args:
        then: Called when another is chosen.
    """
    others = {c: name for c, name in language.languages().items() if c != language.spoken()}
    with st.container(key="languages"):  # the style puts it beside the menu
        box = st.container() if len(others) <= _FEW else st.popover(t("Language"))
        for code, name in others.items():
            box.button(
                name,
                key=f"language_{code}",
                type="tertiary",
                on_click=_choose,
                args=(code, then),
            )


def _choose(code: str, then: Callable[[], None]) -> None:
    session = st.session_state
    session[_SPOKEN], session[_CHOSEN] = code, True
    then()


def say(sentence: str) -> str:
    """A sentence that was made elsewhere, in the reader's language."""
    return language.say(sentence)


def t(message: str, /, **values: object) -> str:
    """A sentence in the reader's language; what stands in ``{name}`` is put there as it is."""
    return language.say(language.t(message, **values))


def tn(one: str, many: str, n: int, /, **values: object) -> str:
    """A sentence about a number of things, in the reader's language."""
    return language.say(language.tn(one, many, n, **values))


def tc(context: str, message: str, /, **values: object) -> str:
    """A word that means different things in different places, in the reader's language."""
    return language.say(language.tc(context, message, **values))
