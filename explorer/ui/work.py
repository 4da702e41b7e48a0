"""The pieces of work that a page asks the scheduler for, and how each is done."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from explorer import language
from explorer.cheaper import Cheap
from explorer.errors import ExplorerError
from explorer.limits import CACHE_MB, COMPARE_TOKENS, EFFICIENCY_TOKENS, check_tokens
from explorer.run import Run
from explorer.sampling import Sampling
from explorer.source import Embedded, Hub, Own, Source, Trained, model_of
from explorer.sources import Progress, absent_model, starting, trace_run
from explorer.sources.memory import take
from explorer.target import ClassScore, How, MaskedWord, NextWord, Target


@dataclass(frozen=True)
class LayerTracing:
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
class Recording:
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
class Cheapening:
    """What survives of all heads of a run when they are made cheaper."""

    run: Run


@dataclass(frozen=True)
class Lecturing:
    """The attention that the Article shows, and what its figures show beside."""

    run: Run


@dataclass(frozen=True)
class Replacing:
    """What a run's output does when heads are really made cheaper.

    Attributes:
        run: The run.
        cheap: In which way.
        heads: Which, a layer's number and a head each; None for all.
        everywhere: The tokens that look at all and are looked at by all.
    """

    run: Run
    cheap: Cheap
    heads: tuple[tuple[int, int], ...] | None
    everywhere: tuple[int, ...]


@dataclass(frozen=True)
class Timing:
    """What attention costs over the length in several ways, measured anew for every name."""

    name: str


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
class Repeating:
    """What all heads of a model do on random tokens that are repeated: the same for every text."""

    source: Source

    @property
    def run(self) -> Run:
        """A run of the model."""
        return Run("The", source=self.source)


@dataclass(frozen=True)
class Recurring:
    """What all heads of a run do where its text repeats itself."""

    run: Run


@dataclass(frozen=True)
class Explaining:
    """One output of a run, explained by every method.

    Attributes:
        run: The run.
        target: The output.
        how: How words are taken away, ``replace``, ``drop`` or ``cut``.
        by_word: Whether a word's pieces count as one.
        whole_flow: Whether attention flow is computed however long it takes.
        neutral: The token that stands in for a word that is taken away; empty for the model's own.
    """

    run: Run
    target: Target
    how: How = "replace"
    by_word: bool = True
    whole_flow: bool = False
    neutral: str = ""


@dataclass(frozen=True)
class Continuing:
    """A text that its model goes on with; known of it are the run, its trace, and why it ended.

    Attributes:
        run: The run.
        sampling: How tokens are drawn.
        most: Tokens that are written at most.
    """

    run: Run
    sampling: Sampling
    most: int


@dataclass(frozen=True)
class Choosing:
    """What can be explained of a run."""

    run: Run


@dataclass(frozen=True)
class Changing:
    """A run's target, and what it predicts, with some heads off and some positions gone."""

    run: Run
    target: Target
    off: frozenset[tuple[int, int]]
    gone: frozenset[int]
    how: How
    neutral: str = ""


@dataclass(frozen=True)
class Sizing:
    """How large a model of the hub is."""

    model: Hub


@dataclass(frozen=True)
class Fetching:
    """The files of a model of the hub, onto this machine."""

    model: Hub


@dataclass(frozen=True)
class Censusing:
    """A corpus that is read by a model, for a page; known of it is what was read so far.

    Attributes:
        name: Its folder's name.
        source: The model.
        read: Reads it, or goes on with it; told how to report and how to show.
    """

    name: str
    source: Source
    read: Callable[[Progress, Callable[[Any], None]], None] = field(compare=False, repr=False)


@dataclass(frozen=True)
class Searching:
    """Where else a head does what it does at a pair of a run, in a corpus.

    Attributes:
        run: The run.
        place: The layer's own number, the head, and the positions of the two tokens.
        corpus: Names the corpus, and the state that it is in.
        find: Finds it; told how to report and how to show.
    """

    run: Run
    place: tuple[int, int, int, int]
    corpus: tuple[object, ...]
    find: Callable[[Progress, Callable[[Any], None]], Any] = field(compare=False, repr=False)


