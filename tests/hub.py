"""A loopback hub: as much of the Hugging Face hub as a download needs, with faults on request."""

import contextlib
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "1234567890abcdef1234567890abcdef12345678"


def tiny_bert(folder: Path) -> dict[str, bytes]:
    """The files of a tiny random BERT, and two that must never be fetched."""
    import torch
    from transformers import BertConfig, BertModel

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


class LoopbackHub(ThreadingHTTPServer):
    """Serves the same files under every name that has no fault.

    Attributes:
        faults: Name of a model -> a status code to answer with, or "silent".
        asked: Method, path and authorization of every request.
    """

    daemon_threads = True

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.faults, self.asked = files, {}, []
        self.released = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        """Let go of whoever waits, and stop."""
        self.released.set()
        self.shutdown()
        self.server_close()

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
        found = re.match(r"/(?:api/models/)?([^/]+/[^/]+)/", self.path)
        fault = hub.faults.get(found and found[1])
        if fault == "silent":
            hub.released.wait(60)
            return
        if fault:
            codes = {403: "GatedRepo", 404: "RepoNotFound", 410: "RevisionNotFound"}
            headers = {"X-Error-Code": codes.get(fault, "")}
            self.reply(fault, b"{}", headers, body)
        elif self.path.startswith("/api/models/"):
            info = {"id": found[1], "sha": COMMIT, "siblings": []}
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
