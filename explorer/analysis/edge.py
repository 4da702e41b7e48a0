"""Why this weight: the score of one edge as a sum over what both of its vectors are made of.

A score is scale · q·k, and q and k are linear in what their positions have been given: the words,
the positions, what each head and MLP of the layers below has written (Elhage et al. 2021), with the
norms on the way kept as they are. So the score is a sum over pairs of parts; each part's share on
either side is what the score would lose without it there.
"""

from dataclasses import dataclass

import numpy as np

from explorer.residual import Doubles, EdgeVectors, Part


@dataclass(frozen=True, eq=False)
class Why:
    """The score of one edge, taken apart.

    Attributes:
        parts: What the query's and the key's vectors are made of, on either side.
        as_query: What each part of the query's side gives to the score, with the whole key.
        as_key: What each part of the key's side gives, with the whole query.
        pairs: What each pair of parts gives, ``[part of the query, part of the key]``; all together
            are the score.
        bands: What each band of rotation gives, the fastest first, then what is not turned; None
            where nothing is turned.
        rest: What the sums miss: float32 sums in the model, float64 here.
        score: scale · q·k, as the model has it.
        added: What is added to that: by a bias of the distance, or by what a cap has bent.
    """

    query_parts: tuple[Part, ...]
    key_parts: tuple[Part, ...]
    as_query: Doubles
    as_key: Doubles
    pairs: Doubles
    bands: Doubles | None
    rest: float
    score: float
    added: float

    @property
    def ranked(self) -> list[tuple[str, Part, float]]:
        """Parts on either side by what they give, the strongest first: side, part, share."""
        both = [
            ("query", p, float(v)) for p, v in zip(self.query_parts, self.as_query, strict=True)
        ]
        both += [("key", p, float(v)) for p, v in zip(self.key_parts, self.as_key, strict=True)]
        return sorted(both, key=lambda one: -abs(one[2]))

    def strongest_pairs(self, count: int = 10) -> list[tuple[Part, Part, float]]:
        """The pairs of parts that give most, the strongest first."""
        order = np.argsort(-np.abs(self.pairs), axis=None, kind="stable")[:count]
        places = zip(*np.unravel_index(order, self.pairs.shape), strict=True)
        return [
            (self.query_parts[a], self.key_parts[b], float(self.pairs[a, b])) for a, b in places
        ]


def why(edge: EdgeVectors) -> Why:
    """The score of an edge as a sum over parts, over pairs of them, and over bands of rotation."""
    query, key = edge.query.sum(axis=0), edge.key.sum(axis=0)
    pairs: Doubles = edge.scale * edge.query @ edge.key.T
    bands = None
    if edge.bands is not None:
        each = edge.scale * query * key
        bands = np.array([each[list(band)].sum() for band in edge.bands])
    score = edge.score
    rest = score - float(pairs.sum())
    return Why(
        edge.query_parts,
        edge.key_parts,
        pairs.sum(axis=1),
        pairs.sum(axis=0),
        pairs,
        bands,
        rest,
        score,
        edge.shown - score,
    )
