"""A loopback hub: as much of the Hugging Face hub as a download needs, with faults on request."""

import contextlib
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "1234567890abcdef1234567890abcdef12345678"

BROKEN = ("config.json", "model.safetensors")  # the files that faults are of
CUTS = {"config.json": ("cut small",), "model.safetensors": ("cut", "stalls")}
STRANGE = {  # answers that are no list of files
    "html": b"<html>Please log in to this network.</html>",
    "nested": b"[" * 100_000,
    "a list": b"[]",
    "no commit": b'{"siblings": []}',
    "commit elsewhere": b'{"sha": "../../../x", "siblings": []}',
}


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
        faults: Name of a model -> what is wrong with it:
            a status code, or a name of `STRANGE` to answer the list with; "silent": never answers;
            "cut": the connection ends in the middle of the weights; "cut small": of config.json;
            "damaged": weights arrive altered; "damaged small": config.json does;
            "stalls": half of the weights come, the rest when `released` is set;
            "token": only for who has the token;
            "slow": config.json comes in pieces, `seconds` apart;
            "drips heads", "drips list", "drips files": a byte now and then, for ever;
            "no sizes": the list has none, HEAD does; "no sizes at all": nor has HEAD, nor a file;
            "no hashes": the list has none; "says less", "says more": of config.json;
            "lost": listed files are not there; "closed": they are for nobody;
            "endless": weights without end, their size not told.
        leads: Name of a model -> where its files are said to be.
        seconds: Between two pieces.
        asked: Method, path and authorization of every request.
        ranges: The Range of every request for weights.
        starts: File and Range of every request for a file.
    """

    daemon_threads = True

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.models, self.faults, self.asked, self.ranges = files, {}, {}, [], []
        self.leads, self.starts, self.seconds = {}, [], 0.05
        self.released = threading.Event()
        # Looks often whether it shall stop: a test waits for that.
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

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
        if fault == "drips heads":
            self.drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 4000)
            return
        if self.path.startswith("/api/models/") and fault in STRANGE:
            self.reply(200, STRANGE[fault], {}, body)
            return
        if isinstance(fault, int):
            codes = {403: "GatedRepo", 404: "RepoNotFound", 410: "RevisionNotFound"}
            headers = {"X-Error-Code": codes.get(fault, ""), "Retry-After": "3600"}
            self.reply(fault, b"{}", headers, body)
            return
        files = hub.models.get(found[1], hub.files)
        if self.path.startswith("/api/models/"):
            listing = self.listing(found[1], files, fault)
            self.reply(200, json.dumps(listing).encode(), {}, body, fault)
            return
        file = self.path.partition("/resolve/")[2].partition("/")[2].partition("?")[0]
        if fault == "closed":
            self.reply(401, b"", {}, body)
        elif found[1] in hub.leads:
            self.reply(302, b"", {"Location": hub.leads[found[1]].format(file)}, body)
        else:
            self.file(file, None if fault == "lost" else files.get(file), fault, body)

    def listing(self, name, files, fault):
        if "/tree/" in self.path:
            return [
                {"type": "file", "path": n, "size": len(d), "oid": git_hash(d)}
                for n, d in files.items()
            ]
        siblings = [
            {"rfilename": n, "size": len(d), "blobId": git_hash(d), "lfs": lfs_of(n, d)}
            for n, d in files.items()
        ]
        for entry in siblings:
            if fault in ("no sizes", "no sizes at all", "endless"):
                entry["size"] = None
            if fault == "no hashes":
                del entry["blobId"], entry["lfs"]
            if entry["rfilename"] == "config.json":
                entry["size"] = {"says less": 10, "says more": 9999}.get(fault, entry["size"])
        return {"id": name, "sha": COMMIT, "siblings": siblings}

    def file(self, name, data, fault, body):
        if data is None:
            self.reply(404, b"", {"X-Error-Code": "EntryNotFound"}, body)
            return
        large = lfs_of(name, data)
        etag = large["sha256"] if large else git_hash(data)
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "X-Linked-Size": str(len(data))}
        if fault in ("no sizes at all", "endless"):
            del headers["X-Linked-Size"]
            if not body:
                self.reply(405, b"", {}, body)
                return
        status, start = 200, 0
        if body:
            asked = self.headers.get("range")
            self.server.starts.append((name, asked))
            self.server.ranges += [asked] if large else []
            if asked:
                status, start = 206, int(re.match(r"bytes=(\d+)-", asked)[1])
        rest = data[start:]
        if fault == ("damaged" if large else "damaged small") and name in BROKEN:
            rest = bytes(b ^ 1 for b in rest)
        self.reply(status, rest, headers, body, fault if name in BROKEN else None, name)

    def reply(self, status, data, headers, body, fault=None, name="list"):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if fault not in ("no sizes at all", "endless"):
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if not body:
            return
        with contextlib.suppress(OSError):
            if fault in CUTS.get(name, ()):
                self.half(data, fault)
            elif fault == "endless" and name == "model.safetensors":
                while True:
                    self.wfile.write(bytes(2**16))
            elif fault == "slow" and name == "config.json":
                for start in range(0, len(data), 100):
                    self.piece(data[start : start + 100])
            elif fault in ("drips files", "drips list") and (name == "list") == (
                fault == "drips list"
            ):
                self.drip(data)
            else:
                self.wfile.write(data)

    def half(self, data, fault):
        self.wfile.write(data[: len(data) // 2])
        self.wfile.flush()
        if fault == "stalls":
            self.server.released.wait(60)
            self.wfile.write(data[len(data) // 2 :])
        else:
            self.connection.close()

    def drip(self, data):
        with contextlib.suppress(OSError):
            for byte in data:
                if self.server.released.is_set():
                    return
                self.piece(bytes([byte]))

    def piece(self, data):
        self.wfile.write(data)
        self.wfile.flush()
        self.server.released.wait(self.server.seconds)

    def log_message(self, *args):
        """Keep the test's output quiet."""


def git_hash(data):
    """The name of a small file at the hub: git's hash of it."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def lfs_of(name, data):
    """What the hub says of a large file; None of a small one."""
    if not name.endswith(".safetensors"):
        return None
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "pointerSize": 130}
