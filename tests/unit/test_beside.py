"""Work that a picture asks for beside the page's own: waited for, stopped, refused, asked again."""

import threading

import pytest
from streamlit.testing.v1 import AppTest

from explorer.errors import ExplorerError
from explorer.ui import background
from explorer.ui.work import Making

GO = threading.Event()
TRIES = []


def make(report):
    """Refused at first; then it takes until it may end."""
    TRIES.append(1)
    if len(TRIES) == 1:
        raise ExplorerError("Not today.")
    while not GO.wait(0.01):
        report("Making it", 0.5)
    return "made"


WORK = Making(("a test",), make)


def page():
    import streamlit as st

    from explorer.ui import background
    from tests.unit.test_beside import WORK

    st.session_state.setdefault("reader", "somebody")
    if st.button("Try again"):
        background.ask_again("it")
    found, trouble = background.beside("it", WORK)
    st.text(f"{found}: {trouble}")


def said(app):
    return app.text[-1].value


@pytest.fixture
def app(monkeypatch):
    monkeypatch.setattr(background, "PATIENCE", 0.2)
    TRIES.clear()
    GO.clear()
    yield AppTest.from_function(page, default_timeout=60)
    GO.set()


def test_what_cannot_be_had_is_said_until_it_is_asked_for_again(app):
    app.run()
    assert said(app) == "None: Not today."
    app.run()
    assert len(TRIES) == 1, "nobody asks again by looking"
    GO.set()
    app.button[0].click().run()
    assert said(app) == "made:"


def test_while_it_is_made_it_can_be_stopped_and_nothing_is_lost(app):
    app.run()
    app.button[0].click().run()
    assert said(app) == "None:"
    assert "Making it…" in [text.value for text in app.text]
    (stop,) = [button for button in app.button if button.label == "Stop"]
    stop.click().run()
    assert said(app) == "None: Stopped. Nothing was changed."
    assert not [button for button in app.button if button.label == "Stop"]
