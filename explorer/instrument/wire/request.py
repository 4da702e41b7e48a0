"""What the browser asks the server for beyond the first payload, checked: a page sends anything."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from explorer.analysis.groups import Words
from explorer.cheaper import Cheap
from explorer.edits import NO_EDITS, Edits
from explorer.errors import ExplorerError
from explorer.limits import MAX_TOKENS
from explorer.place import Place

MAX_WORDS = max(4096, MAX_TOKENS)  # on one side of a selection
MAX_PAIRS = 40  # of words that a reader points at, as survey.js: each is worked for
MAX_CELLS = 4_000_000  # numbers of an answer, 16 MB
MAX_VIEW = 100  # names in a view
MAX_WORD = 200  # letters of a word that is pinned
MAX_HEADS = 32  # of a long text that are asked for at once, in full or as their summaries
MAX_THUMBS = 64  # small pictures of heads that are asked for at once
MAX_PAGE_HEADS = 4096  # in a file
MAX_TEMPERATURE = 1000  # per cent
_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,200}")
_EDITS = re.compile(r"[a-z0-9_:.-]{0,4000}")
_VALUE = re.compile(r"[A-Za-z0-9_.-]{0,4000}")


Edge = tuple[int, int, int, int]
Places = tuple[tuple[int, ...], ...]
"""Heads, (layer, head) each, by the model's own numbers of the layers."""


@dataclass(frozen=True)
class Group:
    """Chosen words, whose attention is wanted in every head.

    Attributes:
        name: The browser's own name for it; comes back with the answer.
        queries: Words that look, each as the positions of its pieces.
        keys: Words that are looked at.
        mean: Whether the queries become one number.
        together: Whether the keys become one number.
        rescaled: Whether rows are divided by what they give to ordinary tokens.
    """

    name: str
    queries: Words
    keys: Words
    mean: bool
    together: bool
    rescaled: bool


@dataclass(frozen=True)
class Page:
    """The wish for the instrument as a file of its own.

    Attributes:
        ticket: A number of the browser's own: each file is saved once.
        layers: The layers to put in; None for all.
        view: The view to open with, by the names that a link uses.
        heads: Of a long text, the heads to put in, (layer, head) each; None for those of `layers`.
    """

    ticket: int
    layers: tuple[int, ...] | None
    view: Mapping[str, str] = field(default_factory=dict)
    heads: Places | None = None


@dataclass(frozen=True)
class Draw:
    """How a next token is drawn.

    Attributes:
        temperature: What logits are divided by, in per cent; 0 for always the likeliest.
        top: From how many of the likeliest; 0 for all.
        at: The position around which what comes next is wanted.
    """

    temperature: int = 100
    top: int = 0
    at: int = 0

    @staticmethod
    def of(sent: object) -> "Draw | None":
        """The way in what a page sent; None if there is none, or one that cannot be."""
        if not isinstance(sent, Mapping):
            return None
        temperature, top, at = (sent.get(name, -1) for name in ("temperature", "top", "at"))
        if not all(map(_is_count, (temperature, top, at))) or temperature > MAX_TEMPERATURE:
            return None
        return Draw(temperature, top, at)


@dataclass(frozen=True)
class Lens:
    """The wish to read each layer as the last, and to know who wrote a word.

    Attributes:
        at: The position.
        token: The word; None for the likeliest.
        other: The one that it is compared with; None for none.
    """

    at: int
    token: int | None = None
    other: int | None = None

    @staticmethod
    def of(sent: object) -> "Lens | None":
        """The wish in what a page sent; None if there is none, or one that cannot be."""
        if not isinstance(sent, Mapping) or not _is_count(sent.get("at")):
            return None
        token, other = (_token(sent.get(name)) for name in ("token", "other"))
        return Lens(sent["at"], token, other)


