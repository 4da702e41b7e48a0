"""The logit lens: what a decoder would predict if it ended after each layer (nostalgebraist 2020).

The vector behind each layer is read as if it were the last: through the last norm and the table of
words. Layers were not trained for that, so early ones are often far off.
"""

import numpy as np
import numpy.typing as npt

from explorer.prediction import Logits, likeliest, log_softmax

Doubles = npt.NDArray[np.float64]


def top_of(logits: Logits, count: int) -> tuple[npt.NDArray[np.intp], Doubles]:
    """The likeliest tokens and their probabilities, of each row, the likeliest first.

    Args:
        logits: ``[row, vocabulary]``.
        count: How many.

    Returns:
        Numbers and probabilities, ``[row, rank]``.
    """
    ids = np.stack([likeliest(row, count) for row in logits])
    return ids, np.stack([_chances(row, some) for row, some in zip(logits, ids, strict=True)])


def _chances(row: Logits, ids: npt.NDArray[np.intp]) -> Doubles:
    found: Doubles = np.exp(log_softmax(row)[ids])
    return found


def followed(logits: Logits, token: int) -> tuple[Doubles, npt.NDArray[np.intp]]:
    """One token's probability in each row, ``[row]``, and how many are likelier."""
    chances = np.array([np.exp(log_softmax(row)[token]) for row in logits])
    ranks = (logits > logits[:, token, None]).sum(axis=-1)
    return chances, ranks