@dataclass(frozen=True)
class Making:
    """Something that is made of what is there already: an answer to a click, a file, an upload.

    Attributes:
        what: Names it: the reader, and what is made of what.
        make: Makes it; told how to report.
    """

    what: tuple[object, ...]
    make: Callable[[Progress], Any] = field(compare=False, repr=False)


def making(what: tuple[object, ...], make: Callable[[Progress], Any]) -> Making:
    """Something that is made in the language of whoever asks for it, now."""
    spoken = language.spoken()

    def said(report: Progress) -> Any:
        with language.speaking(spoken):
            return make(report)

    return Making((*what, spoken), said)


Work = (
    Run
    | LayerTracing
    | Checking
    | Measuring
    | Learning
    | Recording
    | Comparing
    | Surveying
    | Cheapening
    | Lecturing
    | Replacing
    | Timing
    | Finding
    | Repeating
    | Recurring
    | Explaining
    | Continuing
    | Choosing
    | Changing
    | Sizing
    | Fetching
    | Censusing
    | Searching
    | Making
)

_SMALLER = language.t("Choose a shorter text or a smaller model.")

Show = Callable[[Any], None]
"""Told what is known of a result before all of it is."""


def do(work: Work, progress: Progress, show: Show = lambda partial: None) -> Any:
    """Do a piece of work.

    Args:
        work: The work.
        progress: Told what is being done.
        show: Told what is known so far.

    Raises:
        ExplorerError: It cannot be done; the sentence says why.
    """
    if isinstance(work, Run):
        return _trace(work, progress)
    if isinstance(work, Making):
        return work.make(progress)
    if isinstance(work, Censusing):
        return work.read(progress, show)
    if isinstance(work, Searching):
        return work.find(progress, show)
    if isinstance(work, LayerTracing):
        from explorer.sources.layertraces import Twist, trace_layer

        return trace_layer(work.run, work.layer, Twist(work.positions, work.backwards), progress)
    if isinstance(work, Comparing):
        from explorer.analysis.comparison import compare
        from explorer.analysis.divergence import READ_AT_ONCE

        a, b = (_comparable(run, progress) for run in (work.a, work.b))
        take(a.nbytes + b.nbytes + READ_AT_ONCE, language.t("Comparing these two"), _SMALLER)
        return compare(a, b, progress)
    if isinstance(work, Surveying | Finding):
        return _survey_or_find(work, progress, show)
    if isinstance(work, Repeating | Recurring):
        return _repeat(work, progress)
    if isinstance(work, Cheapening | Replacing | Timing):
        return _make_cheaper(work, progress, show)
    if isinstance(work, Lecturing):
        return _lecture(work, progress, show)
    if isinstance(work, Explaining | Changing):
        return _explain_or_change(work, progress, show)
    if isinstance(work, Continuing):
        return _go_on(work, progress, show)
    if isinstance(work, Choosing):
        from explorer.sources.targets import possible

        return possible(work.run, progress)
    if isinstance(work, Learning | Recording):
        return _learn_or_record(work, progress)
    return _size_or_measure(work, progress)


def _size_or_measure(work: Sizing | Fetching | Measuring | Checking, progress: Progress) -> Any:
    if isinstance(work, Sizing | Fetching):
        from explorer.sources.download import hub_folder, hub_size

        return (hub_size if isinstance(work, Sizing) else hub_folder)(work.model, progress)
    if isinstance(work, Measuring):
        from explorer.scratch.experiments import measure_cost, measure_saturation

        return measure_cost(progress) if work.name else measure_saturation(report=progress)
    from explorer.sources.loading import load_model
    from explorer.sources.transplanted import check_transplant

    model = model_of(work.run.source) or Embedded()
    return check_transplant(load_model(model, progress), work.run.texts, progress)