@dataclass(frozen=True)
class Written:
    """What a reader wants of what stands behind his text.

    Attributes:
        act: ``append`` a token, let the model ``write``, or ``stop``; or ``edit`` its attention.
        at: The position behind which a token is put; what stood there is left out.
        token: Its number.
        draw: How the model draws its tokens.
        edits: All that shall be changed in its attention.
    """

    act: str
    at: int = 0
    token: int = 0
    draw: Draw = Draw()
    edits: Edits = NO_EDITS

    @staticmethod
    def of(sent: object) -> "Written | None":
        """The wish in what a page sent; None if there is none, or one that cannot be."""
        if not isinstance(sent, Mapping):
            return None
        act, at, token = sent.get("act"), sent.get("at", -1), _token(sent.get("token"))
        if act == "append" and _is_count(at) and token is not None:
            return Written("append", at, token)
        draw = Draw.of(sent) if act == "write" else None
        if draw is not None:
            return Written("write", draw=draw)
        if act == "edit" and _matches(_EDITS, sent.get("edits")):
            return Written("edit", edits=Edits.of_link(sent["edits"]))
        return Written("stop") if act == "stop" else None


@dataclass(frozen=True)
class Request:
    """Everything that a browser wants of one trace.

    Attributes:
        trace_id: The trace that all this is about.
        layer: The layer to send in full.
        group: Chosen words.
        means: Whether the mean over the heads of every layer is wanted.
        page: The wish for a file.
        heads: Heads of a long text to send in full.
        summaries: Heads of a long text whose summaries are wanted.
        map: The level of the maps in them.
        thumbs: Heads of a long text whose small pictures are wanted.
        known: Whether the browser has all that is said of the trace besides its heads.
        striking: Whether what is worth a look is wanted.
        effects: The layer whose heads shall be switched off, one by one; None for none.
        next: How what comes next is drawn, where that is wanted.
        lens: The position whose prediction is wanted layer by layer; None for none.
        why: The edge whose score shall be taken apart: layer, head, query and key; None for none.
    """

    trace_id: str = ""
    layer: int = 0
    group: Group | None = None
    means: bool = False
    page: Page | None = None
    heads: Places = ()
    summaries: Places = ()
    map: str | None = None
    thumbs: Places = ()
    known: bool = False
    striking: bool = False
    effects: int | None = None
    next: Draw | None = None
    lens: Lens | None = None
    why: Edge | None = None

    @staticmethod
    def of(sent: object) -> "Request | None":
        """The wish in what a page sent; None if there is none, or one that cannot be."""
        if not isinstance(sent, Mapping) or not _matches(_NAME, sent.get("trace")):
            return None
        if not _is_count(sent.get("layer")):
            return None
        return Request(
            sent["trace"],
            sent["layer"],
            _group(sent.get("group")),
            sent.get("means") is True,
            _page(sent.get("page")),
            tuples_of(sent, "heads", 2, MAX_HEADS) or (),
            tuples_of(sent, "summaries", 2, MAX_HEADS) or (),
            sent["map"] if _matches(_NAME, sent.get("map")) else None,
            tuples_of(sent, "thumbs", 2, MAX_THUMBS) or (),
            sent.get("known") is True,
            sent.get("striking") is True,
            sent["effects"] if _is_count(sent.get("effects")) else None,
            Draw.of(sent.get("next")),
            Lens.of(sent.get("lens")),
            _edge(sent.get("why")),
        )

    def asks(self) -> bool:
        """Whether something must be computed to answer it: more than a layer that is there."""
        found = self.means or self.heads or self.summaries or self.thumbs or self.striking
        asked = (self.group, self.page, self.effects, self.next, self.lens, self.why)
        return bool(found) or any(one is not None for one in asked)

    def without_page(self) -> "Request":
        """The same without the wish for a file."""
        return replace(self, page=None)

    def fits(self, n_queries: int, n_keys: int, n_heads: int = 1) -> bool:
        """Whether the chosen words are words of a trace, and the answer is of a bearable size.

        Args:
            n_queries: Tokens that look.
            n_keys: Tokens that are looked at.
            n_heads: Heads, of all layers together.
        """
        group = self.group
        if group is None:
            return True
        ends = ((group.queries, n_queries), (group.keys, n_keys))
        if any(position >= n for words, n in ends for word in words for position in word):
            return False
        rows = 1 if group.mean else len(group.queries)
        columns = 1 if group.together else len(group.keys)
        return n_heads * rows * columns <= MAX_CELLS


