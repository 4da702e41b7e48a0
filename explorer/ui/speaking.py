"""The language of the reader, and sentences of the page, which are said in it at once."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer import language

CHOSEN = "language"  # in the session, and `lang` in a link


def start() -> None:
    """Find the reader's language: as the link says, as was chosen, or as the browser asks."""
    session = st.session_state
    linked = language.nearest(st.query_params.get("lang"))
    session[CHOSEN] = (
        linked or session.get(CHOSEN) or language.nearest(st.context.locale) or language.ENGLISH
    )
    language.asks_reader(_of_session)


def _of_session() -> str | None:
    if get_script_run_ctx(suppress_warning=True) is None:
        return None  # work that is done for all readers
    found: str | None = st.session_state.get(CHOSEN)
    return found


def t(message: str, /, **values: object) -> str:
    """A sentence in the reader's language; what stands in ``{name}`` is put there as it is."""
    return language.say(language.t(message, **values))


def tn(one: str, many: str, n: int, /, **values: object) -> str:
    """A sentence about a number of things, in the reader's language."""
    return language.say(language.tn(one, many, n, **values))


def tc(context: str, message: str, /, **values: object) -> str:
    """A word that means different things in different places, in the reader's language."""
    return language.say(language.tc(context, message, **values))
