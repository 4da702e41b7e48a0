"""What the figures of the Article show beside attention: one entry for each.

What needs no model is at hand at once; the rest is computed in turn, once for a text.
"""

from collections.abc import Callable, Mapping

from explorer.instrument.wire.article import Fact, Facts
from explorer.run import Run
from explorer.scratch.articlefacts import kept_facts
from explorer.sources import Progress
from explorer.trace import AttentionTrace

FindFact = Callable[[Run, AttentionTrace, Progress], Fact]
"""Given the lesson's run, its trace, and who is told what is being done."""


def _head(run: Run, trace: AttentionTrace, progress: Progress) -> Fact:
    return Fact({"width": trace.model.d_model // trace.model.n_heads})


FACTS: Mapping[str, FindFact] = {"head": _head}
"""By the name under which a figure asks for it (`facts` of numbers/article.js)."""

AT_HAND: Mapping[str, Callable[[], Fact]] = {"corrections": lambda: Fact(kept_facts())}
"""Those that are the same for every text and take no time."""


def at_hand() -> dict[str, Fact]:
    """What a figure can show before any model is loaded."""
    return {name: find() for name, find in AT_HAND.items()}


def facts_of(run: Run, trace: AttentionTrace, progress: Progress) -> Facts:
    """All of them."""
    return at_hand() | {name: find(run, trace, progress) for name, find in FACTS.items()}
