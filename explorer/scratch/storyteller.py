"""The decoder learns to tell little stories: what it reads, how it is taught, how well it does."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.once import once
from explorer.scratch.decoder import Decoder, Sizes
from explorer.scratch.grammar import ENGLISH
from explorer.scratch.grammar_zh import CHINESE
from explorer.scratch.telling import LONGEST, Grammar, Story

UNKNOWN, START = "[UNK]", "[START]"
HELD_OUT = 512  # stories with the first numbers; those that are learned from come long after
FIRST_LEARNED = 1_000_000
_BLANK = -100


@dataclass(frozen=True, slots=True)
class Course:
    """How the decoder is taught.

    Attributes:
        seed: Of its first weights.
        steps: Steps of training.
        batch: Stories in each.
        rate: The largest learning rate, after a rise over a twentieth of the steps; from there it
            falls to a tenth along a cosine.
    """

    seed: int = 0
    steps: int = 6_000
    batch: int = 16
    rate: float = 2e-3


@dataclass(frozen=True)
class Teller:
    """What a decoder reads that tells the stories of a grammar.

    Attributes:
        grammar: The grammar.
        course: How it is taught, where nobody says otherwise.
    """

    grammar: Grammar
    course: Course

    @once
    def vocabulary(self) -> tuple[str, ...]:
        return (UNKNOWN, START, *self.grammar.words)

    @once
    def sizes(self) -> Sizes:
        return Sizes(len(self.vocabulary), LONGEST + 2, d_model=128, n_heads=4, n_layers=3)

    @once
    def _numbers(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.vocabulary)}

    def numbers(self, words: Sequence[str]) -> list[int]:
        """Words as the decoder gets them, behind the mark of the start."""
        return [self._numbers[START], *(self._numbers.get(word, 0) for word in words)]

    def together(self, stories: Sequence[Story]) -> tuple[Tensor, Tensor]:
        """Stories as a batch: what is read, and what comes after it (a blank behind their ends)."""
        longest = max(len(story.words) for story in stories)
        ids = torch.zeros(len(stories), longest, dtype=torch.long)
        answers = torch.full_like(ids, _BLANK)
        for row, story in enumerate(stories):
            found = torch.tensor(self.numbers(story.words))
            ids[row, : len(found) - 1], answers[row, : len(found) - 1] = found[:-1], found[1:]
        return ids, answers

    def learn(self, course: Course, report: Callable[[int, float], None]) -> Decoder:
        """A decoder that has learned: the same one for the same course, on the same processor."""
        decoder = Decoder(self.sizes, course.seed)
        optimizer = torch.optim.AdamW(decoder.parameters(), lr=course.rate, weight_decay=0.01)
        for step, (ids, answers) in enumerate(self._batches(course)):
            for group in optimizer.param_groups:
                group["lr"] = course.rate * _share(step, course.steps)
            found = decoder(ids).flatten(0, 1)
            loss = F.cross_entropy(found, answers.flatten(), ignore_index=_BLANK)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
            optimizer.step()
            report(step + 1, loss.item())
        return decoder.eval()

    def _batches(self, course: Course) -> Iterator[tuple[Tensor, Tensor]]:
        first = FIRST_LEARNED
        for _ in range(course.steps):
            yield self.together([self.grammar.tell(first + i) for i in range(course.batch)])
            first += course.batch

    def score(self, decoder: Decoder, stories: Sequence[Story]) -> "Score":
        """What a decoder reaches on stories that it has not learned from."""
        right = loss = count = 0.0
        with torch.inference_mode():
            for at in range(0, len(stories), 32):
                ids, answers = self.together(stories[at : at + 32])
                found = decoder(ids)
                asked = answers != _BLANK
                right += float((found.argmax(-1) == answers)[asked].sum())
                loss += float(F.cross_entropy(found[asked], answers[asked], reduction="sum"))
                count += float(asked.sum())
        return Score(right / count, loss / count)


TELLERS = {  # by language; as long as a quarter of an hour of one core allows
    "en": Teller(ENGLISH, Course()),
    "zh": Teller(CHINESE, Course(steps=5_000)),
}


def _share(step: int, steps: int) -> float:
    rise = max(1, steps // 20)
    if step < rise:
        return (step + 1) / rise
    return 0.55 + 0.45 * math.cos(math.pi * (step - rise) / (steps - rise))


@dataclass(frozen=True)
class Score:
    """How well next words are predicted.

    Attributes:
        accuracy: The share of words that were held likeliest.
        loss: The mean of -log of the probability that each word had.
    """

    accuracy: float
    loss: float


def best_possible(stories: Sequence[Story]) -> Score:
    """What the grammar itself reaches on average, which knows every probability."""
    choices = [choice for story in stories for choice in story.choices]
    shares = [[way.share for way in choice] for choice in choices]
    accuracy = sum(map(max, shares)) / len(shares)
    loss = -sum(p * math.log(p) for choice in shares for p in choice) / len(shares)
    return Score(accuracy, loss)