@dataclass(frozen=True)
class Head:
    """One head, and perhaps a query and a key.

    Attributes:
        layer: The layer, from 0.
        head: The head, from 0.
        query: The position of a query, or None.
        key: The position of a key, or None.
    """

    layer: int = 0
    head: int = 0
    query: int | None = None
    key: int | None = None

    @staticmethod
    def of(sent: Mapping[str, object]) -> "Head":
        """The head in what a page or a link says: numbers, or texts that begin with one."""
        head = _number(sent.get("head", sent.get("heads")))
        layer, query, key = (_number(sent.get(name)) for name in ("layer", "query", "key"))
        return Head(layer or 0, head or 0, query, key)


def _number(value: object) -> int | None:
    """The number that something is, or begins with; None if it is no number."""
    if isinstance(value, str):
        found = re.match(r"[0-9]{1,4}(?![0-9])", value)
        return int(found[0]) if found else None
    return value if type(value) is int and _is_count(value) else None


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 100_000


def _edge(sent: object) -> Edge | None:
    """A layer, a head, a query and a key; None if it is none."""
    if not isinstance(sent, list) or len(sent) != 4 or not all(map(_is_count, sent)):
        return None
    layer, head, query, key = sent
    return layer, head, query, key


def _token(value: object) -> int | None:
    """The number of a token of a vocabulary; None if it is none."""
    return value if type(value) is int and 0 <= value < 2**31 else None


def _words(value: Any) -> Words | None:
    """Words as lists of positions, no position twice; None if it is none."""
    if not isinstance(value, list) or not 0 < len(value) <= MAX_WORDS:
        return None
    seen: set[int] = set()
    for word in value:
        if not isinstance(word, list) or not word or not all(map(_is_count, word)):
            return None
        if len({*word}) < len(word) or not seen.isdisjoint(word):
            return None
        seen.update(word)
    return tuple(map(tuple, value))


def _group(sent: object) -> Group | None:
    if not isinstance(sent, Mapping) or not _matches(_VALUE, sent.get("name")):
        return None
    queries, keys = _words(sent.get("queries")), _words(sent.get("keys"))
    if queries is None or keys is None:
        return None
    flags = [sent.get(flag) is True for flag in ("mean", "together", "rescaled")]
    return Group(sent["name"], queries, keys, *flags)


def _page(sent: object) -> Page | None:
    if not isinstance(sent, Mapping) or not _is_count(sent.get("ticket")):
        return None
    layers, view = sent.get("layers"), view_of(sent.get("view"))
    if layers is not None and not (isinstance(layers, list) and all(map(_is_count, layers))):
        return None
    if view is None:
        return None
    heads = tuples_of(sent, "heads", 2, MAX_PAGE_HEADS)
    if heads is None and sent.get("heads") is not None:
        return None
    chosen = None if layers is None else tuple(sorted(set(layers)))
    return Page(sent["ticket"], chosen, view, heads)


def tuples_of(sent: object, name: str, length: int, most: int = MAX_WORDS) -> Places | None:
    """Lists of so many whole numbers each in what a page sent, each once; None if there are none.

    Args:
        sent: What was sent.
        name: The name of the lists in it.
        length: Numbers in each.
        most: Lists, at most; more are none.
    """
    found = sent.get(name) if isinstance(sent, Mapping) else None
    if not isinstance(found, list) or len(found) > most:
        return None
    if not all(isinstance(t, list) and len(t) == length and all(map(_is_count, t)) for t in found):
        return None
    return tuple(dict.fromkeys(map(tuple, found)))


@dataclass(frozen=True)
class Told:
    """What a picture tells of its reader.

    Attributes:
        place: Where he looks, where that is said.
        page: The page that he wants.
        query: What it opens with.
        source: The page that the picture is on.
        named: Whether he clicked the page's name: it shows what it showed before.
        written: The tokens behind the text that he looks at, as links say them; None if unsaid.
    """

    place: Place | None
    page: str | None
    query: dict[str, str]
    source: str
    named: bool
    written: str | None = None


def place_of(sent: object) -> Told | None:
    """Where a reader looks, and where he wants to go."""
    if not isinstance(sent, Mapping):
        return None
    view, words, page = view_of(sent.get("view")) or {}, sent.get("words"), sent.get("page")
    if not isinstance(words, list) or len(words) != 2 or not all(map(_is_word, words)):
        words = ["", ""]
    place = replace(Place.from_query(view), words=(words[0], words[1])) if view else None
    asked = page if _matches(_NAME, page) else None
    source = sent.get("from")
    own = str(source) if _matches(_NAME, source) else ""
    named = sent.get("named") is True
    written = sent.get("written")
    behind = written if isinstance(written, str) else None
    return Told(place, asked, view_of(sent.get("open")) or {}, own, named, behind)


