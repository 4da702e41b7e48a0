"""Where the operator asks for a login, nobody gets past it: tried with a provider of our own."""

import pytest
from playwright.sync_api import expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.browser.conftest import IDLE, Reader
from tests.browser.test_door import ask, clients, put  # noqa: F401
from tests.openid import Provider
from tests.serve import serving

LINK = "?text=A+cat+sat+down.&source=scratch&layer=1&heads=3"
OF_THE_APP = ".ax, textarea, [data-testid=stTopNavLink], [data-testid=stSidebarNav]"


@pytest.fixture(scope="module")
def provider():
    running = Provider()
    yield running
    running.close()


@pytest.fixture(scope="module")
def guarded(provider, tmp_path_factory):
    secrets = tmp_path_factory.mktemp("secrets") / "secrets.toml"
    secrets.write_text(provider.secrets())
    with serving(STREAMLIT_SECRETS_FILES=str(secrets)) as running:
        yield running


@pytest.fixture
def stranger(guarded, screens):
    with screens() as page, Reader(page, guarded) as someone:
        yield someone
    assert not someone.errors


def stands_before_the_login(reader):
    reader.page.get_by_role("button", name="Log in").wait_for()
    reader.page.wait_for_function(IDLE)
    expect(reader.page.locator(OF_THE_APP)).to_have_count(0)
    return True


def enter(reader, how="I am Ada"):
    reader.page.get_by_role("button", name="Log in").click()
    reader.page.get_by_role("link", name=how).click()


@pytest.mark.parametrize("path", ["step", "", "explain"])  # all others: test_login.py of unit
def test_a_deep_link_leads_to_the_login_and_shows_nothing_of_the_app(stranger, path):
    stranger.open(LINK, path)
    assert stands_before_the_login(stranger)
    stranger.page.reload()
    assert stands_before_the_login(stranger)


def test_who_logs_in_finds_the_page_that_was_asked_for_and_its_files_and_later_nothing(stranger):
    stranger.open(LINK, "step")
    enter(stranger)
    expect(stranger.box("Text")).to_have_value("A cat sat down.")
    stranger.page.get_by_text("Logged in as Ada <b>Lovelace</b>").wait_for()
    assert stranger.address().startswith(f"{stranger.app.url}step?text=A+cat+sat+down.")
    stranger.choose_kind("My own attention weights")
    stranger.upload("NPZ or safetensors", "own.npz", b"no such thing")
    stranger.told("This file cannot be read")
    stranger.page.get_by_role("button", name="Log out").click()
    assert stands_before_the_login(stranger)
    stranger.open(LINK, "heads")
    assert stands_before_the_login(stranger)


def test_who_turns_back_at_the_provider_or_brings_a_forged_token_stays_outside(stranger, provider):
    stranger.open(LINK, "step")
    enter(stranger, "Never mind")
    assert stands_before_the_login(stranger)
    provider.forged = True
    try:
        enter(stranger)
        assert stands_before_the_login(stranger)
    finally:
        provider.forged = False


def test_before_the_login_a_client_of_any_kind_gets_nothing(guarded, clients):  # noqa: F811
    stranger = clients(guarded, query="text=A+cat.&source=scratch")
    assert stranger.text_box is None
    unknown = BackMsg()
    unknown.rerun_script.fragment_id = unknown.rerun_script.page_script_hash = "0" * 32
    stranger.line.send(unknown.SerializeToString())
    told = stranger.rerun()
    drawn = [m.delta.new_element for m in told if m.delta.HasField("new_element")]
    assert not [e for e in drawn if e.WhichOneof("type") not in ("text", "heading", "button")]
    assert put(guarded, stranger.session, "a", b"x") == 403
    assert ask(guarded, "/media/anything.png")[0] == 403
