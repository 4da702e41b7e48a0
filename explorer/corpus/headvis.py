"""The tree of files that HeadVis reads (Luger, Kamath et al. 2026): written, and read with checks.

``config.json``, ``scatter_data.json`` (a row a head), ``heads/L{l}H{h}.json``, and two empty files
that say that there is no server.
"""

import json
import math
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from explorer.analysis.profiles import DISTANCE, ENTROPY
from explorer.corpus.folder import CorpusFolder, Example
from explorer.corpus.measures import AFTER, MEASURES, PREVIOUS, SELF, STRONGEST, VARIANCE
from explorer.corpus.shards import put
from explorer.errors import ExplorerError
from explorer.language import Said, t
from explorer.visible import visible

_METRICS = {
    "self_attention_score": (SELF, "Mean attention of a token to itself."),
    "prev_token_score": (PREVIOUS, "Mean attention of a token to the one before it."),
    "pattern_entropy": (ENTROPY, "Mean Shannon entropy of a row, in nats."),
    "qk_distance": (DISTANCE, "Mean |q − k|, weighted by attention."),
    "qk_distance_variance": (VARIANCE, "Variance of |q − k|, weighted by attention."),
    "induction_score": (
        AFTER,
        "Mean attention to what came after the same word before, over all tokens of texts that "
        "have a word twice.",
    ),
}
_EDGES = 5  # bins of ours in one of the tree's
_MOST = 64 * 2**20  # bytes of one file that are read
_HEAD = re.compile(r"L(\d{1,4})H(\d{1,4})\.json")


# --- writing ----------------------------------------------------------------------------------


