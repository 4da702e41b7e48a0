"""Writing with all attention kept, beside plain `generate`; the lens beside a forward pass.

A random model of the shape of GPT-2 (12 layers of 12 heads of 64) reads a text and writes on to 512
tokens, by turns with `generate` of Transformers with sdpa: what is compared is the median of the
ratios of a turn. Lens and attribution at 512 tokens are held against a forward pass with all
logits; explaining a next word at 64 tokens against the clock.

    python -m benchmarks.writing
"""

import statistics
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from benchmarks.attention import ratio, take_turns
from explorer.analysis.attribution import attribution
from explorer.analysis.explanation import Explanation, explain
from explorer.analysis.lens import lens, lens_map
from explorer.run import Run
from explorer.source import InMemory
from explorer.sources.intervention import intervention
from explorer.sources.stream import Stream
from explorer.sources.writing import Writing
from explorer.target import NextWord
from tests.models.tiny import one_mark

WHOLE, WRITTEN, IN_SIGHT, SHORT = 512, 64, 64, 64


def writer() -> InMemory:
    torch.manual_seed(0)
    config = GPT2Config(initializer_range=0.05, eos_token_id=None, bos_token_id=None)
    model = GPT2LMHeadModel(config).eval()
    model.set_attn_implementation("sdpa")
    tokenizer = one_mark()
    tokenizer.model_max_length = 1024
    return InMemory(model, tokenizer)


def text_of(source: InMemory, n: int) -> str:
    """A text of so many tokens."""
    letters = ("a quick brown fox jumps over the lazy dog. " * 40)[:n]
    tokenizer: Any = source.tokenizer
    while len(tokenizer(letters)["input_ids"]) < n:
        letters += "x"
    return letters


def writing(source: InMemory, turns: int) -> None:
    model: Any = source.model
    tokenizer: Any = source.tokenizer
    text = text_of(source, WHOLE - WRITTEN)
    ids = torch.tensor([tokenizer(text)["input_ids"]])
    run = Run(text, source=source)

    def plain() -> None:
        out = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=WRITTEN,
            pad_token_id=0,
        )
        assert out.shape[1] == ids.shape[1] + WRITTEN

    def ours() -> None:
        made = Writing(run)
        assert len(list(made.write(WRITTEN))) == WRITTEN
        assert made.trace().shape[2] == ids.shape[1] + WRITTEN

    times = take_turns([ours, plain], turns)
    mine, theirs = (statistics.median(t) for t in times)
    print(
        f"{ids.shape[1]} tokens read, {WRITTEN} written: {1e3 * mine:.0f} ms, generate "
        f"{1e3 * theirs:.0f} ms, ratio {ratio(*times):.3f}"
    )


def reading(source: InMemory, turns: int) -> None:
    model: Any = source.model
    tokenizer: Any = source.tokenizer
    text = text_of(source, WHOLE)
    ids = torch.tensor([tokenizer(text)["input_ids"]])
    run = Run(text, source=source)

    def forward() -> None:
        with torch.inference_mode():
            model(input_ids=ids)

    def stream(positions: int) -> None:
        found = Stream(run)
        row = lens(found)
        attribution(found.at(None, row.ids[-1, :2].tolist()), 0, 1)
        if positions:
            lens_map(found, range(WHOLE - positions, WHOLE))

    ways: list[Callable[[], object]] = [partial(stream, 0), partial(stream, IN_SIGHT), forward]
    one, some, plain = take_turns(ways, turns)
    print(
        f"lens and attribution at {WHOLE} tokens: {1e3 * statistics.median(one):.0f} ms, with the "
        f"map of {IN_SIGHT} positions {1e3 * statistics.median(some):.0f} ms; a forward pass "
        f"{1e3 * statistics.median(plain):.0f} ms; ratios {ratio(one, plain):.2f} and "
        f"{ratio(some, plain):.2f}"
    )


def explaining(source: InMemory) -> None:
    run = Run(text_of(source, SHORT), source=source)
    start, told = time.perf_counter(), list[float]()

    def show(so_far: Explanation) -> None:
        told.append(time.perf_counter() - start)
        if not any(score.awaited for score in so_far.scores):
            raise _DoneError

    asked = intervention(run, NextWord())
    with suppress(_DoneError):
        explain(asked, how="cut", show=show)
    print(
        f"a next word at {SHORT} tokens explained: first scores after {told[0]:.2f} s, all methods "
        f"after {told[-1]:.2f} s"
    )


class _DoneError(Exception):
    """Raised where all scores are there: heads and removal run the model for each."""


def main(turns: int = 5) -> None:
    print(f"A decoder of the shape of GPT-2, {torch.get_num_threads()} threads:")
    source = writer()
    writing(source, turns)
    reading(source, turns)
    explaining(source)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
