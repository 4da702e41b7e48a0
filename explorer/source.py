"""What can read a text: BERT, the teller of stories, any model, the from-scratch layer."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from urllib.parse import unquote

from explorer.errors import ExplorerError, refusing
from explorer.language import t
from explorer.lesson import Trained, check_heads
from explorer.trace import AttentionTrace
from explorer.visible import visible

# The hub's own rule for a repository name; checked before any library sees the name, because
# the libraries take an existing local path for a model.
_HUB_PART = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_-])?"
_HUB_NAME = re.compile(rf"(?:{_HUB_PART}/)?{_HUB_PART}")
_HUB_PAGE = re.compile(r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/([^?#]*)", re.I)
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,99}")


@dataclass(frozen=True, slots=True)
class Embedded:
    """The BERT that comes with the app: all-MiniLM-L6-v2."""

    @property
    def spec(self) -> str:
        return "bert"


@dataclass(frozen=True, slots=True)
class Stories:
    """The small decoder that comes with the app: it has learned to tell little stories.

    Attributes:
        language: Of its stories: ``en`` or ``zh``.
    """

    language: str = "en"

    @property
    def spec(self) -> str:
        return "stories" if self.language == "en" else f"stories-{self.language}"


@dataclass(frozen=True, slots=True)
class Hub:
    """A model of the Hugging Face hub, by name."""

    name: str
    revision: str | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ExplorerError(
                t("Which model? Type a name as the hub writes it, such as bert-base-uncased.")
            )
        if not is_hub_name(self.name):
            raise ExplorerError(
                t(
                    "“{name}” is not a model name of the Hugging Face hub. A name looks like "
                    "bert-base-uncased or owner/model: letters, digits, and _ . - between them.",
                    name=self.name,
                )
            )
        if self.revision and (not _REVISION.fullmatch(self.revision) or ".." in self.revision):
            raise ExplorerError(
                t(
                    "“{revision}” is not a revision (a branch, tag or commit).",
                    revision=self.revision,
                )
            )

    @property
    def spec(self) -> str:
        return f"hf:{self.name}" + (f"@{self.revision}" if self.revision else "")


def is_hub_name(name: str) -> bool:
    """Whether the hub would take a name for a model's."""
    return bool(_HUB_NAME.fullmatch(name)) and not re.search(r"--|\.\.", name)


@dataclass(frozen=True, slots=True)
class Folder:
    """A model in a folder on this machine."""

    path: str

    def __post_init__(self) -> None:
        if not self.path or "\0" in self.path:
            raise ExplorerError(
                t(
                    "Which folder? Type the path of a folder with a model's config.json, tokenizer "
                    "and model.safetensors."
                )
            )

    @property
    def spec(self) -> str:
        return f"path:{self.path}"

    def place(self) -> Path:
        """Where it is on this machine.

        Raises:
            ExplorerError: It can be nowhere: in nobody's home, or with what no path may hold.
        """
        with refusing(
            t(
                "“{path}” is no path of a folder on this machine: check it.",
                path=visible(self.path[:80]),
            )
        ):
            place = Path(self.path).expanduser()
            place.resolve()
            return place


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
                    t(
                        "{name} is {value}; it must be a whole number from {low} to {high}.",
                        name=name,
                        value=f"{value!r}",
                        low=low,
                        high=high,
                    )
                )
        check_heads(self.d_model, self.n_heads)

    @property
    def spec(self) -> str:
        return "scratch"


Model = Embedded | Stories | Hub | Folder


@dataclass(frozen=True, slots=True)
class Transplanted:
    """The from-scratch layer with the attention weights of a BERT's own layers.

    Each layer is given what the BERT's layer reads, so the two must agree.
    """

    donor: "Model | InMemory"

    @property
    def spec(self) -> str:
        return f"transplant:{self.donor.spec}"


@dataclass(frozen=True, slots=True)
class Own:
    """Attention weights that a reader made elsewhere and uploaded.

    Attributes:
        digest: Names the file by what is in it.
        name: What the reader calls it: the same file under another name is another source, so
            that nobody is ever shown a name that somebody else has given.
        trace: What was read from it.
    """

    digest: str
    name: str
    trace: AttentionTrace = field(compare=False, repr=False)

    @property
    def spec(self) -> str:
        return f"own:{self.digest}"


@dataclass(frozen=True, eq=False)
class InMemory:
    """A model that somebody has in Python, with what reads texts or pictures for it.

    Attributes:
        model: A model of Transformers; it is left as it was found.
        tokenizer: Its tokenizer, where it reads texts.
        processor: What prepares pictures for it, where it looks at them.
    """

    model: object = field(repr=False)
    tokenizer: object = field(default=None, repr=False)
    processor: object = field(default=None, repr=False)

    @property
    def spec(self) -> str:
        return "memory"


Source = Embedded | Stories | Hub | Folder | Scratch | Trained | Transplanted | Own | InMemory
WITH_OPTIONS: Mapping[str, type[Scratch] | type[Trained]] = {
    "scratch": Scratch,
    "trained": Trained,
}


def kind_of(source: Source) -> str:
    """The first word of a source's short name, such as ``hf``."""
    return source.spec.partition(":")[0]


def model_of(source: Source) -> "Model | InMemory | None":
    """The pretrained model that a source needs, if it needs one."""
    if isinstance(source, Transplanted):
        return source.donor
    return source if isinstance(source, Model | InMemory) else None


