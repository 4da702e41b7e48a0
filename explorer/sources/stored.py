"""Traces as NPZ files: arrays and JSON, never pickle. One is shipped: the first example's.

It is painted before any model is loaded, on a first visit only; `explorer.trace` never reads it.
Made anew by ``make example`` after a change of the model or of its tokens.
"""

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from explorer.errors import ExplorerError
from explorer.layers import of_weights
from explorer.limits import MAX_CHARACTERS
from explorer.run import PARTS, Run, readable
from explorer.sources.catalogue import EXAMPLES
from explorer.sources.npz import Arrays, arrays_of
from explorer.trace import AttentionTrace, ModelInfo, Passport, Patches, Token

_FIRST = Path(__file__).with_name("first_example.npz")
_LIBRARIES = ("torch", "transformers", "numpy")
MAX_NAME = 200  # characters of a token's name in a file
SAVED = (
    *("weights", "about", "picture"),
    *(
        f"{side}_{name}"
        for side in ("query", "key")
        for name in ("tokens", "spans", "words", "segments", "special")
    ),
)
_MOST_ABOUT = 10 * MAX_CHARACTERS  # characters of the JSON; one of a text may take six
_MOST_COVERED = 4 * MAX_CHARACTERS  # by all spans; the four bytes of a sign may be four tokens
_MODEL: Mapping[str, Callable[[object], bool]] = {
    "name": lambda v: _is_text(v, 1000) and v != "",
    "revision": lambda v: _is_text(v, 1000),
    "n_layers": lambda v: _is_number(v, 1, 2**20),
    "n_heads": lambda v: _is_number(v, 1, 2**20),
    "d_model": lambda v: _is_number(v, 0, 2**31 - 1),
    "max_tokens": lambda v: _is_number(v, 1, 2**31 - 1),
    "unknown_token": lambda v: _is_text(v, 1000),
    "part": lambda v: v in PARTS,
    "notes": lambda v: isinstance(v, list) and len(v) <= 8 and all(_is_text(t, 1000) for t in v),
    "passport": lambda v: _is_passport(v),
    "own_tokens": lambda v: _is_number(v, 1, 2**31 - 1),
    "truncation_side": lambda v: v in ("right", "left"),
}
_OPTIONAL: tuple[str, ...] = (
    "revision",
    "unknown_token",
    "part",
    "notes",
    "passport",
    "own_tokens",
)
_OPTIONAL += ("truncation_side",)


def stored_trace(run: Run) -> AttentionTrace | None:
    """The shipped trace of a run; None unless the run is the first example."""
    return _first_example() if run == EXAMPLES[0].run else None


@functools.cache
def _first_example() -> AttentionTrace | None:
    if not _FIRST.is_file():
        return None
    with _FIRST.open("rb") as file:
        return read_npz(file)


def write_npz(trace: AttentionTrace, file: BinaryIO) -> None:
    """Write a trace so that numpy alone can use it, and `read_npz` gives it back.

    Holds ``weights`` float32 ``[layer, head, query, key]``; for queries and for keys their tokens
    as text (of a longer one the first `MAX_NAME` characters), their ``spans`` (``[token, 2]``, -1
    where there is none), ``words`` (-1 for none), ``segments`` and ``special``; the ``picture`` of
    a vision model as the bytes of a PNG; and ``about``, JSON with the texts, the model and the
    versions of the libraries that made it.
    """
    about = {
        "model": asdict(trace.model),
        "texts": trace.texts,
        "n_cut": trace.n_cut,
        "versions": {name: version(name) for name in _LIBRARIES},
    }
    arrays: dict[str, npt.NDArray[Any]] = {"weights": trace.weights}
    arrays |= _columns("query", trace.query_tokens) | _columns("key", trace.key_tokens)
    if trace.patches:
        about["patches"] = [trace.patches.rows, trace.patches.columns]
        arrays["picture"] = np.frombuffer(trace.patches.png, np.uint8)
    arrays["about"] = np.array(json.dumps(about, ensure_ascii=False))
    np.savez_compressed(file, allow_pickle=False, **arrays)


def read_npz(file: BinaryIO) -> AttentionTrace:
    """Read what `write_npz` wrote: the same trace, bit for bit.

    Anybody may have written the file, so every value in it is checked here.

    Raises:
        ExplorerError: It holds what `write_npz` never writes.
        Exception: It is damaged.
    """
    return trace_from(arrays_of(file.read(), SAVED))


def trace_from(arrays: Arrays) -> AttentionTrace:
    """The trace that arrays with the names `SAVED` hold.

    Raises:
        ExplorerError: They hold what `write_npz` never writes.
    """
    missing = [n for n in SAVED if n not in arrays and n not in ("picture",)]
    _check(not missing, f"it has no “{''.join(missing[:1])}”")
    weights = arrays["weights"]
    _check(weights.ndim == 4 and weights.dtype.kind in "fiu", "“weights” are no numbers of heads")
    about = _about(arrays["about"])
    texts: Any = about.get("texts")
    n_cut: Any = about.get("n_cut")
    _check(
        isinstance(texts, list) and 1 <= len(texts) <= 2 and all(map(_is_text, texts)),
        "“texts” are not one or two texts",
    )
    _check(
        sum(map(len, texts)) <= MAX_CHARACTERS, f"it has more than {MAX_CHARACTERS:,} characters"
    )
    _check(
        isinstance(n_cut, list)
        and len(n_cut) == len(texts)
        and all(_is_number(n, 0, 2**31 - 1) for n in n_cut),
        "“n_cut” does not say for each text how many tokens were cut",
    )
    model = _model(about.get("model"), weights.shape)
    queries, keys = (
        _tokens(side, arrays, texts, n)
        for side, n in zip(("query", "key"), weights.shape[2:], strict=True)
    )
    patches = _patches(about["patches"], arrays, keys) if "patches" in about else None
    layers = of_weights(weights)
    return AttentionTrace(model, tuple(texts), queries, keys, layers, tuple(n_cut), patches)


