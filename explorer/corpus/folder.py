"""A folder of a run, as a page or a reader asks it: all heads, one head, its examples.

Nothing is computed here that was not measured: tables are read, by DuckDB, a head at a time.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.corpus.measures import MEASURES, NAMES
from explorer.corpus.rules import RULES, Held
from explorer.corpus.running import RUN, read_about
from explorer.corpus.shards import texts_in
from explorer.corpus.texts import Text
from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import Doubles
from explorer.once import once
from explorer.visible import visible

_TABLES = (
    "heads",
    "histograms",
    "distances",
    "tokens",
    "examples",
    "pairs",
    "shown",
    "drawn",
    "rules",
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A folder that can be opened.

    Attributes:
        path: Where it is.
        model: The model's name.
        corpus: The file that was read.
        n_texts: How many texts were.
        complete: Whether all of them were; only then can it be opened.
    """

    path: Path
    model: str
    corpus: str
    n_texts: int
    complete: bool


def folders_below(places: Sequence[str]) -> list[Listed]:
    """The folders of runs in some places, and one level below them, by name.

    Args:
        places: Folders, as ``EXPLORER_MODEL_DIRS`` names them.
    """
    found: dict[Path, Listed] = {}
    for place in places:
        top = Path(place).expanduser()
        try:
            inside = [top, *(Path(entry) for entry in os.scandir(top) if entry.is_dir())]
        except OSError:
            continue
        for path in inside:
            if (path / RUN).is_file():
                try:
                    about = read_about(path)
                except ExplorerError:
                    continue
                corpus = about["corpus"]
                found[path.resolve()] = Listed(
                    path,
                    str(about["model"].get("name")),
                    str(corpus.get("file")),
                    int(corpus.get("n_texts", 0)),
                    bool(about.get("complete")),
                )
    return sorted(found.values(), key=lambda listed: listed.path.name)


@dataclass(frozen=True, eq=False)
class AllHeads:
    """Every measure of every head over the corpus, ``[measure, layer, head]``.

    Attributes:
        layers: The model's own numbers of the layers.
        mean, spread: Over the texts that can show it; NaN where none can.
        n: How many texts these are, ``[measure]``.
        deciles: The nine values between tenths of these texts, ``[measure, layer, head, 9]``.
    """

    layers: tuple[int, ...]
    mean: Doubles
    spread: Doubles
    n: npt.NDArray[np.int64]
    deciles: Doubles


