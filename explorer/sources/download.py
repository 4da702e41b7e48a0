"""Model files from the Hugging Face hub, fetched by a process that can be stopped.

The hub's client retries for a minute, obeys an hour's Retry-After, and waits for ever for a
server that accepts and never answers. So it works in a process of its own, which reports every
step as a line of JSON and is ended when it falls silent. Files land in the standard cache; what
is there already is used without asking the hub.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

from explorer.errors import ExplorerError
from explorer.source import Hub
from explorer.sources.progress import Progress

SILENCE_SECONDS = float(os.environ.get("EXPLORER_HUB_SILENCE_SECONDS", "30"))

FILES = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "model.safetensors",
    "model-*.safetensors",
    "model.safetensors.index.json",
]

_TROUBLE = {
    "not_found": "The Hugging Face hub has no public model “{name}”. Check the spelling, with the "
    "owner before the slash, such as google-bert/bert-base-uncased.",
    "no_revision": "The model “{name}” has no revision “{revision}”.",
    "gated": "“{name}” is only for people whom its owner has let in. Choose an open model.",
    "offline": "The Hugging Face hub cannot be reached from this machine, and “{name}” has not "
    "been downloaded here before. Check the connection, or choose the embedded BERT or the "
    "from-scratch layer, which need none.",
    "busy": "The Hugging Face hub is in trouble or too busy at the moment. Try again in a while.",
    "silent": "The Hugging Face hub did not answer for {seconds:.0f} seconds. What was downloaded "
    "is kept: press Run to try again.",
    "disk": "The disk of this machine is full: “{name}” could not be stored.",
    "other": "“{name}” could not be downloaded. Try again, or choose another model.",
}


def hub_folder(source: Hub, progress: Progress) -> Path:
    """The local folder of a hub model, downloaded if it is not there yet.

    Raises:
        ExplorerError: It is not there and cannot be fetched.
    """
    cached = _cached_folder(source)
    if cached is not None:
        return cached
    progress(f"Asking the Hugging Face hub for {source.name}", None)
    with subprocess.Popen(
        [sys.executable, "-m", "explorer.sources.download"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
        encoding="utf-8",
        env=os.environ | {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"},
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps([source.name, source.revision]) + "\n")
            process.stdin.close()
            return _follow(process.stdout, source, progress)
        finally:
            process.kill()


def _follow(lines: IO[str], source: Hub, progress: Progress) -> Path:
    """Pass on the other process's reports until it is done, fails or falls silent."""
    reports: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_pump, args=(lines, reports), daemon=True).start()
    while True:
        try:
            line = reports.get(timeout=SILENCE_SECONDS)
        except queue.Empty:
            raise _trouble("silent", source) from None
        report: dict[str, Any] = json.loads(line) if line else {"error": "other"}
        if "folder" in report:
            return Path(report["folder"])
        if "error" in report:
            raise _trouble(report["error"], source)
        done, total = report["bytes"], report["of"]
        size = f"{done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else f"{done / 1e6:.0f} MB"
        progress(f"Downloading {source.name}: {size}", min(done / total, 1.0) if total else None)


def _pump(lines: IO[str], reports: queue.Queue[str]) -> None:
    for line in lines:
        reports.put(line)
    reports.put("")  # the other process has ended


def _trouble(kind: str, source: Hub) -> ExplorerError:
    text = _TROUBLE[kind]
    return ExplorerError(
        text.format(name=source.name, revision=source.revision, seconds=SILENCE_SECONDS)
    )


def is_downloaded(source: Hub) -> bool:
    """Whether a model can be loaded without asking the hub."""
    return _cached_folder(source) is not None


def _cached_folder(source: Hub) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = snapshot_download(
            source.name, revision=source.revision, allow_patterns=FILES, local_files_only=True
        )
    except (LocalEntryNotFoundError, OSError, ValueError):
        return None
    path = Path(folder)
    # A download that was cut short leaves a folder without its weights.
    return path if any(path.glob("*.safetensors")) else None


def _fetch(name: str, revision: str | None) -> dict[str, str]:
    """In the other process: download, reporting bytes; the folder, or the kind of trouble."""
    from huggingface_hub import snapshot_download
    from tqdm import tqdm

    class Reporter(tqdm):
        """The client's own progress bar, as lines of JSON instead of a drawing."""

        def display(self, *args: object, **kwargs: object) -> bool:
            if self.unit == "B":
                print(json.dumps({"bytes": self.n, "of": self.total}), flush=True)
            return True

    try:
        folder = snapshot_download(
            name, revision=revision, allow_patterns=FILES, token=False, tqdm_class=Reporter
        )
    except Exception as error:  # noqa: BLE001  # its client raises over a dozen classes
        return {"error": _kind_of(error)}
    return {"folder": folder}


def _kind_of(error: BaseException | None) -> str:
    """What went wrong, from an error or from what caused it."""
    while error is not None:
        name = type(error).__name__
        status = getattr(getattr(error, "response", None), "status_code", None)
        if name == "RevisionNotFoundError":
            return "no_revision"
        if name == "GatedRepoError" or status == 403:
            return "gated"
        if status in (401, 404):  # the hub hides private models from strangers
            return "not_found"
        if status:
            return "busy" if status == 429 or status >= 500 else "other"
        if getattr(error, "errno", None) == 28:
            return "disk"
        if "Connect" in name or isinstance(error, ConnectionError):
            return "offline"
        error = error.__cause__ or error.__context__
    return "other"


if __name__ == "__main__":
    print(json.dumps(_fetch(*json.loads(sys.stdin.readline()))), flush=True)
