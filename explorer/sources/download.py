"""Model files from the Hugging Face hub, fetched by a process that can be stopped.

The hub's client retries for a minute, obeys an hour's Retry-After, and waits for ever for a
server that accepts and never answers. So it works in a process of its own, which reports every
step as a line of JSON and is ended when it falls silent or nobody waits for it (`hub.py`). Files
land in the standard cache; what is there already is used without asking the hub.
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from explorer.errors import ExplorerError
from explorer.limits import HUB_SILENCE_SECONDS, MAX_MODEL_MB
from explorer.source import Hub
from explorer.sources.checking import NO_SAFE_WEIGHTS
from explorer.sources.hub import FILES, is_intact
from explorer.sources.progress import Progress

SILENCE_SECONDS: float = HUB_SILENCE_SECONDS
_LOOK = 0.25  # seconds between two looks whether anybody still waits

_TROUBLE = {
    "not_found": "The Hugging Face hub has no public model “{name}”. Check the spelling, with the "
    "owner before the slash, such as google-bert/bert-base-uncased.",
    "no_revision": "The model “{name}” has no revision “{revision}”.",
    "gated": "“{name}” is only for people whom its owner has let in. Ask for access on its page at "
    "the hub, then start the app with your own token in HF_TOKEN; or choose an open model.",
    "offline": "The Hugging Face hub cannot be reached from this machine, and “{name}” has not "
    "been downloaded here before. Check the connection, or choose the embedded BERT or the "
    "from-scratch layer, which need none.",
    "busy": "The Hugging Face hub is in trouble or too busy at the moment. Try again in a while.",
    "silent": "The Hugging Face hub did not answer for {seconds:.0f} seconds. What was downloaded "
    "is kept: press Run to try again.",
    "cut": "The download of “{name}” was cut short. What was downloaded is kept: press Run to go "
    "on from there.",
    "damaged": "A file of “{name}” did not arrive as the hub has it, and was thrown away. Press "
    "Run to fetch it again.",
    "disk": "The disk of this machine is full: “{name}” could not be stored. Free some space, or "
    "choose a smaller model.",
    "too_big": "“{name}” has more than {most} MB of files, the most that this server fetches "
    "(EXPLORER_MAX_MODEL_MB). Choose a smaller model.",
    "unsafe": NO_SAFE_WEIGHTS,
    "other": "“{name}” could not be downloaded. Try again, or choose another model.",
}


@dataclass(frozen=True)
class HubSize:
    """What a download would bring.

    Attributes:
        bytes: Bytes of all files.
        here: Bytes of them that are on this machine already.
        parameters: Numbers in the weights; None where the hub does not say.
    """

    bytes: int
    here: int
    parameters: int | None

    @property
    def memory(self) -> int:
        """Bytes that the loaded model takes, about: four for every number."""
        return 4 * self.parameters if self.parameters else self.bytes


def hub_folder(source: Hub, progress: Progress) -> Path:
    """The local folder of a hub model, downloaded if it is not there yet.

    Raises:
        ExplorerError: It is not there and cannot be fetched.
    """
    cached = _cached_folder(source)
    return cached or Path(_ask_hub("fetch", source, progress)["folder"])


def hub_size(source: Hub, progress: Progress) -> HubSize:
    """How large a hub model is, before any of it is fetched.

    Raises:
        ExplorerError: There is no such model, it is none that can be loaded, or it is too large.
    """
    return HubSize(**_ask_hub("size", source, progress)["size"])


def is_downloaded(source: Hub) -> bool:
    """Whether a model can be loaded without asking the hub."""
    return _cached_folder(source) is not None


def downloaded() -> list[str]:
    """The names of all models in the cache that can be loaded without asking the hub."""
    from huggingface_hub import constants

    folders = Path(constants.HF_HUB_CACHE).glob("models--*/snapshots/*/model*.safetensors")
    names = {f.parents[2].name.removeprefix("models--").replace("--", "/", 1) for f in folders}
    return sorted(names)


def discard_damaged(folder: Path) -> bool:
    """Throw away those weight files of a cached model that are not as the hub had them.

    A file that was cut short in the cache is never noticed otherwise.
    """
    damaged = [
        path for path in folder.glob("*.safetensors") if not is_intact(path, path.resolve().name)
    ]
    for path in damaged:
        path.resolve().unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    return bool(damaged)


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


def _ask_hub(what: str, source: Hub, progress: Progress) -> dict[str, Any]:
    """Let the other process do something, and give its last report."""
    progress(f"Asking the Hugging Face hub for {source.name}", None)
    with subprocess.Popen(
        [sys.executable, "-m", "explorer.sources.hub"],
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
            process.stdin.write(json.dumps([what, source.name, source.revision]) + "\n")
            process.stdin.close()
            return _follow(process.stdout, source, progress)
        finally:
            process.kill()


def _follow(lines: IO[str], source: Hub, progress: Progress) -> dict[str, Any]:
    """Pass on the other process's reports until it is done, fails or falls silent."""
    reports: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_pump, args=(lines, reports), daemon=True).start()
    said: tuple[str, float | None] = (f"Asking the Hugging Face hub for {source.name}", None)
    heard = time.monotonic()
    while True:
        try:
            line = reports.get(timeout=_LOOK)
        except queue.Empty:
            progress(*said)  # ends this if nobody waits any more
            if time.monotonic() - heard > SILENCE_SECONDS:
                raise _trouble("silent", source) from None
            continue
        heard = time.monotonic()
        report: dict[str, Any] = json.loads(line) if line else {"error": "other"}
        if "error" in report:
            raise _trouble(report["error"], source)
        if "bytes" not in report:
            return report
        done, total = report["bytes"], report["of"]
        size = f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
        said = (f"Downloading {source.name}: {size}", min(done / total, 1.0) if total else None)
        progress(*said)


def _pump(lines: IO[str], reports: queue.Queue[str]) -> None:
    for line in lines:
        reports.put(line)
    reports.put("")  # the other process has ended


def _trouble(kind: str, source: Hub) -> ExplorerError:
    return ExplorerError(
        _TROUBLE[kind].format(
            name=source.name,
            revision=source.revision,
            seconds=SILENCE_SECONDS,
            most=f"{MAX_MODEL_MB:,}",
        )
    )
