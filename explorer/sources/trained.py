"""The trained layer as a source, and the trainings that this server remembers."""

import math
import threading
from collections import OrderedDict
from dataclasses import replace

import numpy as np
import torch

from explorer.errors import ExplorerError
from explorer.history import TrainingHistory
from explorer.language import t
from explorer.layers import of_weights
from explorer.lesson import TASKS, Trained
from explorer.run import Run
from explorer.scratch.nextword import course_of
from explorer.scratch.tasks import BLANK, START
from explorer.scratch.telling import END
from explorer.scratch.training import Frame, Learner, Training, learner_at
from explorer.sources.progress import Progress, tick
from explorer.sources.scratch import ScratchReading
from explorer.trace import AttentionTrace, ModelInfo, Token, Weights
from explorer.visible import visible

KEPT_BYTES = 512 * 2**20  # of weights along the way, of all trainings together
_trainings: OrderedDict[Trained, Training] = OrderedDict()
_lock = threading.Lock()


def training_of(lesson: Trained) -> Training:
    """The training of a lesson, as far as it has come; the same one for all its ``steps``."""
    key = replace(lesson, steps=1)
    with _lock:
        found = _trainings.get(key)
        if found is None:
            found = _trainings[key] = Training(lesson)
        _trainings.move_to_end(key)
        while len(_trainings) > 1 and sum(map(_size, _trainings.values())) > KEPT_BYTES:
            _trainings.popitem(last=False)
    return found


def _size(training: Training) -> int:
    return sum(t.nbytes for frame in list(training.frames) for t in frame.state.values())


def learned(lesson: Trained, progress: Progress) -> tuple[Training, Frame]:
    """The training, and what it was after the lesson's steps; trains if that is still to come.

    Raises:
        ExplorerError: The training ran away before it came so far.
    """
    steps = lesson.steps or 0
    training = training_of(lesson)

    def report(step: int) -> None:
        progress(
            t("Learning: step {step} of {steps}", step=f"{step:,}", steps=f"{steps:,}"),
            step / steps,
        )

    training.train(steps, report)
    frame = _frame(training, steps)
    if frame is None and training.diverged is None:
        # It has come farther and did not stop there: learn the same once more, up to there.
        again = Training(lesson)
        again.train(steps, report)
        frame = _frame(again, steps)
        if frame is not None:
            training.insert(frame)
    if frame is None or (training.diverged is not None and training.diverged <= steps):
        raise ExplorerError(
            t(
                "This training ran away at step {diverged}: its loss grew instead of "
                "falling. Choose a smaller learning rate, such as 0.003.",
                diverged=training.diverged,
            )
        )
    return training, frame


def _frame(training: Training, step: int) -> Frame | None:
    return next((f for f in training.frames if f.step == step), None)


def read_tokens(lesson: Trained, texts: tuple[str, ...]) -> tuple[tuple[Token, ...], int]:
    """A text as the tokens of a task, and how many did not fit.

    Raises:
        ExplorerError: The text holds something that is no token of the task.
    """
    course, title = course_of(lesson), TASKS[lesson.task].title
    if len(texts) > 1:
        raise ExplorerError(
            t("A trained layer reads one sequence: switch the second text off and press Run again.")
        )
    (text,) = texts
    found = [(text[start:end], (start, end)) for start, end in course.read(text)]
    said = [course.spelled(word) for word, _ in found]
    strange = next((word for word in said if word not in course.vocabulary or word == START), None)
    if strange is not None:
        raise ExplorerError(
            t(
                "The layer that learned “{title}” knows {known}; “{visible}” is none of"
                " them. Try: {lesson}",
                title=title,
                known=course.known(),
                visible=visible(strange[:40]),
                lesson=example_text(lesson),
            )
        )
    length = lesson.length or 0
    start = [Token(START, None, None, 0, special=True)] if course.starts else []
    read = [
        Token(word, span, n, 0, special=False)
        for n, (word, (_, span)) in enumerate(zip(said, found[:length], strict=False))
    ]
    return (*start, *read), max(0, len(found) - length)


def example_text(lesson: Trained) -> str:
    """A sequence that the layer never learned from."""
    return text_of(lesson, training_of(lesson).held_out.ids[0].tolist())


def text_of(lesson: Trained, ids: list[int]) -> str:
    """Token numbers as a text, without `START`."""
    course = course_of(lesson)
    return course.write([t for i in ids if (t := course.vocabulary[i]) != START])


def read_trained(run: Run, progress: Progress) -> ScratchReading:
    """A text and the trained layer, ready to be run.

    Raises:
        ExplorerError: The text is no sequence of the task, or the training ran away.
    """
    lesson = _lesson(run)
    tokens, n_cut = read_tokens(lesson, run.texts)
    _, frame = learned(lesson, progress)
    learner = learner_at(lesson, frame)
    ids = torch.tensor(_ids(lesson, tokens))
    with torch.inference_mode():
        return ScratchReading(
            _info(lesson, learner),
            tokens,
            (n_cut,),
            learner.tokens(ids),
            learner.positions.weight.detach(),
            learner.encoder,
        )


def trace_trained(run: Run, progress: Progress) -> AttentionTrace:
    """Train if need be, then run a text through the layer.

    Raises:
        ExplorerError: The text is no sequence of the task, or the training ran away.
    """
    lesson = _lesson(run)
    tokens, n_cut = read_tokens(lesson, run.texts)
    _, frame = learned(lesson, progress)
    return _trace(lesson, run.texts, tokens, n_cut, frame)


