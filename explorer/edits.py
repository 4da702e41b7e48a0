"""Edits: what a reader changes in a model's attention to see what it does. Hashable."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from explorer.errors import ExplorerError
from explorer.headname import head_name
from explorer.language import t
from explorer.positions import read_tokens, write_tokens

Head = tuple[int, int]
Edge = tuple[int | None, int | None, int, int]
_HEADS = re.compile(r"\d{1,4}-\d{1,4}(\.\d{1,4}-\d{1,4})*", re.ASCII)
_EDGE = r"(\d{1,4}|a)-(\d{1,4}|a)-\d{1,5}-\d{1,5}"
_EDGES = re.compile(rf"{_EDGE}(\.{_EDGE})*", re.ASCII)
MOST = 4096  # heads, or edges, in one link


@dataclass(frozen=True, slots=True)
class Edits:
    """Heads and edges that are changed; layers have the model's own numbers.

    Attributes:
        off: Heads whose output becomes zero.
        even: Heads that share out their attention evenly over all tokens that they may look at.
        silent: Heads whose sink takes nothing: the one that is no token (gpt-oss), or else the
            first token of the text, at which no later token of the head then looks.
        cut: Positions at which no later token looks, in any head of any layer: attention knocked
            out (Geva et al. 2023).
        edges: Single edges: layer, head, query and key; None for all layers, or all heads.
    """

    off: tuple[Head, ...] = ()
    even: tuple[Head, ...] = ()
    silent: tuple[Head, ...] = ()
    cut: tuple[int, ...] = ()
    edges: tuple[Edge, ...] = ()

    def __post_init__(self) -> None:
        for name in ("off", "even", "silent", "cut", "edges"):
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)), key=_order)))
            if len(getattr(self, name)) > MOST:
                raise ExplorerError(
                    t("At most {most} heads or edges can be changed at once.", most=f"{MOST:,}")
                )

    def __bool__(self) -> bool:
        return any((self.off, self.even, self.silent, self.cut, self.edges))

    def in_words(self) -> list[str]:
        """Each edit in words."""
        found: list[str] = [t("{head} is off", head=head_name(*head)) for head in self.off]
        found += [t("{head} looks evenly", head=head_name(*head)) for head in self.even]
        found += [t("{head} has no sink", head=head_name(*head)) for head in self.silent]
        found += [t("no later token looks at token {at}", at=at) for at in self.cut]
        found += [_edge_in_words(*edge) for edge in self.edges]
        return found

    def in_link(self) -> str:
        """The edits in one word of a link; `of_link` gives them back."""
        return "_".join(f"{name}:{text}" for name, text in self.to_query().items())

    @staticmethod
    def of_link(word: str) -> "Edits":
        """The edits that a link names; none where it writes something else."""
        parts = (part.partition(":") for part in word.split("_")[:8])
        return Edits.from_query({name: text for name, _, text in parts})

    def to_query(self) -> dict[str, str]:
        """The edits as URL parameters; `from_query` gives them back."""
        found = {name: _write_heads(getattr(self, name)) for name in ("off", "even", "silent")}
        found["cut"] = write_tokens(self.cut)
        found["edges"] = ".".join(
            "-".join("a" if part is None else str(part) for part in edge) for edge in self.edges
        )
        return {name: text for name, text in found.items() if text}

    @staticmethod
    def from_query(query: Mapping[str, str]) -> "Edits":
        """The edits that a link names; none where it writes something else."""
        off, even, silent = (_read_heads(query.get(name, "")) for name in ("off", "even", "silent"))
        edges = query.get("edges", "")
        found = edges.split(".") if _EDGES.fullmatch(edges) else []
        return Edits(
            off, even, silent, read_tokens(query.get("cut", "")), tuple(map(_edge, found[:MOST]))
        )


def _edge_in_words(layer: int | None, head: int | None, query: int, key: int) -> str:
    ends = {"query": query, "key": key}
    if layer is not None and head is not None:
        name = head_name(layer, head)
        return t("token {query} does not look at token {key} in {head}", head=name, **ends)
    if layer is not None:
        return t("token {query} does not look at token {key} in layer {layer}", layer=layer, **ends)
    if head is None:
        return t("token {query} does not look at token {key} in any head", **ends)
    return t(
        "token {query} does not look at token {key} in head {head} of any layer", head=head, **ends
    )


def _order(one: object) -> tuple[int, ...]:
    parts = one if isinstance(one, tuple) else (one,)
    return tuple(-1 if part is None else part for part in parts)


def _write_heads(heads: tuple[Head, ...]) -> str:
    return ".".join(f"{layer}-{head}" for layer, head in heads)


def _read_heads(text: str) -> tuple[Head, ...]:
    if not _HEADS.fullmatch(text):
        return ()
    pairs = (one.split("-") for one in text.split(".")[:MOST])
    return tuple((int(layer), int(head)) for layer, head in pairs)


def _edge(text: str) -> Edge:
    layer, head, query, key = (None if part == "a" else int(part) for part in text.split("-"))
    assert query is not None
    assert key is not None
    return layer, head, query, key


NO_EDITS = Edits()
