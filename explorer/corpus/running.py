"""A run: shards of a corpus to files, then files to tables. What is done is never done again."""

import json
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import reduce
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any

from explorer.corpus.engines import Engine
from explorer.corpus.measures import NAMES
from explorer.corpus.shards import SumsFile, is_whole, put
from explorer.corpus.tables import write_tables
from explorer.corpus.texts import Corpus, Text, Troubles
from explorer.corpus.work import Census, Counted, Describe, Reads
from explorer.errors import ExplorerError
from explorer.language import Said, sentences, t
from explorer.limits import MAX_TOKENS
from explorer.source import InMemory
from explorer.visible import visible

FORMAT = 2
RUN = "run.json"
PASTED = "pasted lines"  # in place of a file, in what is kept
SHARD_TEXTS = 1024
SHARD_CHARACTERS = 1_000_000
_VERSIONS = ("torch", "transformers", "tokenizers", "numpy", "pyarrow")
_CALLED = {
    "model": t("model"),
    "length": "--length",
    "by": "--by",
    "seed": "--seed",
    "columns": t("columns"),
    "chat": "--chat",
    "shard": t("size of its shards"),
    "format": t("form of its files"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What is asked for, beside the corpus.

    Attributes:
        source: The model: a short name, or one in memory.
        length: Tokens of a text that are read.
        by: The measure whose largest values are kept with their texts.
        seed: Of the lot by which texts are drawn.
        shard_texts: Texts of a shard at most.
    """

    source: str | InMemory = "bert"
    length: int = MAX_TOKENS
    by: str = "strongest"
    seed: int = 0
    shard_texts: int = SHARD_TEXTS

    def __post_init__(self) -> None:
        if self.by not in NAMES:
            raise ExplorerError(
                t(
                    "“{visible}” is no measure. There are: {join}.",
                    visible=visible(self.by[:40]),
                    join=", ".join(NAMES),
                )
            )
        for name, least in (("length", 1), ("seed", 0), ("shard_texts", 1)):
            value = getattr(self, name)
            if type(value) is not int or not least <= value < 2**31:
                raise ExplorerError(
                    t(
                        "{name} is {value}; it must be a whole number from {least}.",
                        name=name,
                        value=f"{value!r}",
                        least=least,
                    )
                )

    @property
    def reads(self) -> Reads:
        return Reads(self.source, self.length, self.by, self.seed)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        doing: What is being done.
        n_texts, n_tokens: How many are read, those of an earlier run among them.
        new_tokens: How many were read now.
        seconds: Since it began.
        n_shards: Shards that are done.
    """

    doing: str
    n_texts: int = 0
    n_tokens: int = 0
    new_tokens: int = 0
    seconds: float = 0.0
    n_shards: int = 0


Report = Callable[[Progress], None]


@dataclass(eq=False)
class _Work:
    """A run that is under way."""

    folder: Path
    corpus: Corpus
    settings: Settings
    report: Report
    model: dict[str, Any] = field(default_factory=dict)
    troubles: Troubles = field(default_factory=Troubles)
    digests: dict[int, str] = field(default_factory=dict)
    names: Any = field(default_factory=lambda: blake2b(digest_size=16))  # of all texts, uncut
    said: list[str] = field(default_factory=list)
    n_texts: int = 0
    n_tokens: int = 0
    new_tokens: int = 0
    n_shards: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def reads(self) -> Reads:
        return replace(self.settings.reads, chat=self.corpus.chat)

    def tell(self, doing: str) -> None:
        seconds = time.monotonic() - self.began
        self.report(
            Progress(doing, self.n_texts, self.n_tokens, self.new_tokens, seconds, self.n_shards)
        )


def run(
    corpus: Corpus,
    folder: Path,
    settings: Settings,
    engine: Engine,
    report: Report = lambda progress: None,
) -> dict[str, Any]:
    """Read a corpus into a folder; a folder that was begun is gone on with.

    Args:
        corpus: The texts.
        folder: Where the files go.
        settings: What is asked for.
        engine: Who does the work.
        report: Told how far it is; may raise to end it.

    Returns:
        What ``run.json`` says.

    Raises:
        ExplorerError: The folder is of another model, other settings or other texts; or no text
            could be read; or what `Engine` and the disk say.
    """
    work = _Work(folder, corpus, settings, report)
    work.tell(t("Loading the model"))
    (work.model,) = engine.results([Describe(work.reads)])
    work.began = time.monotonic()
    _begin(work)
    for counted in engine.results(_to_do(work)):
        _keep(work, counted)
    if not work.digests:
        raise ExplorerError(_nothing(work))
    _check_beyond(work)
    work.tell(t("Putting together"))
    shards = _whole_shards(work)
    if not shards:
        raise ExplorerError(_nothing(work))
    about = _about(work)
    merged = write_tables(folder, shards, engine, work.reads)
    about["layers"] = merged.layers.tolist()
    about["n_heads"] = int(merged.apart.shape[1])
    about["corpus"] |= {
        name: int(getattr(merged, name)[0])
        for name in ("n_texts", "n_tokens", "n_cut", "n_refused")
    }
    _write_about(folder, about | {"complete": True})
    return about | {"complete": True}


def _nothing(work: _Work) -> Said:
    said = [*work.troubles.sentences(work.corpus.unit), *work.said] or [t("It is empty.")]
    return sentences(t("No text of this corpus could be read."), *said)


# --- the folder -------------------------------------------------------------------------------


def _about(work: _Work) -> dict[str, Any]:
    """What is noted of a run: everything that its numbers depend on, and no time and no place."""
    corpus, settings = work.corpus, work.settings
    about = {
        "format": FORMAT,
        "complete": False,
        "model": work.model | {"source": _spec(settings)},
        "length": settings.length,
        "by": settings.by,
        "seed": settings.seed,
        "columns": corpus.columns(),
        "shard": [settings.shard_texts, SHARD_CHARACTERS],
        "corpus": {
            "file": corpus.path.name if corpus.path else PASTED,
            "digest": work.names.hexdigest(),
            "troubles": work.troubles.sentences(corpus.unit),
            "unit": corpus.unit,
            "wrong": work.troubles.kept(),
            "refused": work.said[:1],
        },
        "versions": {"python": platform.python_version()} | {n: version(n) for n in _VERSIONS},
    }
    return about | ({"chat": True} if corpus.chat else {})


def _spec(settings: Settings) -> str:
    source = settings.source
    return source if isinstance(source, str) else source.spec


def _identity(about: dict[str, Any]) -> dict[str, Any]:
    """What must be the same for shards to belong together."""
    same = {name: about.get(name) for name in _CALLED if name != "chat" or about.get("chat")}
    model = about.get("model") or {}
    template = [model["template"]] if "template" in model else []
    same["model"] = [model.get("digest"), model.get("precision"), *template]
    return same


def _and_another(start: str, following: str) -> Said:
    return t("{start} and another {next}", start=start, next=following)


def _made_of(work: _Work) -> str:
    said = json.dumps(_identity(_about(work)), sort_keys=True)
    return blake2b(said.encode(), digest_size=16).hexdigest()


def read_about(folder: Path) -> dict[str, Any]:
    """What ``run.json`` of a folder says.

    Raises:
        ExplorerError: There is none, or it is damaged.
    """
    path = folder / RUN
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ExplorerError(
            t(
                "“{visible}” is no folder of a corpus run: it has no {run}. Make one "
                "with python -m explorer corpus run.",
                visible=visible(str(folder)),
                run=RUN,
            )
        ) from None
    except (OSError, ValueError) as error:
        raise ExplorerError(_damaged(folder)) from error
    if not isinstance(found, dict) or not isinstance(found.get("model"), dict):
        raise ExplorerError(_damaged(folder))
    if found.get("format") != FORMAT:
        raise ExplorerError(
            t(
                "“{name}” was written in form {value}, and form {format} is read here: "
                "run it again into another folder.",
                name=visible(folder.name),
                value=visible(str(found.get("format")))[:20],
                format=FORMAT,
            )
        )
    return found


def _damaged(folder: Path) -> Said:
    return t(
        "The {file} of “{name}” is damaged. Put it back, or choose another folder: without it "
        "nobody knows what its numbers are of.",
        file=RUN,
        name=visible(folder.name),
    )


def _write_about(folder: Path, about: dict[str, Any]) -> None:
    text = json.dumps(about, indent=1, sort_keys=True, ensure_ascii=False)
    put(folder / RUN, text.encode("utf-8", "surrogatepass"))


def _begin(work: _Work) -> None:
    """Make the folder, or see that it is of the same run.

    Raises:
        ExplorerError: It is not.
    """
    folder = work.folder
    if folder.exists() and not folder.is_dir():
        raise ExplorerError(
            t("“{visible}” is a file: name a folder with --out.", visible=visible(str(folder)))
        )
    if folder.is_dir() and any(folder.iterdir()) and not (folder / RUN).exists():
        raise ExplorerError(
            t(
                "“{visible}” holds other things: name a new folder with --out.",
                visible=visible(str(folder)),
            )
        )
    about = _about(work)
    if (folder / RUN).exists():
        was, now = _identity(read_about(folder)), _identity(about)
        other = [_CALLED[name] for name in _CALLED if was.get(name) != now.get(name)]
        if other:
            raise ExplorerError(
                t(
                    "“{name}” was begun with another {join}: its shards and new ones do not"
                    " belong together. Ask for the same, or name a new folder with --out.",
                    name=visible(folder.name),
                    join=reduce(_and_another, other),
                )
            )
        return
    _write_about(folder, about)


# --- the shards -------------------------------------------------------------------------------


def shards_of(texts: Iterable[Text], most: int) -> Iterator[tuple[Text, ...]]:
    """Texts cut into shards by their number and length alone."""
    some: list[Text] = []
    size = 0
    for text in texts:
        length = sum(map(len, text.parts))
        if some and (len(some) >= most or size + length > SHARD_CHARACTERS):
            yield tuple(some)
            some, size = [], 0
        some.append(text)
        size += length
    if some:
        yield tuple(some)


def sums_path(folder: Path, shard: int) -> Path:
    """The file of a shard's sums."""
    return folder / "shards" / f"{shard:06d}.parquet"


def texts_path(folder: Path, shard: int) -> Path:
    """The file of a shard's texts."""
    return folder / "texts" / f"{shard:06d}.parquet"


def _digest(texts: Iterable[Text], whole: Any = None) -> str:
    """Of some texts; ``whole`` is told of them, too."""
    found = blake2b(digest_size=16)
    for text in texts:
        name = text.name.to_bytes(8, "big")
        found.update(name)
        if whole is not None:
            whole.update(name)
    return found.hexdigest()


def _to_do(work: _Work) -> Iterator[Census]:
    """The shards that are not there yet, as tasks."""
    same = _made_of(work)
    texts = work.corpus.texts(work.troubles)
    for number, some in enumerate(shards_of(texts, work.settings.shard_texts)):
        work.digests[number] = digest = _digest(some, work.names)
        made_of = json.dumps({"run": same, "texts": digest, "n": len(some)}, sort_keys=True)
        if _is_done(work, number, made_of, some):
            work.n_texts += len(some)
            work.n_shards += 1
            continue
        yield Census(work.reads, number, some, made_of)


def _is_done(work: _Work, number: int, made_of: str, texts: tuple[Text, ...]) -> bool:
    """Whether a shard is there, whole, and of these texts.

    Raises:
        ExplorerError: It is of other texts.
    """
    path = sums_path(work.folder, number)
    if not path.exists():
        return False
    try:
        file = SumsFile(path)
        was = json.loads(file.made_of)
        if not is_whole(path) or not is_whole(texts_path(work.folder, number)):
            raise ExplorerError(t("“{name}” is damaged or cut short.", name=path.name))
    except (ExplorerError, ValueError):
        work.tell(t("Shard {number} was damaged or cut short, and is made anew", number=number))
        return False
    if was == json.loads(made_of):
        work.n_tokens += 0 if file.empty else int(file(["n_tokens"])["n_tokens"][0])
        return True
    n = int(was.get("n", 0))
    if n < len(texts) and was.get("texts") == _digest(texts[:n]):
        return False  # it ended with what was then the last text
    raise ExplorerError(
        t(
            "The texts from number {number} on are not those that “{name}” was made"
            " of: the file was changed, or a smaller --limit is asked for. Ask for "
            "the same, or name a new folder with --out.",
            number=f"{texts[0].number:,}",
            name=visible(work.folder.name),
        )
    )


def _keep(work: _Work, counted: Counted) -> None:
    """Write a shard's files: that of its sums last, as it says that the shard is done."""
    put(texts_path(work.folder, counted.shard), counted.texts)
    put(sums_path(work.folder, counted.shard), counted.sums)
    work.n_texts += counted.n_texts
    work.n_tokens += counted.n_tokens
    work.new_tokens += counted.n_tokens
    work.n_shards += 1
    if counted.why and not work.said:
        work.said.append(counted.why)
    work.tell(t("Reading"))


def _check_beyond(work: _Work) -> None:
    """Refuse a folder that has more shards than are asked for.

    Raises:
        ExplorerError: It has.
    """
    if sums_path(work.folder, len(work.digests)).exists():
        raise ExplorerError(
            t(
                "“{name}” holds more texts than are asked for now. Ask for as many with"
                " --limit, or name a new folder with --out.",
                name=visible(work.folder.name),
            )
        )


def _whole_shards(work: _Work) -> list[SumsFile]:
    files = [SumsFile(sums_path(work.folder, number)) for number in sorted(work.digests)]
    return [file for file in files if not file.empty]
