"""Texts -> tokens: what a model's tokenizer makes of them, each piece mapped to its characters."""

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch

from explorer.errors import ExplorerError, refusing
from explorer.language import t
from explorer.limits import MAX_CHARACTERS
from explorer.sources.languages import languages_of, speaking
from explorer.sources.loading import LoadedModel
from explorer.sources.placing import Span, spans_of, tidied, words_of
from explorer.sources.progress import away, tick
from explorer.sources.tokenizer import lacking
from explorer.trace import Token

# Its own rules make a text longer: Chinese characters with spaces around them come to three times.
_GROWN = 4
_LONG = 2000  # characters that any tokenizer reads in a moment
_LOOK = 0.25  # seconds between two looks whether somebody still waits
_FAILED = t(
    "The tokenizer of this model failed on this text{why}. Try without "
    "unusual characters, or another model."
)
_WORD_ENDS = ("</w>", "@@")  # how vocabularies spell that a word ends here, or goes on
_BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")
Languages = tuple[str, str] | None


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
        pieces: The pieces as the vocabulary spells them; a number that it has no piece for as ⟨n⟩.
        marks: Whether each marks a place and is no piece of a text.
        segments: The text that each comes from; None for what the tokenizer added.
        spans: The characters that each stands for, in its text; None where it stands for none.
        words: The word of its text that each is a piece of, or None.
        inputs: What the network is called with, as lists.
    """

    ids: list[int]
    pieces: list[str]
    marks: list[bool]
    segments: list[int | None]
    spans: list[Span | None]
    words: list[int | None]
    inputs: dict[str, list[int]]


def read(loaded: LoadedModel, texts: tuple[str, ...]) -> Reading:
    """Tokenize a text, or a pair of texts, for a model.

    Raises:
        ExplorerError: The model finds no token in the text, or does not read texts alone.
    """
    if loaded.form == "pair":
        raise ExplorerError(
            t(
                "{name} is an encoder-decoder: Explore shows its attention, and for "
                "this page a model of one part is needed, such as BERT.",
                name=loaded.info.name,
            )
        )
    return read_texts(loaded, texts)


def read_texts(
    loaded: LoadedModel, texts: tuple[str, ...], first: int = 0, languages: Languages = None
) -> Reading:
    """Tokenize texts for a model, or for the encoder of one.

    Args:
        loaded: The model.
        texts: One text or two.
        first: The segment of the first text.
        languages: The source's and the target's, for a model that translates.

    Raises:
        ExplorerError: The model finds no token in the text, or reads no text.
    """
    name = loaded.info.name
    _check_reads_text(loaded, texts)
    encoded, n_cut = encode_whole(loaded, texts, languages)
    check_known(loaded, encoded)
    tokens = tokens_of(loaded, encoded, texts, first)
    if not any(t.span or not (t.special or _is_blank(t.text)) for t in tokens):
        raise ExplorerError(
            t(
                "{name} finds no token in this text: its tokenizer drops every "
                "character. Try other words, or the from-scratch layer, which takes any"
                " character.",
                name=name,
            )
        )
    return Reading({n: torch.tensor([ids]) for n, ids in encoded.inputs.items()}, tokens, n_cut)


def _check_reads_text(loaded: LoadedModel, texts: tuple[str, ...]) -> None:
    """Refuse a model of pictures, and a picture for a model of texts."""
    name = loaded.info.name
    if loaded.form == "picture":
        raise ExplorerError(
            t(
                "{name} looks at pictures, not at text. On Explore, Compare and Heads "
                "turn on “Picture” and upload one; or choose a model of text.",
                name=name,
            )
        )
    if not any(texts) and "picture" in loaded.others:
        loaded.part("picture")  # which says it if that part cannot be shown
        raise ExplorerError(
            t(
                "The part of {name} for pictures is shown on Explore, Compare and "
                "Heads. For this page turn off “Picture” and give it a text.",
                name=name,
            )
        )
    if not any(texts):
        raise ExplorerError(
            t(
                "{name} reads text, not pictures. Turn off “Picture”, or choose a "
                "vision model such as google/vit-base-patch16-224.",
                name=name,
            )
        )


def check_known(loaded: LoadedModel, encoded: Encoded) -> None:
    """Refuse tokens that a model has no embedding for: added to its tokenizer and not to it.

    Raises:
        ExplorerError: There are some.
    """
    table = getattr(_embeddings(loaded), "weight", None)
    if table is None or getattr(table, "ndim", 0) != 2 or not encoded.ids:
        return
    beyond = {i: p for i, p in zip(encoded.ids, encoded.pieces, strict=True) if i >= len(table)}
    if beyond:
        some = ", ".join(f"“{piece}” ({number})" for number, piece in list(beyond.items())[:3])
        raise ExplorerError(
            t(
                "The tokenizer of {name} has tokens that the model has no embedding "
                "for: {some} and the model knows the numbers 0 to {value}. They were "
                "added to the tokenizer alone: call "
                "model.resize_token_embeddings(len(tokenizer)), train the new tokens "
                "and save both again; or leave them out of the text.",
                name=loaded.info.name,
                some=some,
                value=f"{len(table) - 1:,}",
            )
        )


def _embeddings(loaded: LoadedModel) -> Any:
    """The table of a model's token embeddings; None for one that looks them up in another way."""
    try:
        return loaded.network.get_input_embeddings()
    except (NotImplementedError, AttributeError):
        return None


