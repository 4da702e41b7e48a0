"""Traces as NPZ files: arrays and JSON, never pickle. One is shipped: the first example's.

It is painted before any model is loaded, on a first visit only; `explorer.trace` never reads it.
Made anew by ``make example`` after a change of the model or of its tokens.
"""

import functools
import json
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import AttentionLayer, FromScores, GivenWeights, ScoreRule
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
_RULE = ("allowed", "offsets", "added", "sinks")  # arrays of a score rule
_OF_A_LAYER = re.compile(rf"(weights|q|k|{'|'.join(_RULE)})_[0-9]{{1,5}}")
_LARGE, _LARGEST = 1e6, 1e30  # of a scale or cap, and of a score: float32 holds 3e38
_MOST_ABOUT = 10  # characters of the JSON for one of the texts, which may take six
_MOST_COVERED = 4  # times that all spans together cover it: four bytes of a sign may be four tokens
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


def write_npz(trace: AttentionTrace, file: BinaryIO, more: Arrays | None = None) -> None:
    """Write a trace so that numpy alone can use it, and `read_npz` gives it back.

    Holds ``weights`` float32 ``[layer, head, query, key]``; or, where that is smaller, what they
    are made of: of layer 3 ``q_3`` ``[head, query, d]``, ``k_3`` ``[key head, key, d]`` and what
    there is of its rule (``allowed_3``, ``offsets_3``, ``added_3``, ``sinks_3``), or ``weights_3``
    ``[head, query, key]`` (`explorer.layers` says what each is; layers may share one). For queries
    and for keys their tokens as text (of a longer one the first `MAX_NAME` characters), their
    ``spans`` (``[token, 2]``, -1 where there is none), ``words`` (-1 for none), ``segments`` and
    ``special``; the ``picture`` of a vision model as the bytes of a PNG; and ``about``, JSON with
    the texts, the model, the layers (their numbers, and of each scale, cap and the names of its
    arrays) and the versions of the libraries that made it.

    Args:
        trace: The trace.
        file: Where to.
        more: Arrays of other names that stand beside these; `read_npz` leaves them out.
    """
    about: dict[str, Any] = said_of(trace)
    if _are_written_apart(trace):
        arrays, about["layers"] = _written_layers(trace)
    else:
        arrays, about["layers"] = {"weights": trace.weights}, list(trace.numbers)
    if trace.n_written:
        about["n_written"] = trace.n_written
    arrays |= _columns("query", trace.query_tokens) | _columns("key", trace.key_tokens)
    if trace.patches:
        about["patches"] = [trace.patches.rows, trace.patches.columns]
        arrays["picture"] = np.frombuffer(trace.patches.png, np.uint8)
    write_arrays({**arrays, **(more or {})}, about, file)


def said_of(trace: AttentionTrace) -> dict[str, Any]:
    """What is written of a trace beside its numbers."""
    return {
        "model": asdict(trace.model),
        "texts": trace.texts,
        "n_cut": trace.n_cut,
        "versions": {name: version(name) for name in _LIBRARIES},
    }


def write_arrays(arrays: Arrays, about: Mapping[str, Any], file: BinaryIO) -> None:
    """Write arrays as NPZ, and ``about``, JSON that says what they are of."""
    told = {"about": np.array(json.dumps(about, ensure_ascii=False))}
    # As numpy.savez_compressed, which packs q and k ten times as long for a tenth less.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in {**arrays, **told}.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)


def _are_written_apart(trace: AttentionTrace) -> bool:
    """Whether layers are written one by one: as that is smaller, or says what weights do not."""
    if all(isinstance(layer, GivenWeights) for layer in trace.layers):
        return any(layer.has_sink for layer in trace.layers)
    if any(layer.has_sink for layer in trace.layers):
        return True  # it says of each layer what it is
    cells = sum(a.n_heads * a.n_queries * a.n_keys for a in trace.layers)
    return sum(layer.nbytes for layer in trace.layers) < 4 * cells


