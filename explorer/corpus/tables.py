"""What all shards say together, as Parquet tables that anybody can ask."""

import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from explorer.corpus.engines import Engine
from explorer.corpus.measures import MEASURES, N_DISTANCES, NAMES
from explorer.corpus.merging import Merged, Tokens, deciles_of, merge, tokens_of_layer
from explorer.corpus.pairs_table import pairs_table
from explorer.corpus.rules import RULES
from explorer.corpus.shards import SumsFile, as_text, put
from explorer.corpus.work import Reads, Strongest

EACH = 4  # texts of each decile
MOST_TOKENS = 50  # of each side of a head
_OFTEN = 5  # times that a token must be there for its mean to say anything
_AT_ONCE = 16  # texts of a task
_DECILES = np.arange(1, 10) / 10


def write_tables(folder: Path, shards: Sequence[SumsFile], engine: Engine, reads: Reads) -> Merged:
    """Write all tables.

    Args:
        folder: Where the shards are.
        shards: Those in which some text could be read, in order.
        engine: Who reads again the texts that are shown as examples.
        reads: Which model reads them, and how.
    """
    merged = merge(shards)
    numbers = sorted({*merged.sample.tolist(), *merged.top_number[merged.top_number >= 0].tolist()})
    shown = texts_of(folder, numbers)
    texts = [as_text(row, reads.chat) for row in shown.to_pylist()]
    tasks = (
        Strongest(reads, tuple(texts[i : i + _AT_ONCE])) for i in range(0, len(texts), _AT_ONCE)
    )
    tables = {
        "heads": _heads(merged),
        "rules": _rules(merged),
        "histograms": _histograms(merged),
        "distances": _distances(merged),
        "tokens": _tokens(merged, shards),
        "examples": _examples(merged, reads.by),
        "shown": shown,
        "drawn": _drawn(merged),
        "pairs": pairs_table(merged, engine.results(tasks)),
    }
    for name, table in tables.items():
        out = io.BytesIO()
        # A head's rows stand together, in groups small enough that one head is found quickly.
        pq.write_table(
            table, out, row_group_size=4096, compression="zstd", write_page_checksum=True
        )
        put(folder / f"{name}.parquet", out.getvalue())
    return merged


def texts_of(folder: Path, numbers: Iterable[int]) -> pa.Table:
    """Texts of a folder by their numbers, in order, as their files hold them."""
    wanted = pa.array(sorted(numbers), pa.int64())
    found = []
    for path in sorted((folder / "texts").glob("*.parquet")):
        table = pq.read_table(path)
        found.append(table.filter(pc.is_in(table["number"], wanted)))
    return pa.concat_tables(found)


def _drawn(merged: Merged) -> pa.Table:
    """The texts that were drawn by lot, with all that was measured in them."""
    flat = merged.sample_values.reshape(len(merged.sample), -1)
    values = pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1])
    return pa.table({"text": merged.sample, "lot": merged.sample_name, "values": values})


def _grid(merged: Merged) -> tuple[Any, Any]:
    """The numbers of the layers and of the heads, each ``[layer, head]``."""
    heads = np.arange(merged.apart.shape[1])
    layers, of = np.meshgrid(merged.layers, heads, indexing="ij")
    return layers, of


def _heads(merged: Merged) -> pa.Table:
    """A row for each measure and head: how it is over the texts."""
    layers, heads = _grid(merged)
    mean, spread, by_tokens = merged.mean, merged.spread, merged.mean_of_tokens
    rows: dict[str, list[Any]] = {}
    for m, name in enumerate(NAMES):
        bins = MEASURES[name].bins
        counts = merged.counts[m].reshape(-1, merged.counts.shape[-1])
        columns = {
            "measure": [name] * layers.size,
            "layer": layers.ravel(),
            "head": heads.ravel(),
            "n": np.full(layers.size, merged.count[m]),
            "mean": mean[m].ravel(),
            "spread": spread[m].ravel(),
            "mean_of_tokens": by_tokens[m].ravel(),
        }
        deciles = np.stack([bins.quantiles(c, _DECILES) for c in counts])
        columns |= {f"decile_{i + 1}": deciles[:, i] for i in range(len(_DECILES))}
        for column, values in columns.items():
            rows.setdefault(column, []).extend(values)
    return pa.table(rows)


def _rules(merged: Merged) -> pa.Table:
    """In how many texts each rule holds of each head, and how many can show it.

    ``even``: what even attention would give to the own sentence there.
    """
    rule, layer, head = np.indices(merged.held.shape).reshape(3, -1)
    could = merged.could[rule]
    beyond = np.array([one.beyond for one in RULES])
    even = merged.even[layer] / np.maximum(could, 1)
    return pa.table(
        {
            "layer": merged.layers[layer],
            "head": head,
            "rule": rule,
            "kind": pa.array([RULES[i].kind for i in rule.tolist()]),
            "held": merged.held.ravel(),
            "of": could,
            "even": np.where(beyond[rule] & (could > 0), even, np.nan),
        }
    )


