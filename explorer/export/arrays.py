"""What pages show as NPZ files: arrays by name, and ``about``, JSON that says what they are of.

[docs/arrays.md](../../docs/arrays.md) lists the names and shapes.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.analysis.comparison import Comparison
from explorer.analysis.explanation import Explanation
from explorer.analysis.finder import Found
from explorer.analysis.induction import OwnRepeats, Repeats
from explorer.analysis.profiles import ENTROPY, Doubles
from explorer.analysis.survey import Habits, Survey
from explorer.analysis.survival import Survival
from explorer.history import TrainingHistory
from explorer.instrument.wire.repeats import Retold
from explorer.instrument.wire.trace import Report
from explorer.language import t
from explorer.layers import ScoreRule
from explorer.layertrace import LayerTrace, Normed, Turn
from explorer.sources.npz import Arrays
from explorer.sources.stored import MAX_NAME, said_of, write_arrays, write_npz
from explorer.trace import AttentionTrace, Token

if TYPE_CHECKING:
    from explorer.corpus.overview import Overview

MOST_TEXT = 200  # characters of a text in an array: every one takes the room of the longest


class _Watched(io.BytesIO):
    """A file in memory that reports each time something is written into it."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self._report = report

    def write(self, data: Any) -> int:
        self._report(t("Writing the file"), None)
        return super().write(data)


def silent(doing: str, share: float | None) -> None:
    """Reports nothing."""


def to_npz(trace: AttentionTrace, report: Report = silent) -> bytes:
    """The bytes of an NPZ file; `explorer.sources.stored.write_npz` says what is in it.

    Args:
        trace: What to write.
        report: Told what is being done; may raise to end it.
    """
    file = _Watched(report)
    write_npz(trace, file)
    return file.getvalue()


def history_to_npz(history: TrainingHistory, report: Report = silent) -> bytes:
    """A training: its last frame, which `explorer.load` reads from it, and all frames."""
    near = {f"near_{_plain(name)}": shares for name, shares in history.near.items()}
    ideal = {f"ideal_{_plain(name)}": pattern for name, pattern in history.ideals.items()}
    more: Arrays = {
        "history_weights": history.weights,
        "history_steps": np.array(history.steps),
        "history_loss": np.array(history.loss),
        "history_accuracy": np.array(history.accuracy),
        "history_answers": np.array(history.answers),
        "history_right": np.array(["" if word is None else word for word in history.right]),
        **({"history_written": np.array(history.written)} if history.written else {}),
        **near,
        **ideal,
    }
    file = _Watched(report)
    write_npz(history.trace, file, more)
    return file.getvalue()


def comparison_to_npz(comparison: Comparison, report: Report = silent) -> bytes:
    """Two traces side by side: all weights of both, and how far their heads are apart."""
    arrays: dict[str, Any] = {}
    sides = (
        ("a", comparison.a, comparison.profiles_a),
        ("b", comparison.b, comparison.profiles_b),
    )
    for side, trace, profiles in sides:
        common = np.full(len(trace.query_tokens), -1)
        for number, unit in enumerate(comparison.alignment.units):
            common[list(getattr(unit, side))] = number
        arrays |= {
            f"{side}_weights": trace.weights,
            f"{side}_layers": np.array(trace.numbers),
            f"{side}_tokens": _names(trace.query_tokens),
            f"{side}_common": common,
            f"{side}_entropy": profiles.measures[ENTROPY],
        }
    arrays["distance"] = comparison.distance
    about = {"a": said_of(comparison.a), "b": said_of(comparison.b)}
    return _written(arrays, about, report)


def survey_to_npz(
    survey: Survey,
    pairs: Sequence[tuple[int, int, int]] = (),
    found: Found | None = None,
    repeats: Retold | None = None,
    report: Report = silent,
) -> bytes:
    """All heads over some texts: every measure with its spread, kinds, places on the plane."""
    arrays: dict[str, Any] = {
        "layers": np.array(survey.example.numbers),
        "texts": np.array([text[:MOST_TEXT] for text in survey.begins]),
        "places": survey.places,
    }
    for name, habits in (("counted", survey.counted), ("left_out", survey.left_out)):
        arrays |= _habits(name, habits) if habits else {}
    if found:
        arrays["pairs"] = np.array(pairs)
        arrays |= {f"pointed_{f.name}": getattr(found, f.name) for f in fields(found)}
    if repeats and repeats.found:
        arrays |= _repeats(repeats.found, repeats.own)
    return _written(arrays, said_of(survey.example) | {"n_texts": survey.n_texts}, report)


def corpus_to_npz(over: "Overview", called: str = "", report: Report = silent) -> bytes:
    """All heads over a corpus: every measure with its spread and its outer tenths.

    Args:
        over: The heads.
        called: What the corpus is called, if not as its file is.
        report: Told what is being done.
    """
    arrays: dict[str, Any] = {
        "layers": np.array(over.layers),
        "measures": np.array(over.names),
        "units": np.array(over.units),
        "n": np.array(over.n),
        "mean": over.mean,
        "spread": over.spread,
        "lowest_tenth": over.low,
        "highest_tenth": over.high,
    }
    about = {
        "model": over.model,
        "corpus": called or over.corpus,
        "n_texts": over.n_texts,
        "n_tokens": over.n_tokens,
        "left_out": [str(trouble) for trouble in over.troubles],
    }
    return _written(arrays, about, report)