def hub_model(typed: str) -> Hub:
    """The model that somebody typed: a name, a name with @ and a revision, or its page's address.

    Raises:
        ExplorerError: It is no model of the hub, or one half of it is missing.
    """
    typed = re.sub(r"\s*([@/])\s*", r"\1", typed.strip()).removeprefix("hf:")
    page = _HUB_PAGE.match(typed)
    name, at, revision = (_of_page(page[1]) if page else typed).partition("@")
    if at and not name:
        raise ExplorerError(
            t(
                "Which model? Type its name before “@{revision}”, such as bert-base-uncased@main.",
                revision=revision,
            )
        )
    if at and not revision:
        raise ExplorerError(
            t(
                "Which revision of “{name}”? Type a branch, a tag or a commit after the @, "
                "such as {name}@main, or leave the @ away.",
                name=name,
            )
        )
    return Hub(name, revision or None)


def _of_page(path: str) -> str:
    """The name, and the revision if there is one, of a page's address at the hub."""
    parts = [unquote(part) for part in path.split("/") if part]
    if parts and parts[0] in ("datasets", "spaces", "collections", "papers", "docs"):
        raise ExplorerError(
            t(
                "This is an address of the hub’s {parts}, not of a model. Type a model’s name, "
                "such as google-bert/bert-base-uncased.",
                parts=parts[0],
            )
        )
    kinds = ("tree", "blob", "resolve", "commit", "raw")
    at = next((i for i in (1, 2) if i < len(parts) - 1 and parts[i] in kinds), None)
    name = "/".join(parts[:2] if at is None else parts[:at])
    return name if at is None else f"{name}@{parts[at + 1]}"


def parse_source(spec: str, **options: object) -> Source:
    """The source that a short name means.

    Args:
        spec: ``bert``, ``stories``, ``stories-zh``, ``hf:NAME`` or ``hf:NAME@REVISION``,
            ``path:FOLDER``, ``scratch``, ``trained``, or ``transplant:`` with a model of BERT's
            form behind it.
        options: For ``scratch``: d_model, n_heads, n_layers, seed, positions, causal. For
            ``trained``: task, length, d_model, n_heads, n_layers, learning_rate, steps, seed,
            corpus.

    Raises:
        ExplorerError: There is no such source, or an option is not one of its own.
    """
    kind, _, rest = spec.partition(":")
    maker = WITH_OPTIONS.get(spec)
    if maker is not None:
        known = [f.name for f in fields(maker)]
        strange = [name for name in options if name not in known]
        if strange:
            raise ExplorerError(
                t(
                    "The source “{spec}” has no option “{strange}”. It has: {known}.",
                    spec=spec,
                    strange=strange[0],
                    known=", ".join(known),
                )
            )
        return maker(**options)  # type: ignore[arg-type]  # __post_init__ checks the values
    if options:
        raise ExplorerError(
            t("The source “{spec}” takes no options; only “scratch” and “trained” do.", spec=spec)
        )
    if spec == "bert":
        return Embedded()
    if spec in ("stories", "stories-zh"):
        return Stories("en" if spec == "stories" else "zh")
    if kind == "hf":
        return hub_model(rest)
    if kind == "path":
        return Folder(rest)
    if kind == "transplant":
        donor = parse_source(rest)
        if isinstance(donor, Embedded | Hub | Folder):
            return Transplanted(donor)
    if kind == "own":
        raise ExplorerError(
            t(
                "It shows a file that somebody uploaded, and files do not travel in links. Ask "
                "for the file, and upload it under Model, “My own attention weights”."
            )
        )
    raise ExplorerError(
        t(
            "There is no source “{spec}”. Use bert, stories, stories-zh, scratch, trained, "
            "hf:NAME for a model of the Hugging Face hub, path:FOLDER for one on this machine, or "
            "transplant:bert for the from-scratch layer with a model’s own weights.",
            spec=spec,
        )
    )


def source_to_query(source: Source) -> dict[str, str]:
    """A source as URL parameters; `source_from_query` gives it back."""
    query = {} if source == Embedded() else {"source": source.spec}
    for name, usual in _usual(source).items():
        value = getattr(source, name)
        if value != usual:
            query[name] = str(int(value)) if isinstance(value, bool) else str(value)
    return query


def _usual(source: Source) -> dict[str, object]:
    """The options of a source and what they are when nobody says."""
    if isinstance(source, Trained):
        usual = source.defaults()
        return {"task": MISSING} | {f.name: getattr(usual, f.name) for f in fields(Trained)[1:]}
    return {f.name: f.default for f in fields(Scratch)} if isinstance(source, Scratch) else {}


def source_from_query(query: Mapping[str, str]) -> Source:
    """The source that URL parameters ask for.

    Raises:
        ExplorerError: They name something that cannot be.
    """
    spec = query.get("source", "bert")
    if spec not in WITH_OPTIONS:
        return parse_source(spec)
    names = [f.name for f in fields(WITH_OPTIONS[spec]) if f.name in query]
    return parse_source(spec, **{name: _option(name, query[name]) for name in names})


def _option(name: str, value: str) -> object:
    if name in ("task", "corpus"):
        return value
    if name == "learning_rate":
        if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,20})?(e-?[0-9]{1,2})?", value):
            return float(value)
        raise ExplorerError(
            t(
                "The link says {name} = {value}; it must be a number.",
                name=name,
                value=f"{value[:40]!r}",
            )
        )
    if not re.fullmatch(r"[0-9]{1,40}", value):  # what is too large is told its range
        raise ExplorerError(
            t(
                "The link says {name} = {value}; it must be a whole number.",
                name=name,
                value=f"{value[:40]!r}",
            )
        )
    return value == "1" if name in ("positions", "causal") else int(value)
