"""A loaded Hugging Face model as a source: its attention kept, its tokens mapped to the text."""

from dataclasses import dataclass
from typing import Any

import torch

from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.sources.loading import LoadedModel
from explorer.trace import AttentionTrace, Token


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


def trace_text(loaded: LoadedModel, run: Run) -> AttentionTrace:
    """Run a text, or a pair of texts, through a loaded model.

    Raises:
        ExplorerError: The model finds no token in the text, or returns no attention.
    """
    reading = read(loaded, run.texts)
    tokens = reading.tokens
    attentions, _ = attend(loaded, reading)
    weights = torch.cat(attentions).float().numpy()
    return AttentionTrace(loaded.info, run.texts, tokens, tokens, weights, reading.n_cut)


def read(loaded: LoadedModel, texts: tuple[str, ...]) -> Reading:
    """Tokenize a text, or a pair of texts, for a model.

    Raises:
        ExplorerError: The model finds no token in the text.
    """
    encoding, n_cut = _encode(loaded, texts)
    tokens = _tokens(loaded, encoding, texts)
    if not any(t.span for t in tokens):
        raise ExplorerError(
            f"{loaded.info.name} finds no token in this text: its tokenizer drops every character. "
            "Try other words, or the from-scratch layer, which takes any character."
        )
    names = [n for n in loaded.tokenizer.model_input_names if n in encoding]
    return Reading({n: torch.tensor([encoding[n]]) for n in names}, tokens, n_cut)


def attend(
    loaded: LoadedModel, reading: Reading, **inputs: torch.Tensor
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Run the model.

    Args:
        loaded: The model.
        reading: What it shall read.
        inputs: Inputs to use beside, or instead of, those of the reading.

    Returns:
        For each layer its weights, ``[1, head, query, key]``, and what it read,
        ``[1, token, d_model]``.

    Raises:
        ExplorerError: The model returns no attention.
    """
    with torch.inference_mode():
        out = loaded.network(
            **(reading.inputs | inputs), output_attentions=True, output_hidden_states=True
        )
    info, n = loaded.info, len(reading.tokens)
    square = (1, info.n_heads, n, n)
    attentions = out.attentions
    if not attentions or any(a is None or tuple(a.shape) != square for a in attentions):
        raise ExplorerError(
            f"{info.name} returns no attention of every token on every token, so there is "
            "nothing to show. Choose another model."
        )
    return list(attentions), list(out.hidden_states)


def _encode(loaded: LoadedModel, texts: tuple[str, ...]) -> tuple[Any, tuple[int, ...]]:
    """Tokenize; cut what does not fit, and count it for each text."""
    encoding = _tokenized(loaded.tokenizer, texts)
    if len(encoding["input_ids"]) <= loaded.info.max_tokens:
        return encoding, (0,) * len(texts)
    cut = _tokenized(loaded.tokenizer, texts, truncation=True, max_length=loaded.info.max_tokens)

    def count(e: Any, text: int) -> int:
        return int(e.sequence_ids().count(text))

    return cut, tuple(count(encoding, i) - count(cut, i) for i in range(len(texts)))


def _tokenized(tokenizer: Any, texts: tuple[str, ...], **options: Any) -> Any:
    try:
        return tokenizer(*texts, return_offsets_mapping=True, verbose=False, **options)
    # A panic in the tokenizer's Rust code is not an Exception.
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise ExplorerError(
            "The tokenizer of this model failed on this text. Try without unusual characters, "
            "or another model."
        ) from error


def _tokens(loaded: LoadedModel, encoding: Any, texts: tuple[str, ...]) -> tuple[Token, ...]:
    tokenizer, info = loaded.tokenizer, loaded.info
    marks = {getattr(tokenizer, f"{kind}_token_id") for kind in ("cls", "sep", "bos", "eos", "pad")}
    pieces = tokenizer.convert_ids_to_tokens(encoding["input_ids"])
    segments, words = encoding.sequence_ids(), encoding.word_ids()
    tokens: list[Token] = []
    segment, last, word = 0, None, -1
    for i, (piece, ids) in enumerate(zip(pieces, encoding["input_ids"], strict=True)):
        start, end = encoding["offset_mapping"][i]
        segment = segment if segments[i] is None else segments[i]
        span = (start, end) if segments[i] is not None and end > start else None
        if words[i] is not None and (segment, words[i]) != last:
            last, word = (segment, words[i]), word + 1
        special = ids in marks
        text = (
            piece if special or piece == info.unknown_token else _shown(piece, span, segment, texts)
        )
        in_word = None if words[i] is None or special else word
        tokens.append(Token(text, span, in_word, segment, special))
    return tuple(tokens)


def _shown(piece: str, span: tuple[int, int] | None, segment: int, texts: tuple[str, ...]) -> str:
    """A piece as a reader can read it.

    Byte-level and SentencePiece vocabularies spell a space as Ġ or ▁ and letters as bytes:
    there the pasted characters say more.
    """
    spelled = not piece.isascii() or "▁" in piece or "Ġ" in piece
    if not spelled or span is None or piece in texts[segment]:
        return piece
    return texts[segment][slice(*span)].strip() or "␣"
