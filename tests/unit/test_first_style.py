"""The style is in the page itself, before anything is drawn."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from explorer.ui.firststyle import STYLE, FirstStyle

PAGE = "<!DOCTYPE html><html><head><title>x</title></head><body></head></body></html>"
KEPT = {"etag": '"of the file"', "last-modified": "today", "cache-control": "no-cache"}


@pytest.fixture(scope="module")
def browser():
    def pieces():
        yield from (PAGE[:40], PAGE[40:47], PAGE[47:])  # the head's end comes in two of them

    routes = [
        Route("/", lambda request: HTMLResponse(PAGE, headers=KEPT)),
        Route("/pieces", lambda request: StreamingResponse(pieces(), media_type="text/html")),
        Route("/data", lambda request: JSONResponse({"a": "</head>"}, headers=KEPT)),
        Route("/gone", lambda request: HTMLResponse(PAGE, 404)),
    ]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(FirstStyle)]))


@pytest.mark.parametrize("path", ["/", "/pieces"])
def test_a_page_holds_the_style_once_in_its_head(browser, path):
    said = browser.get(path)
    assert said.text == PAGE.replace("</head>", f"<style>{STYLE}</style></head>", 1)
    assert int(said.headers["content-length"]) == len(said.content)


def test_a_page_is_not_taken_for_the_file_that_it_was_made_of(browser):
    """Else a browser would go on showing an old style with a file that has not changed."""
    headers = browser.get("/").headers
    assert "etag" not in headers
    assert "last-modified" not in headers
    assert headers["cache-control"] == "no-cache"


def test_anything_else_goes_through_as_it_is(browser):
    data = browser.get("/data")
    assert data.json() == {"a": "</head>"}
    assert data.headers["etag"] == KEPT["etag"]
    assert browser.get("/gone").text == PAGE
