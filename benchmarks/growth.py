"""How time grows with length, for every function that walks through a reader's text.

Each takes texts of every hostile kind; the worst, at 10,000 characters, is printed at all lengths.
`tests/models/test_growth.py` and `tests/js/growth.test.js` hold the growth of all of them.
"""

import functools
import io
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import torch
import transformers

from explorer import export
from explorer.analysis.alignment import align
from explorer.analysis.detectors import detectors, same_words, sentence_of
from explorer.analysis.groups import word_of
from explorer.analysis.levels import levels_of, stretches_of
from explorer.errors import ExplorerError
from explorer.instrument.wire.trace import pack
from explorer.layers import of_weights
from explorer.lesson import Trained
from explorer.run import Run, readable
from explorer.scratch.encoder import tokenize
from explorer.source import Scratch, parse_source
from explorer.sources.loading import LoadedModel
from explorer.sources.placing import spans_of, words_of
from explorer.sources.scratch import read_scratch
from explorer.sources.stored import read_npz
from explorer.sources.tokens import read_texts
from explorer.sources.trained import read_tokens
from explorer.target import Likeness
from explorer.trace import AttentionTrace, ModelInfo, Token
from explorer.visible import is_blank, marks_in, visible
from tests.models.tiny import byte_level, tiny_model, tiny_writer

SMALL = Scratch(d_model=1, n_heads=1, n_layers=1)
LENGTHS = (1_000, 10_000, 100_000, 200_000)


