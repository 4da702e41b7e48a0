"""Model files from the Hugging Face hub, fetched by a process that can be stopped.

The hub is asked by a process of its own, which reports every step as a line of JSON and is ended
when nobody waits for it (`hub.py`); how long the hub is waited for, it counts itself
(`hub_line.py`). Files land in the standard cache; what is there already is used without asking.
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
from explorer.language import t
from explorer.limits import HUB_SILENCE_SECONDS, MAX_MODEL_MB
from explorer.source import Hub, is_hub_name
from explorer.sources.checking import NO_SAFE_WEIGHTS
from explorer.sources.hub_cache import FILES, is_listed, is_wanted, is_weights, lies_whole
from explorer.sources.progress import Progress
from explorer.visible import visible

SILENCE_SECONDS: float = HUB_SILENCE_SECONDS
_LOOK = 0.25  # seconds between two looks whether anybody still waits
_HANGING_SECONDS = 120.0  # after which a process that does not even report itself is given up

_TROUBLE = {
    "not_found": t(
        "The Hugging Face hub has no public model “{name}”. Check the spelling,"
        " with the owner before the slash, such as "
        "google-bert/bert-base-uncased."
    ),
    "no_revision": t(
        "The model “{name}” has no revision “{revision}” at the hub. Name "
        "another branch, tag or commit after the @, or another model."
    ),
    "gated": t(
        "“{name}” is only for people whom its owner has let in. Ask for access "
        "on its page at the hub, then start the app with your own token in "
        "HF_TOKEN; or choose an open model."
    ),
    "offline": t(
        "The Hugging Face hub cannot be reached from this machine, and “{name}”"
        " has not been downloaded here before. Check the connection; or start "
        "the app with the address of a mirror of the hub in HF_ENDPOINT; or "
        "choose the embedded BERT, little stories or the from-scratch layer, "
        "which need none."
    ),
    "no_mirror": t(
        "The mirror of the Hugging Face hub that HF_ENDPOINT names, {mirror}, "
        "cannot be reached from this machine, and “{name}” has not been "
        "downloaded here before. Check the connection and the address; or "
        "choose the embedded BERT, little stories or the from-scratch layer, "
        "which need none."
    ),
    "unsafe_mirror": t(
        "HF_ENDPOINT is “{mirror}”, from which no model is fetched: it must be "
        "an address that begins with https://, such as https://hf-mirror.com, "
        "or one on this machine. Correct it and start the app again."
    ),
    "busy": t(
        "The Hugging Face hub is in trouble or too busy at the moment. Try again in a while."
    ),
    "silent": t(
        "The Hugging Face hub did not answer for {seconds} seconds. What "
        "was downloaded is kept: press Run to try again."
    ),
    "slow": t(
        "The Hugging Face hub sent only {sent} in {seconds} seconds, too "
        "slow to wait for. What was downloaded is kept: press Run to go on."
    ),
    "cut": t(
        "The download of “{name}” was cut short. What was downloaded is kept: "
        "press Run to go on from there."
    ),
    "damaged": t(
        "A file of “{name}” did not arrive as the hub has it, and was thrown "
        "away. Press Run to fetch it again."
    ),
    "more": t(
        "The hub sent more of a file of “{name}” than it had announced, and the"
        " file was thrown away. Try again in a while, or choose another model."
    ),
    "lost": t(
        "The hub lists a file of “{name}” that it does not give out. Try again "
        "in a while, or choose another model."
    ),
    "astray": t(
        "The hub leads to an address from which “{name}” cannot be fetched "
        "safely, or from one to the next without end. Try again in a while, or "
        "choose another model."
    ),
    "garbled": t(
        "What the Hugging Face hub answered about “{name}” cannot be "
        "understood. A network that wants a login first answers so: check the "
        "connection, or try again in a while."
    ),
    "too_long": t("“{name}” has more files than can be listed here. Choose another model."),
    "disk": t(
        "The disk of this machine is full: “{name}” could not be stored. Free "
        "some space, or choose a smaller model."
    ),
    "locked": t(
        "“{name}” could not be stored: this server may not write to its cache "
        "of models. Tell whoever runs it, or choose a model that is here."
    ),
    "too_big": t(
        "“{name}” has more than {most} MB of files, the most that this server "
        "fetches (EXPLORER_MAX_MODEL_MB). Choose a smaller model."
    ),
    "unsafe": NO_SAFE_WEIGHTS,
    "other": t("“{name}” could not be downloaded. Try again, or choose another model."),
}


@dataclass(frozen=True)
class HubSize:
    """What a download would bring.

    Attributes:
        bytes: Bytes of all files; None where the hub does not say.
        here: Bytes of them that are on this machine already.
        parameters: Numbers in the weights; None where the hub does not say.
    """

    bytes: int | None
    here: int
    parameters: int | None

    @property
    def memory(self) -> int | None:
        """Bytes that the loaded model takes, about: four for every number; None if unknown."""
        return 4 * self.parameters if self.parameters else self.bytes


def hub_folder(source: Hub, progress: Progress) -> Path:
    """The local folder of a hub model, downloaded if it is not there yet.

    Raises:
        ExplorerError: It is not there and cannot be fetched.
    """
    folder = _cached_folder(source)
    if folder is None:
        folder = Path(_ask_hub("fetch", source, progress)["folder"])
        _fetched[folder] = {path.name for path in folder.iterdir()}
        _doubted.discard(folder)
    return folder


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
    return sorted(name for name in names if is_hub_name(name) and is_downloaded(Hub(name)))


def doubt(folder: Path) -> bool:
    """Have the hub asked what a snapshot lacks, if nobody noted down what belongs to it.

    Returns:
        Whether something may lack: of a snapshot with a list all is here.
    """
    if is_listed(folder) or folder in _fetched:
        return False
    _doubted.add(folder)
    return True


# Of snapshots without a list, which some hubs do not give: what came from there, and what may lack.
_fetched: dict[Path, set[str]] = {}
_doubted: set[Path] = set()


def _cached_folder(source: Hub) -> Path | None:
    """The snapshot of a model if it is whole, as far as can be known."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(
            snapshot_download(
                source.name, revision=source.revision, allow_patterns=FILES, local_files_only=True
            )
        )
        return folder if _is_whole(folder) else None
    except (LocalEntryNotFoundError, OSError, ValueError):
        return None


