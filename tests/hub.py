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
    return files_of(folder)


def files_of(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class LoopbackHub(ThreadingHTTPServer):
    """Serves files under every name that has no fault.

    Attributes:
        models: Name of a model -> its files, where they are not the usual ones.
        faults: Name of a model -> a status code to answer with; "silent": never answers; "cut":
            the connection ends in the middle of the weights; "damaged": they arrive altered;
            "stalls": half of the weights come, the rest when `released` is set; "token": only for
            who has the token.
        asked: Method, path and authorization of every request.
        ranges: The Range of every request for weights.
    """

    daemon_threads = True

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.models, self.faults, self.asked, self.ranges = files, {}, {}, [], []
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
        hub, token = self.server, self.headers.get("authorization")
        hub.asked.append((self.command, self.path, token))
        found = re.match(r"/(?:api/models/)?([^/?]+/[^/?]+)", self.path)
        fault = hub.faults.get(found and found[1])
        if fault == "silent":
            hub.released.wait(60)
            return
        if fault == "token" and not token:
            fault = 403
        if isinstance(fault, int):
            codes = {403: "GatedRepo", 404: "RepoNotFound", 410: "RevisionNotFound"}
            headers = {"X-Error-Code": codes.get(fault, ""), "Retry-After": "3600"}
            self.reply(fault, b"{}", headers, body)
            return
        files = hub.models.get(found[1], hub.files)
        if self.path.startswith("/api/models/"):
            self.reply(200, json.dumps(self.listing(found[1], files)).encode(), {}, body)
        else:
            name = self.path.partition("/resolve/")[2].partition("/")[2].partition("?")[0]
            self.file(name, files.get(name), fault, body)

    def listing(self, name, files):
        if "/tree/" in self.path:
            return [
                {"type": "file", "path": n, "size": len(d), "oid": sha1(d)}
                for n, d in files.items()
            ]
        siblings = [
            {"rfilename": n, "size": len(d), "blobId": sha1(d), "lfs": lfs_of(n, d)}
            for n, d in files.items()
        ]
        return {"id": name, "sha": COMMIT, "siblings": siblings}

    def file(self, name, data, fault, body):
        if data is None:
            self.reply(404, b"", {"X-Error-Code": "EntryNotFound"}, body)
            return
        large = lfs_of(name, data)
        etag = large["sha256"] if large else sha1(data)
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "X-Linked-Size": str(len(data))}
        status, start = 200, 0
        if large and body:
            asked = self.headers.get("range")
            self.server.ranges.append(asked)
            if asked:
                status, start = 206, int(re.match(r"bytes=(\d+)-", asked)[1])
        rest = data[start:]
        if not (large and body):
            fault = None
        if fault == "damaged":
            rest = bytes(b ^ 1 for b in rest)
        self.reply(status, rest, headers, body, fault)

    def reply(self, status, data, headers, body, fault=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if not body:
            return
        half = len(data) // 2 if fault in ("cut", "stalls") else len(data)
        with contextlib.suppress(OSError):
            self.wfile.write(data[:half])
            self.wfile.flush()
            if fault == "cut":
                self.connection.close()
            elif fault == "stalls":
                self.server.released.wait(60)
                self.wfile.write(data[half:])

    def log_message(self, *args):
        """Keep the test's output quiet."""


def sha1(data):
    return hashlib.sha1(data).hexdigest()


def lfs_of(name, data):
    """What the hub says of a large file; None of a small one."""
    if not name.endswith(".safetensors"):
        return None
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "pointerSize": 130}