def encode_whole(
    loaded: LoadedModel, texts: tuple[str, ...], languages: Languages
) -> tuple[Encoded, tuple[int, ...]]:
    """Tokenize; cut what does not fit, and count it for each text."""
    most = loaded.info.max_tokens
    whole = encoded(loaded, texts, languages=languages)
    if len(whole.ids) <= most:
        return whole, (0,) * len(texts)
    cut = encoded(loaded, texts, languages=languages, truncation=True, max_length=most)

    def count(e: Encoded, text: int) -> int:
        return e.segments.count(text)

    return cut, tuple(count(whole, i) - count(cut, i) for i in range(len(texts)))


def encoded(
    loaded: LoadedModel,
    texts: tuple[str, ...],
    *,
    target: bool = False,
    languages: Languages = None,
    **options: Any,
) -> Encoded:
    """What the model's tokenizer makes of one text or two.

    Args:
        loaded: The model.
        texts: One text or two.
        target: Whether it is one text that an encoder-decoder shall write.
        languages: The source's and the target's, for a model that translates.
        options: Of the tokenizer.

    Raises:
        ExplorerError: It cannot read them.
    """
    tokenizer = loaded.tokenizer
    _check_growth(loaded, texts)
    if target:
        options |= {"text_target": texts[0]}
    if not loaded.adds_marks:
        options |= {"add_special_tokens": False}
    given = () if target else texts
    if tokenizer.is_fast:
        found = _tokenized(loaded, languages, *given, return_offsets_mapping=True, **options)
        segments, told = found.sequence_ids(), found.word_ids()
        ids, spans = found["input_ids"], found["offset_mapping"]
    else:
        if len(texts) > 1:
            raise ExplorerError(
                t(
                    "The tokenizer of {name} reads one text, not two. Turn off the second text.",
                    name=loaded.info.name,
                )
            )
        found = _tokenized(loaded, languages, *given, return_special_tokens_mask=True, **options)
        ids, told, spans = found["input_ids"], None, None
        marks = marks_of(tokenizer) - {tokenizer.unk_token_id}
        added = found["special_tokens_mask"]
        if len(added) != len(ids):  # ByT5 adds no end to a text that has one, and counts it
            added = [0] * len(ids)
        segments = [None if a or n in marks else 0 for n, a in zip(ids, added, strict=True)]
    inputs = {name: found[name] for name in tokenizer.model_input_names if name in found}
    return placed(tokenizer, ids, segments, texts, spans, told, inputs)


