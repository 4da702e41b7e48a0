"""The pieces of work that a page asks the desk for, and how each is done."""

from dataclasses import dataclass
from typing import Any

from explorer.run import Run
from explorer.source import Embedded, Hub, Trained, model_of
from explorer.sources import Progress, trace_run


@dataclass(frozen=True)
class Walking:
    """One layer of a run, number by number.

    Attributes:
        run: The run.
        layer: The layer, from 0; the nearest that there is.
        positions: Whether the tokens are told their positions.
        backwards: Whether the words are read in reverse order.
    """

    run: Run
    layer: int
    positions: bool = True
    backwards: bool = False


@dataclass(frozen=True)
class Checking:
    """The from-scratch layer with the model's weights against the model, layer by layer."""

    run: Run


@dataclass(frozen=True)
class Measuring:
    """An experiment: the cost of length, measured anew for every name; without one, saturation."""

    name: str | None = None


@dataclass(frozen=True)
class Learning:
    """A training up to a step. It ends when nobody has looked for a while."""

    lesson: Trained


@dataclass(frozen=True)
class Filming:
    """A sequence run through a training as far as it has come.

    Attributes:
        lesson: The training.
        text: The sequence; None for one that was held out.
    """

    lesson: Trained
    text: str | None


@dataclass(frozen=True)
class Comparing:
    """Two runs, head against head."""

    a: Run
    b: Run


Work = Run | Walking | Checking | Measuring | Learning | Filming | Comparing


def do(work: Work, progress: Progress) -> Any:
    """Do a piece of work.

    Raises:
        ExplorerError: It cannot be done; the sentence says why.
    """
    if isinstance(work, Run):
        return trace_run(work, progress)
    if isinstance(work, Walking):
        from explorer.sources.walks import Twist, walk_run

        return walk_run(work.run, work.layer, Twist(work.positions, work.backwards), progress)
    if isinstance(work, Comparing):
        from explorer.analysis.comparison import compare

        return compare(trace_run(work.a, progress), trace_run(work.b, progress), progress)
    if isinstance(work, Learning | Filming):
        return _learn_or_film(work, progress)
    if isinstance(work, Measuring):
        from explorer.scratch.experiments import measure_cost, measure_saturation

        return measure_cost(progress) if work.name else measure_saturation()
    from explorer.sources.loading import load_model
    from explorer.sources.transplanted import check_transplant

    model = model_of(work.run.source) or Embedded()
    return check_transplant(load_model(model, progress), work.run.texts)


def _learn_or_film(work: Learning | Filming, progress: Progress) -> Any:
    from explorer.sources import trained

    if isinstance(work, Filming):
        progress("Running the sequence through every step", None)
        text = work.text or trained.example_text(work.lesson)
        return trained.film(work.lesson, text)
    progress("Starting PyTorch", None)
    return trained.learned(work.lesson, progress)[0]


def is_kept(work: Work) -> bool:
    """Whether the result stays true. What a training has come to does not, and it is kept there."""
    return not isinstance(work, Learning | Filming)


def queue_of(work: Work) -> str:
    """Where a piece of work waits: for the processor, the network, or a training."""
    if isinstance(work, Learning):
        return "training"
    if isinstance(work, Measuring | Filming):
        return "compute"
    if isinstance(work, Comparing):
        queues = [queue_of(work.a), queue_of(work.b)]
        return next((name for name in ("network", "training") if name in queues), "compute")
    source = work.source if isinstance(work, Run) else work.run.source
    if isinstance(model_of(source), Hub):
        return "network"
    return "training" if isinstance(source, Trained) else "compute"