def _trace(run: Run, progress: Progress) -> Any:
    """A run's trace; of a short text with the small pictures of all heads, which pages paint."""
    from explorer.instrument.wire.longtext import is_long
    from explorer.instrument.wire.trace import both_thumbnails

    trace = trace_run(run, progress)
    if trace.nbytes > CACHE_MB * 2**20:  # else it would be computed anew for every click
        raise ExplorerError(
            language.t(
                "The attention of these {shape} tokens takes {nbytes} GB, and {cache_mb} GB of "
                "attention are kept here (EXPLORER_CACHE_MB). {smaller}",
                shape=f"{max(trace.shape[2:]):,}",
                nbytes=f"{trace.nbytes / 2**30:.1f}",
                cache_mb=f"{CACHE_MB / 2**10:.1f}",
                smaller=_SMALLER,
            )
        )
    if not is_long(trace):
        both_thumbnails(trace)
    return trace


def _go_on(work: Continuing, progress: Progress, show: Show) -> Any:
    from explorer.instrument.wire.longtext import is_long
    from explorer.sources.writing import Writing

    writing = Writing(work.run, work.sampling, progress=progress)
    for _ in writing.write(work.most):
        trace = writing.trace()
        if not is_long(trace):  # of a long one a picture takes longer than a token
            show((writing.run, trace, writing.ended))
    return writing.run, writing.trace(), writing.ended


def _make_cheaper(work: Cheapening | Replacing | Timing, progress: Progress, show: Show) -> Any:
    if isinstance(work, Timing):
        from explorer.scratch.costs import devices, measure_costs

        return [measure_costs(progress, device=device) for device in devices()]
    if isinstance(work, Replacing):
        from explorer.sources.replacing import replace_heads

        return replace_heads(work.run, work.cheap, work.heads, work.everywhere, progress)
    from explorer.analysis.survival import survival

    trace = _trace(work.run, progress)
    check_tokens(language.t("Efficiency"), max(trace.shape[2:]), EFFICIENCY_TOKENS)
    told = survival(trace, report=progress, show=lambda so_far: show((trace, so_far, False)))
    return trace, told, True


def _lecture(work: Lecturing, progress: Progress, show: Show) -> Any:
    from explorer.ui.facts import facts_of

    trace = _trace(work.run, progress)
    show((trace, None))
    return trace, facts_of(work.run, trace, progress)


def _comparable(run: Run, progress: Progress) -> Any:
    trace = _trace(run, progress)
    check_tokens(language.t("Compare"), max(trace.shape[2:]), COMPARE_TOKENS)
    return trace


def _learn_or_record(work: Learning | Recording, progress: Progress) -> Any:
    from explorer.sources import trained

    if isinstance(work, Recording):
        progress(language.t("Running the sequence through every step"), None)
        text = work.text or trained.example_text(work.lesson)
        return trained.history(work.lesson, text)
    progress(starting(language.t("Making the layer")), None)
    return trained.learned(work.lesson, progress)[0]


def _survey_or_find(work: Surveying | Finding, progress: Progress, show: Show) -> Any:
    if isinstance(work, Surveying):
        from explorer.analysis.divergence import READ_AT_ONCE
        from explorer.analysis.survey import survey

        runs = work.runs

        def traces() -> Iterator[Any]:
            for run in runs:
                trace = trace_run(run, _within(progress))
                take(
                    trace.nbytes + READ_AT_ONCE,
                    language.t("Reading all heads of this text"),
                    _SMALLER,
                )
                if run == runs[0]:
                    show(trace)  # whose heads they will be
                yield trace

        return _with_pictures(survey(traces(), len(runs), progress), progress)
    from explorer.analysis.finder import find_pairs
    from explorer.analysis.groups import word_of

    runs = work.among.runs

    def examples() -> Iterator[Any]:
        # One text after the other, each read once: all of them together would fill the memory.
        for text in sorted({text for text, _, _ in work.pairs}):
            trace = trace_run(runs[text], _within(progress))
            words = [
                (word_of(trace.key_tokens, query), word_of(trace.key_tokens, key))
                for of, query, key in work.pairs
                if of == text
            ]
            yield from ((trace.layers, *pair) for pair in words)

    return find_pairs(examples(), progress)


