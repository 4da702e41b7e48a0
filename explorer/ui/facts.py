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


def _layers(run: Run, trace: AttentionTrace, progress: Progress) -> Fact:
    """Every layer's own numbers, and our layer's attention where nobody has trained it."""
    from explorer.sources.articlelayers import layer_arrays, random_weights

    found = layer_arrays(run, trace.numbers, progress)
    return Fact({}, found | {"noise": random_weights(found["x"], trace.model.n_heads)})


def _agreement(run: Run, trace: AttentionTrace, progress: Progress) -> Fact:
    """Our layer with the model's weights against the model."""
    from explorer.sources.articlelayers import agreement

    found = agreement(run, progress)
    return Fact({"layers": [[one.layer, one.weights, one.output, one.size] for one in found]})


def _example(run: Run, trace: AttentionTrace, progress: Progress) -> Fact:
    """The article's own example, run."""
    from explorer.sources.articlelayers import SIZES, example_arrays

    return Fact({"sizes": SIZES}, example_arrays())


def _lines() -> Fact:
    """The article's module beside ours."""
    from explorer.scratch.articlelines import lines

    return Fact({"steps": [[one.step, one.article, one.ours] for one in lines()]})


def _head(run: Run, trace: AttentionTrace, progress: Progress) -> Fact:
    return Fact({"width": trace.model.d_model // trace.model.n_heads})


FACTS: Mapping[str, FindFact] = {
    "head": _head,
    "layers": _layers,
    "agreement": _agreement,
    "example": _example,
}
"""By the name under which a figure asks for it (`facts` of numbers/article.js)."""

AT_HAND: Mapping[str, Callable[[], Fact]] = {
    "lines": _lines,
    "corrections": lambda: Fact(kept_facts()),
}
"""Those that are the same for every text and take no time."""


def at_hand() -> dict[str, Fact]:
    """What a figure can show before any model is loaded."""
    return {name: find() for name, find in AT_HAND.items()}


def facts_of(run: Run, trace: AttentionTrace, progress: Progress) -> Facts:
    """All of them."""
    return at_hand() | {name: find(run, trace, progress) for name, find in FACTS.items()}