def placed(
    tokenizer: Any,
    ids: list[int],
    segments: list[int | None],
    texts: tuple[str, ...],
    spans: Sequence[Span | None] | None = None,
    told: Sequence[int | None] | None = None,
    inputs: dict[str, list[int]] | None = None,
) -> Encoded:
    """Pieces with their places and words, each text for itself.

    Args:
        tokenizer: Whose they are.
        ids: Their numbers.
        segments: The text that each comes from; None for what was added.
        texts: The texts.
        spans: Where each stands, if the tokenizer tells; else they are looked for.
        told: The tokenizer's own words, if it tells.
        inputs: What the network is called with.
    """
    pieces = pieces_of(tokenizer, ids)
    own_spans: list[Span | None] = [None] * len(ids)
    words: list[int | None] = [None] * len(ids)
    for which, text in enumerate(texts):
        at = [i for i, s in enumerate(segments) if s == which]
        some = [pieces[i] for i in at]
        surfaces, joined = _spelled(tokenizer, some, text)
        if spans is None:
            found = spans_of(surfaces, text)
        else:
            found = tidied([spans[i] for i in at], some, text)
        parts = _told(surfaces, joined, some, text) if told is None else [told[i] for i in at]
        spaces = [piece in ("▁", "Ġ", " ") for piece in some]
        own_words = words_of(text, found, parts, joined, spaces)
        for i, own, word in zip(at, found, own_words, strict=True):
            own_spans[i], words[i] = own, word
    known, unknown = marks_of(tokenizer), tokenizer.unk_token_id
    marks = []
    for number, piece, segment, span in zip(ids, pieces, segments, own_spans, strict=True):
        said = texts[segment][slice(*span)] if segment is not None and span else None
        read = number == unknown and said not in (None, piece)  # unknown text, and no mark typed
        marks.append(segment is None or (number in known and not read))
    return Encoded(ids, pieces, marks, segments, own_spans, words, inputs or {})


def pieces_of(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """The pieces of a vocabulary by their numbers; ⟨n⟩ for a number that it has no piece for.

    Models have more embeddings than their tokenizers have pieces, for the sake of round numbers,
    and may write or predict one of those.
    """
    unknown = tokenizer.unk_token, tokenizer.unk_token_id
    found: list[str] = []
    for number in ids:
        try:
            piece = tokenizer.convert_ids_to_tokens(number)
        except (LookupError, ValueError, TypeError, OverflowError):
            piece = None
        known = isinstance(piece, str) and (piece != unknown[0] or number == unknown[1])
        found.append(piece if known else f"⟨{number}⟩")
    return found


def _spelled(
    tokenizer: Any, pieces: Sequence[str], text: str
) -> tuple[list[str | None], list[bool]]:
    """Pieces without the signs by which a vocabulary spells words, and which go on with a word.

    Signs: ``##`` before a piece that goes on (WordPiece), ``@@`` behind one that is gone on with,
    ``</w>`` behind one that ends a word, ``▁`` for a space. Unknown text is None.
    """
    sign = _sign_of(pieces, text)
    surfaces: list[str | None] = []
    joined: list[bool] = []
    for i, piece in enumerate(pieces):
        continues = len(piece) > 2 and piece.startswith("##")
        if sign and i:
            continues = pieces[i - 1].endswith(sign) == (sign == "@@")
        joined.append(continues)
        unknown = piece == tokenizer.unk_token or piece.startswith("⟨")
        plain = piece.removesuffix(sign) if len(piece) > len(sign) else piece
        plain = plain.removeprefix("##") if len(plain) > 2 else plain
        surfaces.append(None if unknown else plain.replace("▁", " "))
    return surfaces, joined


def _sign_of(pieces: Sequence[str], text: str) -> str:
    """How the pieces of a text spell the ends of words; a text may hold such signs itself."""
    for sign in _WORD_ENDS:
        if sign not in text and any(p.endswith(sign) and len(p) > len(sign) for p in pieces):
            return sign
    return ""


def _told(
    surfaces: Sequence[str | None], joined: Sequence[bool], pieces: Sequence[str], text: str
) -> list[int | None]:
    """The words of a tokenizer that does not tell them, where its spelling does; else one word.

    A piece of unknown text has lost the sign that it is gone on with: the text's spaces tell it.
    """
    word, told = 0, []
    spells = any(joined) and not any("▁" in piece for piece in pieces)
    signed = _sign_of(pieces, text) == "@@"
    for i in range(len(surfaces)):
        word += spells and i > 0 and not joined[i] and not (signed and surfaces[i - 1] is None)
        told.append(word)
    return list(told)


def marks_of(tokenizer: Any) -> set[int]:
    """The tokens that mark a place; one that is unknown or masked stands for a piece of text.

    Some models have one token for unknown text and for the ends of a text (OPT, CLIP): a mark.
    """
    roles = ("bos", "eos", "sep", "cls", "pad")
    ends = {getattr(tokenizer, f"{role}_token_id", None) for role in roles}
    text = {tokenizer.unk_token_id, tokenizer.mask_token_id} - ends
    return {*tokenizer.all_special_ids, *languages_of(tokenizer).values()} - text


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
            t(
                "The tokenizer of {name} makes {n} characters of this text; at most "
                "{most} can be read. Shorten the text.",
                name=loaded.info.name,
                n=f"{sum(lengths):,}",
                most=f"{most:,}",
            )
        )


