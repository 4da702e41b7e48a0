"""Encoder-decoders as a source: T5, BART, Marian and their kin, with cross-attention.

Position *i* of the decoder has read the target up to its token *i* and writes the next one; the
first position is the mark with which a decoder starts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList

from explorer.errors import ExplorerError, refusing
from explorer.layers import AttentionLayer
from explorer.run import Run
from explorer.sources.families import decoder_start, may_remember
from explorer.sources.forward import attention_of, failing, sized
from explorer.sources.languages import languages_of, used_languages
from explorer.sources.loading import LoadedModel
from explorer.sources.placing import Span
from explorer.sources.progress import Progress
from explorer.sources.tokens import (
    Encoded,
    Languages,
    check_known,
    encoded,
    marks_of,
    pieces_of,
    placed,
    read_texts,
    tokens_of,
)
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
    languages = _languages(loaded, run)
    reading = read_texts(loaded, (run.text,), languages=languages)
    # A head that chooses between classes looks in what is written for the end of what is read.
    model: Any = loaded.network if loaded.predicts == "class" else loaded.whole
    tokens, n = reading.tokens, len(reading.tokens)
    trace = _Tracing(loaded, run, languages)
    if run.part == "encoder":
        encoder = model.get_encoder()
        layers = attention_of(loaded, reading.inputs, (n, n), network=encoder)
        return trace((run.text,), (tokens, tokens), layers, reading.n_cut)
    if run.second is None:
        target, read, cut = *_written(loaded, reading.inputs, languages, progress), 0
    else:
        target, (read, cut) = run.second, _given(loaded, run.second, languages)
    written = tokens_of(loaded, read, (target,), first=1)
    looked_at = written if run.part == "decoder" else tokens
    sides = (len(written), len(looked_at))
    decoded = {"decoder_input_ids": torch.tensor([read.ids]), "use_cache": False}
    inputs = reading.inputs | decoded
    layers = attention_of(loaded, inputs, sides, network=model, part=run.part)
    texts, n_cut = (run.text, target), (*reading.n_cut, cut)
    return trace(texts, (written, looked_at), layers, n_cut)


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
    ) -> AttentionTrace:
        info = replace(sized(self.loaded.info, layers), part=self.run.part)
        if self.languages and None in self.run.languages:
            source, target = self.languages
            note = (
                f"{info.name} reads this text as {source} and writes {target}. A language that "
                "nobody has chosen is the one that its files name, or else that of the text: "
                "choose with “Source language” and “Target language”."
            )
            info = replace(info, notes=(*info.notes, note))
        return AttentionTrace(info, texts, *sides, layers, n_cut)


def _languages(loaded: LoadedModel, run: Run) -> Languages:
    model: Any = loaded.whole
    settings = getattr(model, "generation_config", None) or model.config
    forced = getattr(settings, "forced_bos_token_id", None)
    return used_languages(loaded.tokenizer, run.languages, forced)


def _start(loaded: LoadedModel) -> int:
    start = decoder_start(loaded.whole.config)
    if start is None:
        raise ExplorerError(f"{loaded.info.name} does not say with which token its decoder starts.")
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
    loaded: LoadedModel,
    inputs: dict[str, torch.Tensor],
    languages: Languages,
    progress: Progress,
) -> tuple[str, Encoded]:
    """What the model itself writes, always taking the likeliest token."""
    model: Any = loaded.whole
    if model.get_output_embeddings() is None:
        raise ExplorerError(
            f"{loaded.info.name} has no head to write with: give the target as the second text."
        )
    anything = encoded(loaded, ("a",), target=True, languages=languages)
    start, forced = _opening(loaded, anything, languages)
    options = {} if forced is None else {"forced_bos_token_id": forced}

    class Watch(StoppingCriteria):
        """Tells how far the writing is, and so lets it be stopped."""

        def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
            progress("Writing the target", min(input_ids.shape[1] / MOST_WRITTEN, 1.0))
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
        with refusing("The tokenizer of this model failed on what the model has written{why}."):
            return str(tokenizer.decode(some, **plain))

    pieces = pieces_of(tokenizer, ids)
    marks = marks_of(tokenizer)
    known = {i for i, piece in zip(ids, pieces, strict=True) if piece != f"⟨{i}⟩"} - marks
    target = text_of([i for i in ids if i in known])
    spans: list[Span | None] = []
    start, parts = 0, 0  # pieces of a character that is not whole yet
    for i in range(len(ids)):
        # A piece of a character is written as a sign that the finished text does not have.
        so_far = text_of([n for n in ids[: i + 1] if n in known])
        end = _agree(so_far, target)
        spans.append((start, end) if end > start else None)
        if end > start:
            spans[i - parts : i] = [spans[i]] * parts
        parts = parts + 1 if end <= start and so_far.endswith("\N{REPLACEMENT CHARACTER}") else 0
        start = max(start, end)
    segments = [None if i in marks else 0 for i in ids]
    return target, placed(tokenizer, ids, segments, (target,), spans)


def _agree(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))