def _is_word(word: object) -> bool:
    return isinstance(word, str) and len(word) <= MAX_WORD


def shown_of(sent: object) -> tuple[int, Head] | None:
    """The head that a reader wants to see in Explore, and in which of the texts."""
    if not isinstance(sent, Mapping):
        return None
    return _number(sent.get("text")) or 0, Head.of(sent)


@dataclass(frozen=True)
class Step:
    """What “Step by step” wants.

    Attributes:
        head: The head.
        changes: What shall be different beside it, of `CHANGES`.
        other: d_model and number of heads of a layer of another size.
        page: The view of a file, if one is wanted.
    """

    head: Head
    changes: tuple[str, ...] = ()
    other: tuple[int, int] = (16, 1)
    page: Mapping[str, str] | None = None


CHANGES = ("positions", "backwards", "size")
_OTHER_SIZE = (1024, 16)  # d_model and heads at most


def step_of(sent: object) -> Step | None:
    """What “Step by step” wants, in what its page sent or a link says."""
    if not isinstance(sent, Mapping):
        return None
    named = sent.get("change")
    changes = tuple(c for c in CHANGES if isinstance(named, str) and c in named.split("."))
    usual = Step(Head()).other
    asked = (_number(sent.get(name)) for name in ("other_d_model", "other_n_heads"))
    width, heads = (
        n if n and n <= most else alone
        for n, most, alone in zip(asked, _OTHER_SIZE, usual, strict=True)
    )
    return Step(Head.of(sent), changes, (width, heads), view_of(sent.get("page")))


def side_of(sent: object) -> tuple[str, Request] | None:
    """The side of a comparison, ``a`` or ``b``, and what is wanted for it."""
    if not isinstance(sent, Mapping) or sent.get("side") not in ("a", "b"):
        return None
    request = Request.of(sent.get("request"))
    return None if request is None else (str(sent["side"]), request)


def file_of(sent: object) -> dict[str, str] | None:
    """The view of a file that a comparison wants."""
    return view_of(sent.get("page")) if isinstance(sent, Mapping) else None


def survey_file_of(sent: object) -> dict[str, str] | None:
    """The view of a file that “Heads” wants; a measure may be called after any token."""
    found = view_of(sent)
    if found is None or not isinstance(sent, Mapping) or not _is_word(sent.get("measure")):
        return found
    return found | {"measure": str(sent["measure"])}


def pairs_of(sent: object) -> tuple[tuple[int, ...], ...] | None:
    """The words that a reader points at: a text and two positions each."""
    return tuples_of(sent, "pairs", 3, MAX_PAIRS)


def change_of(sent: object) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]] | None:
    """The heads that shall be off, (layer, head) each, and the positions that shall be gone."""
    heads, gone = tuples_of(sent, "off", 2), tuples_of(sent, "gone", 1)
    if heads is None or gone is None:
        return None
    return heads, tuple(position for (position,) in gone)


def view_of(sent: object) -> dict[str, str] | None:
    """A view by the names that a link uses, as far as it can be one; None if it is none at all."""
    if not isinstance(sent, Mapping) or len(sent) > MAX_VIEW:
        return None
    return {k: v for k, v in sent.items() if _matches(_NAME, k) and _matches(_VALUE, v)}


@dataclass(frozen=True)
class CheapWish:
    """A head, and a way to make attention cheaper, that a reader looks at.

    Attributes:
        head: The head.
        cheap: The way.
        put: Whether it shall really be put in place: ``head``, ``all``, or nothing.
    """

    head: Head
    cheap: Cheap
    put: str = ""

    @staticmethod
    def of(sent: object) -> "CheapWish | None":
        """The wish in what a page sent; None if there is none, or one that cannot be."""
        if not isinstance(sent, Mapping):
            return None
        kind, budget, put = (sent.get(name) for name in ("way", "budget", "put"))
        if put not in ("", "head", "all") or not _is_count(budget):
            return None
        try:
            return CheapWish(Head.of(sent), Cheap(kind, budget), put)  # type: ignore[arg-type]
        except ExplorerError:
            return None
