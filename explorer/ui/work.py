"""The pieces of work that a page asks the desk for, and how each is done."""

from dataclasses import dataclass
from typing import Any, Literal

from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import Embedded, Hub, Trained, model_of
from explorer.sources import Progress, absent_model, silent, trace_run
from explorer.target import ClassScore, MaskedWord, Target


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


@dataclass(frozen=True)
class Surveying:
    """All heads of a run profiled and placed.

    Attributes:
        run: The run.
        by_line: Whether every line is a text of its own.
    """

    run: Run
    by_line: bool

    @property
    def runs(self) -> list[Run]:
        return self.run.by_line() if self.by_line else [self.run]


@dataclass(frozen=True)
class Finding:
    """How all heads look from some words to others.

    Attributes:
        among: The texts.
        pairs: For each pair its text, the position that looks, and the one looked at.
    """

    among: Surveying
    pairs: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Explaining:
    """One output of a run, explained by every method.

    Attributes:
        run: The run.
        target: The output.
        how: How words are taken away, ``mask`` or ``drop``.
        by_word: Whether a word's pieces count as one.
        whole_flow: Whether attention flow is computed however long it takes.
    """

    run: Run
    target: Target
    how: Literal["mask", "drop"] = "mask"
    by_word: bool = True
    whole_flow: bool = False


@dataclass(frozen=True)
class Changing:
    """A run's target, and what it predicts, with some heads off and some positions gone."""

    run: Run
    target: Target
    off: frozenset[tuple[int, int]]
    gone: frozenset[int]
    how: Literal["mask", "drop"]


@dataclass(frozen=True)
class Sizing:
    """How large a model of the hub is."""

    model: Hub


@dataclass(frozen=True)
class Fetching:
    """The files of a model of the hub, onto this machine."""

    model: Hub


Work = (
    Run
    | Walking
    | Checking
    | Measuring
    | Learning
    | Filming
    | Comparing
    | Surveying
    | Finding
    | Explaining
    | Changing
    | Sizing
    | Fetching
)


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
    if isinstance(work, Surveying | Finding):
        return _survey_or_find(work, progress)
    if isinstance(work, Explaining | Changing):
        return _explain_or_change(work, progress)
    if isinstance(work, Learning | Filming):
        return _learn_or_film(work, progress)
    if isinstance(work, Sizing | Fetching):
        from explorer.sources.download import hub_folder, hub_size

        return (hub_size if isinstance(work, Sizing) else hub_folder)(work.model, progress)
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


def _survey_or_find(work: Surveying | Finding, progress: Progress) -> Any:
    if isinstance(work, Surveying):
        from explorer.analysis.survey import survey

        runs = work.runs
        return survey((trace_run(run, silent) for run in runs), len(runs), progress)
    from explorer.analysis.finder import find_pairs
    from explorer.analysis.groups import word_of

    runs = work.among.runs
    traces = {text: trace_run(runs[text], progress) for text, _, _ in work.pairs}
    return find_pairs(
        [
            (
                traces[text].weights,
                word_of(traces[text].key_tokens, query),
                word_of(traces[text].key_tokens, key),
            )
            for text, query, key in work.pairs
        ]
    )


def _explain_or_change(work: Explaining | Changing, progress: Progress) -> Any:
    from explorer.sources.insides import read_insides
    from explorer.sources.probe import probe

    asked = probe(work.run, work.target, progress)
    predicts = isinstance(work.target, MaskedWord | ClassScore)
    if isinstance(work, Changing):
        what = (work.off, work.gone, work.how)
        return asked.changed(*what), asked.predictions(*what) if predicts else []
    from explorer.analysis.explanation import explain

    try:
        insides: Any = read_insides(work.run, progress)
    except ExplorerError as error:
        insides = str(error)
    found = explain(
        asked,
        insides,
        how=work.how,
        by_word=work.by_word,
        whole_flow=work.whole_flow,
        report=progress,
    )
    return found, asked.predictions() if predicts else []


def is_kept(work: Work) -> bool:
    """Whether the result stays true: not what a training has come to, nor what the hub has now."""
    return not isinstance(work, Learning | Filming | Sizing | Fetching)


def queue_of(work: Work) -> str:
    """Where a piece of work waits: for the processor, the network, or among what takes long."""
    if isinstance(work, Learning):
        return "long"
    if isinstance(work, Measuring | Filming):
        return "compute"
    if isinstance(work, Comparing):
        queues = [queue_of(work.a), queue_of(work.b)]
        return next((name for name in ("network", "long") if name in queues), "compute")
    if isinstance(work, Finding):
        return queue_of(work.among)
    if isinstance(work, Sizing | Fetching):
        return "network"
    source = work.source if isinstance(work, Run) else work.run.source
    if absent_model(source):
        return "network"
    if isinstance(work, Explaining | Surveying):
        return "long"
    return "long" if isinstance(source, Trained) else "compute"