def export(
    folder: CorpusFolder, out: Path, report: Callable[[float], None] = lambda at: None
) -> None:
    """Write a folder as a tree.

    Args:
        folder: The folder.
        out: Where; it must be empty, or not be there.
        report: Told how far it is, from 0 to 1.

    Raises:
        ExplorerError: There is something, or it cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ExplorerError(
            t("“{visible}” is not empty: name a new folder.", visible=visible(str(out)))
        )
    places = [(layer, head) for layer in folder.layers for head in range(folder.n_heads)]
    _put(out / "scatter_data.json", _scatter(folder))
    for i, (layer, head) in enumerate(places):
        report(i / len(places))
        _put(out / "heads" / f"L{layer}H{head}.json", _head(folder, layer, head))
    _put(out / "server_config.json", {})
    _put(out / "attributions" / "manifest.json", {})
    _put(out / "config.json", _config(folder, places))


def _put(path: Path, content: Any) -> None:
    put(path, json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n")


def _number(value: float) -> float | None:
    """A number as JSON has it: none for what is no number."""
    return round(float(value), 6) if math.isfinite(value) else None


def _config(folder: CorpusFolder, places: list[tuple[int, int]]) -> dict[str, Any]:
    about = folder.about
    return {
        "model_name": about["model"]["name"],
        "dataset_name": about["corpus"]["file"],
        "heads": [list(place) for place in places],
        "n_layers": len(folder.layers),
        "n_heads": folder.n_heads,
        "n_intervals": 10,
        "metrics": list(_METRICS),
        "metric_descriptions": {name: said for name, (_, said) in _METRICS.items()},
        "head_data_pattern": "L{layer}H{head}.json",
        "has_umap": False,
        "umap_heads": [],
        "custom_plots": [
            {"key": "qk_distance_histogram", "label": "Q-K distance"},
            {"key": "histogram", "label": "Activation distribution"},
        ],
        "custom_tables": [
            {"key": "top_query_tokens", "label": "Top query tokens"},
            {"key": "top_key_tokens", "label": "Top key tokens"},
        ],
        "statistics_display": {
            "n_samples": {"label": "Samples kept", "format": "default"},
            "mean_max_activation": {"label": "Mean max activation", "format": "default"},
        },
        "pipeline_config": {
            "n_sequences": about["corpus"]["n_texts"],
            "seq_len": about["length"],
            "dtype": about["model"]["precision"],
            "attn_implementation": "sdpa",  # and every weight of its queries and keys
            "run": about,
        },
    }


def _scatter(folder: CorpusFolder) -> list[dict[str, Any]]:
    rows: dict[tuple[int, int], dict[str, Any]] = {
        (layer, head): {"layer": layer, "head": head}
        for layer in folder.layers
        for head in range(folder.n_heads)
    }
    by_tokens = folder.means_of_tokens()
    n_texts, n_tokens = (folder.about["corpus"][name] for name in ("n_texts", "n_tokens"))
    # The first token of a text has none before it; bits become nats.
    factors = {PREVIOUS: n_tokens / max(n_tokens - n_texts, 1), ENTROPY: math.log(2)}
    for metric, (measure, _) in _METRICS.items():
        for at, row in rows.items():
            row[metric] = _number(by_tokens[measure][at] * factors.get(measure, 1.0))
    return list(rows.values())


def _head(folder: CorpusFolder, layer: int, head: int) -> dict[str, Any]:
    sequences = [_sequence(e) for e in folder.examples(layer, head, STRONGEST)]
    at = folder.layers.index(layer), head
    return {
        "sequences": sequences,
        "qk_distance_histogram": _distances(folder, layer, head),
        "top_query_tokens": _tokens(folder, layer, head, "query"),
        "top_key_tokens": _tokens(folder, layer, head, "key"),
        "histogram": _histogram(folder, layer, head),
        "statistics": {
            "n_samples": len(sequences),
            "mean_max_activation": _number(
                folder.heads.mean[(list(MEASURES).index(STRONGEST), *at)]
            ),
        },
    }


def _sequence(example: Example) -> dict[str, Any]:
    n = len(example.tokens)
    cells = sorted((q * n + k, weight) for q, k, weight in example.pairs)
    return {
        "sequence_id": example.number,
        "interval": example.decile,
        "tokens": list(example.tokens),
        "attention_indices": [cell for cell, _ in cells],
        "attention_values": [_number(weight) for _, weight in cells],
        "seq_len": n,
        "max_activation": _number(example.value),
    }


def _distances(folder: CorpusFolder, layer: int, head: int) -> dict[str, Any]:
    found = folder.distances(layer, head)
    n_tokens = folder.about["corpus"]["n_tokens"]
    return {
        "bin_edges": [low for low, _, _ in found] + [found[-1][1] + 1],
        "bin_values": [_number(share * n_tokens) for _, _, share in found],
    }


def _tokens(folder: CorpusFolder, layer: int, head: int, side: str) -> list[dict[str, Any]]:
    found = folder.tokens(layer, head, side)
    return [{"token": t.token, "weight": _number(t.attention)} for t in found]


def _histogram(folder: CorpusFolder, layer: int, head: int) -> dict[str, Any]:
    """How many texts have a largest weight in which bin: ours, some of them together."""
    own = MEASURES[STRONGEST].bins.edges
    edges = [0.0, *own[::_EDGES].tolist()]
    edges[-1] = max(edges[-1], 1.0 + 1e-6)
    counts = np.zeros(len(edges) - 1, dtype=np.int64)
    for low, _, count in folder.histogram(layer, head, STRONGEST):
        counts[min(int(np.searchsorted(edges, low, side="right")) - 1, len(counts) - 1)] += count
    return {"bin_edges": edges, "bin_values": counts.tolist()}


# --- reading ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sequence:
    """A text of somebody's tree.

    Attributes:
        tokens: Its tokens.
        interval: 1 for the texts with the smallest activations.
        value: The largest weight in it.
        pairs: Query, key and weight, the strongest first.
    """

    tokens: tuple[str, ...]
    interval: int
    value: float
    pairs: tuple[tuple[int, int, float], ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Numbers in bins.

    Attributes:
        edges: Where bins begin, and where the last ends.
        values: One for each bin.
    """

    edges: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What a tree says of one head."""

    sequences: tuple[Sequence, ...]
    distances: Histogram
    histogram: Histogram
    query_tokens: tuple[tuple[str, float], ...]
    key_tokens: tuple[tuple[str, float], ...]
    n_samples: int
    mean: float | None


class HeadVisTree:
    """A tree that somebody made, checked as far as it is read.

    Args:
        path: Its folder.

    Attributes:
        model, corpus: Their names.
        places: The layer and head of every head.
        metrics: By name the number of every head, in the order of ``places``; NaN where unknown.

    Raises:
        ExplorerError: It is no such tree, or holds what cannot be.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        config = _object(_read(path / "config.json"), "config.json")
        self.model = visible(_text(config.get("model_name"), "model_name", "config.json"))
        self.corpus = visible(str(config.get("dataset_name", "")))[:200]
        rows = _list(_read(path / "scatter_data.json"), "scatter_data.json")
        if not rows:
            raise _wrong("scatter_data.json", t("it has no head"))
        found = [_object(row, "scatter_data.json") for row in rows]
        self.places = [(_whole(r, "layer"), _whole(r, "head")) for r in found]
        if len(set(self.places)) < len(self.places):
            raise _wrong("scatter_data.json", t("a head is there twice"))
        names = [n for n in found[0] if n not in ("layer", "head")]
        self.metrics = {
            visible(name): [_known(row.get(name), name) for row in found] for name in names
        }

    def head(self, layer: int, head: int) -> TreeHead:
        """What it says of a head.

        Raises:
            ExplorerError: It has no file for it, or one that holds what cannot be.
        """
        if (layer, head) not in self.places:
            raise ExplorerError(
                t(
                    "There is no head L{layer}·H{head} in “{name}”.",
                    layer=layer,
                    head=head,
                    name=visible(self._path.name),
                )
            )
        name = f"L{layer}H{head}.json"
        said = _object(_read(self._path / "heads" / name), name)
        statistics = _object(said.get("statistics"), name)
        mean = statistics.get("mean_max_activation")
        return TreeHead(
            tuple(_sequence_of(s, name) for s in _list(said.get("sequences"), name)),
            _histogram_of(said.get("qk_distance_histogram"), name),
            _histogram_of(said.get("histogram"), name),
            _tokens_of(said.get("top_query_tokens"), name),
            _tokens_of(said.get("top_key_tokens"), name),
            _whole(statistics, "n_samples"),
            None if mean is None else _finite(mean, "mean_max_activation", name),
        )


