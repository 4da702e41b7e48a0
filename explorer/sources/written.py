"""Tokens that stand behind a text, by their numbers: what they write, and where.

A text does not always give back the tokens that it was written with, so what a model writes is
kept by the numbers of its tokens, and the letters are found from those.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from explorer.errors import ExplorerError, refusing
from explorer.language import t
from explorer.layers import AttentionLayer
from explorer.run import Run
from explorer.sources.chats import as_read
from explorer.sources.forward import sized
from explorer.sources.loading import LoadedModel
from explorer.sources.placing import Span
from explorer.sources.tokens import (
    Encoded,
    Languages,
    Reading,
    check_known,
    encode_whole,
    encoded,
    marks_of,
    pieces_of,
    read,
    tokens_of,
)
from explorer.trace import AttentionTrace
from explorer.visible import visible

_BROKEN = "\N{REPLACEMENT CHARACTER}"  # what a tokenizer writes for a part of a character
_BEFORE = 6  # tokens that a piece is written behind: enough to tell whether a space comes first
_LONGEST = 8  # tokens of one character: four bytes, and what may stand before them
_PLAIN = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
_CANNOT = t("The tokenizer of this model failed on what was written{why}.")


def read_run(loaded: LoadedModel, run: Run) -> tuple[Reading, tuple[str, ...]]:
    """A run's text and what is written behind it, for a model of one part; and both as texts.

    Raises:
        ExplorerError: The model cannot read it, or has no room for it.
    """
    loaded, texts = as_read(loaded, run)
    if not run.written:
        return read(loaded, texts), texts
    _check_goes_on(loaded)
    begun, n_cut = encode_whole(loaded, texts, None)
    if any(n_cut):
        raise ExplorerError(no_room(loaded))
    begun = without_end(begun)
    _check_room_behind(loaded, len(begun.ids), len(run.written))
    whole, texts = gone_on(loaded, begun, texts, run.written)
    check_known(loaded, whole)
    inputs = {name: torch.tensor([ids]) for name, ids in whole.inputs.items()}
    return Reading(inputs, tokens_of(loaded, whole, texts), n_cut), texts


def _check_goes_on(loaded: LoadedModel) -> None:
    """Refuse tokens behind the text of a model that goes on with none; a decoder's body may."""
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_MASKED_LM_MAPPING

    from explorer.sources.predicting import check_predicts  # which needs this module

    kind = type(loaded.network.config)
    decodes = kind in MODEL_FOR_CAUSAL_LM_MAPPING and kind not in MODEL_FOR_MASKED_LM_MAPPING
    if loaded.predicts is None and decodes:
        return
    try:
        check_predicts(loaded)
    except ExplorerError as error:
        raise ExplorerError(
            t("Only a decoder goes on with a text. {error}", error=error)
        ) from error


def _check_room_behind(loaded: LoadedModel, given: int, written: int) -> None:
    """Refuse more written tokens than there is room for behind a text."""
    most = loaded.info.max_tokens
    if given + written > most:
        raise ExplorerError(
            t(
                "{written} tokens are to stand written behind the text, and there is "
                "room for {n}: {name} reads at most {most}, and the text has {given}.",
                written=f"{written:,}",
                n=f"{max(most - given, 0):,}",
                name=loaded.info.name,
                most=f"{most:,}",
                given=f"{given:,}",
            )
        )


def trace_read(loaded: LoadedModel, run: Run, layers: Sequence[AttentionLayer]) -> AttentionTrace:
    """The trace of attention that is known already, of a run's text and what is written.

    Marks that the tokenizer puts behind a text are not there if nothing was written behind them.
    """
    return as_trace(loaded, run, *read_run(loaded, run), layers)


def as_trace(
    loaded: LoadedModel,
    run: Run,
    reading: Reading,
    texts: tuple[str, ...],
    layers: Sequence[AttentionLayer],
) -> AttentionTrace:
    """What was read and its attention, as a trace."""
    tokens, info = reading.tokens[: layers[0].n_queries], sized(loaded.info, layers)
    n_written = len(run.written)
    return AttentionTrace(info, texts, tokens, tokens, layers, reading.n_cut, None, n_written)


def without_end(begun: Encoded) -> Encoded:
    """A text without the marks that its tokenizer puts behind it: nothing could follow those."""
    n = len(begun.ids)
    while n > 1 and begun.segments[n - 1] is None:
        n -= 1
    return replace(
        begun,
        **{name: getattr(begun, name)[:n] for name in _COLUMNS},
        inputs={name: values[:n] for name, values in begun.inputs.items()},
    )


_COLUMNS = ("ids", "pieces", "marks", "segments", "spans", "words")


def check_room_for(loaded: LoadedModel, n: int) -> None:
    """Refuse so many tokens if a model reads fewer.

    Raises:
        ExplorerError: It does.
    """
    if n > loaded.info.max_tokens:
        raise ExplorerError(no_room(loaded))


def no_room(loaded: LoadedModel) -> str:
    """Why a model reads no further token."""
    info = loaded.info
    whose = t("it reads") if info.own_tokens == info.max_tokens else t("here it reads")
    return t(
        "There is no room for another token: {whose} at most {max_tokens}, and "
        "the text fills them. Shorten the text, and {name} can go on.",
        whose=whose,
        max_tokens=f"{info.max_tokens:,}",
        name=info.name,
    )


