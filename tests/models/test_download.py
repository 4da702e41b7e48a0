"""Models from the hub: a loopback hub that works, and one for each way in which a hub fails."""

import pytest

from explorer.errors import ExplorerError
from explorer.source import Hub
from explorer.sources import download, loading
from explorer.sources import hub as other_process
from tests.hub import LoopbackHub, tiny_bert

TINY = Hub("me/tiny")


@pytest.fixture(scope="module")
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


def quiet(what, share):
    pass


def test_a_hub_model_is_downloaded_reported_loaded_and_then_found_without_the_hub(hub):
    told = []
    loaded = loading.load_model(TINY, lambda what, share: told.append(what))
    assert loaded.info.name == "me/tiny"
    assert loaded.info.n_heads == 2
    assert told[0] == "Asking the Hugging Face hub for me/tiny"
    assert any(what.startswith("Downloading me/tiny: 0 of 0 MB") for what in told)
    assert download.is_downloaded(TINY)
    assert download.downloaded() == ["me/tiny"]
    hub.faults["me/tiny"] = 500
    assert download.hub_folder(TINY, quiet).is_dir()


def test_the_size_is_known_before_anything_is_fetched(hub, files):
    size = download.hub_size(TINY, quiet)
    assert size.bytes == sum(
        len(files[n]) for n in ("config.json", "model.safetensors", "vocab.txt")
    )
    assert size.here == 0
    assert not hub.ranges
    assert not download.is_downloaded(TINY)


def test_only_what_is_safe_is_fetched_and_no_token_goes_out(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "a-secret-of-the-operator")
    folder = download.hub_folder(TINY, quiet)
    assert {p.name for p in folder.iterdir()} == {"config.json", "model.safetensors", "vocab.txt"}
    assert {token for _, _, token in hub.asked} == {None}


def test_a_gated_model_is_fetched_with_the_token_of_the_environment(hub, monkeypatch):
    hub.faults["me/tiny"] = "token"
    with pytest.raises(ExplorerError, match="your own token in HF_TOKEN"):
        download.hub_folder(TINY, quiet)
    monkeypatch.setenv("HF_TOKEN", "a-secret-of-the-operator")
    assert download.hub_folder(TINY, quiet).is_dir()
    assert hub.asked[-1][2] == "Bearer a-secret-of-the-operator"


def test_a_stopped_download_goes_on_where_it_stopped(hub, files):
    class StoppedError(Exception):
        """Nobody waits any more."""

    hub.faults["me/tiny"] = "stalls"
    half = len(files["model.safetensors"]) // 2

    def stop(what, share):
        if share:
            raise StoppedError

    with pytest.raises(StoppedError):
        download.hub_folder(TINY, stop)
    assert not download.is_downloaded(TINY)
    del hub.faults["me/tiny"]
    assert download.hub_size(TINY, quiet).here >= half
    folder = download.hub_folder(TINY, quiet)
    assert (folder / "model.safetensors").read_bytes() == files["model.safetensors"]
    assert hub.ranges == ["bytes=0-", f"bytes={half}-"]


def test_a_download_that_is_cut_short_says_so_and_goes_on(hub, files):
    hub.faults["me/tiny"] = "cut"
    with pytest.raises(ExplorerError, match=r"cut short\. What was downloaded is kept"):
        download.hub_folder(TINY, quiet)
    del hub.faults["me/tiny"]
    folder = download.hub_folder(TINY, quiet)
    assert (folder / "model.safetensors").read_bytes() == files["model.safetensors"]
    assert hub.ranges[-1] != "bytes=0-"


def test_weights_that_arrive_altered_are_thrown_away(hub, files):
    hub.faults["me/tiny"] = "damaged"
    with pytest.raises(ExplorerError, match="did not arrive as the hub has it"):
        download.hub_folder(TINY, quiet)
    assert not download.is_downloaded(TINY)
    del hub.faults["me/tiny"]
    folder = download.hub_folder(TINY, quiet)
    assert (folder / "model.safetensors").read_bytes() == files["model.safetensors"]


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
@pytest.mark.parametrize("ask", [download.hub_folder, download.hub_size])
def test_every_trouble_of_a_hub_becomes_a_sentence(hub, monkeypatch, fault, words, ask):
    hub.faults["me/tiny"] = fault
    monkeypatch.setattr(download, "SILENCE_SECONDS", 4.0)
    with pytest.raises(ExplorerError, match=words):
        ask(Hub("me/tiny", "v9"), quiet)
    assert not download.is_downloaded(Hub("me/tiny", "v9"))


def test_no_network_is_said_with_what_works_without_it(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ExplorerError, match=r"cannot be reached.*embedded BERT"):
        download.hub_folder(TINY, quiet)


def test_a_server_that_is_told_to_stay_offline_asks_nobody(hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ExplorerError, match="cannot be reached"):
        download.hub_size(TINY, quiet)
    assert not hub.asked


def test_a_model_without_safe_weights_is_refused_before_anything_is_fetched(hub, files):
    hub.models["me/tiny"] = {n: d for n, d in files.items() if n != "model.safetensors"}
    with pytest.raises(ExplorerError, match="no safetensors weights"):
        download.hub_folder(TINY, quiet)
    assert not any("/resolve/" in path for _, path, _ in hub.asked)


def test_a_model_that_is_too_large_for_this_server_is_refused_before_it_is_fetched(
    hub, monkeypatch
):
    hub.models["me/tiny"] = dict(hub.files, **{"model.safetensors": b"x" * 2**21})
    monkeypatch.setenv("EXPLORER_MAX_MODEL_MB", "1")
    with pytest.raises(ExplorerError, match="the most that this server fetches"):
        download.hub_folder(TINY, quiet)
    assert not hub.ranges


def test_a_full_disk_is_said_before_anything_is_fetched(hub, monkeypatch):
    class Full:
        free = 100

    monkeypatch.setattr(other_process.shutil, "disk_usage", lambda path: Full)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
    monkeypatch.setattr("huggingface_hub.hf_api.constants.ENDPOINT", hub.url)
    for what in ("size", "fetch"):
        assert other_process._main(what, "me/tiny", None) == {"error": "disk"}
    assert not hub.ranges
    assert "disk of this machine is full" in str(download._trouble("disk", TINY))


def test_a_disk_that_fills_up_on_the_way_is_told_as_such():
    assert other_process._kind_of(OSError(28, "No space left on device")) == "disk"


def test_a_file_that_went_bad_in_the_cache_is_thrown_away_and_fetched_again(hub, monkeypatch):
    weights = download.hub_folder(TINY, quiet) / "model.safetensors"
    blob = weights.resolve()
    blob.write_bytes(blob.read_bytes()[:1000])
    monkeypatch.setattr(loading, "_loaded", type(loading._loaded)())
    with pytest.raises(ExplorerError, match="was damaged, and was thrown away"):
        loading.load_model(TINY, quiet)
    assert not download.is_downloaded(TINY)
    assert loading.load_model(TINY, quiet).info.n_heads == 2
