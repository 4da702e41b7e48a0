"""The frame of every page: navigation, and the guard that each page file starts with."""

from contextvars import ContextVar
from pathlib import Path

import streamlit as st

from explorer.ui import login, messages, place, speaking, state
from explorer.ui.speaking import t

_HERE = Path(__file__).parent
_GUARD = (_HERE / "guard.js").read_text("utf-8")
_STYLE = "".join(
    f"<style>{(_HERE / name).read_text('utf-8')}</style>" for name in ("frame.css", "paper.css")
)

# What the menu of a phone is called: its button has no word of its own.
_MENU = '<style>:root {{ --ax-page: "{}" }}</style>'

framed: ContextVar[bool] = ContextVar("framed", default=False)
"""True while a page runs inside the frame. Streamlit's older mechanism also finds the folder
``pages/`` and, on a first visit by deep link, runs the page file alone: then the file calls
`main`, which runs it again inside the frame."""


def main() -> None:
    """Choose the page and run it, for whoever may see it."""
    speaking.start()
    admitted = login.admits()
    page = st.navigation(
        [
            st.Page(
                "pages/explore.py",
                title=t("Explore"),
                default=True,
            ),
            st.Page("pages/step.py", title=t("Step by step")),
            st.Page("pages/train.py", title=t("Train")),
            st.Page("pages/compare.py", title=t("Compare")),
            st.Page("pages/heads.py", title=t("Heads")),
            st.Page("pages/explain.py", title=t("Explain")),
            st.Page("pages/efficiency.py", title=t("Efficiency")),
            st.Page("pages/article.py", title=t("Article")),
            st.Page("pages/guide.py", title=t("Guide")),
        ],
        position="top" if admitted else "hidden",
    )
    if not admitted:
        st.set_page_config("Attention Explorer", page_icon="🔒")
        login.ask()
        return
    title = f"{page.title} · Attention Explorer"
    icon = str(_HERE / "icon.svg")
    st.set_page_config(title, icon, layout="wide", initial_sidebar_state="collapsed")
    st.logo(str(_HERE / "logo.svg"))
    st.html(_STYLE + _MENU.format(page.title))
    with st.container(key="wake"):  # hidden by the style
        st.html(f"<script>{_GUARD}</script>", unsafe_allow_javascript=True)
        st.button(t("Ask for this page again"), key="again")  # guard.js presses it
        keeper = st.container()
    speaking.switch(state.forget_browser)
    if login.is_wanted():
        login.leave()
    token = framed.set(True)
    try:
        with messages.caught():
            name = page.url_path or "explore"
            state.start(at_home=name == "explore")
            state.on_page(name)
            with keeper:
                place.keeper()
            if not place.is_leaving():
                page.run()
    finally:
        framed.reset(token)
