"""The instrument in a notebook cell: the exported page in a frame of its own."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from os import PathLike

from explorer.errors import ExplorerError
from explorer.export.files import write_whole
from explorer.export.html import check_page, to_html
from explorer.language import t
from explorer.trace import AttentionTrace, Token

VIEW = (  # the names of a view, as view.js
    *("layer", "heads", "query", "key", "words", "mass", "residual", "step", "cards"),
    *("temperature", "top", "combine", "look", "grid", "map", "pool", "specials", "scale"),
    *("flow", "path"),
)
_NEAR = 6  # tokens that are named in place of one that there is not


@dataclass(frozen=True, eq=False)
class Shown:
    """A trace as a notebook shows it; Jupyter and its kin call `_repr_html_`.

    Attributes:
        trace: What is shown.
        height: Of the cell, in pixels.
        opening: The view to open with, by the names that a link uses.
        layers: The layers to put in; None for all.
        heads: Of a long text the heads to put in, in place of `layers`.
    """

    trace: AttentionTrace
    height: int = 1000
    opening: Mapping[str, str] = field(default_factory=dict)
    layers: Sequence[int] | None = None
    heads: Sequence[Sequence[int]] | None = None

    def save(self, file: str | PathLike[str]) -> None:
        """Write the page as a file that opens in any browser, offline.

        Raises:
            ExplorerError: It cannot be written there.
        """
        page = self._page().encode()
        write_whole(file, lambda out: out.write(page))

    def _page(self) -> str:
        opening = self.opening or None
        return to_html(self.trace, opening=opening, layers=self.layers, heads=self.heads)

    def _repr_html_(self) -> str:
        page = html.escape(self._page(), quote=True)
        return (
            f'<iframe title="Attention" sandbox="allow-scripts allow-downloads" '
            f'style="width:100%;height:{int(self.height)}px;border:0" srcdoc="{page}"></iframe>'
        )


def shown(
    trace: AttentionTrace,
    *,
    layer: int | None = None,
    head: int | None = None,
    query: str | int | None = None,
    layers: Sequence[int] | None = None,
    heads: Sequence[Sequence[int]] | None = None,
    height: int = 1000,
    view: Mapping[str, str] | None = None,
) -> Shown:
    """A trace as a notebook shows it, opened at a place; the arguments are `explorer.show`'s.

    Raises:
        ExplorerError: There is no such place, or it is more than a page holds.
    """
    if layers is not None and not isinstance(layers, Sequence):
        raise ExplorerError(
            t(
                "layers is {layers}; it must be a list of numbers, such as [0, 3].",
                layers=f"{layers!r}",
            )
        )
    for number in layers or ():
        trace.layer(_whole(number, "A layer"))
    chosen = _chosen(trace, heads)
    opening: dict[str, str] = {}
    if layer is not None or head is not None or chosen:
        number, opened = chosen[0] if chosen else (min(layers) if layers else trace.numbers[0], 0)
        number = number if layer is None else _whole(layer, "layer")
        opened = opened if head is None else _whole(head, "head")
        trace.rows(number, opened, [0])  # says so if there is none
        opening = {"layer": str(number), "heads": str(opened)}
    if query is not None:
        opening["query"] = _place(trace.query_tokens, trace.texts, query)
    opening |= _switched(view)
    check_page(trace, layers, chosen, opening)
    return Shown(trace, _whole(height, "height"), opening, layers, chosen)


def _switched(view: object) -> dict[str, str]:
    """The rest of a view, by the names that a link uses.

    Raises:
        ExplorerError: There is no such name, or what it is given is no text.
    """
    if view is None:
        return {}
    if not isinstance(view, Mapping) or not all(isinstance(v, str) for v in view.values()):
        raise ExplorerError(
            t(
                "view is {view}; it must be texts by their names, such as {'specials': "
                "'hidden', 'words': '1'}.",
                view=f"{view!r:.80}",
            )
        )
    unknown = [name for name in view if name not in VIEW]
    if unknown:
        raise ExplorerError(
            t(
                "A view has no {unknown}; it has {view}.",
                unknown=f"{unknown[0]!r:.40}",
                view=", ".join(VIEW),
            )
        )
    return dict(view)


def _chosen(
    trace: AttentionTrace, heads: Sequence[Sequence[int]] | None
) -> list[tuple[int, int]] | None:
    """The heads to put in, each of them there.

    Raises:
        ExplorerError: They are no heads, or not of this trace.
    """
    if heads is None:
        return None
    found = []
    for pair in heads if isinstance(heads, Sequence) else [None]:
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
            raise ExplorerError(
                t(
                    "heads is {heads}; it must be a list of layers and heads, such as [(0, 3), (5, "
                    "1)].",
                    heads=f"{heads!r}",
                )
            )
        number, head = _whole(pair[0], "A layer"), _whole(pair[1], "A head")
        trace.rows(number, head, [0])  # says so if there is none
        found.append((number, head))
    return found


def _whole(value: object, name: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < 0:
        raise ExplorerError(
            t(
                "{name} is {value}; it must be a whole number from 0 on.",
                name=name,
                value=f"{value!r}",
            )
        )
    return value.__index__()


def _place(tokens: Sequence[Token], texts: Sequence[str], query: object) -> str:
    """Where a token or word stands, as a link says it: the first of equal ones."""
    if not isinstance(query, str):
        at = _whole(query, "query")
        if not 0 <= at < len(tokens):
            raise ExplorerError(
                t(
                    "There is no token {at}: there are {tokens}, counted from 0.",
                    at=at,
                    tokens=f"{len(tokens):,}",
                )
            )
        return str(at)
    words: dict[tuple[int, int], list[int]] = {}
    for i, token in enumerate(tokens):
        if token.word is not None:
            words.setdefault((token.segment, token.word), []).append(i)
    named = [(token.text, [i]) for i, token in enumerate(tokens)]
    named += [(_text_of(at, tokens, texts), at) for at in words.values()]
    for same in (str, str.casefold):
        for name, places in named:
            if same(name) == same(query):
                return str(places[0]) if len(places) == 1 else f"{places[0]}-{places[-1]}"
    names = list(dict.fromkeys(name for name, _ in named))
    near = get_close_matches(query, names, _NEAR, 0.5) or names[:_NEAR]
    raise ExplorerError(
        t(
            "There is no token or word “{query}” that looks. There is {near}; or give its "
            "position, a number from 0 to {tokens}.",
            query=query[:80],
            near=", ".join(f"“{name}”" for name in near),
            tokens=len(tokens) - 1,
        )
    )


def _text_of(at: Sequence[int], tokens: Sequence[Token], texts: Sequence[str]) -> str:
    """The characters of a word, from its first piece to its last."""
    spans = [span for i in at if (span := tokens[i].span)]
    if not spans:
        return "".join(tokens[i].text for i in at)
    return texts[tokens[at[0]].segment][spans[0][0] : spans[-1][1]].strip()
