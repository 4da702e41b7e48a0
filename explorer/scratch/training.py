"""The from-scratch layer learns a task, step by step, and keeps what it was on the way.

Data, first weights and held-out sequences all come from the lesson's seed, and nothing depends on
how many steps there will be: training may stop anywhere and go on later as if it had not.
"""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.lesson import Trained
from explorer.scratch.encoder import Encoder
from explorer.scratch.nextword import course_of
from explorer.scratch.tasks import BLANK, Batch, nearness
from explorer.source import Scratch

BATCH = 64  # sequences a step
WARM_UP, FULL = 50, 400  # the learning rate rises until the one step, falls from the other on
_LOOKED_AT = 64  # held-out sequences, to see how near heads are to the ideal
_DIVERGED = 3.0  # times the first loss


class Learner(nn.Module):
    """Embeddings, layers of `SelfAttention` with residual connections and LayerNorm, a readout."""

    def __init__(self, lesson: Trained) -> None:
        super().__init__()
        course = course_of(lesson)
        width, length = lesson.d_model, (lesson.length or 0) + course.starts
        self.encoder = Encoder(
            Scratch(
                d_model=width,
                n_heads=lesson.n_heads or 1,
                n_layers=lesson.n_layers or 1,
                seed=lesson.seed,
                causal=course.causal,
            ),
            stacked=True,
        )
        self.tokens = nn.Embedding(len(course.vocabulary), width)
        self.positions = nn.Embedding(length, width)
        self.readout = nn.Linear(width, len(course.answers))
        generator = torch.Generator().manual_seed(lesson.seed + 1)
        nn.init.normal_(self.tokens.weight, generator=generator)
        # Smaller than the tokens: some tasks must first learn to look past the positions.
        nn.init.normal_(self.positions.weight, std=0.3, generator=generator)
        nn.init.uniform_(self.readout.weight, -(width**-0.5), width**-0.5, generator=generator)
        nn.init.zeros_(self.readout.bias)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Answer sequences.

        Args:
            ids: Token numbers, ``[sequence, position]``.

        Returns:
            Scores of the answers, ``[sequence, position, answer]``, and the attention weights,
            ``[layer, sequence, head, query, key]``.
        """
        x = self.tokens(ids) + self.positions.weight[: ids.shape[1]]
        x, weights = self.encoder(x)
        return self.readout(x), weights


@dataclass(frozen=True)
class Frame:
    """What a training was at one step.

    Attributes:
        step: After how many steps; 0 is before the first.
        loss: Mean loss of the steps since the frame before (of the first batch, in frame 0).
        accuracy: Share of right answers on held-out sequences.
        near: How near each head is to each of the task's ideal patterns, by pattern name:
            ``[layer, head]``, 0 to 1, the mean over held-out sequences.
        state: The weights.
    """

    step: int
    loss: float
    accuracy: float
    near: dict[str, Tensor]
    state: dict[str, Tensor]


class Training:
    """One lesson being learned. `train` is for one thread at a time; the rest may be read by all.

    Attributes:
        lesson: What is learned; its ``steps`` do not matter here.
        frames: What it was on the way, first to last.
        step: Steps done.
        diverged: The step at which the loss ran away, or None.
        chance: Share of right answers of who always says what is most often right.
        best: What could be reached at best, where that is known and not to be always right.
    """

    def __init__(self, lesson: Trained) -> None:
        self.lesson = replace(lesson, steps=1)
        self._course = course_of(lesson)
        self._learner = Learner(lesson)
        self._optimizer = torch.optim.Adam(self._learner.parameters(), lr=lesson.learning_rate)
        self._data = torch.Generator().manual_seed(lesson.seed + 2)
        self._lock = threading.Lock()
        self._losses: list[float] = []
        self.held_out = self._draw_held_out()
        answers = self.held_out.answers[self.held_out.answers != BLANK]
        self.best = self._course.best(self.held_out)
        self.chance = float(answers.bincount().max() / len(answers))
        self.frames: list[Frame] = []
        self.step = 0
        self.diverged: int | None = None
        self._keep(self._loss(self._next_batch()).item())

    def train(self, until: int, report: Callable[[int], None]) -> None:
        """Learn until a step is reached, or the loss runs away.

        Args:
            until: The step.
            report: Told the steps done, after each; what it raises ends the training there, and
                a later call goes on from there.
        """
        try:
            while self._went_on(until):
                report(self.step)  # without the lock: it may let another training of this go on
        finally:
            with self._lock:
                if self.frames[-1].step != self.step:
                    self._keep()

    def _went_on(self, until: int) -> bool:
        """Take one step, if there is one to take."""
        with self._lock:
            if self.step >= until or self.diverged is not None:
                return False
            self._one_step()
            if self.step >= self._next_frame():
                self._keep()
            return True

    def insert(self, frame: Frame) -> None:
        """Take over a frame of the same lesson, learned once more."""
        with self._lock:
            self.frames = sorted([*self.frames, frame], key=lambda f: f.step)

    def _one_step(self) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = self.lesson.learning_rate * schedule(self.step + 1)
        loss = self._loss(self._next_batch())
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._learner.parameters(), 1.0)
        self._optimizer.step()
        self.step += 1
        self._losses.append(loss.item())
        self._watch()

    def _watch(self) -> None:
        recent = self._losses[-20:]
        mean = sum(recent) / len(recent)
        first = self.frames[0].loss
        if not math.isfinite(mean) or (len(recent) == 20 and mean > _DIVERGED * first):
            self.diverged = self.step

    def _next_frame(self) -> int:
        """Close together at first, when much changes, then ever farther apart."""
        last = self.frames[-1].step
        return last + max(1, last // self._course.apart)

    def _keep(self, loss: float | None = None) -> None:
        if loss is None:
            new = self._losses[self.frames[-1].step :]
            loss = sum(new) / len(new)
        learner = self._learner
        with torch.inference_mode():
            scores, weights = learner(self.held_out.ids)
            asked = self.held_out.answers != BLANK
            right = (scores.argmax(-1) == self.held_out.answers)[asked]
            near = self._near(weights[:, :_LOOKED_AT])
        state = {name: tensor.clone() for name, tensor in learner.state_dict().items()}
        self.frames.append(Frame(self.step, loss, float(right.float().mean()), near, state))

    def _near(self, weights: Tensor) -> dict[str, Tensor]:
        per_head = weights.transpose(1, 2)  # [layer, head, sequence, query, key]
        return {
            name: nearness(per_head, wanted).nanmean(-1) for name, wanted in self._ideals.items()
        }

    def _loss(self, batch: Batch) -> Tensor:
        scores, _ = self._learner(batch.ids)
        # A batch in which nothing is asked for has the loss 0, not a division by zero.
        total = F.cross_entropy(
            scores.flatten(0, 1), batch.answers.flatten(), ignore_index=BLANK, reduction="sum"
        )
        return total / (batch.answers != BLANK).sum().clamp(min=1)

    def _next_batch(self) -> Batch:
        return self._course.learned(BATCH, self.lesson.length or 0, self._data)

    def _draw_held_out(self) -> Batch:
        generator = torch.Generator().manual_seed(self.lesson.seed + 3)
        held = self._course.held_out(self.lesson.length or 0, generator)
        patterns = [self._course.patterns(ids) for ids in held.ids[:_LOOKED_AT]]
        self._ideals = {
            first.name: torch.stack([found[i].wanted for found in patterns])
            for i, first in enumerate(patterns[0])
        }
        return held


def schedule(step: int) -> float:
    """What the learning rate is multiplied with: a linear rise, later an inverse square root.

    As in Vaswani et al. (2017), section 5.3, with a plateau between the two.
    """
    return min(1.0, step / WARM_UP, math.sqrt(FULL / step))


def learner_at(lesson: Trained, frame: Frame) -> Learner:
    """The learner as it was in a frame, ready to read."""
    learner = Learner(lesson)
    learner.load_state_dict(frame.state)
    return learner.eval()
