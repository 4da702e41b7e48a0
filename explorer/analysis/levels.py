"""Sentences, paragraphs and turns of a text: groups of tokens, in which a long one is seen.

A level is a list of starts: ascending positions of tokens, the first 0, that cut a text into groups
which stand one behind the other. A special token is always a group of its own. Levels are nested: a
sentence ends where its paragraph ends, and a paragraph where its turn ends.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from explorer.analysis.detectors import sentence_of
from explorer.trace import Token

MOST_GROUPS = 512  # on one side of a map: a dot each, on most screens
LEVELS = ("sentence", "paragraph", "turn", "stretch")  # from fine to coarse

# What stands at the beginning of a turn in the chat templates of model families.
TURN_MARKS = frozenset(
    {
        "<|im_start|>",  # ChatML: Qwen, SmolLM, Yi and many more
        "<|start_header_id|>",  # Llama 3
        "<|header_start|>",  # Llama 4
        "<start_of_turn>",  # Gemma
        "<|turn>",  # Gemma 4
        "[INST]",  # Llama 2, Mistral
        "[/INST]",
        "[SYSTEM_PROMPT]",
        "<|system|>",  # Phi, Zephyr, OLMo, GLM
        "<|user|>",
        "<|assistant|>",
        "<|start_of_role|>",  # Granite
        "<|START_OF_TURN_TOKEN|>",  # Cohere
        "<|start|>",  # gpt-oss
        "<｜User｜>",  # DeepSeek
        "<｜Assistant｜>",
    }
)

_BREAK = r"(?>\r\n|[\n\r\v\f\x85\u2028\u2029])"  # of a line; of the two of Windows no half
_LINES = re.compile(rf"{_BREAK}\s*")
_BLANK_LINES = re.compile(rf"{_BREAK}[^\S\n\r\v\f\x85\u2028\u2029]*{_BREAK}\s*")


def levels_of(tokens: Sequence[Token], texts: Sequence[str]) -> dict[str, list[int]]:
    """The levels of a text by name, from fine to coarse.

    ``sentence`` by `sentence_of`; ``paragraph``: what blank lines part, or line breaks in a text
    without blank lines; ``turn``: from one of `TURN_MARKS` to the next. A level that says nothing
    new is left out: it has at least two groups of ordinary tokens, and fewer groups than the words,
    and than the level before.

    Args:
        tokens: The tokens.
        texts: The pasted texts.
    """
    turns = _turns(tokens)
    paragraphs = list(zip(turns, _paragraphs(tokens, texts), strict=True))
    sentences = list(zip(paragraphs, sentence_of(tokens, texts).tolist(), strict=True))
    blank = [_is_blank(token, texts) for token in tokens]
    words = [(i, -1) if t.word is None else (-1, t.word) for i, t in enumerate(tokens)]
    most = len(_starts(tokens, words))
    found: dict[str, list[int]] = {}
    parts: dict[str, Sequence[object]]
    parts = {"sentence": sentences, "paragraph": paragraphs, "turn": turns}
    for name, labels in parts.items():
        starts = _starts(tokens, labels, blank)
        if sum(not tokens[start].special for start in starts) > 1 and len(starts) < most:
            found[name], most = starts, len(starts)
    return found


def stretches_of(tokens: Sequence[Token], most: int = MOST_GROUPS) -> list[int]:
    """Equal runs of tokens, as many as a map has room for; the last one may be shorter.

    Special tokens are groups of their own here too, unless a text has more of them than there is
    room for.

    Args:
        tokens: The tokens.
        most: Groups, at most.
    """
    n = len(tokens)
    # With s special tokens there are at most s + 1 runs between them.
    if 2 * sum(token.special for token in tokens) + 1 > most:
        return list(range(0, n, -(-n // most)))
    # The shortest runs that fit: the longer they are, the fewer.
    lengths = range(1, n + 1)
    shortest = bisect_left(lengths, True, key=lambda length: len(_runs(tokens, length)) <= most)
    return _runs(tokens, lengths[shortest])


def _runs(tokens: Sequence[Token], length: int) -> list[int]:
    """Starts of runs of ordinary tokens, each of a length, and of special tokens alone."""
    found, left = [], 0
    for i, token in enumerate(tokens):
        if token.special or left == 0:
            found.append(i)
            left = 0 if token.special else length
        left = max(left - 1, 0)
    return found


def map_levels(
    tokens: Sequence[Token],
    keys: Sequence[Token] | None,
    texts: Sequence[str],
    is_long: bool,
) -> tuple[dict[str, list[int]], dict[str, list[int]] | None, str | None]:
    """All levels of queries and keys, and the one that a map of a long text shows at first.

    That is the finest with at most `MOST_GROUPS` groups on both sides; where there is none, both
    sides have ``stretch`` besides.

    Args:
        tokens: The tokens that look.
        keys: The tokens that are looked at; None if they are the same.
        texts: The pasted texts.
        is_long: Whether a map of all tokens would be too large.
    """
    own = levels_of(tokens, texts)
    other = None if keys is None else levels_of(keys, texts)
    if not is_long:
        return own, other, None
    if not (fitting := fitting_levels(own, other)):
        own["stretch"] = stretches_of(tokens)
        if keys is not None and other is not None:
            other["stretch"] = stretches_of(keys)
        fitting = ["stretch"]
    return own, other, fitting[0]


def fitting_levels(
    own: dict[str, list[int]], other: dict[str, list[int]] | None, most: int = MOST_GROUPS
) -> list[str]:
    """The levels that a map has room for on both sides, from fine to coarse."""
    sides = [own] if other is None else [own, other]
    return [name for name in LEVELS if all(0 < len(side.get(name, ())) <= most for side in sides)]


def _starts(
    tokens: Sequence[Token], labels: Sequence[object], blank: Sequence[bool] = ()
) -> list[int]:
    """Where the label is another than before; special tokens alone, blanks with what is before."""
    found: list[int] = []
    last: object = None
    for i, token in enumerate(tokens):
        if token.special or not i or tokens[i - 1].special:
            found.append(i)
        elif blank and blank[i]:
            continue
        elif labels[i] != last:
            found.append(i)
        last = labels[i]
    return found


def _turns(tokens: Sequence[Token]) -> list[int]:
    number, found = 0, []
    for token in tokens:
        number += token.text in TURN_MARKS
        found.append(number)
    return found


def _paragraphs(tokens: Sequence[Token], texts: Sequence[str]) -> list[tuple[int, int]]:
    """The text that each token is of, and its paragraph there; a blank is of the one before it."""
    begins = [_paragraph_begins(text) for text in texts]
    found, last = [], (0, 0)
    for token in tokens:
        if token.span is not None and token.segment < len(texts):
            start, end = token.span
            piece = texts[token.segment][start:end]
            first = start + len(piece) - len(piece.lstrip())
            at = first if first < end else start
            last = (token.segment, bisect_right(begins[token.segment], at))
        found.append(last)
    return found


def _paragraph_begins(text: str) -> list[int]:
    """The first characters of all paragraphs but the first."""
    ends = [match.end() for match in _BLANK_LINES.finditer(text.strip())]
    shift = len(text) - len(text.lstrip())
    ends = ends or [match.end() for match in _LINES.finditer(text.strip())]
    return [shift + end for end in ends]


def _is_blank(token: Token, texts: Sequence[str]) -> bool:
    if token.span is None or token.segment >= len(texts):
        return False
    return texts[token.segment][slice(*token.span)].isspace()