def _written_layers(
    trace: AttentionTrace,
) -> tuple[dict[str, npt.NDArray[Any]], list[dict[str, Any]]]:
    """The arrays that layers are made of, each once, and what is said of each layer."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    names: dict[int, str] = {}  # layers may share a mask or a table
    about: list[dict[str, Any]] = []
    for layer in trace.layers:
        said: dict[str, Any] = {"number": layer.number}
        if isinstance(layer, FromScores):
            said |= {"scale": float(layer.rule.scale)}
            said |= {"cap": None if layer.rule.cap is None else float(layer.rule.cap)}
            parts = {"q": layer.q, "k": layer.k}
            parts |= {name: getattr(layer.rule, name) for name in _RULE}
        else:
            parts = {"weights": layer.weights()}
            said |= {"sink": True} if layer.has_sink else {}
        for part, array in parts.items():
            if array is not None:
                own = f"{part}_{layer.number}"
                said[part] = names.setdefault(id(array), own) if part in _RULE else own
                arrays[said[part]] = array
        about.append(said)
    return arrays, about


def read_npz(file: BinaryIO) -> AttentionTrace:
    """Read what `write_npz` wrote: the same trace, bit for bit.

    Anybody may have written the file, so every value in it is checked here.

    Raises:
        ExplorerError: It holds what `write_npz` never writes.
        Exception: It is damaged.
    """
    return trace_from(arrays_of(file.read(), is_saved))


def is_saved(name: str) -> bool:
    """Whether an array of this name may be in a file that `write_npz` writes."""
    return name in SAVED or _OF_A_LAYER.fullmatch(name) is not None


def trace_from(arrays: Arrays, longest: int = MAX_CHARACTERS) -> AttentionTrace:
    """The trace that arrays with the names `is_saved` hold.

    Args:
        arrays: From `arrays_of`.
        longest: Characters of its texts, at most.

    Raises:
        ExplorerError: They hold what `write_npz` never writes.
    """
    missing = [n for n in SAVED if n not in arrays and n not in ("picture", "weights")]
    _check(not missing, t("it has no “{join}”", join="".join(missing[:1])))
    about = _about(arrays["about"], longest)
    texts: Any = about.get("texts")
    n_cut: Any = about.get("n_cut")
    _check(
        isinstance(texts, list)
        and 1 <= len(texts) <= 2
        and all(_is_text(text, longest) for text in texts),
        t("“texts” are not one or two texts"),
    )
    _check(
        sum(map(len, texts)) <= longest,
        t("it has more than {longest} characters", longest=f"{longest:,}"),
    )
    _check(
        isinstance(n_cut, list)
        and len(n_cut) == len(texts)
        and all(_is_number(n, 0, 2**31 - 1) for n in n_cut),
        t("“n_cut” does not say for each text how many tokens were cut"),
    )
    shape = shape_of(arrays, longest)
    model = _model(about.get("model"), shape)
    queries, keys = (
        _tokens(side, arrays, texts, n, longest)
        for side, n in zip(("query", "key"), shape[2:], strict=True)
    )
    patches = _patches(about["patches"], arrays, keys) if "patches" in about else None
    layers: list[AttentionLayer] = []
    if "weights" in arrays:
        given, numbers = arrays["weights"], about.get("layers", list(range(shape[0])))
        _check(_are_numbers(numbers, shape[0]), t("“layers” are not the numbers of its layers"))
        layers += (GivenWeights(n, layer) for n, layer in zip(numbers, given, strict=True))
    else:
        layers += (_read_layer(said, arrays, shape[1:]) for said in about["layers"])
        _check(
            _are_numbers([layer.number for layer in layers], shape[0]),
            t("“layers” are not numbered from each to the next"),
        )
    n_written = about.get("n_written", 0)
    _check(
        _is_number(n_written, 0, len(queries)),
        t("“n_written” is not the number of its last tokens"),
    )
    about_tokens = (tuple(n_cut), patches, n_written)
    return AttentionTrace(model, tuple(texts), queries, keys, layers, *about_tokens)


def shape_of(arrays: Arrays, longest: int = MAX_CHARACTERS) -> tuple[int, int, int, int]:
    """Layers, heads, queries and keys of a saved trace, before more of it is looked at.

    Raises:
        ExplorerError: It has none, or they do not fit together.
    """
    if "weights" in arrays:
        weights = arrays["weights"]
        _check(
            weights.ndim == 4 and weights.dtype.kind in "fiu",
            t("“weights” are no numbers of heads"),
        )
        n_layers, n_heads, n_queries, n_keys = weights.shape
        return n_layers, n_heads, n_queries, n_keys
    layers: Any = _about(arrays["about"], longest).get("layers")
    _check(
        isinstance(layers, list) and layers and all(isinstance(said, dict) for said in layers),
        t("it has neither “weights” nor “layers”"),
    )
    first = _named(layers[0], "q" if "q" in layers[0] else "weights", arrays)
    _check(first.ndim == 3 and first.shape[0] > 0, t("the first of its layers has no heads"))
    sides = [arrays[f"{side}_tokens"].shape[:1] for side in ("query", "key")]
    _check(all(sides), t("its tokens are no lists"))
    return len(layers), first.shape[0], sides[0][0], sides[1][0]


def _are_numbers(found: Any, n: int) -> bool:
    """Whether something is the numbers of so many layers, each larger than the one before."""
    if not isinstance(found, list) or len(found) != n:
        return False
    return all(_is_number(x, 0, 2**16) for x in found) and found == sorted(set(found))


def _named(said: Mapping[str, Any], part: str, arrays: Arrays) -> npt.NDArray[Any]:
    """The array that a layer names as a part of it."""
    name = said.get(part)
    if part in _RULE:
        fits = isinstance(name, str) and bool(re.fullmatch(rf"{part}_[0-9]{{1,5}}", name))
    else:  # q and k of a layer are its own, which bounds the work of all layers
        fits = name == f"{part}_{said.get('number')}"
    _check(fits and name in arrays, t("a layer names no “{part}” that there is", part=part))
    return arrays[str(name)]


def _read_layer(
    said: Mapping[str, Any], arrays: Arrays, shape: tuple[int, int, int]
) -> AttentionLayer:
    """A layer of ``[head, query, key]``, each value and array of it checked."""
    n_heads, n_queries, n_keys = shape
    number = said.get("number")
    _check(_is_number(number, 0, 2**16), t("a layer has no number"))
    assert isinstance(number, int)
    if "weights" in said:
        weights = _named(said, "weights", arrays)
        _check(
            weights.shape == shape and weights.dtype == "<f4", t("“weights” are no rows of heads")
        )
        _check(
            said.get("sink", False) in (True, False),
            t("a layer’s “sink” is neither true nor false"),
        )
        return GivenWeights(number, weights, has_sink=bool(said.get("sink")))
    q, k = _named(said, "q", arrays), _named(said, "k", arrays)
    for part, name, n in ((q, "q", n_queries), (k, "k", n_keys)):
        whole = part.ndim == 3 and 0 not in part.shape and part.shape[1] == n
        _check(
            whole and part.dtype in ("<f4", "<f2"),
            t("“{name}” is not one vector for each token", name=name),
        )
    fits = q.shape[0] == n_heads and n_heads % k.shape[0] == 0 and q.shape[2] == k.shape[2]
    _check(fits, t("“q” and “k” do not fit each other"))
    shapes: dict[str, list[tuple[int, ...]]] = {
        "allowed": [(n_queries, 2)],
        "offsets": [(n_heads, n_queries + n_keys - 1)],
        "added": [(n_heads, n_queries, n_keys), (1, n_queries, n_keys)],
        "sinks": [(n_heads,)],
    }
    parts = {name: _named(said, name, arrays) for name in _RULE if said.get(name) is not None}
    for name, part in parts.items():
        kind = "<i4" if name == "allowed" else "<f4"
        _check(
            part.shape in shapes[name] and part.dtype == kind,
            t("“{name}” is of another shape", name=name),
        )
    scale, cap = said.get("scale"), said.get("cap")
    scaled = isinstance(scale, float) and abs(scale) <= _LARGE
    _check(scaled, t("a layer’s “scale” is no number"))
    capped = cap is None or (type(cap) is float and 1 / _LARGE <= cap <= _LARGE)
    _check(capped, t("a layer’s “cap” is no number above 0"))
    _check_scores(q, k, parts, float(scale or 0))
    rule = ScoreRule(float(scale or 0), cap, **parts)
    return FromScores(number, q, k, rule)


def _check_scores(q: npt.NDArray[Any], k: npt.NDArray[Any], parts: Arrays, scale: float) -> None:
    """Refuse what would make a score that float32 does not hold, or a mask that is none."""
    longest = [
        max(float(np.linalg.norm(h.astype("<f8"), axis=-1).max()) for h in x) for x in (q, k)
    ]
    # By Cauchy and Schwarz no product of two vectors is larger than that of their lengths.
    largest = [longest[0] * abs(scale), longest[1], longest[0] * longest[1] * abs(scale)]
    for name, part in parts.items():
        if name == "allowed":
            first, last = part.T
            fits = (first >= 0) & (first <= last) & (last <= k.shape[1])
            _check(fits.all(), t("“allowed” leaves the keys"))
        else:
            held = part if name == "sinks" else np.where(np.isneginf(part), 0, part)
            largest.append(float(np.abs(held).max()))
    _check(
        all(x < _LARGEST for x in largest), t("its scores are not numbers")
    )  # NaN is below nothing


def _check(holds: object, what: str) -> None:
    if not holds:
        raise ExplorerError(
            t(
                "This file looks like one that this app has saved, but its parts do not"
                " fit together: {what}. It is damaged, or neither this app nor an "
                "earlier version of it wrote it. Save it again, or leave “about” out of"
                " it.",
                what=what,
            )
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


def _about(array: npt.NDArray[Any], longest: int) -> dict[str, Any]:
    plain = array.ndim == 0 and array.dtype.kind == "U"
    most = 4 * _MOST_ABOUT * longest
    _check(plain and array.dtype.itemsize <= most, t("“about” is no text, or a long one"))
    about: Any = None
    with suppress(ValueError, RecursionError):  # lists in lists in lists
        about = json.loads(str(array))
    _check(isinstance(about, dict), t("“about” is not what it should be"))
    return dict(about)


def _model(said: Any, shape: Sequence[int]) -> ModelInfo:
    _check(isinstance(said, dict), t("“model” is not what it should be"))
    for name, fits in _MODEL.items():
        optional = name in _OPTIONAL and said.get(name) is None
        _check(
            optional or fits(said.get(name)),
            t("the model’s “{name}” is not what it should be", name=name),
        )
    sizes = [said["n_layers"], said["n_heads"]]
    _check(sizes == list(shape[:2]), t("“weights” and “model” name other layers and heads"))
    known: dict[str, Any] = {name: said.get(name) for name in _MODEL}
    known["truncation_side"] = known["truncation_side"] or "right"
    known["passport"] = known["passport"] and Passport(**known["passport"])
    return ModelInfo(**known | {"notes": tuple(known["notes"] or ())})


def _patches(said: Any, arrays: Arrays, tokens: Sequence[Token]) -> Patches:
    grid = isinstance(said, list) and len(said) == 2 and all(_is_number(n, 1, 2**16) for n in said)
    _check(grid, t("“patches” are not rows and columns"))
    rows, columns = said
    ordinary = sum(not token.special for token in tokens)
    _check(rows * columns == ordinary, t("there are not as many tokens as patches"))
    picture = arrays.get("picture")
    _check(
        picture is not None and picture.ndim == 1 and picture.dtype == np.uint8,
        t("it has no “picture”"),
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


def _tokens(
    side: str, arrays: Arrays, texts: Sequence[str], n_wanted: int, longest: int
) -> tuple[Token, ...]:
    """The tokens of one side, each value checked."""
    names = ("tokens", "spans", "words", "segments", "special")
    kinds = {"tokens": "U", "special": "b"}  # the others are whole numbers
    for name in names:
        array = arrays[f"{side}_{name}"]
        shape = (n_wanted, 2) if name == "spans" else (n_wanted,)
        fits = array.shape == shape and array.dtype.kind == kinds.get(name, "i")
        _check(fits, t("“{side}_{name}” is not one for each {side}", side=side, name=name))
    rows = zip(*(arrays[f"{side}_{name}"].tolist() for name in names), strict=True)
    tokens = []
    covered = 0  # characters; what shows words copies them
    for text, (start, end), word, segment, special in rows:
        _check(_is_text(text), t("“{side}_tokens” holds half characters", side=side))
        _check(-1 <= word < 2**31, t("“{side}_words” holds what is no number of a word", side=side))
        _check(
            0 <= segment < len(texts),
            t("“{side}_segments” names a text that there is not", side=side),
        )
        placed = start >= 0
        _check(
            0 <= start <= end <= len(texts[segment]) if placed else (start, end) == (-1, -1),
            t("“{side}_spans” leaves its text", side=side),
        )
        covered += end - start
        span, of_word = (start, end) if placed else None, None if word < 0 else word
        tokens.append(Token(text, span, of_word, segment, special))
    _check(
        covered <= _MOST_COVERED * longest,
        t("“{side}_spans” covers its text many times", side=side),
    )
    return tuple(tokens)


def store_first_example() -> None:
    """Compute the first example with the live model and write the file that is shipped."""
    from explorer.sources import trace_run

    with _FIRST.open("wb") as file:
        write_npz(trace_run(EXAMPLES[0].run), file)
