"""Patterns that a head may follow, as 0/1 maps of a text; a head's score is what it puts on them.

The measure is that of TransformerLens' head detector (Nanda, Bloom 2022): Σ(A·P) over the queries
that the pattern is about, divided by their number, so that 1 means that they look nowhere else.
A pattern is made some rows at a time, so that a long text takes memory with its length alone.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.language import t
from explorer.trace import AttentionTrace, Token

Map = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int64]
PLACES = {"self": t("itself"), "previous": t("the token before"), "next": t("the token after")}
MOST_MARKS = 16  # different special tokens that have a pattern of their own
_ENDS = frozenset(".!?。！？…")  # of a sentence
_WIDE_ENDS = frozenset("。！？")  # no space follows these
_CLOSERS = frozenset("\"'")  # straight quotation marks, beside what Unicode calls closing
_BLANKS = frozenset("⏎⇥▁")  # spaces and line breaks as they are shown, beside U+2400 to U+2426


@dataclass(frozen=True, eq=False)
class Detector:
    """A pattern on one text.

    Attributes:
        rows: Where some queries look if a head follows it: of a slice of the queries bool
            ``[some, key]``.
        queries: The queries that it is about, ``[query]``; all of them for most patterns.
        keys: The keys that all these look at alike, ``[key]``; None where each has its own.
    """

    rows: Callable[[slice], Map]
    queries: Map
    keys: Map | None = None


def detectors(trace: AttentionTrace) -> dict[str, Detector]:
    """The patterns that the keys of a trace can show, by name; those that cannot be are left out.

    Names: ``self``, ``previous``, ``next``, ``first``, each special token by its own text (of more
    than `MOST_MARKS` the first ones: a text may be of marks alone), ``punctuation``, ``same word``,
    ``same word before``, ``after the same word``, ``own sentence``, ``first to second text``,
    ``second to first text``. What the same word is, `same_words` says; what came after it counts
    whatever it is. A sentence is what `sentence_of` says; special tokens are of none.
    """
    tokens = trace.key_tokens
    found = _of_place(len(tokens)) | _of_columns(tokens)
    found |= _of_repetition(same_words(tokens, trace.model.unknown_token))
    sentences = sentence_of(tokens, trace.texts)
    if sentences.max(initial=-1) > 0:
        found["own sentence"] = Detector(_alike(sentences), sentences >= 0)
    return found | _between_texts(tokens)


def _of_place(n: int) -> dict[str, Detector]:
    everyone = np.ones(n, dtype=bool)
    offsets = {"self": 0} | ({"previous": -1, "next": 1} if n > 1 else {})

    def at(offset: int) -> Callable[[slice], Map]:
        return lambda some: np.arange(n) == np.arange(n)[some, None] + offset

    return {name: Detector(at(offset), everyone) for name, offset in offsets.items()}


def _of_columns(tokens: Sequence[Token]) -> dict[str, Detector]:
    """Every query on some keys: the first, each special token, punctuation."""
    n = len(tokens)
    marks = list(dict.fromkeys(t.text for t in tokens if t.special))[:MOST_MARKS]
    keys = {"first": np.arange(n) == 0}
    keys |= {mark: np.array([t.special and t.text == mark for t in tokens]) for mark in marks}
    keys["punctuation"] = np.array([is_punctuation(t) for t in tokens], dtype=bool)

    def onto(chosen: Map) -> Callable[[slice], Map]:
        return lambda some: np.tile(chosen, (len(chosen[some]), 1))

    everyone = np.ones(n, dtype=bool)
    return {
        name: Detector(onto(chosen), everyone, chosen)
        for name, chosen in keys.items()
        if chosen.any()
    }


def _of_repetition(words: Labels) -> dict[str, Detector]:
    """The same word elsewhere, the same one earlier, and what came after it there."""
    n = len(words)
    everyone, alike, places = np.ones(n, dtype=bool), _alike(words), np.arange(n)

    def elsewhere(some: slice) -> Map:
        return alike(some) & (places != places[some, None])

    def before(some: slice) -> Map:
        return alike(some) & (places < places[some, None])

    def after(some: slice) -> Map:
        found = np.zeros((len(places[some]), n), dtype=bool)
        found[:, 1:] = alike(some)[:, :-1]  # an earlier occurrence at k: the token at k + 1
        return found & (places < places[some, None])

    last = {word: i for i, word in enumerate(words.tolist()) if word >= 0}
    apart = [last[word] - i for i, word in enumerate(words.tolist()) if word >= 0]
    farthest = max(apart, default=0)
    found = {"same word": elsewhere, "same word before": before} if farthest > 0 else {}
    found |= {"after the same word": after} if farthest > 1 else {}
    return {name: Detector(rows, everyone) for name, rows in found.items()}


def _alike(labels: Labels) -> Callable[[slice], Map]:
    """Keys with the label of the query; a label below 0 is like none."""
    return lambda some: (labels[some, None] == labels) & (labels[some, None] >= 0)


def _between_texts(tokens: Sequence[Token]) -> dict[str, Detector]:
    one, two = (
        np.array([t.segment == segment and not t.special for t in tokens]) for segment in (0, 1)
    )
    if not one.any() or not two.any():
        return {}

    def onto(queries: Map, keys: Map) -> Detector:
        return Detector(lambda some: queries[some, None] & keys, queries)

    return {"first to second text": onto(one, two), "second to first text": onto(two, one)}


# — what a token is —


def same_words(tokens: Sequence[Token], unknown: str | None = None) -> Labels:
    """The running number of the word that each token says, ``[token]``; −1 for what is no word.

    Tokens with one number are the same word. The one rule for it, here and in the browser:
    their texts have the same letters, whatever their case (each made large, then small), and both
    begin a word, or both go on with one. Special tokens, unknown ones, spaces and line breaks are
    no words; signs are.

    Args:
        tokens: The tokens.
        unknown: What the model shows for what it does not know; None if it knows all.
    """
    numbers: dict[tuple[str, bool], int] = {}
    found, last = [], None
    for token in tokens:
        goes_on = token.word is not None and token.word == last
        last = token.word
        if token.special or token.text == unknown or all(map(_is_blank, token.text)):
            found.append(-1)
        else:
            said = (token.text.upper().lower(), goes_on)
            found.append(numbers.setdefault(said, len(numbers)))
    return np.array(found, dtype=np.int64)


def _is_blank(character: str) -> bool:
    return character.isspace() or character in _BLANKS or "␀" <= character <= "\u2426"


def is_punctuation(token: Token) -> bool:
    """Whether a token is made of punctuation alone."""
    shown = not token.special and token.span is not None
    return shown and all(unicodedata.category(c)[0] == "P" for c in token.text)


def sentence_of(tokens: Sequence[Token], texts: Sequence[str] = ()) -> Labels:
    """The running number of each token's sentence, −1 for special tokens.

    A sentence ends with its text, and with . ! ? or their like and the quotation marks and brackets
    that close behind them; not where a letter or a digit follows at once, as in 3.14 or e.g.
    (Chinese and Japanese stops need no space). An abbreviation before a space does end one: nobody
    looks words up.

    Args:
        tokens: The tokens.
        texts: The pasted texts, which tell what stands between two tokens.
    """
    found, number = [], 0
    last: Token | None = None
    stop = ""  # the last stop, while nothing has come since but what closes behind it
    for token in tokens:
        if token.special:
            found.append(-1)
            continue
        touches = last is not None and _touch(last, token, texts)
        closes = touches and all(map(_is_closing, token.text))
        begins = stop and not closes and _begins(token, touches, stop)
        if last is not None and (last.segment != token.segment or begins):
            number += 1
        found.append(number)
        stop = _stop_of(token.text) or (stop if closes else "")
        last = token
    return np.array(found, dtype=np.int64)


def _stop_of(text: str) -> str:
    """The stop that a token ends with, before what closes behind it; nothing if it has none."""
    while text and _is_closing(text[-1]):
        text = text[:-1]
    return text[-1:] if text[-1:] in _ENDS else ""


def _begins(token: Token, touches: bool, stop: str) -> bool:
    """Whether a token behind a stop begins a sentence."""
    first = token.text.removeprefix("##")[:1]
    return first not in _ENDS and (not touches or stop in _WIDE_ENDS or not first.isalnum())


def _is_closing(character: str) -> bool:
    return character in _CLOSERS or unicodedata.category(character) in ("Pe", "Pf")


def _touch(last: Token, token: Token, texts: Sequence[str]) -> bool:
    """Whether nothing stands between two tokens, not even a space that belongs to one of them."""
    if last.span is None or token.span is None or last.segment != token.segment:
        return False
    (start, end), after = last.span, token.span[0]
    text = texts[token.segment] if token.segment < len(texts) else ""
    space = text[after : after + 1].isspace() or (end > start and text[end - 1 : end].isspace())
    return end == after and not space
