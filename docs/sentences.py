"""The corpus that comes with the app, read anew and written small: `make sentences`.

All figures are those of the run; what is left out is examples beyond the first of each decile, all
but the strongest weights, and most of what was drawn.
"""

import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from explorer.corpus.engines import engine_of
from explorer.corpus.running import RUN, Settings, run
from explorer.corpus.sentences import MANY, sentences
from explorer.corpus.shards import put
from explorer.corpus.shelf import SHIPPED_FOLDER as OUT
from explorer.corpus.texts import Corpus

_TOKENS, _WEIGHTS, _DRAWN = 20, 16, 32
_LISTS = ("query", "key", "weight")


def main() -> None:
    with TemporaryDirectory() as place:
        folder = Path(place) / "sentences"
        engine = engine_of(2, None)
        try:
            run(Corpus(None, lines=sentences(MANY)), folder, Settings("bert"), engine)
        finally:
            engine.close()
        write(folder, OUT)


def write(folder: Path, out: Path) -> None:
    """Write a folder of a run small."""
    tables = {path.stem: pq.read_table(path) for path in folder.glob("*.parquet")}
    examples = _first_of_each(tables["examples"])
    shown = examples["text"].unique()
    tables["examples"] = examples
    tables["tokens"] = tables["tokens"].filter(pc.less(tables["tokens"]["place"], _TOKENS))
    tables["pairs"] = _of_examples(tables["pairs"], examples)
    tables["shown"] = tables["shown"].filter(pc.is_in(tables["shown"]["number"], shown))
    tables["drawn"] = tables["drawn"].slice(0, _DRAWN)
    for name, table in tables.items():
        file = io.BytesIO()
        pq.write_table(
            table,
            file,
            row_group_size=4096,
            compression="zstd",
            compression_level=19,
            write_page_checksum=True,
        )
        put(out / f"{name}.parquet", file.getvalue())
    put(out / RUN, (folder / RUN).read_bytes())


def _first_of_each(examples: pa.Table) -> pa.Table:
    """The first text of each decile of each measure and head, and those with the largest values."""
    seen, kept = set(), []
    names = ("measure", "layer", "head", "decile", "top")
    for *key, top in zip(*(examples[name].to_pylist() for name in names), strict=True):
        kept.append(top or tuple(key) not in seen)
        if not top:
            seen.add(tuple(key))
    return examples.filter(pa.array(kept))


def _of_examples(pairs: pa.Table, examples: pa.Table) -> pa.Table:
    """The strongest weights of each head in its examples."""
    names = ("layer", "head", "text")
    wanted = set(zip(*(examples[name].to_pylist() for name in names), strict=True))
    kept = [at in wanted for at in zip(*(pairs[name].to_pylist() for name in names), strict=True)]
    pairs = pairs.filter(pa.array(kept))
    lists = [pairs[name].to_pylist() for name in _LISTS]
    places = [_strongest_of(query, key) for query, key, _ in zip(*lists, strict=True)]
    for name, of in zip(_LISTS, lists, strict=True):
        kept_of = [[row[i] for i in at] for row, at in zip(of, places, strict=True)]
        cut = pa.array(kept_of, pairs[name].type)
        pairs = pairs.set_column(pairs.schema.get_field_index(name), name, cut)
    return pairs


def _strongest_of(query: list[int], key: list[int]) -> list[int]:
    """Which weights are kept: the strongest of those of the first token, and of all others."""
    inner = [q > 0 and k > 0 for q, k in zip(query, key, strict=True)]
    of_kind = [[i for i, one in enumerate(inner) if one is kind] for kind in (True, False)]
    return sorted(i for places in of_kind for i in places[: _WEIGHTS // 2])


if __name__ == "__main__":
    main()
