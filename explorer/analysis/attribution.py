"""Direct logit attribution: what each part of a decoder writes towards a word (Elhage et al. 2021).

The stream behind the last layer is a sum of what embeddings, heads and MLPs have added; with what
the last norm divides by kept as it is, so is the logit. It is what each part says to the word
directly: what it says to later parts stands with those.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.residual import AtPosition, Part

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Attribution:
    """A logit, or the difference of two, as a sum.

    Attributes:
        parts: What has added something.
        values: What each gives to the logit, ``[part]``.
        constant: What is added in any case: by the shift of the norm and the bias of the word.
        rest: What the sum misses: float32 sums in the model, float64 here.
        logit: The model's own logit, or difference, before it is bent by a cap.
        shown: The same as the model gives it out, behind the cap.
    """

    parts: tuple[Part, ...]
    values: Doubles
    constant: float
    rest: float
    logit: float
    shown: float

    @property
    def ranked(self) -> list[tuple[Part, float]]:
        """The parts by what they give, the strongest first, whichever way it points."""
        order = np.argsort(-np.abs(self.values), kind="stable")
        return [(self.parts[i], float(self.values[i])) for i in order]

    def heads(self) -> dict[tuple[int, int], float]:
        """What each head gives, by layer and head."""
        both = zip(self.parts, self.values, strict=True)
        return {
            (p.layer, p.head): float(v)
            for p, v in both
            if p.layer is not None and p.head is not None
        }


def attribution(at: AtPosition, token: int = 0, other: int | None = None) -> Attribution:
    """What each part gives to a token's logit, or to its difference from another's.

    Args:
        at: A position's stream, with the tokens that are asked for.
        token: Which of those.
        other: The one that it is compared with.
    """
    direction, bias = at.directions[token], float(at.biases[token])
    logit, shown = float(at.raw[token]), float(at.logits[token])
    if other is not None:
        direction, bias = direction - at.directions[other], bias - float(at.biases[other])
        logit, shown = logit - float(at.raw[other]), shown - float(at.logits[other])
    seen = direction if at.norm is None else at.norm.seen_from(direction, at.position)
    values: Doubles = at.vectors @ seen
    constant = bias + (0.0 if at.norm is None else float(at.norm.shift @ direction))
    rest = logit - float(values.sum()) - constant
    return Attribution(at.parts, values, constant, rest, logit, shown)
