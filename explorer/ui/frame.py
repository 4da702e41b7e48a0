"""The frame of every page: navigation, and the guard that each page file starts with."""

from contextvars import ContextVar
from pathlib import Path

import streamlit as st

from explorer.ui import controls, login, messages, state

_HERE = Path(__file__).parent
_GUARD = (_HERE / "guard.js").read_text("utf-8")
_PAPER = f"<style>{(_HERE / 'paper.css').read_text('utf-8')}</style>"

framed: ContextVar[bool] = ContextVar("framed", default=False)
"""True while a page runs inside the frame. Streamlit's older mechanism also finds the folder
``pages/`` and, on a first visit by deep link, runs the page file alone: then the file calls
`main`, which runs it again inside the frame."""


def main() -> None:
    """Choose the page and run it, for whoever may see it."""
    admitted = login.admits()
    # Emoji, not Material icons: the browser would fetch the latter's tab icon from the internet.
    page = st.navigation(
        [
            st.Page(
                "pages/explore.py",
                title="Explore",
                icon="🔎",
                default=True,
            ),
            st.Page("pages/step.py", title="Step by step", icon="🪜"),
            st.Page("pages/train.py", title="Train", icon="🎓"),
            st.Page("pages/compare.py", title="Compare", icon="⚖️"),
            st.Page("pages/heads.py", title="Heads", icon="🧭"),
            st.Page("pages/explain.py", title="Explain", icon="🔬"),
            st.Page("pages/guide.py", title="Guide", icon="📖"),
        ],
        position="top" if admitted else "hidden",
    )
    if not admitted:
        st.set_page_config("Attention Explorer", page_icon="🔒")
        login.ask()
        return
    title = f"{page.title} · Attention Explorer"
    st.set_page_config(title, page_icon=str(_HERE / "icon.svg"), layout="wide")
    st.logo(str(_HERE / "logo.svg"))
    st.html(controls.STYLE + _PAPER)
    with st.container(key="wake"):  # hidden by the style
        st.html(f"<script>{_GUARD}</script>", unsafe_allow_javascript=True)
        st.button("Ask for this page again", key="again")  # guard.js presses it
    if login.is_wanted():
        login.leave()
    token = framed.set(True)
    try:
        with messages.caught():
            state.start()
            page.run()
    finally:
        framed.reset(token)
