"""Encoder-decoders as a source: T5, BART, Marian and their kin, with cross-attention.

Position *i* of the decoder has read the target up to its token *i* and writes the next one; the
first position is the mark with which a decoder starts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import AttentionLayer
from explorer.run import Run
from explorer.sources.families import decoder_start, may_remember
from explorer.sources.forward import attention_of, failing, sized
from explorer.sources.languages import languages_of, used_languages
from explorer.sources.loading import LoadedModel
from explorer.sources.progress import Progress, silent
from explorer.sources.tokens import (
    Encoded,
    Languages,
    check_known,
    encoded,
    pieces_of,
    read_texts,
    tokens_of,
)
from explorer.sources.written import check_room_for, gone_on
from explorer.trace import AttentionTrace, Token

MOST_WRITTEN = 128  # tokens that a model writes when it is given no target


@dataclass(frozen=True)
class Sides:
    """What an encoder-decoder is called with for one of its attentions.

    Attributes:
        network: What is called.
        inputs: What with.
        texts: The text, and what is written of it where that is read.
        tokens: The tokens that look.
        keys: The tokens that are looked at.
        n_cut: For each text, how many of its tokens did not fit.
        n_written: How many of the last tokens were written, and not given.
    """

    network: Any
    inputs: "Inputs"
    texts: tuple[str, ...]
    tokens: tuple[Token, ...]
    keys: tuple[Token, ...]
    n_cut: tuple[int, ...]
    n_written: int = 0


def read_sides(loaded: LoadedModel, run: Run, progress: Progress) -> Sides:
    """A text, and what is written of it, for the attention that a run asks for.

    Args:
        loaded: The model.
        run: Its second text is the target; without one the model writes it itself, greedily.
        progress: Told what is being done.

    Raises:
        ExplorerError: The model finds no token in the text, or cannot write.
    """
    reading = read_texts(loaded, (run.text,), languages=_languages(loaded, run))
    # A head that chooses between classes looks in what is written for the end of what is read.
    model: Any = loaded.network if loaded.predicts == "class" else loaded.whole
    tokens = reading.tokens
    if run.part == "encoder":
        encoder = model.get_encoder()
        return Sides(encoder, reading.inputs, (run.text,), tokens, tokens, reading.n_cut)
    target = read_target(loaded, run, reading.inputs, progress)
    keys = target.tokens if run.part == "decoder" else tokens
    decoded = {"decoder_input_ids": torch.tensor([target.ids]), "use_cache": False}
    texts, n_cut = (run.text, target.text), (*reading.n_cut, target.n_cut)
    inputs = reading.inputs | decoded
    return Sides(model, inputs, texts, target.tokens, keys, n_cut, target.n_written)


def trace_pair(loaded: LoadedModel, run: Run, progress: Progress) -> AttentionTrace:
    """Run a text, and what is written of it, through an encoder-decoder.

    Raises:
        ExplorerError: The model finds no token in the text, or cannot write.
    """
    sides = read_sides(loaded, run, progress)
    part = None if run.part == "encoder" else run.part
    lengths = (len(sides.tokens), len(sides.keys))
    layers = attention_of(loaded, sides.inputs, lengths, network=sides.network, part=part)
    trace = _Tracing(loaded, run, _languages(loaded, run))
    return trace(sides.texts, (sides.tokens, sides.keys), layers, sides.n_cut, sides.n_written)


def trace_read(loaded: LoadedModel, run: Run, layers: Sequence[AttentionLayer]) -> AttentionTrace:
    """The trace of attention that is known already, of what a run gives and of what is written."""
    languages = _languages(loaded, run)
    reading = read_texts(loaded, (run.text,), languages=languages)
    target = read_target(loaded, run, reading.inputs, silent, alone=True)
    looks = reading.tokens if run.part == "encoder" else target.tokens
    looked_at = target.tokens if run.part == "decoder" else reading.tokens
    trace = _Tracing(loaded, run, languages)
    if run.part == "encoder":
        return trace((run.text,), (looks, looked_at), layers, reading.n_cut)
    texts, n_cut = (run.text, target.text), (*reading.n_cut, target.n_cut)
    return trace(texts, (looks, looked_at), layers, n_cut, target.n_written)


def read_pair(loaded: LoadedModel, run: Run, progress: Progress) -> "tuple[Target, Inputs]":
    """What a decoder reads of a run, and what the model is called with."""
    languages = _languages(loaded, run)
    reading = read_texts(loaded, (run.text,), languages=languages)
    target = read_target(loaded, run, reading.inputs, progress, alone=True)
    return target, reading.inputs | {"decoder_input_ids": torch.tensor([target.ids])}


Inputs = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Target:
    """What a decoder reads: its start, and what is written so far.

    Attributes:
        text: The letters.
        ids: Numbers of the tokens, the start first.
        tokens: The tokens.
        n_cut: How many did not fit.
        n_written: How many of the last were written, and not given.
    """

    text: str
    ids: list[int]
    tokens: tuple[Token, ...]
    n_cut: int
    n_written: int


def read_target(
    loaded: LoadedModel, run: Run, inputs: Inputs, progress: Progress, *, alone: bool = False
) -> Target:
    """What the decoder reads: the second text and what is written; else the model writes it.

    Args:
        loaded: The model.
        run: The run.
        inputs: What the encoder is called with.
        progress: Told what is being done.
        alone: Whether a decoder that is given nothing has its start alone.

    Raises:
        ExplorerError: The model cannot read or write it.
    """
    languages = _languages(loaded, run)
    begun, cut = _start_of(loaded, languages), 0
    written = run.written
    if run.second is not None:
        begun, cut = _given(loaded, run.second, languages)
    elif not written and not alone:
        written = _written(loaded, begun, inputs, languages, progress)
    text, found = run.second or "", begun
    if written:
        check_room_for(loaded, len(begun.ids) + cut + len(written))
        found, (text,) = gone_on(loaded, begun, (text,), written, languages, target=True)
        check_known(loaded, found)
    tokens = tokens_of(loaded, found, (text,), first=1)
    return Target(text, found.ids, tokens, cut, len(written))


@dataclass(frozen=True)
class _Tracing:
    """What a trace of an encoder-decoder says beside its attention."""

    loaded: LoadedModel
    run: Run
    languages: Languages

    def __call__(
        self,
        texts: tuple[str, ...],
        sides: tuple[tuple[Token, ...], tuple[Token, ...]],
        layers: Sequence[AttentionLayer],
        n_cut: tuple[int, ...],
        n_written: int = 0,
    ) -> AttentionTrace:
        info = replace(sized(self.loaded.info, layers), part=self.run.part)
        if self.languages and None in self.run.languages:
            source, target = self.languages
            note = t(
                "{name} reads this text as {source} and writes {target}. A language "
                "that nobody has chosen is the one that its files name, or else that of"
                " the text: choose with “Source language” and “Target language”.",
                name=info.name,
                source=source,
                target=target,
            )
            info = replace(info, notes=(*info.notes, note))
        return AttentionTrace(info, texts, *sides, layers, n_cut, None, n_written)


def _languages(loaded: LoadedModel, run: Run) -> Languages:
    model: Any = loaded.whole
    settings = getattr(model, "generation_config", None) or model.config
    forced = getattr(settings, "forced_bos_token_id", None)
    return used_languages(loaded.tokenizer, run.languages, forced)


def _start(loaded: LoadedModel) -> int:
    start = decoder_start(loaded.whole.config)
    if start is None:
        raise ExplorerError(
            t("{name} does not say with which token its decoder starts.", name=loaded.info.name)
        )
    return start


def _opening(loaded: LoadedModel, read: Encoded, languages: Languages) -> tuple[int, int | None]:
    """The token with which a decoder starts, and the one that it must write first, if any.

    Families differ in where a text that is to be written has its language: M2M100, NLLB and
    mBART-50 put it first, and the decoder writes it after its start; mBART puts it behind the end,
    and the decoder starts with it.

    Args:
        loaded: The model.
        read: Any target as the tokenizer gives it.
        languages: The source's and the target's.
    """
    if languages is None:
        return _start(loaded), None
    number = languages_of(loaded.tokenizer)[languages[1]]
    return (number, None) if read.ids[-1] == number else (_start(loaded), number)


def _start_of(loaded: LoadedModel, languages: Languages) -> Encoded:
    """A decoder's start: a mark, and the language where it must write that first."""
    anything = encoded(loaded, ("a",), target=True, languages=languages)
    start, forced = _opening(loaded, anything, languages)
    ids = [start] if forced is None else [start, forced]
    none: list[None] = [None] * len(ids)
    pieces = pieces_of(loaded.tokenizer, ids)
    return Encoded(ids, pieces, [True] * len(ids), none, none, none, {})  # type: ignore[arg-type]


