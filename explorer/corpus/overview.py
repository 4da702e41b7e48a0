"""All heads of a folder at once, whether it is a reader's own or a tree of HeadVis."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer.corpus.folder import CorpusFolder
from explorer.corpus.headvis import HeadVisTree
from explorer.corpus.measures import MEASURES, NAMES
from explorer.corpus.merging import merge
from explorer.corpus.running import PASTED, read_about
from explorer.corpus.shards import SumsFile, is_whole
from explorer.corpus.texts import Troubles
from explorer.errors import ExplorerError
from explorer.language import t, tn
from explorer.layers import Doubles

_MOST_HEADS = 40_000


@dataclass(frozen=True, eq=False)
class Overview:
    """Every measure of every head, ``[measure, layer, head]``; NaN where there is no number.

    Attributes:
        model, corpus: Their names.
        names: The measures.
        units: Of each, empty where nobody says.
        layers: The model's own numbers of the layers.
        mean, spread: Over the texts that can show it; of a tree there is no spread.
        low, high: What a tenth of the texts has less than, and what a tenth has more than.
        n: How many texts these are, ``[measure]``; 0 where nobody says.
        n_texts, n_tokens: Of the corpus; 0 where nobody says.
        troubles: What was wrong with lines, in sentences.
    """

    model: str
    corpus: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    layers: tuple[int, ...]
    mean: Doubles
    spread: Doubles
    low: Doubles
    high: Doubles
    n: tuple[int, ...]
    n_texts: int = 0
    n_tokens: int = 0
    troubles: tuple[str, ...] = ()

    @property
    def n_heads(self) -> int:
        """Heads of each layer."""
        return int(self.mean.shape[2])


def overview(of: CorpusFolder | HeadVisTree) -> Overview:
    """All heads of a folder.

    Raises:
        ExplorerError: It is damaged, or says what cannot be.
    """
    return _of_tree(of) if isinstance(of, HeadVisTree) else _of_folder(of)


def _of_folder(folder: CorpusFolder) -> Overview:
    heads, about = folder.heads, folder.about
    known = [i for i in range(len(NAMES)) if heads.n[i] > 0]
    corpus = about["corpus"]
    return Overview(
        str(about["model"]["name"]),
        _called(corpus["file"]),
        tuple(NAMES[i] for i in known),
        tuple(MEASURES[NAMES[i]].unit for i in known),
        heads.layers,
        heads.mean[known],
        heads.spread[known],
        heads.deciles[known][..., 0],
        heads.deciles[known][..., 8],
        tuple(int(heads.n[i]) for i in known),
        int(corpus["n_texts"]),
        int(corpus["n_tokens"]),
        tuple(_troubles(corpus)),
    )


def _called(file: object) -> str:
    return t("pasted lines") if file == PASTED else str(file)


def _troubles(corpus: Mapping[str, Any]) -> Iterator[str]:
    """What was wrong with lines or texts, one kind a sentence."""
    wrong = Troubles.of(corpus.get("wrong"))
    unit = str(corpus.get("unit"))
    yield from wrong.sentences(unit) if wrong else map(str, corpus.get("troubles", ()))
    cut, refused = (int(corpus.get(name, 0)) for name in ("n_cut", "n_refused"))
    if cut:
        n = f"{cut:,}"
        yield tn(
            "One text was longer than what is read of it.",
            "{said} texts were longer than what is read of them.",
            cut,
            said=n,
        )
    if refused:
        why = " ".join(map(str, corpus.get("refused", ())))
        yield tn(
            "One text could not be read. {why}",
            "{said} texts could not be read. {why}",
            refused,
            said=f"{refused:,}",
            why=why,
        )


def overview_so_far(folder: Path) -> Overview | None:
    """All heads over what is read so far of a run that is not whole; None while that is nothing.

    Raises:
        ExplorerError: It is no folder of a run.
    """
    about = read_about(folder)
    paths = [p for p in sorted((folder / "shards").glob("*.parquet")) if is_whole(p)]
    files = [file for file in map(SumsFile, paths) if not file.empty]
    if not files:
        return None
    merged = merge(files)
    known = [i for i in range(len(NAMES)) if merged.count[i] > 0]
    mean = merged.mean[known]
    unknown = np.full_like(mean, math.nan)
    return Overview(
        str(about["model"]["name"]),
        _called(about["corpus"]["file"]),
        tuple(NAMES[i] for i in known),
        tuple(MEASURES[NAMES[i]].unit for i in known),
        tuple(int(number) for number in merged.layers),
        mean,
        merged.spread[known],
        unknown,
        unknown,
        tuple(int(merged.count[i]) for i in known),
        int(merged.n_texts[0]),
        int(merged.n_tokens[0]),
    )


def _of_tree(tree: HeadVisTree) -> Overview:
    layers = sorted({layer for layer, _ in tree.places})
    n_heads = 1 + max(head for _, head in tree.places)
    if len(layers) * n_heads > _MOST_HEADS:
        raise ExplorerError(
            t(
                "This tree names a head {head} in {layers} layers: more heads than any model "
                "has that is shown here.",
                head=f"{n_heads - 1:,}",
                layers=f"{len(layers):,}",
            )
        )
    names = tuple(tree.metrics)
    mean = np.full((len(names), len(layers), n_heads), math.nan)
    at = [(layers.index(layer), head) for layer, head in tree.places]
    for m, name in enumerate(names):
        for (i, head), value in zip(at, tree.metrics[name], strict=True):
            mean[m, i, head] = value
    nothing = np.full_like(mean, math.nan)
    unsaid = ("",) * len(names)
    sizes = (0,) * len(names)
    return Overview(
        tree.model,
        tree.corpus,
        names,
        unsaid,
        tuple(layers),
        mean,
        nothing,
        nothing,
        nothing,
        sizes,
    )