def _repeat(work: Repeating | Recurring, progress: Progress) -> Any:
    from explorer.analysis.induction import repeat_scores, repeats_in

    if isinstance(work, Recurring):
        return repeats_in(trace_run(work.run, progress), progress)
    # First: its import waits for that of the warming up, and two of transformers at once fail.
    import explorer.sources.loading  # noqa: F401
    from explorer.sources.repeats import repetitions

    return repeat_scores(repetitions(work.run, progress=progress))


def _with_pictures(found: Any, progress: Progress) -> Any:
    """A survey, with the small pictures of all heads, which the page paints."""
    from explorer.instrument.wire.longtext import thumbs_of

    example = found.example
    for i, layer in enumerate(example.layers):
        for head in range(layer.n_heads):
            progress(language.t("Drawing small pictures of heads"), i / len(example.layers))
            thumbs_of(example, layer.number, head)
    return found


def _within(progress: Progress) -> Progress:
    """What is reported of one text among several: no share, which would jump back with each."""
    return lambda doing, share: progress(doing, None)


def _explain_or_change(work: Explaining | Changing, progress: Progress, show: Show) -> Any:
    from explorer.sources.intervention import intervention

    asked = intervention(work.run, work.target, progress, work.neutral or None)
    predicts = isinstance(work.target, MaskedWord | ClassScore | NextWord)
    if isinstance(work, Changing):
        what = (work.off, work.gone, work.how if work.how in asked.ways else asked.ways[0])
        return asked.changed(*what), asked.predictions(*what) if predicts else []
    from explorer.analysis.explanation import explain

    predictions = asked.predictions() if predicts else []
    before = asked.predictions(edited=False) if predicts and work.run.edits else []
    found = explain(
        asked,
        how=work.how,
        by_word=work.by_word,
        whole_flow=work.whole_flow,
        report=progress,
        show=lambda so_far: show((so_far, predictions, before)),
    )
    return found, predictions, before


def is_kept(work: Work) -> bool:
    """Whether the result stays true, and is worth its room.

    What a training has come to and what the hub has do not stay; an uploaded file is kept by the
    page that it belongs to.
    """
    if isinstance(work, Run):
        return not isinstance(work.source, Own)
    return not isinstance(work, _NOT_KEPT)


_NOT_KEPT = Learning | Recording | Sizing | Fetching | Making | Continuing | Censusing


def kind_of_work(work: Work) -> str:
    """Where a piece of work waits: one of the scheduler's kinds.

    What takes long would keep what is short waiting, and a training or a measurement, which a
    reader may begin many of, would keep all else waiting: each has places of its own.
    """
    if isinstance(work, Learning):
        return "training"
    if isinstance(work, Measuring | Timing):
        return "measuring"
    if isinstance(work, Censusing):
        return "corpus"
    if isinstance(work, Recording | Making):
        return "compute"
    if isinstance(work, Comparing):
        kinds = [kind_of_work(work.a), kind_of_work(work.b)]
        return next((name for name in ("network", "training") if name in kinds), "long")
    if isinstance(work, Finding):
        return kind_of_work(work.among)
    if isinstance(work, Sizing | Fetching):
        return "network"
    source = work.source if isinstance(work, Run) else work.run.source
    if absent_model(source):
        return "network"
    if isinstance(source, Trained):
        return "training"
    long = Explaining | Surveying | Checking | Repeating | Recurring | Cheapening | Searching
    return "long" if isinstance(work, long) else "compute"