def _trace(
    lesson: Trained, texts: tuple[str, ...], tokens: tuple[Token, ...], n_cut: int, frame: Frame
) -> AttentionTrace:
    learner = learner_at(lesson, frame)
    with torch.inference_mode():
        _, weights = learner(torch.tensor([_ids(lesson, tokens)]))
    info = _info(lesson, learner)
    return AttentionTrace(info, texts, tokens, tokens, of_weights(weights[:, 0].numpy()), (n_cut,))


class _Reel:
    """The frames of a training, run on one sequence; only new ones are run."""

    def __init__(self, lesson: Trained, tokens: tuple[Token, ...]) -> None:
        self._ids = torch.tensor([_ids(lesson, tokens)])
        self._learner = Learner(lesson).eval()
        self._course, self._writes = (course := course_of(lesson)), TASKS[lesson.task].writes
        self._answers = course.answers
        self._room = len(self._learner.positions.weight)
        self._begun = self._ids[0, : max(self._room - self._writes, 1 + course.starts)]
        self.begun = course.write([t.text for t in tokens[: len(self._begun)] if not t.special])
        self._lock = threading.Lock()
        self.steps: list[int] = []
        self.weights: list[Weights] = []
        self.said: list[tuple[str, ...]] = []
        self.written: list[str] = []

    def develop(self, frames: list[Frame]) -> None:
        """Run the frames that are new."""
        while len(self.steps) < len(frames):
            tick()  # without the lock: it may let another one who wants this history go on
            with self._lock, torch.inference_mode():
                for frame in frames[len(self.steps) :][:1]:
                    self._learner.load_state_dict(frame.state)
                    scores, weights = self._learner(self._ids)
                    self.weights.append(weights[:, 0].numpy())
                    answers = scores[0].argmax(-1).tolist()
                    self.said.append(tuple(self._answers[i] for i in answers))
                    self.written.append(self._goes_on() if self._writes else "")
                    self.steps.append(frame.step)

    def _goes_on(self) -> str:
        """What the layer writes behind the beginning, always the likeliest, up to an end."""
        ids, course = self._begun.tolist(), self._course
        given = [course.vocabulary[i] for i in ids[course.starts :]]
        for _ in range(min(self._writes, self._room - len(ids))):
            scores, _ = self._learner(torch.tensor([ids]))
            word = self._answers[int(scores[0, -1].argmax())]
            ids.append(course.numbers[word])
            if word == END:
                break
        words = [course.vocabulary[i] for i in ids[course.starts :]]
        return course.write(words).removeprefix(course.write(given))


_reels: OrderedDict[tuple[Trained, str], _Reel] = OrderedDict()
_KEPT_REELS = 16


def history(lesson: Trained, text: str) -> TrainingHistory:
    """A sequence run through a training, as far as it has come, and as far as the lesson goes.

    Raises:
        ExplorerError: The text is no sequence of the task.
    """
    tokens, n_cut = read_tokens(lesson, (text,))
    course = course_of(lesson)
    if all(t.special for t in tokens):
        raise ExplorerError(t("There is no token of this task in the sequence yet."))
    training = training_of(lesson)
    until = lesson.steps or 0
    frames = [f for f in list(training.frames) if f.step <= until and math.isfinite(f.loss)]
    reel = _reel_of(lesson, text, tokens, frames)
    ids = torch.tensor(_ids(lesson, tokens))
    last = replace(lesson, steps=max(frames[-1].step, 1))
    info = _info(last, Learner(lesson))
    layers = of_weights(reel.weights[len(frames) - 1])
    shown = AttentionTrace(info, (text,), tokens, tokens, layers, (n_cut,))
    return TrainingHistory(
        task=TASKS[lesson.task].title,
        length=lesson.length or 0,
        until=until,
        causal=course.causal,
        trace=shown,
        weights=np.stack(reel.weights[: len(frames)]),
        steps=tuple(f.step for f in frames),
        loss=tuple(f.loss for f in frames),
        accuracy=tuple(f.accuracy for f in frames),
        chance=training.chance,
        best=(best.accuracy, best.loss) if (best := training.best) else None,
        near={name: np.stack([f.near[name].numpy() for f in frames]) for name in frames[0].near},
        ideals={p.name: p.wanted.numpy() for p in course.patterns(ids)},
        answers=tuple(reel.said[: len(frames)]),
        right=tuple(None if i == BLANK else course.answers[i] for i in course.right(ids).tolist()),
        begun=reel.begun if TASKS[lesson.task].writes else "",
        written=tuple(reel.written[: len(frames)]) if TASKS[lesson.task].writes else (),
    )


def _reel_of(lesson: Trained, text: str, tokens: tuple[Token, ...], frames: list[Frame]) -> _Reel:
    key = (replace(lesson, steps=1), text)
    with _lock:
        reel = _reels.get(key)
        if reel is None or reel.steps[: len(frames)] != [f.step for f in frames][: len(reel.steps)]:
            reel = _reels[key] = _Reel(lesson, tokens)
        _reels.move_to_end(key)
        while len(_reels) > _KEPT_REELS:
            _reels.popitem(last=False)
    reel.develop(frames)
    return reel


def _lesson(run: Run) -> Trained:
    assert isinstance(run.source, Trained)
    return run.source


def _ids(lesson: Trained, tokens: tuple[Token, ...]) -> list[int]:
    numbers = course_of(lesson).numbers
    return [numbers[token.text] for token in tokens]


def _info(lesson: Trained, learner: Learner) -> ModelInfo:
    return ModelInfo(
        name=t(
            "layer trained for {steps} steps on “{task}”",
            steps=f"{lesson.steps:,}",
            task=TASKS[lesson.task].title,
        ),
        revision=None,
        n_layers=lesson.n_layers or 1,
        n_heads=lesson.n_heads or 1,
        d_model=lesson.d_model,
        max_tokens=len(learner.positions.weight),
        own_tokens=len(learner.positions.weight),
    )