def _habits(name: str, habits: Habits) -> dict[str, Any]:
    pooled = list(habits.measures.values())
    columns = ("mean", "spread", "farthest", "extreme")
    return {
        f"{name}_measures": np.array(list(habits.measures)),
        **{f"{name}_{c}": np.stack([getattr(p, c) for p in pooled]) for c in columns},
        f"{name}_kinds": np.array([[kind.name for kind in row] for row in habits.kinds]),
    }


def _repeats(found: Repeats, own: OwnRepeats | None) -> dict[str, Any]:
    """What heads do on random tokens that are repeated, and where the first text repeats itself."""
    arrays: dict[str, Any] = {"repeats_tokens": np.array(found.run.written)}
    for name, scores in found.scores.items():
        arrays |= {f"repeats_{name}": scores, f"repeats_{name}_even": found.even[name]}
    if own is None:
        return arrays
    for name, share in own.shares.items():
        known = {"": share, "_even": own.even[name], "_count": np.array(own.counts[name])}
        arrays |= {f"own_{name}{what}": array for what, array in known.items()}
    return arrays


def survival_to_npz(trace: AttentionTrace, found: Survival, report: Report = silent) -> bytes:
    """What survives of all heads, in every way and with every budget."""
    arrays: dict[str, Any] = {
        "layers": np.array(trace.numbers),
        "tokens": _names(trace.key_tokens),
        "everywhere": np.array(found.everywhere),
    }
    for kind, curve in found.curves.items():
        arrays |= {f"{kind}_budgets": np.array(curve.budgets), f"{kind}_kept": curve.kept}
    return _written(arrays, said_of(trace), report)


def explanation_to_npz(explanation: Explanation, report: Report = silent) -> bytes:
    """One output explained: every method's scores, what removal does, and the heads."""
    known, units = explanation, explanation.units
    word = np.full(len(known.tokens), -1)
    for number, unit in enumerate(units):
        word[unit] = number
    none = np.full(len(units), np.nan)
    steps = max((len(s.curves.shares) for s in known.scores if s.curves), default=0)
    arrays: dict[str, Any] = {
        "tokens": _names(known.tokens),
        "word_of_token": word,
        "methods": np.array([score.method.key for score in known.scores]),
        "scores": np.stack([none if s.values is None else s.values for s in known.scores]),
        "signed": np.array([score.method.signed for score in known.scores]),
        "agreement": np.array([_rho(score.agreement) for score in known.scores]),
        "removal": none if known.removal is None else known.removal,
    }
    for name in ("shares", "deletion", "insertion"):
        curves = [getattr(s.curves, name) if s.curves else [] for s in known.scores]
        arrays[f"curve_{name}"] = np.stack([_padded(curve, steps) for curve in curves])
    if known.importance is not None:
        arrays |= {"layers": np.array(known.numbers), "head_importance": known.importance}
    if known.head_effects is not None:
        arrays["head_effects"] = known.head_effects
    if known.deciding:
        arrays["deciding"] = np.array(known.deciding)
        arrays["area"] = np.array([_area(score) for score in known.scores])
    about = {"model": known.model, "target": known.name, "value": known.value}
    about |= {"plain": known.value if known.plain is None else known.plain, "how": known.how}
    return _written(arrays, about | {"empty": known.empty, "instead": known.instead}, report)


def _area(score: Any) -> float:
    found = score.pointing and score.pointing.area
    return np.nan if found is None else found


def _rho(agreement: Any) -> float:
    return np.nan if agreement is None or agreement.rho is None else agreement.rho


def _padded(curve: Sequence[float], steps: int) -> Doubles:
    """A curve of so many steps; NaN where it has none."""
    found = np.full(steps, np.nan)
    found[: len(curve)] = curve
    return found


def layer_traces_to_npz(
    layers: Sequence[LayerTrace], texts: Sequence[str], report: Report = silent
) -> bytes:
    """Every number of a layer, of all its heads; behind ``changed_`` that of the changed one."""
    arrays: dict[str, Any] = {}
    for before, trace in zip(("", "changed_"), layers, strict=False):
        found = _arrays_in(trace)
        found |= {f"part_{_plain(part.name)}": part.values for part in trace.parts}
        found["tokens"] = _names(trace.tokens)
        if trace.key_tokens is not None:
            found["key_tokens"] = _names(trace.key_tokens)
        arrays |= {f"{before}{name}": array for name, array in found.items()}
    first = layers[0]
    about = {"model": asdict(first.model), "texts": texts, "layer": first.layer}
    return _written(arrays, about, report)


def _arrays_in(owner: Any, before: str = "") -> dict[str, Any]:
    """All arrays of a value by their names, those of a part of it behind the part's."""
    found: dict[str, Any] = {}
    for field in fields(owner):
        value = getattr(owner, field.name)
        if isinstance(value, np.ndarray):
            found[f"{before}{field.name}"] = value
        elif isinstance(value, ScoreRule | Normed | Turn):
            found |= _arrays_in(value, f"{before}{field.name}_")
    return found


def _names(tokens: Sequence[Token]) -> Any:
    return np.array([token.text[:MAX_NAME] for token in tokens])


def _plain(name: str) -> str:
    return name.replace(" ", "_")


def _written(arrays: Arrays, about: Mapping[str, Any], report: Report) -> bytes:
    file = _Watched(report)
    write_arrays(arrays, about, file)
    return file.getvalue()