def _check(holds: object, what: str) -> None:
    if not holds:
        raise ExplorerError(
            "This file looks like one that this app has saved, but its parts do not fit together: "
            f"{what}. It is damaged, or neither this app nor an earlier version of it wrote it. "
            "Save it again, or leave “about” out of it."
        )


def _is_text(value: object, most: int = MAX_CHARACTERS) -> bool:
    """Whether a value is a text that every part of the app takes, lone surrogates left out."""
    return isinstance(value, str) and len(value) <= most and readable(value) == value


def _is_number(value: object, low: int, high: int) -> bool:
    """Whether a value is a whole number in a range; True and 1.0 are none."""
    return type(value) is int and low <= value <= high


def _is_passport(value: object) -> bool:
    """Whether a value is what `asdict` makes of a `Passport`."""
    return (
        isinstance(value, dict)
        and set(value) == {"form", "n_tokens", "weights", "output", "reason"}
        and value["form"] in ("scores", "weights")
        and _is_number(value["n_tokens"], 0, 2**31 - 1)
        and all(type(value[n]) is float and 0 <= value[n] < 10 for n in ("weights", "output"))
        and (value["reason"] is None or _is_text(value["reason"], 1000))
    )


def _about(array: npt.NDArray[Any]) -> dict[str, Any]:
    plain = array.ndim == 0 and array.dtype.kind == "U"
    _check(plain and array.dtype.itemsize <= 4 * _MOST_ABOUT, "“about” is no text, or a long one")
    about: Any = None
    with suppress(ValueError, RecursionError):  # lists in lists in lists
        about = json.loads(str(array))
    _check(isinstance(about, dict), "“about” is not what it should be")
    return dict(about)


def _model(said: Any, shape: Sequence[int]) -> ModelInfo:
    _check(isinstance(said, dict), "“model” is not what it should be")
    for name, fits in _MODEL.items():
        optional = name in _OPTIONAL and said.get(name) is None
        _check(optional or fits(said.get(name)), f"the model’s “{name}” is not what it should be")
    sizes = [said["n_layers"], said["n_heads"]]
    _check(sizes == list(shape[:2]), "“weights” and “model” name other layers and heads")
    known: dict[str, Any] = {name: said.get(name) for name in _MODEL}
    known["truncation_side"] = known["truncation_side"] or "right"
    known["passport"] = known["passport"] and Passport(**known["passport"])
    return ModelInfo(**known | {"notes": tuple(known["notes"] or ())})


def _patches(said: Any, arrays: Arrays, tokens: Sequence[Token]) -> Patches:
    grid = isinstance(said, list) and len(said) == 2 and all(_is_number(n, 1, 2**16) for n in said)
    _check(grid, "“patches” are not rows and columns")
    rows, columns = said
    ordinary = sum(not token.special for token in tokens)
    _check(rows * columns == ordinary, "there are not as many tokens as patches")
    picture = arrays.get("picture")
    _check(
        picture is not None and picture.ndim == 1 and picture.dtype == np.uint8,
        "it has no “picture”",
    )
    assert picture is not None
    from explorer.sources.pictures import seen_anew  # PIL comes with the first picture

    return Patches(seen_anew(picture.tobytes()), rows, columns)


def _columns(side: str, tokens: Sequence[Token]) -> dict[str, npt.NDArray[Any]]:
    return {
        # Every name takes the room of the longest, and a word may be as long as the text.
        f"{side}_tokens": np.array([t.text[:MAX_NAME] for t in tokens]),
        f"{side}_spans": np.array([t.span or (-1, -1) for t in tokens]),
        f"{side}_words": np.array([-1 if t.word is None else t.word for t in tokens]),
        f"{side}_segments": np.array([t.segment for t in tokens]),
        f"{side}_special": np.array([t.special for t in tokens]),
    }


def _tokens(side: str, arrays: Arrays, texts: Sequence[str], n_wanted: int) -> tuple[Token, ...]:
    """The tokens of one side, each value checked."""
    names = ("tokens", "spans", "words", "segments", "special")
    kinds = {"tokens": "U", "special": "b"}  # the others are whole numbers
    for name in names:
        array = arrays[f"{side}_{name}"]
        shape = (n_wanted, 2) if name == "spans" else (n_wanted,)
        fits = array.shape == shape and array.dtype.kind == kinds.get(name, "i")
        _check(fits, f"“{side}_{name}” is not one for each {side}")
    rows = zip(*(arrays[f"{side}_{name}"].tolist() for name in names), strict=True)
    tokens = []
    covered = 0  # characters; what shows words copies them
    for text, (start, end), word, segment, special in rows:
        _check(_is_text(text), f"“{side}_tokens” holds half characters")
        _check(-1 <= word < 2**31, f"“{side}_words” holds what is no number of a word")
        _check(0 <= segment < len(texts), f"“{side}_segments” names a text that there is not")
        placed = start >= 0
        _check(
            0 <= start <= end <= len(texts[segment]) if placed else (start, end) == (-1, -1),
            f"“{side}_spans” leaves its text",
        )
        covered += end - start
        span, of_word = (start, end) if placed else None, None if word < 0 else word
        tokens.append(Token(text, span, of_word, segment, special))
    _check(covered <= _MOST_COVERED, f"“{side}_spans” covers its text many times")
    return tuple(tokens)


def store_first_example() -> None:
    """Compute the first example with the live model and write the file that is shipped."""
    from explorer.sources import trace_run

    with _FIRST.open("wb") as file:
        write_npz(trace_run(EXAMPLES[0].run), file)
