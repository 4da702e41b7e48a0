"""Models from the hub: a loopback hub that works, and one for each way in which a hub fails."""

import pytest

from explorer.errors import ExplorerError
from explorer.source import Hub
from explorer.sources import download, loading
from tests.hub import LoopbackHub, tiny_bert


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tiny_bert(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def hub(files, tmp_path, monkeypatch):
    server = LoopbackHub(files)
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_TOKEN", "a-secret-of-the-operator")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    yield server
    server.close()


def test_a_hub_model_is_downloaded_reported_loaded_and_then_found_without_the_hub(hub):
    told = []
    loaded = loading.load_model(Hub("me/tiny"), lambda what, share: told.append(what))
    assert loaded.info.name == "me/tiny"
    assert loaded.info.n_heads == 2
    assert told[0] == "Asking the Hugging Face hub for me/tiny"
    assert any(what.startswith("Downloading me/tiny: ") for what in told)
    assert download.is_downloaded(Hub("me/tiny"))
    hub.faults["me/tiny"] = 500
    assert download.hub_folder(Hub("me/tiny"), print).is_dir()


def test_only_what_is_safe_is_fetched_and_no_token_goes_out(hub):
    folder = download.hub_folder(Hub("me/tiny"), lambda *_: None)
    assert not list(folder.glob("*.bin")) + list(folder.glob("*.py"))
    assert {token for _, _, token in hub.asked} == {None}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (404, "no public model “me/tiny”"),
        (401, "no public model"),
        (410, "has no revision “v9”"),
        (403, "only for people whom its owner"),
        (500, "in trouble or too busy"),
        (429, "in trouble or too busy"),
        ("silent", "did not answer"),
    ],
)
def test_every_trouble_of_a_hub_becomes_a_sentence(hub, monkeypatch, fault, words):
    hub.faults["me/tiny"] = fault
    monkeypatch.setattr(download, "SILENCE_SECONDS", 4.0)
    with pytest.raises(ExplorerError, match=words):
        download.hub_folder(Hub("me/tiny", "v9"), lambda *_: None)
    assert not download.is_downloaded(Hub("me/tiny", "v9"))


def test_no_network_is_said_with_what_works_without_it(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ExplorerError, match=r"cannot be reached.*embedded BERT"):
        download.hub_folder(Hub("me/tiny"), lambda *_: None)
