"""A loaded Hugging Face model as a source: its attention kept, its tokens mapped to the text."""

import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch

from explorer.errors import ExplorerError, refusing
from explorer.limits import MAX_CHARACTERS
from explorer.run import Run
from explorer.sources.forward import attention_of, sized
from explorer.sources.loading import LoadedModel
from explorer.sources.placing import spans_of, words_of
from explorer.sources.progress import away, tick
from explorer.trace import AttentionTrace, Token

# Its own rules make a text longer: Chinese characters with spaces around them come to three times.
_GROWN = 4
_LONG = 2000  # characters that any tokenizer reads in a moment
_LOOK = 0.25  # seconds between two looks whether somebody still waits
_FAILED = (
    "The tokenizer of this model failed on this text. Try without unusual characters, or another "
    "model."
)


@dataclass(frozen=True)
class Reading:
    """A text as a model gets it.

    Attributes:
        inputs: What the network is called with, each ``[1, token]``.
        tokens: The tokens as a reader sees them.
        n_cut: For each text, how many of its tokens did not fit.
    """

    inputs: dict[str, torch.Tensor]
    tokens: tuple[Token, ...]
    n_cut: tuple[int, ...]


@dataclass(frozen=True)
class Encoded:
    """What a tokenizer makes of its texts, position by position.

    Attributes:
        ids: Numbers of the pieces.
        pieces: The pieces as the vocabulary spells them.
        segments: The text that each comes from; None for what the tokenizer added.
        spans: The characters that each stands for, in its text; None where it stands for none.
        words: The word of its text that each is a piece of, or None.
        inputs: What the network is called with, as lists.
    """

    ids: list[int]
    pieces: list[str]
    segments: list[int | None]
    spans: list[tuple[int, int] | None]
    words: list[int | None]
    inputs: dict[str, list[int]]


def trace_text(loaded: LoadedModel, run: Run) -> AttentionTrace:
    """Run a text, or a pair of texts, through a loaded model.

    Raises:
        ExplorerError: The model finds no token in the text, or returns no attention.
    """
    reading = read(loaded, run.texts)
    tokens = reading.tokens
    layers = attention_of(loaded, reading.inputs, (len(tokens), len(tokens)))
    info = sized(loaded.info, layers)
    return AttentionTrace(info, run.texts, tokens, tokens, layers, reading.n_cut)


def read(loaded: LoadedModel, texts: tuple[str, ...]) -> Reading:
    """Tokenize a text, or a pair of texts, for a model.

    Raises:
        ExplorerError: The model finds no token in the text, or does not read texts alone.
    """
    if loaded.form == "pair":
        raise ExplorerError(
            f"{loaded.info.name} is an encoder-decoder: Explore shows its attention, and for this "
            "page a model of one part is needed, such as BERT."
        )
    return read_texts(loaded, texts)


def read_texts(loaded: LoadedModel, texts: tuple[str, ...], first: int = 0) -> Reading:
    """Tokenize texts for a model, or for the encoder of one.

    Args:
        loaded: The model.
        texts: One text or two.
        first: The segment of the first text.

    Raises:
        ExplorerError: The model finds no token in the text, or looks at pictures.
    """
    name = loaded.info.name
    if loaded.form == "picture":
        raise ExplorerError(
            f"{name} looks at pictures, not at text. On Explore, Compare and Heads turn on "
            "“Picture” and upload one; or choose a model of text."
        )
    if not any(texts):
        raise ExplorerError(
            f"{name} reads text, not pictures. Turn off “Picture”, or choose a vision model such "
            "as google/vit-base-patch16-224."
        )
    encoded, n_cut = _encode(loaded, texts)
    tokens = tokens_of(loaded, encoded, texts, first)
    if not any(t.span for t in tokens):
        raise ExplorerError(
            f"{name} finds no token in this text: its tokenizer drops every character. "
            "Try other words, or the from-scratch layer, which takes any character."
        )
    return Reading({n: torch.tensor([ids]) for n, ids in encoded.inputs.items()}, tokens, n_cut)


def _encode(loaded: LoadedModel, texts: tuple[str, ...]) -> tuple[Encoded, tuple[int, ...]]:
    """Tokenize; cut what does not fit, and count it for each text."""
    most = loaded.info.max_tokens
    whole = encoded(loaded, texts)
    if len(whole.ids) <= most:
        return whole, (0,) * len(texts)
    cut = encoded(loaded, texts, truncation=True, max_length=most)

    def count(e: Encoded, text: int) -> int:
        return e.segments.count(text)

    return cut, tuple(count(whole, i) - count(cut, i) for i in range(len(texts)))


