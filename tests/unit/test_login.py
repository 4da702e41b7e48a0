"""The login in the frame: who has not logged in sees its page alone, and what it lacks is said."""

import importlib.util
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from streamlit.testing.v1 import AppTest

from explorer.ui import login

APP = str(Path(__file__).parents[2] / "app.py")
AUTH = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "cookie_secret": "x" * 32,
    "client_id": "a",
    "client_secret": "b",
    "server_metadata_url": "http://localhost/.well-known/openid-configuration",
}
PAGES = sorted(path.stem for path in Path(APP).parent.glob("pages/*.py"))


def opened(auth=None, page=None, **user):
    app = AppTest.from_file(APP, default_timeout=60)
    if auth is not None:
        app.secrets["auth"] = auth
    app.user = user
    app.query_params["text"] = "A cat sat."
    if page:
        app.switch_page(f"pages/{page}.py")
    return app.run()


def said(app):
    assert not app.exception
    return " ".join(text.value for text in app.text)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("user", [{}, {"is_logged_in": False}, {"is_logged_in": "yes"}])
def test_who_is_not_logged_in_gets_nothing_of_any_page(page, user):
    app = opened(AUTH, page, **user)
    assert [button.label for button in app.button] == ["Log in"]
    assert not app.text_area
    assert not app.get("bidi_component")
    assert "reader" not in app.session_state


@pytest.mark.parametrize("auth", [{}, {"client_id": "a"}, *({**AUTH, k: ""} for k in AUTH)])
def test_a_login_that_is_not_whole_lets_nobody_in_and_says_what_it_lacks(auth):
    app = opened(auth)
    assert "The login of this server is not set up completely" in said(app)
    assert all(key in said(app) for key in AUTH if not auth.get(key))
    assert not app.button
    assert not app.text_area


def test_without_authlib_nobody_is_let_in_and_the_package_is_named(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: find(n) if n != "authlib" else None)
    assert "the package Authlib is not installed" in said(opened(AUTH))


def test_secrets_that_cannot_be_read_close_the_door(monkeypatch, tmp_path):
    broken = tmp_path / "secrets.toml"
    broken.write_text("[auth\n")
    monkeypatch.setattr("streamlit.config.get_option", _with(str(broken)))
    monkeypatch.setattr("streamlit.secrets._secrets", None)
    assert login.is_wanted()


def _with(file):
    from streamlit import config

    get = config.get_option
    return lambda name: [file] if name == "secrets.files" else get(name)


def test_several_providers_have_a_button_each():
    shared = {key: AUTH[key] for key in ("redirect_uri", "cookie_secret")}
    own = {key: AUTH[key] for key in AUTH if key not in shared}
    app = opened(shared | {"one": own, "two": own})
    assert [button.label for button in app.button] == ["Log in with one", "Log in with two"]


def test_without_a_login_everybody_is_let_in_and_nobody_is_asked():
    app = opened()
    assert app.text_area
    assert not [button for button in app.button if button.label.startswith("Log")]


@pytest.mark.parametrize(
    "address", ["/step?text=a+b&layer=1", "/", "/?text=%E7%8C%AB;a,b=%22c%22'd'", "/base/step"]
)
def test_the_way_back_is_the_address_that_was_asked_for(address):
    headers = Headers({"referer": f"http://lab:8501{address}", "host": "lab:8501"})
    cookie = login._cookie(login._asked(headers), 600).partition(";")[0]
    assert login._remembered(Headers({"cookie": f"a=1; {cookie}"})) == address


@pytest.mark.parametrize(
    "held", ["//evil.example", "%2F%2Fevil.example", "https:%2F%2Fevil", "/%5Cevil", "/a%0Ab", ""]
)
def test_the_way_back_never_leads_elsewhere(held):
    assert login._remembered(Headers({"cookie": f"{login._ASKED}={held}"})) is None
    foreign = Headers({"referer": "http://evil.example/step?x=1", "host": "lab"})
    assert login._asked(foreign) == ""


def test_an_address_too_long_for_a_cookie_leads_back_to_its_page():
    long = Headers({"referer": "http://lab/step?text=" + "a" * 5000, "host": "lab"})
    assert login._asked(long) == "/step"
