"""Models from the hub: a loopback hub that works, and one for each way in which a hub fails."""

import contextlib
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from transformers import BertConfig, BertModel

from explorer.errors import ExplorerError
from explorer.run import Hub
from explorer.sources import download, huggingface

COMMIT = "1234567890abcdef1234567890abcdef12345678"


class LoopbackHub(ThreadingHTTPServer):
    """As much of the hub's API as a download needs, with faults on request."""

    daemon_threads = True

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.fault, self.asked = files, None, []
        self.released = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Answers api/models/NAME/... with the list of files, NAME/resolve/... with a file."""

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        hub = self.server
        hub.asked.append((self.command, self.path, self.headers.get("authorization")))
        if hub.fault == "silent":
            hub.released.wait(60)
            return
        if isinstance(hub.fault, int):
            codes = {403: "GatedRepo", 404: "RepoNotFound", 410: "RevisionNotFound"}
            headers = {"X-Error-Code": codes.get(hub.fault, "")}
            self.reply(hub.fault, b"{}", headers, body)
        elif self.path.startswith("/api/models/"):
            info = {"id": "me/tiny", "sha": COMMIT, "siblings": []}
            info["siblings"] = [{"rfilename": name} for name in hub.files]
            tree = [
                {"type": "file", "path": n, "size": len(d), "oid": hashlib.sha1(d).hexdigest()}
                for n, d in hub.files.items()
            ]
            self.reply(200, json.dumps(tree if "/tree/" in self.path else info).encode(), {}, body)
        else:
            name = self.path.partition("/resolve/")[2].partition("/")[2].partition("?")[0]
            data = hub.files.get(name)
            if data is None:
                self.reply(404, b"", {"X-Error-Code": "EntryNotFound"}, body)
                return
            etag = f'"{hashlib.sha1(data).hexdigest()}"'
            self.reply(200, data, {"ETag": etag, "X-Repo-Commit": COMMIT}, body)

    def reply(self, status, data, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            with contextlib.suppress(OSError):
                self.wfile.write(data)

    def log_message(self, *args):
        """Keep the test's output quiet."""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat"]
    (folder / "vocab.txt").write_text("\n".join(words))
    config = BertConfig(
        vocab_size=7,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
    )
    BertModel(config).save_pretrained(folder)
    torch.save({}, folder / "pytorch_model.bin")
    (folder / "evil.py").write_text("raise SystemExit")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def hub(files, tmp_path, monkeypatch):
    server = LoopbackHub(files)
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_TOKEN", "a-secret-of-the-operator")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()


def test_a_hub_model_is_downloaded_reported_loaded_and_then_found_without_the_hub(hub):
    told = []
    loaded = huggingface.load_model(Hub("me/tiny"), lambda what, share: told.append(what))
    assert loaded.info.name == "me/tiny"
    assert loaded.info.n_heads == 2
    assert told[0] == "Asking the Hugging Face hub for me/tiny"
    assert any(what.startswith("Downloading me/tiny: ") for what in told)
    assert download.is_downloaded(Hub("me/tiny"))
    hub.fault = 500
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
    hub.fault = fault
    monkeypatch.setattr(download, "SILENCE_SECONDS", 4.0)
    with pytest.raises(ExplorerError, match=words):
        download.hub_folder(Hub("me/tiny", "v9"), lambda *_: None)
    assert not download.is_downloaded(Hub("me/tiny", "v9"))


def test_no_network_is_said_with_what_works_without_it(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ExplorerError, match=r"cannot be reached.*embedded BERT"):
        download.hub_folder(Hub("me/tiny"), lambda *_: None)
