"""Run: what a reader asked for. Hashable; the cache key and the link both come from it."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from urllib.parse import urlencode

from explorer.errors import ExplorerError

MAX_CHARACTERS = 200_000  # a tokenizer reads this in about half a second; a model takes far less
MAX_TOKENS = 512  # attention grows with the square of the length
LINK_BYTES = 6_000  # servers and chat programs commonly refuse links of 8 kB

# The hub's own rule for a repository name; checked before any library sees the name, because
# the libraries take an existing local path for a model.
_HUB_PART = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_-])?"
_HUB_NAME = re.compile(rf"(?:{_HUB_PART}/)?{_HUB_PART}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,99}")


@dataclass(frozen=True, slots=True)
class Embedded:
    """The BERT that comes with the app: all-MiniLM-L6-v2."""

    @property
    def spec(self) -> str:
        return "bert"


@dataclass(frozen=True, slots=True)
class Hub:
    """A model of the Hugging Face hub, by name."""

    name: str
    revision: str | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ExplorerError(
                "Which model? Type a name as the hub writes it, such as bert-base-uncased."
            )
        if not _HUB_NAME.fullmatch(self.name) or re.search(r"--|\.\.", self.name):
            raise ExplorerError(
                f"“{self.name}” is not a model name of the Hugging Face hub. A name looks like "
                "bert-base-uncased or owner/model: letters, digits, and _ . - between them."
            )
        if self.revision and (not _REVISION.fullmatch(self.revision) or ".." in self.revision):
            raise ExplorerError(f"“{self.revision}” is not a revision (a branch, tag or commit).")

    @property
    def spec(self) -> str:
        return f"hf:{self.name}" + (f"@{self.revision}" if self.revision else "")


@dataclass(frozen=True, slots=True)
class Folder:
    """A model in a folder on this machine."""

    path: str

    def __post_init__(self) -> None:
        if not self.path or "\0" in self.path:
            raise ExplorerError(
                "Which folder? Type the path of a folder with a model's config.json, "
                "tokenizer and model.safetensors."
            )

    @property
    def spec(self) -> str:
        return f"path:{self.path}"


@dataclass(frozen=True, slots=True)
class Scratch:
    """The from-scratch layer with random weights.

    Attributes:
        d_model: Width of a token's vector, a multiple of ``n_heads``.
        n_heads: Heads in each layer.
        n_layers: Layers; two or more are joined by residual connections and LayerNorm.
        seed: Seed of the embeddings and of every weight.
        positions: Whether sinusoidal positions are added to the embeddings.
        causal: Whether a token may look only at itself and at earlier tokens.
    """

    d_model: int = 64
    n_heads: int = 8
    n_layers: int = 2
    seed: int = 0
    positions: bool = True
    causal: bool = False

    def __post_init__(self) -> None:
        for name, low, high in (
            ("d_model", 1, 1024),
            ("n_heads", 1, 16),
            ("n_layers", 1, 12),
            ("seed", 0, 2**31 - 1),
        ):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise ExplorerError(
                    f"{name} is {value!r}; it must be a whole number from {low} to {high}."
                )
        if self.d_model % self.n_heads:
            raise ExplorerError(
                f"d_model = {self.d_model} cannot be divided evenly among {self.n_heads} heads. "
                f"Nearest widths that can: {_neighbours(self.d_model, self.n_heads)}."
            )

    @property
    def spec(self) -> str:
        return "scratch"


Source = Embedded | Hub | Folder | Scratch


def _neighbours(d_model: int, n_heads: int) -> str:
    below = d_model // n_heads * n_heads
    return f"{below} and {below + n_heads}" if below else str(n_heads)


def parse_source(spec: str, **options: object) -> Source:
    """The source that a short name means.

    Args:
        spec: ``bert``, ``hf:NAME`` or ``hf:NAME@REVISION``, ``path:FOLDER`` or ``scratch``.
        options: For ``scratch``: d_model, n_heads, n_layers, seed, positions, causal.

    Raises:
        ExplorerError: There is no such source, or an option is not one of its own.
    """
    kind, _, rest = spec.partition(":")
    if spec == "scratch":
        known = [f.name for f in fields(Scratch)]
        strange = [name for name in options if name not in known]
        if strange:
            raise ExplorerError(
                f"The from-scratch layer has no option “{strange[0]}”. It has: {', '.join(known)}."
            )
        return Scratch(**options)  # type: ignore[arg-type]  # __post_init__ checks the values
    if options:
        raise ExplorerError(f"The source “{spec}” takes no options; only “scratch” does.")
    if spec == "bert":
        return Embedded()
    if kind == "hf":
        name, _, revision = rest.partition("@")
        return Hub(name, revision or None)
    if kind == "path":
        return Folder(rest)
    raise ExplorerError(
        f"There is no source “{spec}”. Use bert, scratch, hf:NAME for a model of the "
        "Hugging Face hub, or path:FOLDER for one on this machine."
    )


@dataclass(frozen=True, slots=True)
class Run:
    """A text, perhaps a second one, and what shall read them.

    Equal runs give equal traces, in any process: everything random is seeded.

    Raises:
        ExplorerError: The text is blank or far too long.
    """

    text: str
    second: str | None = None
    source: Source = field(default_factory=Embedded)

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", _readable(self.text))
        second = _readable(self.second or "")
        object.__setattr__(self, "second", None if is_blank(second) else second)
        if is_blank(self.text):
            raise ExplorerError("There is no text to read yet. Type or paste some, then press Run.")
        length = sum(map(len, self.texts))
        if length > MAX_CHARACTERS:
            raise ExplorerError(
                f"This text has {length:,} characters; at most {MAX_CHARACTERS:,} can be read at "
                "once. Nothing was changed: shorten the text and press Run again."
            )

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text,) if self.second is None else (self.text, self.second)

    def to_query(self) -> dict[str, str]:
        """The run as URL parameters; `from_query` gives it back."""
        query = {"text": self.text}
        if self.second is not None:
            query["second"] = self.second
        if self.source != Embedded():
            query["source"] = self.source.spec
        if isinstance(self.source, Scratch):
            usual = asdict(Scratch())
            query |= {k: _plain(v) for k, v in asdict(self.source).items() if v != usual[k]}
        return query

    def fits_link(self) -> bool:
        """Whether a link can carry this run."""
        return len(urlencode(self.to_query())) <= LINK_BYTES

    @staticmethod
    def from_query(query: Mapping[str, str]) -> "Run | None":
        """The run that a link asks for; None if it names no text.

        Raises:
            ExplorerError: The link names something that cannot be run.
        """
        if not query.get("text"):
            return None
        options = {f.name: query[f.name] for f in fields(Scratch) if f.name in query}
        spec = query.get("source", "bert")
        parsed = {k: _number(k, v) for k, v in options.items()} if spec == "scratch" else {}
        return Run(query["text"], query.get("second"), parse_source(spec, **parsed))


def is_blank(text: str) -> bool:
    """Whether a text shows nothing: only spaces, controls and invisible characters."""
    return all(unicodedata.category(c)[0] in "CZ" for c in text)


def _readable(text: str) -> str:
    """The text with lone surrogates, which no tokenizer and no socket takes, made visible."""
    return re.sub(r"[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)


def _plain(value: int | bool) -> str:
    return str(int(value))


def _number(name: str, value: str) -> int | bool:
    if not re.fullmatch(r"[0-9]{1,10}", value):
        raise ExplorerError(f"The link says {name} = {value[:40]!r}; it must be a whole number.")
    return value == "1" if name in ("positions", "causal") else int(value)