def _of(*parts: str) -> Callable[[int], str]:
    """Texts of any length that begin with the first parts and go on with the last."""
    start, again = "".join(parts[:-1]), parts[-1]
    return lambda n: (start + again * (n // len(again) + 1))[:n]


HOSTILE: Mapping[str, Callable[[int], str]] = {
    "words": _of("The cat sat on the mat. "),
    "one long word": _of("a"),
    "spaces": _of("a", " "),
    "line ends": _of("a", "\n"),
    "lines": _of("a\n"),
    "digits and dots": _of("1."),
    "apostrophes in a word": _of("a", "'"),
    "quotes": _of('"'),
    "a flag of many tags": _of("🏴", "\U000e0067"),
    "flags of many tags": _of("🏴\U000e0067\U000e0062"),
    "flags of two letters": _of("🇩🇪"),
    "a flag and a half": _of("a", "🇩"),
    "a family without end": _of("👩\u200d"),
    "joiners": _of("می", "\u200c"),
    "skin colours": _of("👍", "🏽"),
    "marks on one letter": _of("e", "\u0301"),
    "a virama after each": _of("क\u094d"),
    "half characters": _of("\ud83d"),
    "right to left, and back": _of("\u202eא\u202cb"),
    "what nobody sees": _of("\u200b\u3164\ufe0f\U000e0041"),
    "private characters": _of("\ue000"),
    "Chinese": _of("猫坐在垫子上。"),
    "Korean in pieces": _of("\u1112\u1161\u11ab"),
    "one sign for eighteen": _of("\ufdfa"),
    "spaces of SentencePiece": _of("▁"),
    "marks of places": _of("[SEP]</s><s>"),
    "tabs and controls": _of("\t\0\x1b"),
}


@functools.cache
def models() -> dict[str, LoadedModel]:
    """Tokenizers of four kinds, each as a model of 512 tokens that is never run."""
    folder = Path(tempfile.mkdtemp())
    for name in ("bert", "marian"):
        (folder / name).mkdir()
    tiny_model("Model", folder / "bert")
    found = {
        "WordPiece": transformers.AutoTokenizer.from_pretrained(folder / "bert"),
        "byte-level BPE": byte_level(),
        "SentencePiece": tiny_writer("Marian", folder / "marian"),
    }
    nothing = torch.nn.Identity()
    return {
        name: LoadedModel(
            ModelInfo(name, None, 1, 1, 8, 512, tokenizer.unk_token), tokenizer, nothing, nothing
        )
        for name, tokenizer in found.items()
    }


def _trace(text: str) -> AttentionTrace:
    """A trace of one head that looks evenly, with the first of the from-scratch layer's tokens."""
    reading = read_scratch(Run(text, source=SMALL))
    tokens = reading.tokens[:512]  # all weights of as many are had by what needs them all
    n = len(tokens)
    weights = np.full((1, 1, n, n), 1 / n, np.float32)
    info = ModelInfo("m", None, 1, 1, 1, 512)
    text = readable(text)
    layers = of_weights(weights)
    return AttentionTrace(info, (text,), tokens, tokens, layers, reading.n_cut)


def _tokens(text: str) -> tuple[Token, ...]:
    """All tokens that the from-scratch layer reads."""
    return read_scratch(Run(text, source=SMALL)).tokens


def _edited(text: str) -> object:
    # A word more at the end, so that the two are no longer one text cut in two ways.
    return align(_trace(text), _trace(text[1:] + " x"))


def _packed(text: str) -> object:
    trace = _trace(text)
    return pack(trace, trace_id="x", layers=[0]), trace.cut_at(0)


def _words(text: str) -> object:
    tokens = _trace(text).tokens
    return [word_of(tokens, i) for i in range(len(tokens))]


def _placed(text: str) -> object:
    pieces = text[:512]
    spans, n = spans_of(list(pieces), text), len(pieces)
    return words_of(text, spans, [0] * n, [False] * n, [False] * n)


# What is bounded by the tokens that a page takes (512) grows up to there, and then no more.
FUNCTIONS: Mapping[str, Callable[[str], object]] = {
    "visible.visible": visible,
    "visible.marks_in": marks_in,
    "visible.is_blank": is_blank,
    "run.readable": readable,
    "Run": Run,
    "Run.by_line": lambda text: Run(text).by_line(),
    "Run.fits_link": lambda text: Run(text).fits_link(),
    "Run.from_query": lambda text: Run.from_query({"text": text, "second": text[:9]}),
    "a link written": lambda text: urlencode({"text": readable(text)}),
    "source.parse_source": lambda text: parse_source(f"hf:{text}"),
    "target.Likeness": Likeness,
    "placing.spans_of, words_of": _placed,
    "scratch.tokenize": tokenize,
    "scratch.read_scratch": lambda text: read_scratch(Run(text, source=SMALL)),
    # Of another text it says what it knows, which takes as long as a training takes to begin.
    "trained.read_tokens": lambda text: read_tokens(Trained("copy"), ("a " * (len(text) // 2),)),
    "huggingface.read, WordPiece": lambda text: _read("WordPiece", text),
    "huggingface.read, byte-level BPE": lambda text: _read("byte-level BPE", text),
    "huggingface.read, SentencePiece": lambda text: _read("SentencePiece", text),
    "alignment.align, edited text": _edited,
    "detectors.detectors": lambda text: detectors(_trace(text)),
    "detectors.same_words": lambda text: same_words(_tokens(text)),
    "detectors.sentence_of": lambda text: sentence_of(_tokens(text), (readable(text),)),
    "levels.levels_of": lambda text: levels_of(_tokens(text), (readable(text),)),
    "levels.stretches_of": lambda text: stretches_of(_tokens(text)),
    "groups.word_of": _words,
    "pack.pack": _packed,
    "export.to_npz, read_npz": lambda text: read_npz(io.BytesIO(export.to_npz(_trace(text)))),
}


def _read(name: str, text: str) -> object:
    return read_texts(models()[name], (readable(text),))


def seconds(function: Callable[[str], object], text: str, times: int = 3) -> float:
    """CPU time of a call, the least of several; a refusal is an answer too."""
    least = float("inf")
    for _ in range(times):
        started = time.process_time()
        with suppress(ExplorerError):
            function(text)
        least = min(least, time.process_time() - started)
    return least


def of_browser() -> list[tuple[str, str, list[float]]]:
    """The same of the functions in the browser, in milliseconds, as node runs them."""
    script = Path(__file__).parents[1] / "tests/js/growth.js"
    out = subprocess.run(
        ["node", str(script), *map(str, LENGTHS)], capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in out.stdout.splitlines()]


def main() -> None:
    models()
    print("Growth of time with length: ms for a text of so many characters, of the worst kind")
    print("| function | worst kind | " + " | ".join(f"{n:,}" for n in LENGTHS) + " |")
    print("|---|---|" + "---:|" * len(LENGTHS))
    for name, function in FUNCTIONS.items():
        tried = {kind: seconds(function, of(LENGTHS[1]), 2) for kind, of in HOSTILE.items()}
        worst = max(tried, key=tried.__getitem__)
        _print(name, worst, [1000 * seconds(function, HOSTILE[worst](n), 2) for n in LENGTHS])
    for name, worst, row in of_browser():
        _print(name, worst, row)


def _print(name: str, worst: str, row: list[float]) -> None:
    print(f"| {name} | {worst} | " + " | ".join(f"{ms:.2f}" for ms in row) + " |", flush=True)


if __name__ == "__main__":
    main()
