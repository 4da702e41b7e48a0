"""A loopback hub with a tiny model, and an empty cache."""

import pytest

from explorer.sources import download
from explorer.sources import hub as other_process
from tests.hub import LoopbackHub, tiny_bert


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    return tiny_bert(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def hub(files, tmp_path, monkeypatch):
    server = LoopbackHub(files)
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    yield server
    server.close()


@pytest.fixture
def inside(hub, monkeypatch):
    """The hub, asked without a process of its own: that would take a second to start."""

    def ask(what, source, progress):
        found = other_process._main(what, source.name, source.revision)
        if "error" in found:
            raise download._trouble(found["error"], source)
        return found

    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
    monkeypatch.setattr(download, "_ask_hub", ask)
    return hub