def _is_whole(folder: Path) -> bool:
    files = {path.name: path.is_file() for path in folder.iterdir() if is_wanted(path.name)}
    if not all(files.values()):
        return False  # a name that leads nowhere
    if is_listed(folder):
        return any(map(is_weights, files))
    if folder in _fetched and _fetched[folder] <= files.keys():
        return True
    return folder not in _doubted and lies_whole(folder)


def _ask_hub(what: str, source: Hub, progress: Progress) -> dict[str, Any]:
    """Let the other process do something, and give its last report."""
    progress(t("Asking the Hugging Face hub for {name}", name=source.name), None)
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
            asked = [what, source.name, source.revision, SILENCE_SECONDS]
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.close()
            return _follow(process.stdout, source, progress)
        finally:
            process.kill()


def _follow(lines: IO[str], source: Hub, progress: Progress) -> dict[str, Any]:
    """Pass on the other process's reports until it is done, fails or hangs."""
    reports: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_pump, args=(lines, reports), daemon=True).start()
    said: tuple[str, float | None] = (
        t("Asking the Hugging Face hub for {name}", name=source.name),
        None,
    )
    heard = time.monotonic()
    while True:
        try:
            line = reports.get(timeout=_LOOK)
        except queue.Empty:
            progress(*said)  # ends this if nobody waits any more
            if time.monotonic() - heard > _HANGING_SECONDS:
                raise _trouble("other", source) from None
            continue
        heard = time.monotonic()
        report: dict[str, Any] = json.loads(line) if line else {"error": "other"}
        if "error" in report:
            raise _trouble(report.pop("error"), source, **report)
        if not _SIGNS & report.keys():
            return report
        said = _in_words(report, source) or said
        progress(*said)


_SIGNS = {"alive", "waiting", "bytes"}  # of what is still at work


def _in_words(report: dict[str, Any], source: Hub) -> tuple[str, float | None] | None:
    if "waiting" in report:
        return t("Waiting for another download of {name}", name=source.name), None
    if "bytes" not in report:
        return None
    done, total = report["bytes"], report["of"]
    if not total:
        return t("Downloading {name}: {done}", name=source.name, done=size_in_words(done)), None
    words = t("{done} of {total}", done=size_in_words(done), total=size_in_words(total))
    return t("Downloading {name}: {words}", name=source.name, words=words), min(done / total, 1.0)


def size_in_words(size: int) -> str:
    """Bytes as people say them."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:,.{1 if size < 100 * unit else 0}f} {name}"
    return t("{size} bytes", size=size) if size != 1 else t("1 byte")


def _pump(lines: IO[str], reports: queue.Queue[str]) -> None:
    for line in lines:
        reports.put(line)
    reports.put("")  # the other process has ended


def _trouble(kind: str, source: Hub, sent: int = 0, seconds: float | None = None) -> ExplorerError:
    mirror = os.environ.get("HF_ENDPOINT", "")
    if kind == "offline" and mirror:
        kind = "no_mirror"
    return ExplorerError(
        _TROUBLE[kind].format(
            name=source.name,
            mirror=visible(mirror.rpartition("@")[2][:80]),  # what stands before an @ is a secret
            revision=source.revision or "main",
            seconds=f"{SILENCE_SECONDS if seconds is None else seconds:.0f}",
            sent=size_in_words(sent),
            most=f"{MAX_MODEL_MB:,}",
        )
    )
