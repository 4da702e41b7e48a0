"""Place: what a reader looks at, on whatever page, and where that is in another text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from explorer.positions import read_tokens, write_tokens
from explorer.run import Run
from explorer.trace import AttentionTrace, Token

_HEADS = re.compile(r"\d{1,4}(\.\d{1,4})*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """A run, the heads of a layer, and the tokens that are pinned: what all pages look at.

    Attributes:
        run: What is looked at; None before anything is.
        layer: The layer, by the model's own number.
        heads: Heads in it, from 0; at least one.
        queries: Positions of the tokens that look, ascending.
        keys: Positions of those that are looked at.
        words: What the first of either side is a part of, in the text; empty where nothing is
            pinned. By these the same words are found in another text, and after one without words
            in the next.
    """

    run: Run | None = None
    layer: int = 0
    heads: tuple[int, ...] = (0,)
    queries: tuple[int, ...] = ()
    keys: tuple[int, ...] = ()
    words: tuple[str, str] = ("", "")

    @property
    def head(self) -> int:
        """The first of the heads."""
        return self.heads[0]

    @property
    def query(self) -> int | None:
        """The first token that looks."""
        return self.queries[0] if self.queries else None

    def to_query(self) -> dict[str, str]:
        """The place in its run as URL parameters."""
        told = {"layer": str(self.layer), "heads": ".".join(map(str, self.heads))}
        pinned = {"query": write_tokens(self.queries), "key": write_tokens(self.keys)}
        return told | {name: text for name, text in pinned.items() if text}

    @staticmethod
    def from_query(query: Mapping[str, str], run: Run | None = None) -> "Place":
        """The place that a link names; what it does not name is as at the start."""
        layer, heads = query.get("layer", ""), query.get("heads", "")
        return Place(
            run,
            int(layer) if re.fullmatch(r"\d{1,6}", layer, re.ASCII) else 0,
            tuple(dict.fromkeys(map(int, heads.split(".")))) if _HEADS.fullmatch(heads) else (0,),
            read_tokens(query.get("query", "")),
            read_tokens(query.get("key", "")),
        )

    def in_trace(self, run: Run, trace: AttentionTrace) -> "Place":
        """The same place in the trace of a run, which may be that of another text or model.

        Where only the model's attention is changed, or more is written, the pin stays where it is.
        In another text it goes to the same word, to that at its own position first, else to a word
        of content; it never comes to stand on a special token. Where nothing was pinned, nothing
        is. In a text without words the word is kept for the next one.
        """
        heads = tuple(h for h in self.heads if h < trace.model.n_heads) or (0,)
        here = replace(self, run=run, layer=trace.nearest(self.layer), heads=heads)
        queries, keys = trace.query_tokens, trace.key_tokens
        looks = tuple(i for i in self.queries if i < len(queries))
        looked_at = tuple(i for i in self.keys if i < len(keys))
        is_whole = (looks, looked_at) == (self.queries, self.keys)
        # What is pinned may be of what was written, and is then gone with it.
        if self.run == run or (is_whole and _reads_the_same(self.run, run)):
            return replace(here, queries=looks, keys=looked_at)._with_words(trace)
        looks = _find(trace, queries, self.words[0], self.queries) if self.words[0] else ()
        looked_at = _find(trace, keys, self.words[1], self.keys) if self.words[1] else ()
        if (self.queries or self.words[0]) and not looks:
            looks = content_word(trace)
        return replace(here, queries=looks, keys=looked_at)._with_words(trace)

    def _with_words(self, trace: AttentionTrace) -> "Place":
        """The same, with the words that are pinned."""
        looks = word_at(trace, trace.query_tokens, self.queries)
        if not self.queries:
            looks = self.words[0]  # of the text before, which had it
        return replace(self, words=(looks, word_at(trace, trace.key_tokens, self.keys)))


def content_word(trace: AttentionTrace) -> tuple[int, ...]:
    """The positions of a word that says something: of those with letters the longest, the first."""
    found = [
        (word, places)
        for word, places in _words(trace, trace.query_tokens)
        if any(letter.isalpha() for letter in word)
    ]
    return max(found, key=lambda one: len(one[0]))[1] if found else ()


def word_at(trace: AttentionTrace, tokens: Sequence[Token], places: Sequence[int]) -> str:
    """The word that a token is a part of, as it stands in the text; empty if there is none."""
    if not places:
        return ""
    return next((word for word, at in _words(trace, tokens) if places[0] in at), "")


def _reads_the_same(one: Run | None, other: Run) -> bool:
    """Whether two runs differ at most in edits and in what is written, which moves no token."""
    return one is not None and replace(one, written=other.written, edits=other.edits) == other


def _find(
    trace: AttentionTrace, tokens: Sequence[Token], word: str, before: Sequence[int]
) -> tuple[int, ...]:
    """The positions of such a word: of that where it was before, else of the first.

    Capitals do not count.
    """
    same = [at for own, at in _words(trace, tokens) if own.casefold() == word.casefold()]
    there = (at for at in same if before and before[0] in at)
    return next(there, same[0] if same else ())


def _words(trace: AttentionTrace, tokens: Sequence[Token]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The words of a text, each with the positions of its pieces."""
    start = 0
    for end in range(1, len(tokens) + 1):
        first, after = tokens[start], tokens[end] if end < len(tokens) else None
        joined = after and first.word is not None and after.word == first.word
        if joined and after and after.segment == first.segment:
            continue
        spans = [token.span for token in tokens[start:end] if token.span]
        if spans and not first.special:
            word = trace.texts[first.segment][spans[0][0] : spans[-1][1]]
            yield word, tuple(range(start, end))
        start = end