def is_tree(path: Path) -> bool:
    """Whether a folder looks like a tree of HeadVis."""
    heads = path / "heads"
    return (
        (path / "scatter_data.json").is_file()
        and heads.is_dir()
        and any(_HEAD.fullmatch(file.name) for file in heads.iterdir())
    )


def _wrong(file: str, what: str) -> ExplorerError:
    name = file if isinstance(file, Said) else visible(file)
    return ExplorerError(t("{file} is not as HeadVis has it: {what}.", file=name, what=what))


def _read(path: Path) -> Any:
    try:
        if path.stat().st_size > _MOST:
            raise _wrong(path.name, t("it has more than {n} MB", n=_MOST // 2**20))
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ExplorerError(
            t(
                "“{name}” has no {name2}: it is no tree of HeadVis, or not the whole of one.",
                name=visible(path.parent.name),
                name2=visible(path.name),
            )
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise _wrong(path.name, t("it cannot be read, or was cut short")) from error


def _object(said: Any, file: str) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise _wrong(file, t("an object is missing"))
    return said


def _list(said: Any, file: str) -> list[Any]:
    if not isinstance(said, list):
        raise _wrong(file, t("a list is missing"))
    return said


def _text(said: Any, key: str, file: str) -> str:
    if not isinstance(said, str):
        raise _wrong(file, t("{key} is no text", key=key))
    return said


def _whole(said: dict[str, Any], key: str) -> int:
    found = said.get(key)
    if type(found) is not int or not 0 <= found < 2**31:
        raise _wrong(t("a row or head"), t("{key} is no whole number from 0 on", key=key))
    return found


def _finite(said: Any, key: str, file: str) -> float:
    with suppress(OverflowError):  # a whole number of hundreds of digits
        if type(said) in (int, float) and math.isfinite(said):
            return float(said)
    raise _wrong(file, t("{key} is no number", key=visible(key)))


def _known(said: Any, key: str) -> float:
    return math.nan if said is None else _finite(said, key, "scatter_data.json")


def _sequence_of(said: Any, file: str) -> Sequence:
    row = _object(said, file)
    tokens = tuple(_text(one, t("a token"), file) for one in _list(row.get("tokens"), file))
    n = len(tokens)
    if "seq_len" in row and row["seq_len"] != n:
        raise _wrong(
            file, t("seq_len says {said} for {n} tokens", said=repr(row["seq_len"])[:20], n=n)
        )
    cells = _list(row.get("attention_indices"), file)
    values = [
        _finite(v, t("an attention value"), file) for v in _list(row.get("attention_values"), file)
    ]
    if len(cells) != len(values):
        raise _wrong(
            file,
            t(
                "a text has {cells} indices and {values} values",
                cells=len(cells),
                values=len(values),
            ),
        )
    if any(type(cell) is not int or not 0 <= cell < n * n for cell in cells):
        raise _wrong(file, t("an index is no cell of {n} by {n} tokens", n=n))
    if any(not 0 <= value <= 1.001 for value in values):
        raise _wrong(file, t("an attention value is not from 0 to 1"))
    pairs = [(*divmod(cell, n), value) for cell, value in zip(cells, values, strict=True)]
    pairs.sort(key=lambda pair: -pair[2])
    return Sequence(
        tokens,
        _whole(row, "interval"),
        _finite(row.get("max_activation"), "max_activation", file),
        tuple(pairs),
    )


def _histogram_of(said: Any, file: str) -> Histogram:
    row = _object(said, file)
    edges, values = (
        tuple(_finite(v, key, file) for v in _list(row.get(key), file))
        for key in ("bin_edges", "bin_values")
    )
    if len(edges) != len(values) + 1:
        raise _wrong(
            file,
            t("a histogram has {edges} edges for {bins} bins", edges=len(edges), bins=len(values)),
        )
    if any(a >= b for a, b in pairwise(edges)) or any(value < 0 for value in values):
        raise _wrong(
            file, t("the edges of a histogram do not rise, or a bin holds less than nothing")
        )
    return Histogram(edges, values)


def _tokens_of(said: Any, file: str) -> tuple[tuple[str, float], ...]:
    rows: Iterable[Any] = _list(said, file)
    return tuple(
        (
            _text(_object(r, file).get("token"), t("a token"), file),
            _finite(r.get("weight"), "weight", file),
        )
        for r in rows
    )