def _tokenized(loaded: LoadedModel, languages: Languages, *texts: str, **options: Any) -> Any:
    """A tokenizer's own answer.

    It notes how to cut, and its languages, in itself, so one text is read at a time. A long one
    takes a while, without Python's lock: others may compute meanwhile.

    Raises:
        ExplorerError: It failed.
    """
    with ExitStack() as stack:
        stack.enter_context(lacking(loaded.info.name))
        stack.enter_context(refusing(_FAILED))
        long = sum(map(len, (*texts, options.get("text_target", "")))) > _LONG
        if long or not loaded.reading.acquire(blocking=False):
            stack.enter_context(away())
            while not loaded.reading.acquire(timeout=_LOOK):
                tick()
        stack.callback(loaded.reading.release)
        stack.enter_context(speaking(loaded.tokenizer, languages))
        return loaded.tokenizer(*texts, verbose=False, **options)


def tokens_of(
    loaded: LoadedModel, encoded: Encoded, texts: tuple[str, ...], first: int = 0
) -> tuple[Token, ...]:
    """Tokens as a reader sees them; the first text is the segment ``first``."""
    unknown = loaded.info.unknown_token
    signs = [
        _sign_of([p for p, s in zip(encoded.pieces, encoded.segments, strict=True) if s == i], text)
        for i, text in enumerate(texts)
    ]
    tokens: list[Token] = []
    segment, last, word = 0, None, -1
    for i, (piece, number) in enumerate(zip(encoded.pieces, encoded.ids, strict=True)):
        own, span, special = encoded.segments[i], encoded.spans[i], encoded.marks[i]
        segment = segment if own is None else own
        if encoded.words[i] is not None and (segment, encoded.words[i]) != last:
            last, word = (segment, encoded.words[i]), word + 1
        if special:
            shown = _named(loaded.tokenizer, piece, number)
        elif piece == unknown:
            shown = piece
        else:
            shown = _shown(piece, span, texts[segment], signs[segment])
        in_word = None if encoded.words[i] is None or special else word
        tokens.append(Token(shown, span, in_word, segment + first, special))
    return tuple(tokens)


def _named(tokenizer: Any, piece: str, number: int) -> str:
    """The name of a mark; one whose piece nothing is drawn for (CANINE) goes by what it is for."""
    if len(piece) == 1 and not piece.isprintable():
        for role in ("cls", "sep", "pad", "bos", "eos"):
            if getattr(tokenizer, f"{role}_token_id", None) == number:
                return f"[{role.upper()}]"
    return piece


def _shown(piece: str, span: Span | None, text: str, sign: str) -> str:
    """A piece as a reader can read it.

    Byte-level and SentencePiece vocabularies spell a space as Ġ or ▁ and letters as bytes:
    there the pasted characters say more. White space alone is shown by its signs.

    Args:
        piece: As the vocabulary spells it.
        span: The characters that it stands for.
        text: The text.
        sign: How the vocabulary spells the end of a word.
    """
    piece = piece.removesuffix(sign) if len(piece) > len(sign) else piece
    spelled = not piece.isascii() or "▁" in piece or _BYTE.fullmatch(piece)
    if not piece.strip("▁Ġ"):
        piece = " " * len(piece)
    elif spelled and not piece.startswith("⟨"):
        piece = text[slice(*span)] if span else re.sub("[▁Ġ]", " ", piece)
    if not piece.strip():
        return "".join("␣" if c not in "\t\n\r" else c for c in piece) or "␣"
    return piece.strip(" \u00a0\u3000")


def _is_blank(shown: str) -> bool:
    return not shown.strip("␣")
