"""What the figures of the Article show beside attention: one entry for each, computed in turn."""

from collections.abc import Callable, Mapping

from explorer.instrument.wire.article import Fact, Facts
from explorer.run import Run
from explorer.sources import Progress
from explorer.trace import AttentionTrace

FindFact = Callable[[Run, AttentionTrace, Progress], Fact]
"""Given the lesson's run, its trace, and who is told what is being done."""

FACTS: Mapping[str, FindFact] = {}
"""By the name under which a figure asks for it (`facts` of numbers/article.js)."""


def facts_of(run: Run, trace: AttentionTrace, progress: Progress) -> Facts:
    """All of them."""
    return {name: find(run, trace, progress) for name, find in FACTS.items()}
