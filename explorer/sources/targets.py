"""Run -> Possible: which outputs of its model can be explained, before any is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from explorer.errors import ExplorerError
from explorer.lesson import Trained
from explorer.run import Run
from explorer.sources.intervention import ANSWERS, check_kind, model_with_output
from explorer.sources.loading import LoadedModel, load_model
from explorer.sources.progress import Progress, silent
from explorer.sources.trained import read_tokens
from explorer.sources.two_texts import read_for
from explorer.target import (
    ClassScore,
    Likeness,
    MaskedWord,
    NextWord,
    OutputVector,
    Target,
    WrittenSpan,
)
from explorer.trace import Token

_TRIED: dict[str, Target] = {
    "like": Likeness("x"),
    "word": MaskedWord(),
    "class": ClassScore(),
    "vector": OutputVector(),
    "next": NextWord(),
    "span": WrittenSpan(1, 2),
}


@dataclass(frozen=True)
class Possible:
    """What can be explained of a run.

    Attributes:
        reasons: For each kind of target, as links name them, why the model has none; empty where
            it has.
        classes: The model's own names of its classes, by their numbers.
        tokens: The tokens of the text; none where nothing can be explained.
        answers: Whether what is called a next word is an answer at a token.
    """

    reasons: Mapping[str, str]
    classes: tuple[str, ...] = field(default=())
    tokens: tuple[Token, ...] = field(default=())
    answers: bool = False


def possible(run: Run, progress: Progress = silent) -> Possible:
    """What can be explained of a run.

    Raises:
        ExplorerError: Its model cannot be loaded, or cannot read the text.
    """
    if isinstance(run.source, Trained):
        return _answers(run, run.source)
    try:
        model = model_with_output(run)
    except ExplorerError as error:
        return Possible(dict.fromkeys(_TRIED, str(error)))
    loaded = load_model(model, progress)
    reasons = {kind: _reason(loaded, target) for kind, target in _TRIED.items()}
    tokens, _, _ = read_for(loaded, run, progress)
    config = loaded.whole.config
    names = config.id2label if not reasons["class"] else {}
    n_classes = config.num_labels if names else 0
    return Possible(reasons, tuple(str(names.get(i, i)) for i in range(n_classes)), tokens)


def _answers(run: Run, lesson: Trained) -> Possible:
    """Of the trained layer its answers can be explained, and nothing else."""
    tokens, _ = read_tokens(lesson, run.texts)
    return Possible(dict.fromkeys(_TRIED, ANSWERS) | {"next": ""}, (), tokens, answers=True)


def _reason(loaded: LoadedModel, target: Target) -> str:
    try:
        check_kind(loaded, target)
    except ExplorerError as error:
        return str(error)
    return ""