def _given(loaded: LoadedModel, target: str, languages: Languages) -> tuple[Encoded, int]:
    """What the decoder reads of a target, its start and all but what closes it; what is cut."""
    read = encoded(loaded, (target,), target=True, languages=languages)
    check_known(loaded, read)
    start, _ = _opening(loaded, read, languages)
    n = len(read.ids)
    while n and read.segments[n - 1] is None:
        n -= 1
    first = next((i for i in range(n) if read.segments[i] is not None), 0)
    most = min(n, loaded.info.max_tokens - 1)
    left = loaded.info.truncation_side == "left"
    kept = [*range(first), *range(first + n - most, n)] if left else [*range(most)]
    return Encoded(
        [start, *(read.ids[i] for i in kept)],
        pieces_of(loaded.tokenizer, [start]) + [read.pieces[i] for i in kept],
        [True, *(read.marks[i] for i in kept)],
        [None, *(read.segments[i] for i in kept)],
        [None, *(read.spans[i] for i in kept)],
        [None, *(read.words[i] for i in kept)],
        {},
    ), n - most


def _written(
    loaded: LoadedModel, begun: Encoded, inputs: Inputs, languages: Languages, progress: Progress
) -> tuple[int, ...]:
    """What the model itself writes, always taking the likeliest token."""
    model: Any = loaded.whole
    if model.get_output_embeddings() is None:
        raise ExplorerError(
            t(
                "{name} has no head to write with: give the target as the second text.",
                name=loaded.info.name,
            )
        )
    start, *forced = begun.ids
    options = {"forced_bos_token_id": forced[0]} if forced else {}

    class Watch(StoppingCriteria):
        """Tells how far the writing is, and so lets it be stopped."""

        def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
            progress(t("Writing the target"), min(input_ids.shape[1] / MOST_WRITTEN, 1.0))
            return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)

    with torch.inference_mode(), failing(loaded.info.name):
        out = model.generate(
            **inputs,
            **options,
            decoder_start_token_id=start,
            num_beams=1,
            num_return_sequences=1,
            return_dict_in_generate=False,  # whatever its own settings say
            do_sample=False,
            use_cache=may_remember(model.config),
            max_new_tokens=min(MOST_WRITTEN, loaded.info.max_tokens - 1),
            stopping_criteria=StoppingCriteriaList([Watch()]),
        )
    ids = out[0].tolist()[len(begun.ids) :]
    if ids and ids[-1] == loaded.tokenizer.eos_token_id:
        ids = ids[:-1]
    return tuple(ids)
