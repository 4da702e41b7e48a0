"""Run -> Run: random tokens that are repeated once, for the model of a run.

They stand behind a short text as if they had been written, so that all that is known of a run is
known of them too: its trace, its stream, and its link. What the reader has written is not among
them: they are of the model alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.lesson import TASKS
from explorer.residual import AtPosition
from explorer.run import Run
from explorer.scratch.nextword import course_of
from explorer.scratch.tasks import START
from explorer.source import Trained, Transplanted, model_of
from explorer.sources import trace_run
from explorer.sources.loading import LoadedModel, load_model
from explorer.sources.progress import Progress, silent, tick
from explorer.sources.stream import Stream
from explorer.sources.tokens import marks_of, pieces_of
from explorer.sources.written import read_run
from explorer.trace import AttentionTrace

SEQUENCES = 4  # that are drawn, each with a seed of its own: 0, 1, 2, …
LENGTH = 48  # tokens of a sequence; less where a model reads few
_FEWEST = 8
_READ = 8  # of the repeated tokens, about, evenly spread, at which is read what heads write
_BEGINNING = "The"  # what they stand behind: a run has a text, and most models a mark before it

Repetition = tuple[Run, AttentionTrace, int, Sequence[AtPosition] | str]
"""A run, its trace, how many tokens are repeated, and what each part has written at some of
the repeated ones, with the way to the logits of these; or why that cannot be had."""


def repetitions(
    run: Run, length: int = LENGTH, count: int = SEQUENCES, progress: Progress = silent
) -> Iterator[Repetition]:
    """Some sequences of random tokens, twice each, read by the model of a run.

    Args:
        run: Its model reads them.
        length: Tokens of each sequence.
        count: How many sequences.
        progress: Told what is being done.

    Raises:
        ExplorerError: It reads no text forwards, or too few tokens.
    """
    reason = ""
    for seed in range(count):
        at = seed / count

        def within(doing: str, share: float | None, at: float = at) -> None:
            progress(doing if share is None else t("Reading random tokens, twice"), at)

        within(t("Reading random tokens, twice"), 0)
        own, n = repeated(run, length, seed, within)
        trace = trace_run(own, within)
        _check_reads_forwards(trace)
        within(t("Finding what heads write"), 0)
        written = reason or _written(own, n, within)
        reason = written if isinstance(written, str) else ""
        yield own, trace, n, written


def _check_reads_forwards(trace: AttentionTrace) -> None:
    if not all(layer.looks_back for layer in trace.layers):
        raise ExplorerError(
            t(
                "{name} reads in both directions, so nothing need be remembered in it. "
                "Random tokens that are repeated are for decoders, such as GPT-2.",
                name=trace.model.name,
            )
        )


def _written(run: Run, length: int, progress: Progress) -> Sequence[AtPosition] | str:
    """What each part has written at some of the repeated tokens; or why that cannot be had."""
    try:
        stream = Stream(run, progress)
        first, ids = stream.n_tokens - length, run.written[:length]
        found = []
        for i in range(0, length, max(1, length // _READ)):
            tick()
            found.append(stream.at(first + i, ids))
        return found
    except ExplorerError as error:
        return str(error)


def repeated(
    run: Run, length: int = LENGTH, seed: int = 0, progress: Progress = silent
) -> tuple[Run, int]:
    """Random tokens, twice, before the model of a run; and how many they are.

    Args:
        run: Its model reads them. What is changed in its attention is not changed here.
        length: Tokens that are drawn; fewer where the model has no room for them twice, or has
            fewer that can be seen.
        seed: Of the draw.
        progress: Told what is being done.

    Raises:
        ExplorerError: It reads no text, or writes one of another, or reads too few tokens.
    """
    if isinstance(run.source, Trained):
        return _of_task(run.source, length, seed)
    loaded = _model(run, progress)
    first = Run(_BEGINNING, source=run.source)
    begun = len(read_run(loaded, first)[0].tokens)
    drawn = _drawn(loaded, min(length, (loaded.info.max_tokens - begun) // 2), seed)
    if len(drawn) < _FEWEST:
        raise ExplorerError(
            t(
                "{name} reads at most {max_tokens} tokens: too few for a sequence that "
                "is repeated.",
                name=loaded.info.name,
                max_tokens=loaded.info.max_tokens,
            )
        )
    return replace(first, written=drawn + drawn), len(drawn)


def _drawn(loaded: LoadedModel, length: int, seed: int) -> tuple[int, ...]:
    """Numbers of different tokens that write something of their own."""
    network: Any = loaded.network
    known = len(network.get_input_embeddings().weight)
    marks, size = _apart(loaded.tokenizer), min(len(loaded.tokenizer), known)
    drawn = _shuffled(size, seed)[: 4 * max(length, 0)]
    pieces = pieces_of(loaded.tokenizer, drawn)
    plain = [i for i, p in zip(drawn, pieces, strict=True) if i not in marks and p[:1] != "⟨"]
    return tuple(plain[:length])


def _apart(tokenizer: Any) -> set[int]:
    """The tokens that are no piece of a text: marks, the unknown one, and what else is special."""
    added = tokenizer.added_tokens_decoder.items()
    special = {i for i, token in added if token.special}
    return marks_of(tokenizer) | special | {*tokenizer.all_special_ids}


def _shuffled(size: int, seed: int) -> list[int]:
    draw = torch.Generator().manual_seed(seed)
    found: list[int] = torch.randperm(size, generator=draw).tolist()
    return found


def _of_task(lesson: Trained, length: int, seed: int) -> tuple[Run, int]:
    """The same of the tokens of a task, for the layers that have learned it, as a text."""
    course, task = course_of(lesson), TASKS[lesson.task]
    known = [t for t in course.vocabulary if t != START and course.write([t]).strip()]
    length = min(length, (lesson.length or 0) // 2, len(known))
    if length < _FEWEST:
        raise ExplorerError(
            t(
                "“{title}” is learned from sequences of {length} tokens: too few for "
                "one that is repeated. Train it with a length of {value} at least.",
                title=task.title,
                length=lesson.length,
                value=2 * _FEWEST,
            )
        )
    drawn = [known[i] for i in _shuffled(len(known), seed)[:length]]
    return Run(course.write(drawn + drawn), source=lesson), length


def _model(run: Run, progress: Progress) -> LoadedModel:
    """The model of a run, if it reads a text of its own.

    Raises:
        ExplorerError: It does not.
    """
    run.check_is_for_a_model()
    model = model_of(run.source)
    if model is None or isinstance(run.source, Transplanted):
        raise ExplorerError(
            t(
                "Random tokens that are repeated are for decoders. Choose one under "
                "Model, such as openai-community/gpt2, then press Run."
            )
        )
    loaded = load_model(model, progress).part("text")
    if loaded.form != "text":
        raise ExplorerError(
            t(
                "{name} is an encoder-decoder: random tokens that are repeated are for "
                "models of one part, such as GPT-2.",
                name=loaded.info.name,
            )
        )
    return loaded