@dataclass(frozen=True, slots=True)
class Example:
    """A text in which a head does something.

    Attributes:
        number: The text's.
        parts: The text, and its second one.
        tokens: As the model read it.
        value: What was measured in it.
        decile: 1 for the smallest tenth of all texts, 10 for the largest.
        top: Whether it is one of the few with the largest values.
        pairs: The head's strongest weights: query, key, weight; the strongest first.
    """

    number: int
    parts: tuple[str, ...]
    tokens: tuple[str, ...]
    value: float
    decile: int
    top: bool
    pairs: tuple[tuple[int, int, float], ...]


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A token that a head looks at, or that looks.

    Attributes:
        token: Its text.
        n: How often it was there.
        attention: What it got, or gave to other ordinary tokens, over all texts.
        mean: The same for one occurrence: 1 is what each would get if all got the same.
    """

    token: str
    n: int
    attention: float
    mean: float


@dataclass(frozen=True, slots=True)
class Like:
    """A head that is like another.

    Attributes:
        layer, head: Which.
        apart: How far they are apart: the root of the mean squared difference of all measures,
            each in standard deviations over heads.
    """

    layer: int
    head: int
    apart: float


class CorpusFolder:
    """A folder of a complete run.

    Args:
        path: Where it is.

    Attributes:
        about: What its ``run.json`` says.

    Raises:
        ExplorerError: It is none, or not complete, or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.about = path, read_about(path)
        if not self.about.get("complete"):
            raise ExplorerError(
                t(
                    "The run in “{name}” was stopped before its end. Go on with it: the "
                    "command that began it does.",
                    name=visible(path.name),
                )
            )
        lacking = [name for name in _TABLES if not (path / f"{name}.parquet").is_file()]
        if lacking:
            raise ExplorerError(
                t(
                    "“{name}” lacks {lacking}.parquet. Run its command again: the tables "
                    "are made anew of its shards.",
                    name=visible(path.name),
                    lacking=lacking[0],
                )
            )

    @once
    def _asked(self) -> Any:
        import duckdb

        return duckdb.connect(":memory:", config={"threads": 2})

    def _rows(self, table: str, where: str = "true", given: Sequence[Any] = ()) -> list[Any]:
        """Rows of a table as dicts.

        Raises:
            ExplorerError: The table is damaged.
        """
        import duckdb

        file = self.path / f"{table}.parquet"
        try:
            with self._asked.cursor() as asked:
                found = asked.execute(
                    f"SELECT * FROM read_parquet(?) WHERE {where}", [str(file), *given]
                )
                names = [column[0] for column in found.description]
                return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        except duckdb.Error as error:
            raise self._damaged(table) from error

    def _arrays(self, table: str) -> dict[str, Any]:
        """The columns of a whole table.

        Raises:
            ExplorerError: The table is damaged.
        """
        import duckdb

        try:
            with self._asked.cursor() as asked:
                file = str(self.path / f"{table}.parquet")
                found: dict[str, Any] = asked.execute(
                    "SELECT * FROM read_parquet(?)", [file]
                ).fetchnumpy()
                return found
        except duckdb.Error as error:
            raise self._damaged(table) from error

    def _damaged(self, table: str) -> ExplorerError:
        return ExplorerError(
            t(
                "{table}.parquet of “{name}” is damaged. Run its command again: the "
                "tables are made anew of its shards.",
                table=table,
                name=visible(self.path.name),
            )
        )

    @property
    def chat(self) -> bool:
        """Whether its texts were read as conversations."""
        return self.about.get("chat") is True

    def texts(self) -> Iterator[Text]:
        """All texts of the corpus that were read, in order, a shard at a time.

        Raises:
            ExplorerError: A file of them is damaged.
        """
        for path in sorted((self.path / "texts").glob("*.parquet")):
            yield from texts_in(path, self.chat)

    def text(self, number: int) -> Text:
        """One text of the corpus.

        Raises:
            ExplorerError: There is none of this number, or its file is damaged.
        """
        for text in self._shown(number) or self.texts():
            if text.number == number:
                return text
        raise ExplorerError(
            t("There is no text {number} in “{name}”.", number=number, name=visible(self.path.name))
        )

    def _shown(self, number: int) -> list[Text]:
        rows = self._rows("shown", "number = ?", [number])
        return [Text(number, _parts(row), self.chat) for row in rows]

    @property
    def layers(self) -> tuple[int, ...]:
        """The model's own numbers of the layers."""
        return tuple(self.about["layers"])

    @property
    def n_heads(self) -> int:
        """Heads of each layer."""
        return int(self.about["n_heads"])

    def check(self, layer: int, head: int, measure: str = NAMES[0]) -> None:
        """Refuse a head or a measure that is not there.

        Raises:
            ExplorerError: It is not.
        """
        if layer not in self.layers or not 0 <= head < self.n_heads:
            raise ExplorerError(
                t(
                    "There is no head L{layer}·H{head} in “{name}”: it has {n} layers of "
                    "{n_heads} heads.",
                    layer=layer,
                    head=head,
                    name=visible(self.path.name),
                    n=len(self.layers),
                    n_heads=self.n_heads,
                )
            )
        if measure not in MEASURES:
            raise ExplorerError(
                t(
                    "“{visible}” is no measure. There are: {join}.",
                    visible=visible(measure[:40]),
                    join=", ".join(NAMES),
                )
            )

    @once
    def heads(self) -> AllHeads:
        """Every measure of every head: what a map or a scatter of all heads shows."""
        shape = (len(NAMES), len(self.layers), self.n_heads)
        mean, spread = np.full(shape, np.nan), np.full(shape, np.nan)
        deciles, n = np.full((*shape, 9), np.nan), np.zeros(len(NAMES), dtype=np.int64)
        found = self._arrays("heads")
        at = (
            np.array([NAMES.index(name) for name in found["measure"].tolist()]),
            np.searchsorted(self.layers, found["layer"]),
            found["head"],
        )
        mean[at], spread[at], n[at[0]] = found["mean"], found["spread"], found["n"]
        for i in range(9):
            deciles[(*at, i)] = found[f"decile_{i + 1}"]
        return AllHeads(self.layers, mean, spread, n, deciles)

    def means_of_tokens(self) -> dict[str, dict[tuple[int, int], float]]:
        """By measure and head the mean where each text counts as often as it has tokens."""
        found: dict[str, dict[tuple[int, int], float]] = {name: {} for name in NAMES}
        for row in self._rows("heads"):
            found[row["measure"]][row["layer"], row["head"]] = row["mean_of_tokens"]
        return found

    def histogram(self, layer: int, head: int, measure: str) -> list[tuple[float, float, int]]:
        """How many texts have a value from one number to another; bins without any are left out.

        Raises:
            ExplorerError: There is no such head or measure.
        """
        self.check(layer, head, measure)
        where = "measure = ? AND layer = ? AND head = ? ORDER BY low"
        rows = self._rows("histograms", where, [measure, layer, head])
        return [(row["low"], row["high"], row["count"]) for row in rows]

    def histograms(self, layer: int, head: int) -> dict[str, list[tuple[float, float, int]]]:
        """The histograms of all measures of a head, as `histogram` has one.

        Raises:
            ExplorerError: There is no such head.
        """
        self.check(layer, head)
        found: dict[str, list[tuple[float, float, int]]] = {}
        for row in self._rows("histograms", "layer = ? AND head = ? ORDER BY low", [layer, head]):
            bins = found.setdefault(row["measure"], [])
            bins.append((row["low"], row["high"], row["count"]))
        return found

    def distances(self, layer: int, head: int) -> list[tuple[int, int, float]]:
        """The share of all its attention that goes from so many to so many tokens far.

        Raises:
            ExplorerError: There is no such head.
        """
        self.check(layer, head)
        rows = self._rows("distances", "layer = ? AND head = ? ORDER BY low", [layer, head])
        return [(row["low"], row["high"], row["share"]) for row in rows]

    def tokens(self, layer: int, head: int, side: str, by: str = "total") -> list[LookedAt]:
        """The tokens that a head looks at most, or that look most at others.

        Args:
            layer: The layer's own number.
            head: The head.
            side: ``key`` for those that are looked at, ``query`` for those that look.
            by: ``total`` for what all occurrences got together, ``mean`` for what one did.

        Raises:
            ExplorerError: There is no such head.
        """
        self.check(layer, head)
        where = "layer = ? AND head = ? AND side = ? AND ranked = ? ORDER BY place"
        rows = self._rows("tokens", where, [layer, head, side, by])
        return [LookedAt(r["token"], r["n"], r["attention"], r["mean"]) for r in rows]

    def examples(self, layer: int, head: int, measure: str) -> list[Example]:
        """Texts by decile of a measure, the largest decile first.

        Raises:
            ExplorerError: There is no such head or measure.
        """
        self.check(layer, head, measure)
        where = "measure = ? AND layer = ? AND head = ? ORDER BY top DESC, decile DESC, value DESC"
        rows = self._rows("examples", where, [measure, layer, head])
        if not rows:
            return []
        numbers = sorted({row["text"] for row in rows})
        among = ", ".join("?" * len(numbers))
        shown = {r["number"]: r for r in self._rows("shown", f"number IN ({among})", numbers)}
        where = f"layer = ? AND head = ? AND text IN ({among})"
        pairs = {
            row["text"]: tuple(zip(row["query"], row["key"], row["weight"], strict=True))
            for row in self._rows("pairs", where, [layer, head, *numbers])
        }
        return [_example(row, shown[row["text"]], pairs.get(row["text"], ())) for row in rows]

    def like(
        self, layer: int, head: int, other: "CorpusFolder | None" = None, most: int = 8
    ) -> list[Like]:
        """The heads that do most nearly the same over the corpus.

        Args:
            layer: The layer's own number.
            head: The head.
            other: Another model's folder, whose heads are meant.
            most: How many.

        Raises:
            ExplorerError: There is no such head.
        """
        self.check(layer, head)
        there = other or self
        mine, theirs = self.heads.mean, there.heads.mean
        size = _spread_over_heads(*(means.reshape(len(NAMES), -1) for means in (mine, theirs)))
        own = mine[:, self.layers.index(layer), head]
        off = (theirs - own[:, None, None]) / np.where(size > 0, size, np.inf)[:, None, None]
        apart = np.sqrt(np.nanmean(off**2, axis=0))
        if other is None:
            apart[self.layers.index(layer), head] = np.inf
        order = np.argsort(apart, axis=None, kind="stable")[:most]
        places = [divmod(int(at), there.n_heads) for at in order]
        return [
            Like(there.layers[i], h, float(apart[i, h])) for i, h in places if apart[i, h] < np.inf
        ]

    def rules(self, layer: int, head: int) -> list[Held]:
        """In how many texts each rule holds of a head.

        Raises:
            ExplorerError: There is no such head.
        """
        self.check(layer, head)
        rows = self._rows("rules", "layer = ? AND head = ? ORDER BY rule", [layer, head])
        return [Held(RULES[r["rule"]], r["held"], r["of"], r["even"]) for r in rows]

    @once
    def drawn(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """The texts that were drawn by lot: their numbers, and what was measured in them.

        Returns:
            ``[text]`` and ``[text, measure, layer, head]``.
        """
        rows = self._rows("drawn")
        shape = (len(rows), len(NAMES), len(self.layers), self.n_heads)
        values = np.array([row["values"] for row in rows], dtype=np.float32).reshape(shape)
        return np.array([row["text"] for row in rows], dtype=np.int64), values

    def close(self) -> None:
        """Let go of the files."""
        if "_asked" in vars(self):
            self._asked.close()


def _parts(shown: Any) -> tuple[str, ...]:
    return (shown["text"],) if shown["second"] is None else (shown["text"], shown["second"])


def _spread_over_heads(*means: Doubles) -> Doubles:
    """The standard deviation of each measure over all heads; 0 where no text could show it.

    Args:
        means: Of each folder ``[measure, head]``.
    """
    flat = np.concatenate(means, axis=1)
    known = ~np.isnan(flat).any(axis=1)
    found = np.zeros(len(flat))
    found[known] = flat[known].std(axis=1)
    return found


def _example(row: Any, shown: Any, pairs: tuple[tuple[int, int, float], ...]) -> Example:
    return Example(
        row["text"],
        _parts(shown),
        tuple(shown["tokens"]),
        row["value"],
        row["decile"],
        row["top"],
        pairs,
    )