def gone_on(
    loaded: LoadedModel,
    begun: Encoded,
    texts: tuple[str, ...],
    written: Sequence[int],
    languages: Languages = None,
    *,
    target: bool = False,
) -> tuple[Encoded, tuple[str, ...]]:
    """A text with tokens behind it; and the texts, the last one with the letters of those.

    Args:
        loaded: The model.
        begun: What the tokenizer makes of the text.
        texts: The texts; the last goes on.
        written: The numbers of the tokens.
        languages: Of a model that translates.
        target: Whether the text is what an encoder-decoder writes.

    Raises:
        ExplorerError: The tokenizer fails on them.
    """
    which, tokenizer = len(texts) - 1, loaded.tokenizer
    _check_numbers(loaded, written)
    parts = parts_of(tokenizer, begun.ids, written)
    whole = texts[which] + "".join(filter(None, parts))
    spans = _spans(parts, len(texts[which]))
    marks = [i in marks_of(tokenizer) for i in written]
    found = Encoded(
        [*begun.ids, *written],
        begun.pieces + pieces_of(tokenizer, written),
        begun.marks + marks,
        begun.segments + [None if mark else which for mark in marks],
        begun.spans + spans,
        begun.words + [None] * len(written),
        {name: _grown(name, values, written) for name, values in begun.inputs.items()},
    )
    if any(parts):
        options: dict[str, Any] = {"languages": languages, "target": target}
        found = replace(found, words=_words(found, encoded(loaded, (whole,), **options), which))
    return found, (*texts[:which], whole)


def _check_numbers(loaded: LoadedModel, written: Sequence[int]) -> None:
    most = max(len(loaded.tokenizer), _embedded(loaded))
    strange = [i for i in written if i >= most]
    if strange:
        raise ExplorerError(
            t(
                "{name} has no token {strange}: it has the numbers 0 to {value}.",
                name=loaded.info.name,
                strange=f"{strange[0]:,}",
                value=f"{most - 1:,}",
            )
        )


def _embedded(loaded: LoadedModel) -> int:
    """How many tokens a model has a vector for; 0 where that cannot be said."""
    network: Any = loaded.network
    try:
        return len(network.get_input_embeddings().weight)
    except (NotImplementedError, AttributeError, TypeError):
        return 0


def _grown(name: str, values: list[int], written: Sequence[int]) -> list[int]:
    """An input with what it holds for each further token: its number, else what the last has."""
    more = list(written) if name == "input_ids" else [values[-1]] * len(written)
    return values + more


def parts_of(tokenizer: Any, before: Sequence[int], written: Sequence[int]) -> list[str | None]:
    """What each of some tokens writes behind others; None for the beginning of a character.

    A token alone does not tell whether a space comes before it, so it is written behind some
    others, and what those write is taken off.

    Raises:
        ExplorerError: The tokenizer fails.
    """
    ids = [*before[-_BEFORE:], *written]
    strange = {
        i for i, piece in zip(ids, pieces_of(tokenizer, ids), strict=True) if piece == f"⟨{i}⟩"
    }

    def letters(start: int, end: int) -> str:
        known = [i for i in ids[start:end] if i not in strange]
        return str(tokenizer.decode(known, **_PLAIN))

    first = read_to = len(ids) - len(written)  # up to there all characters are whole
    found: list[str | None] = [None] * len(written)
    start = 0
    with refusing(_CANNOT):
        for end in range(first + 1, len(ids) + 1):
            known, text = letters(start, read_to), letters(start, end)
            part = text[len(known) :] if text.startswith(known) else letters(end - 1, end)
            if part.endswith(_BROKEN) and end < len(ids) and end - read_to < _LONGEST:
                continue
            found[end - 1 - first] = part
            start, read_to = max(end - _BEFORE, 0), end
    return found


def text_of(tokenizer: Any, before: Sequence[int], token: int) -> str:
    """What a token writes behind others, as it can be seen; a mark by its name.

    A part of a character is shown by its bytes, a space at the beginning as ␣.
    """
    piece = pieces_of(tokenizer, [token])[0]
    if token in marks_of(tokenizer) or piece.startswith("⟨"):
        return piece
    part = parts_of(tokenizer, before[-_BEFORE:], [token])[0] or ""
    if _BROKEN in part:
        return _bytes(piece)
    return visible(f"␣{part[1:]}" if part.startswith(" ") else part or piece)


def _bytes(piece: str) -> str:
    """A piece that is no whole character: its bytes, where the vocabulary spells those."""
    numbers = [_BYTE_OF.get(letter) for letter in piece]
    if piece.startswith("<0x") or None in numbers:
        return piece
    return "".join(f"<0x{number:02X}>" for number in numbers)


def _byte_letters() -> dict[str, int]:
    """How byte-level vocabularies spell bytes: those that can be seen as they are (GPT-2)."""
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in seen]
    return {chr(b): b for b in seen} | {chr(256 + i): b for i, b in enumerate(rest)}


_BYTE_OF = _byte_letters()


def _spans(parts: Sequence[str | None], start: int) -> list[Span | None]:
    """Where each part stands; the pieces of a character all stand where it does."""
    spans: list[Span | None] = []
    begun = 0  # pieces of a character that is not whole yet
    for part in parts:
        if part is None:
            begun += 1
            spans.append(None)
            continue
        bare = part.strip(" ")
        first = start + len(part) - len(part.lstrip(" ")) if bare else start
        span = (first, first + len(bare or part)) if part else None
        spans[len(spans) - begun :] = [span] * (begun + 1)
        start, begun = start + len(part), 0
    return spans


def _words(found: Encoded, whole: Encoded, which: int) -> list[int | None]:
    """The word of each token: that which the tokenizer sees there in the whole text."""
    word_at: dict[int, int] = {}
    for span, word in zip(whole.spans, whole.words, strict=True):
        if span and word is not None:
            word_at |= dict.fromkeys(range(*span), word)
    words = list(found.words)
    for i, (segment, span) in enumerate(zip(found.segments, found.spans, strict=True)):
        if segment == which:
            words[i] = word_at.get(span[0]) if span else None
    return words
