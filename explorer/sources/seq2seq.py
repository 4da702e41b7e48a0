"""Encoder-decoders as a source: T5, BART, Marian and their kin, with cross-attention.

Position *i* of the decoder has read the target up to its token *i* and writes the next one; the
first position is the mark with which a decoder starts.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList

from explorer.errors import ExplorerError
from explorer.layers import AttentionLayer
from explorer.run import Run
from explorer.sources.families import decoder_start, may_remember
from explorer.sources.forward import attention_of, failing, sized
from explorer.sources.huggingface import (
    Encoded,
    encoded,
    marks_of,
    read_texts,
    tokens_of,
)
from explorer.sources.loading import LoadedModel
from explorer.sources.placing import words_of
from explorer.sources.progress import Progress
from explorer.trace import AttentionTrace, Token

MOST_WRITTEN = 128  # tokens that a model writes when it is given no target


def trace_pair(loaded: LoadedModel, run: Run, progress: Progress) -> AttentionTrace:
    """Run a text, and what is written of it, through an encoder-decoder.

    Args:
        loaded: The model.
        run: Its second text is the target; without one the model writes it itself, greedily.
        progress: Told what is being done.

    Raises:
        ExplorerError: The model finds no token in the text, or cannot write.
    """
    reading = read_texts(loaded, (run.text,))
    model: Any = loaded.whole
    tokens, n = reading.tokens, len(reading.tokens)
    if run.part == "encoder":
        encoder = model.get_encoder()
        layers = attention_of(loaded, reading.inputs, (n, n), network=encoder)
        return _trace(loaded, "encoder", (run.text,), (tokens, tokens), layers, reading.n_cut)
    if run.second is None:
        target, read, cut = *_written(loaded, reading.inputs, progress), 0
    else:
        target, (read, cut) = run.second, _given(loaded, run.second)
    written = tokens_of(loaded, read, (target,), first=1)
    looked_at = written if run.part == "decoder" else tokens
    sides = (len(written), len(looked_at))
    decoded = {"decoder_input_ids": torch.tensor([read.ids]), "use_cache": False}
    inputs = reading.inputs | decoded
    layers = attention_of(loaded, inputs, sides, network=model, part=run.part)
    texts, n_cut = (run.text, target), (*reading.n_cut, cut)
    return _trace(loaded, run.part, texts, (written, looked_at), layers, n_cut)


def _trace(
    loaded: LoadedModel,
    part: str,
    texts: tuple[str, ...],
    sides: tuple[tuple[Token, ...], tuple[Token, ...]],
    layers: Sequence[AttentionLayer],
    n_cut: tuple[int, ...],
) -> AttentionTrace:
    info = replace(sized(loaded.info, layers), part=part)
    return AttentionTrace(info, texts, *sides, layers, n_cut)


def _start(loaded: LoadedModel) -> int:
    start = decoder_start(loaded.whole.config)
    if start is None:
        raise ExplorerError(f"{loaded.info.name} does not say with which token its decoder starts.")
    return start


def _given(loaded: LoadedModel, target: str) -> tuple[Encoded, int]:
    """What the decoder reads of a target, its start and all but the closing token; what is cut."""
    read = encoded(loaded, (target,), target=True)
    n = len(read.ids)
    if n and read.ids[-1] == loaded.tokenizer.eos_token_id:
        n -= 1
    most = min(n, loaded.info.max_tokens - 1)
    start = _start(loaded)
    return Encoded(
        [start, *read.ids[:most]],
        loaded.tokenizer.convert_ids_to_tokens([start]) + read.pieces[:most],
        [None, *read.segments[:most]],
        [None, *read.spans[:most]],
        [None, *read.words[:most]],
        {},
    ), n - most


def _written(
    loaded: LoadedModel, inputs: dict[str, torch.Tensor], progress: Progress
) -> tuple[str, Encoded]:
    """What the model itself writes, always taking the likeliest token."""
    model: Any = loaded.whole
    if model.get_output_embeddings() is None:
        raise ExplorerError(
            f"{loaded.info.name} has no head to write with: give the target as the second text."
        )
    _start(loaded)

    class Watch(StoppingCriteria):
        """Tells how far the writing is, and so lets it be stopped."""

        def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
            progress("Writing the target", min(input_ids.shape[1] / MOST_WRITTEN, 1.0))
            return torch.zeros(len(input_ids), dtype=torch.bool)

    with torch.inference_mode(), failing(loaded.info.name):
        out = model.generate(
            **inputs,
            num_beams=1,
            num_return_sequences=1,
            do_sample=False,
            use_cache=may_remember(model.config),
            max_new_tokens=min(MOST_WRITTEN, loaded.info.max_tokens - 1),
            stopping_criteria=StoppingCriteriaList([Watch()]),
        )
    ids = out[0].tolist()
    if ids[-1] == loaded.tokenizer.eos_token_id:
        ids = ids[:-1]
    return _read_back(loaded.tokenizer, ids)


def _read_back(tokenizer: Any, ids: list[int]) -> tuple[str, Encoded]:
    """Written tokens as a text, and where each stands: by what the text was before and after it.

    Every beginning is decoded, since a piece may be a part of a character: the square of
    `MOST_WRITTEN` tokens at most.
    """

    def text_of(some: list[int]) -> str:
        plain = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
        return str(tokenizer.decode(some, **plain))

    target = text_of(ids)
    spans: list[tuple[int, int] | None] = []
    start = 0
    for i in range(len(ids)):
        # A piece of a character is written as a sign that the finished text does not have.
        end = _agree(text_of(ids[: i + 1]), target)
        blank = len(target[start:end]) - len(target[start:end].lstrip())
        spans.append((start + blank, end) if end > start + blank else None)
        start = max(start, end)
    pieces, marks = tokenizer.convert_ids_to_tokens(ids), marks_of(tokenizer)
    segments = [None if i in marks else 0 for i in ids]
    return target, Encoded(ids, pieces, segments, spans, words_of(pieces, spans), {})


def _agree(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))