def _histograms(merged: Merged) -> pa.Table:
    """How many texts have a value from ``low`` to ``high``: bins that are empty are left out."""
    m, layer, head, bin_ = np.nonzero(merged.counts)
    low = np.zeros(len(m))
    high = np.full(len(m), np.inf)
    for i, name in enumerate(NAMES):
        edges, some = MEASURES[name].bins.edges, m == i
        low[some] = np.concatenate([[0.0], edges])[bin_[some]]
        high[some] = np.concatenate([edges, [np.inf]])[bin_[some]]
    return pa.table(
        {
            "measure": pa.DictionaryArray.from_arrays(pa.array(m, pa.int32()), list(NAMES)),
            "layer": merged.layers[layer],
            "head": head,
            "low": low,
            "high": high,
            "count": merged.counts[m, layer, head, bin_],
        }
    )


def _distances(merged: Merged) -> pa.Table:
    """The share of all attention that goes from ``low`` to ``high`` tokens far."""
    layers, heads = _grid(merged)
    used = int(np.flatnonzero(merged.apart.any(axis=(0, 1))).max(initial=0)) + 1
    low = np.concatenate([[0], 2 ** np.arange(N_DISTANCES - 1)])[:used]
    high = np.concatenate([[0], 2 ** np.arange(1, N_DISTANCES) - 1])[:used]
    share = merged.apart[:, :, :used] / merged.n_tokens[0]
    return pa.table(
        {
            "layer": np.repeat(layers.ravel(), used),
            "head": np.repeat(heads.ravel(), used),
            "low": np.tile(low, layers.size),
            "high": np.tile(high, layers.size),
            "share": share.ravel(),
        }
    )


def _tokens(merged: Merged, shards: Sequence[SumsFile]) -> pa.Table:
    """The tokens that get most (``key``) and that look most at others (``query``)."""
    rows: dict[str, list[Any]] = {
        name: []
        for name in ("layer", "head", "side", "ranked", "place", "token", "n", "attention", "mean")
    }
    for i, number in enumerate(merged.layers.tolist()):
        found = tokens_of_layer(shards, i)
        for head in range(found.received.shape[1]):
            for side, got in (("key", found.received), ("query", found.given)):
                for by, order in _orders(found, got[:, head]):
                    _add(rows, (number, head, side, by), found, got[:, head], order)
    return pa.table(rows)


def _orders(found: Tokens, got: Any) -> Iterator[tuple[str, Any]]:
    """The first tokens by what all together got, and by what one did; in each case the sorted."""
    total = np.lexsort((np.arange(len(got)), -got))[:MOST_TOKENS]
    yield "total", total
    mean = np.where(found.seen >= _OFTEN, got / np.maximum(found.seen, 1), -1.0)
    order = np.lexsort((np.arange(len(got)), -mean))[:MOST_TOKENS]
    yield "mean", order[mean[order] >= 0]


def _add(rows: dict[str, list[Any]], at: Any, found: Tokens, got: Any, order: Any) -> None:
    number, head, side, by = at
    for place, token in enumerate(order.tolist()):
        seen = int(found.seen[token])
        values = (number, head, side, by, place, found.types[token], seen, float(got[token]))
        for column, value in zip(rows, (*values, float(got[token]) / seen), strict=True):
            rows[column].append(value)


def _examples(merged: Merged, by: str) -> pa.Table:
    """Texts of each decile of each measure, and those with the largest values of one.

    Decile 1 holds the smallest tenth of all texts. Of a decile the texts are those that were drawn
    by lot, the same for all heads as far as they can be.
    """
    deciles = deciles_of(merged)
    parts: list[dict[str, Any]] = []
    for layer in range(len(merged.layers)):
        for head in range(merged.apart.shape[1]):
            for m, name in enumerate(NAMES):
                values = merged.sample_values[:, m, layer, head]
                parts.append(
                    _of_head(merged, layer, head, name, deciles[name][:, layer, head], values)
                )
            parts.append(_top(merged, layer, head, by))
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    measures = pa.DictionaryArray.from_arrays(
        pa.array(columns.pop("measure"), pa.int32()), list(NAMES)
    )
    return pa.table({"measure": measures} | columns)


def _of_head(
    merged: Merged, layer: int, head: int, name: str, deciles: Any, values: Any
) -> dict[str, Any]:
    """The first texts of each decile of a measure, in the order of the lot."""
    at = np.concatenate([np.flatnonzero(deciles == d)[:EACH] for d in range(10)]).astype(np.intp)
    return {
        "measure": np.full(len(at), NAMES.index(name)),
        "layer": np.full(len(at), merged.layers[layer]),
        "head": np.full(len(at), head),
        "decile": deciles[at] + 1,
        "top": np.zeros(len(at), dtype=bool),
        "text": merged.sample[at],
        "value": values[at],
    }


def _top(merged: Merged, layer: int, head: int, by: str) -> dict[str, Any]:
    numbers = merged.top_number[layer, head]
    there = numbers >= 0
    n = int(there.sum())
    return {
        "measure": np.full(n, NAMES.index(by)),
        "layer": np.full(n, merged.layers[layer]),
        "head": np.full(n, head),
        "decile": np.full(n, 10),
        "top": np.ones(n, dtype=bool),
        "text": numbers[there],
        "value": merged.top[layer, head][there],
    }
