"""The login, where the operator asks for one: `[auth]` in .streamlit/secrets.toml."""

import importlib.util
import json
import re
from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.errors import StreamlitAuthError, StreamlitSecretNotFoundError
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

from explorer import language
from explorer.ui import log, messages
from explorer.ui.speaking import t
from explorer.visible import visible

_ASKED = "explorer_asked"  # the cookie that remembers what was asked for before the login
_NEEDED = ("client_id", "client_secret", "server_metadata_url")
_INCOMPLETE = language.t(
    "The login of this server is not set up completely, so nobody can enter: "
    "{what}. Whoever runs it finds the way under “Running it for others” in the "
    "README."
)


def is_wanted() -> bool:
    """Whether the operator lets in only who logs in.

    A file of secrets that cannot be read may hold that wish, so it closes the door too.
    """
    try:
        return "auth" in st.secrets.to_dict()
    except StreamlitSecretNotFoundError as error:
        return error.error_id != "no-secrets-found"
    except OSError:
        return True


def admits() -> bool:
    """Whether the reader of this page may see the app."""
    return not is_wanted() or st.user.get("is_logged_in") is True


def is_in(headers: Headers) -> bool:
    """Whether a request comes from somebody who may see the app, by its signed cookie."""
    if not is_wanted():
        return True
    try:
        cookies = cookie_parser(headers.get("cookie", ""))
        signed = _get_signed_cookie_with_chunks(cookies, USER_COOKIE_NAME)
        return signed is not None and json.loads(signed).get("is_logged_in") is True
    except (ValueError, AttributeError):
        return False


def ask() -> None:
    """The page of who is not logged in: nothing of the app, and the way in."""
    st.title("Attention Explorer")
    what = _missing()
    if what:
        messages.trouble(language.t(_INCOMPLETE, what=what))
        return
    st.text(t("This server is for people whom its operator knows. Log in to go on."))
    auth = st.secrets["auth"]
    names = [name for name, value in auth.items() if isinstance(value, Mapping)]
    names = [name for name in names if all(key in auth[name] for key in _NEEDED)]
    for name in names or [None]:
        label = t("Log in with {name}", name=name) if len(names) > 1 else t("Log in")
        if st.button(label, key=f"login_{name}", type="primary"):
            _go(name)


def _go(provider: str | None) -> None:
    try:
        st.login(provider)
    except StreamlitAuthError as error:
        log.failure(error)
        messages.trouble(
            language.t(_INCOMPLETE, what=language.t("a value of [auth] cannot be used"))
        )


def _missing() -> str:
    """What the login lacks, in words; nothing if it is whole."""
    try:
        auth = st.secrets.to_dict()["auth"]
    except (StreamlitSecretNotFoundError, OSError):
        return language.t("the file secrets.toml cannot be read")
    if not isinstance(auth, Mapping):
        return language.t("[auth] is no section")
    lacks = [key for key in ("redirect_uri", "cookie_secret") if not auth.get(key)]
    whole = [auth, *(value for value in auth.values() if isinstance(value, Mapping))]
    if not any(all(section.get(key) for key in _NEEDED) for section in whole):
        lacks += [key for key in _NEEDED if not auth.get(key)]
    if lacks:
        return language.t("[auth] lacks {what}", what=", ".join(lacks))
    if importlib.util.find_spec("authlib") is None:
        return language.t("the package Authlib is not installed")
    return ""


def leave() -> None:
    """Who is logged in, and the way out."""
    name = next((st.user[key] for key in ("name", "email", "sub") if st.user.get(key)), t("you"))
    with st.container(
        horizontal=True, horizontal_alignment="right", vertical_alignment="center", key="user"
    ):
        st.text(t("Logged in as {name}", name=visible(str(name)[:80])), width="content")
        st.button(t("Log out"), key="logout", type="tertiary", on_click=_log_out)


def _log_out() -> None:
    st.session_state.clear()  # whoever comes next at this screen finds nothing
    st.logout()


class WayBack:
    """Leads from the login back to the address that was asked for; Streamlit forgets it.

    The browser names the page that it comes from when it goes to log in. That is kept in a cookie
    of its own until it comes back from there.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        base = (config.get_option("server.baseUrlPath") or "").strip("/")
        said = Headers(scope=scope) if path else Headers()

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in (302, 307):
                headers = MutableHeaders(scope=message)
                if path.endswith("/auth/login"):
                    headers.append("set-cookie", _cookie(_asked(said), 600))
                elif path.endswith("/oauth2callback"):
                    headers["location"] = _remembered(said) or headers["location"]
                    headers.append("set-cookie", _cookie("", 0))
            await send(message)

        known = re.fullmatch(rf"/({re.escape(base)}/)?(auth/login|oauth2callback)", path)
        await self._app(scope, receive, answer if known else send)


def _cookie(value: str, seconds: int) -> str:
    return f"{_ASKED}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax"


def _asked(headers: Headers) -> str:
    """The address on this server that a request comes from, as a cookie can hold it."""
    parts = urlsplit(headers.get("referer", ""))
    if parts.netloc != headers.get("host"):
        return ""
    whole = quote(parts.path + (f"?{parts.query}" if parts.query else ""), safe="/")
    return whole if len(whole) < 3500 else quote(parts.path, safe="/")


def _remembered(headers: Headers) -> str | None:
    """The address that a cookie holds, if it lies on this server."""
    address = unquote(cookie_parser(headers.get("cookie", "")).get(_ASKED, ""))
    return address if re.fullmatch(r"/([!-.0-\[\]-~][!-\[\]-~]*)?", address) else None