def encoded(
    loaded: LoadedModel, texts: tuple[str, ...], *, target: bool = False, **options: Any
) -> Encoded:
    """What the model's tokenizer makes of one text or two.

    Args:
        loaded: The model.
        texts: One text or two.
        target: Whether it is one text that an encoder-decoder shall write.
        options: Of the tokenizer.

    Raises:
        ExplorerError: It cannot read them.
    """
    tokenizer = loaded.tokenizer
    _check_growth(loaded, texts)
    if target:
        options |= {"text_target": texts[0]}
    given = () if target else texts
    if tokenizer.is_fast:
        found = _tokenized(loaded, *given, return_offsets_mapping=True, **options)
        segments, words = found.sequence_ids(), found.word_ids()
        spans = [
            (start, end) if segment is not None and end > start else None
            for segment, (start, end) in zip(segments, found["offset_mapping"], strict=True)
        ]
    else:
        if len(texts) > 1:
            raise ExplorerError(
                f"The tokenizer of {loaded.info.name} reads one text, not two. Turn off the "
                "second text."
            )
        found = _tokenized(loaded, *given, **options)
        segments, spans, words = _placed(tokenizer, found["input_ids"], texts[0])
    return Encoded(
        found["input_ids"],
        tokenizer.convert_ids_to_tokens(found["input_ids"]),
        segments,
        spans,
        words,
        {name: found[name] for name in tokenizer.model_input_names if name in found},
    )


def _check_growth(loaded: LoadedModel, texts: tuple[str, ...]) -> None:
    """Refuse a text that would become far longer than it is; counted piece by piece.

    Raises:
        ExplorerError: It would.
    """
    most = _GROWN * MAX_CHARACTERS
    if loaded.growth * sum(map(len, texts)) <= most:
        return
    rules = loaded.tokenizer.backend_tokenizer.normalizer
    with refusing(_FAILED):
        pieces = (text[i : i + 1000] for text in texts for i in range(0, len(text), 1000))
        lengths = [len(rules.normalize_str(piece)) if rules else len(piece) for piece in pieces]
    if sum(lengths) > most:
        raise ExplorerError(
            f"The tokenizer of {loaded.info.name} makes {sum(lengths):,} characters of this text; "
            f"at most {most:,} can be read. Shorten the text."
        )


def _placed(
    tokenizer: Any, ids: list[int], text: str
) -> tuple[list[int | None], list[tuple[int, int] | None], list[int | None]]:
    """Segments, spans and words of pieces whose tokenizer does not tell where they stand."""
    marks = marks_of(tokenizer)
    pieces = ["" if i in marks else tokenizer.convert_ids_to_tokens(i) for i in ids]
    spans = spans_of(pieces, text)
    segments = [None if i in marks else 0 for i in ids]
    return segments, spans, words_of(pieces, spans)


def marks_of(tokenizer: Any) -> set[int]:
    """The tokens that mark a place; one that is unknown or masked stands for a piece of text."""
    text = {tokenizer.unk_token_id, tokenizer.mask_token_id}
    return set(tokenizer.all_special_ids) - text


def _tokenized(loaded: LoadedModel, *texts: str, **options: Any) -> Any:
    """A tokenizer's own answer.

    It notes how to cut in itself, so one text is read at a time. A long one takes a while, without
    Python's lock: others may compute meanwhile.

    Raises:
        ExplorerError: It failed.
    """
    with ExitStack() as stack:
        stack.enter_context(refusing(_FAILED))
        long = sum(map(len, (*texts, options.get("text_target", "")))) > _LONG
        if long or not loaded.reading.acquire(blocking=False):
            stack.enter_context(away())
            while not loaded.reading.acquire(timeout=_LOOK):
                tick()
        stack.callback(loaded.reading.release)
        return loaded.tokenizer(*texts, verbose=False, **options)


def tokens_of(
    loaded: LoadedModel, encoded: Encoded, texts: tuple[str, ...], first: int = 0
) -> tuple[Token, ...]:
    """Tokens as a reader sees them; the first text is the segment ``first``."""
    marks, unknown = marks_of(loaded.tokenizer), loaded.info.unknown_token
    tokens: list[Token] = []
    segment, last, word = 0, None, -1
    for i, (piece, number) in enumerate(zip(encoded.pieces, encoded.ids, strict=True)):
        own, span = encoded.segments[i], encoded.spans[i]
        segment = segment if own is None else own
        if encoded.words[i] is not None and (segment, encoded.words[i]) != last:
            last, word = (segment, encoded.words[i]), word + 1
        special = number in marks
        shown = piece if special or piece == unknown else _shown(piece, span, texts[segment])
        in_word = None if encoded.words[i] is None or special else word
        tokens.append(Token(shown, span, in_word, segment + first, special))
    return tuple(tokens)


def _shown(piece: str, span: tuple[int, int] | None, text: str) -> str:
    """A piece as a reader can read it.

    Byte-level and SentencePiece vocabularies spell a space as Ġ or ▁ and letters as bytes:
    there the pasted characters say more.
    """
    spelled = not piece.isascii() or "▁" in piece or "Ġ" in piece
    if not spelled:
        return piece
    return (text[slice(*span)] if span else re.sub("[▁Ġ]", " ", piece)).strip() or "␣"
