"""What heads do on a text, in numbers (Clark, Khandelwal, Levy, Manning 2019)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.analysis.detectors import detectors
from explorer.errors import ExplorerError
from explorer.trace import AttentionTrace, Weights

Doubles = npt.NDArray[np.float64]
_TINY = np.float32(1e-38)  # keeps the logarithm finite at 0, where its product is 0 anyway

ENTROPY, EVENNESS, SHARPNESS = "entropy", "evenness", "sharpness"
DISTANCE, COLUMN = "distance", "column"


@dataclass(frozen=True, eq=False)
class HeadProfiles:
    """The profile of every head on one text.

    Attributes:
        measures: By name, ``[layer, head]``. ``entropy`` (bits, mean over rows), ``evenness``
            (entropy as a share of the possible log2 n, 0 to 1), ``distance`` (mean of |i − j|, in
            tokens), ``sharpness`` (mean of the row maximum; Voita et al. 2019), ``column`` (the
            largest share that one token gets of all attention), and the share of attention on
            every pattern of `detectors` that the text can show.
        sinks: The position of the token that gets that largest share, ``[layer, head]``.
    """

    measures: Mapping[str, Doubles]
    sinks: npt.NDArray[np.int64]


def head_profiles(trace: AttentionTrace) -> HeadProfiles:
    """Profile every head of a trace of self-attention.

    Cost: layer × head × query × key, each weight read about four times.

    Raises:
        ExplorerError: Queries and keys are different texts.
    """
    if trace.query_tokens != trace.key_tokens:
        raise ExplorerError(
            "Heads are profiled on self-attention: queries and keys are the same. Of an "
            "encoder-decoder choose Encoder or Decoder on Explore first."
        )
    n = len(trace.key_tokens)
    found = detectors(trace.key_tokens)
    apart = np.abs(np.subtract.outer(np.arange(n), np.arange(n))).astype(np.float32)
    maps = [d.map / np.float32(d.queries.sum()) for d in found.values()]
    # One product of matrices reads the weights once for all patterns.
    factors = np.stack([apart / n, *maps]).reshape(len(maps) + 1, -1).T.astype(np.float32)
    shares, bits, sharp, columns = [], [], [], []
    for layer in trace.weights:
        shares.append(layer.reshape(len(layer), -1) @ factors)
        bits.append(row_entropy(layer).mean(axis=-1, dtype=np.float64))
        sharp.append(layer.max(axis=-1).mean(axis=-1, dtype=np.float64))
        columns.append(layer.mean(axis=1, dtype=np.float64))
    column = np.stack(columns)
    shared = np.stack(shares).astype(np.float64)
    entropy_ = np.stack(bits)
    measures = {
        ENTROPY: entropy_,
        EVENNESS: entropy_ / np.log2(n) if n > 1 else np.zeros_like(entropy_),
        DISTANCE: shared[..., 0],
        SHARPNESS: np.stack(sharp),
        COLUMN: column.max(axis=-1),
    }
    measures |= {name: shared[..., i + 1] for i, name in enumerate(found)}
    return HeadProfiles(measures, column.argmax(axis=-1))


@dataclass(frozen=True, eq=False)
class PooledProfiles:
    """Profiles over several texts.

    Attributes:
        mean: By name, ``[layer, head]``, over the texts that can show the measure.
        spread: The standard deviation over these texts (of the sample); 0 for a single one.
        n_texts: By name, how many texts these are.
    """

    mean: Mapping[str, Doubles]
    spread: Mapping[str, Doubles]
    n_texts: Mapping[str, int]


def pool(profiles: Sequence[HeadProfiles]) -> PooledProfiles:
    """Mean and spread of every measure over texts."""
    names = dict.fromkeys(name for p in profiles for name in p.measures)
    stacks = {
        name: np.stack([p.measures[name] for p in profiles if name in p.measures]) for name in names
    }
    return PooledProfiles(
        {name: s.mean(axis=0) for name, s in stacks.items()},
        {name: s.std(axis=0, ddof=min(1, len(s) - 1)) for name, s in stacks.items()},
        {name: len(s) for name, s in stacks.items()},
    )


def row_entropy(rows: Weights) -> Weights:
    """−Σ p log2 p of each row, in bits where the row sums to 1.

    Args:
        rows: ``[..., key]``.
    """
    # The natural logarithm is the one that numpy computes fastest.
    nats = -np.einsum("...j,...j->...", rows, np.log(rows + _TINY))
    bits: Weights = nats / np.float32(np.log(2))
    return bits


def entropy(weights: Weights) -> Doubles:
    """Entropy of a row, in bits, the mean over the rows: 0 for one key, log2 n for all alike.

    Args:
        weights: ``[layer, head, query, key]``.

    Returns:
        ``[layer, head]``.
    """
    return np.stack([row_entropy(w).mean(axis=-1, dtype=np.float64) for w in weights])
