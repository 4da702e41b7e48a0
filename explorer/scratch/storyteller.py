"""The decoder learns to tell little stories: what it reads, how it is taught, how well it does."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.scratch.decoder import Decoder, Sizes
from explorer.scratch.grammar import LONGEST, WORDS, Story, tell

UNKNOWN, START = "[UNK]", "[START]"
VOCABULARY = (UNKNOWN, START, *WORDS)
SIZES = Sizes(words=len(VOCABULARY), length=LONGEST + 2, d_model=128, n_heads=4, n_layers=3)
HELD_OUT = 512  # stories with the first numbers; those that are learned from come long after
FIRST_LEARNED = 1_000_000
_NUMBERS = {word: i for i, word in enumerate(VOCABULARY)}
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


def numbers(words: Sequence[str]) -> list[int]:
    """Words as the decoder gets them, behind the mark of the start."""
    return [_NUMBERS[START], *(_NUMBERS.get(word, 0) for word in words)]


def together(stories: Sequence[Story]) -> tuple[Tensor, Tensor]:
    """Stories as a batch: what is read, and what comes after it (a blank behind their ends)."""
    longest = max(len(story.words) for story in stories)
    ids = torch.zeros(len(stories), longest, dtype=torch.long)
    answers = torch.full_like(ids, _BLANK)
    for row, story in enumerate(stories):
        found = torch.tensor(numbers(story.words))
        ids[row, : len(found) - 1], answers[row, : len(found) - 1] = found[:-1], found[1:]
    return ids, answers


def learn(course: Course, report: Callable[[int, float], None]) -> Decoder:
    """A decoder that has learned: the same one for the same course, on the same processor."""
    decoder = Decoder(SIZES, course.seed)
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=course.rate, weight_decay=0.01)
    for step, (ids, answers) in enumerate(_batches(course)):
        for group in optimizer.param_groups:
            group["lr"] = course.rate * _share(step, course.steps)
        loss = F.cross_entropy(decoder(ids).flatten(0, 1), answers.flatten(), ignore_index=_BLANK)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimizer.step()
        report(step + 1, loss.item())
    return decoder.eval()


def _batches(course: Course) -> Iterator[tuple[Tensor, Tensor]]:
    first = FIRST_LEARNED
    for _ in range(course.steps):
        yield together([tell(first + i) for i in range(course.batch)])
        first += course.batch


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


def score(decoder: Decoder, stories: Sequence[Story]) -> Score:
    """What a decoder reaches on stories that it has not learned from."""
    right = loss = count = 0.0
    with torch.inference_mode():
        for at in range(0, len(stories), 32):
            ids, answers = together(stories[at : at + 32])
            found = decoder(ids)
            asked = answers != _BLANK
            right += float((found.argmax(-1) == answers)[asked].sum())
            loss += float(F.cross_entropy(found[asked], answers[asked], reduction="sum"))
            count += float(asked.sum())
    return Score(right / count, loss / count)
