"""What comes next: the next letter of a reader's text, and the next word of a little story."""

import functools
import math
import re

import torch
from torch import Tensor

from explorer.language import t
from explorer.lesson import Trained
from explorer.scratch.grammar import ENGLISH
from explorer.scratch.grammar_zh import CHINESE
from explorer.scratch.tasks import BLANK, COURSES, Batch, Best, Course, Induction, Pattern
from explorer.scratch.telling import END, Grammar, Kind, Story

SPACE = "␣"  # how a space is shown that is a token
_SEEDS = 2**30
_LEARNED = 7 / 8  # of a text; the rest is held out


class _Next(Course):
    """At each place, name the token that comes next."""

    causal = True
    tested = 128
    apart = 6

    def solve(self, ids: Tensor) -> Tensor:
        return torch.cat([ids[:, 1:], torch.full_like(ids[:, :1], BLANK)], 1)


class NextLetter(_Next):
    """The next letter of a text.

    Args:
        text: The text; its last eighth is held out.
    """

    def __init__(self, text: str) -> None:
        spelled = self._spelled(text)
        self.symbols = "".join(sorted(set(spelled)))
        super().__init__()
        ids = torch.tensor([self.numbers[c] for c in spelled])
        at = int(_LEARNED * len(ids))
        self._parts = ids[:at], ids[at:]

    def learned(self, count: int, length: int, generator: torch.Generator) -> Batch:
        return self._cut(self._parts[0], count, length, generator)

    def held_out(self, length: int, generator: torch.Generator) -> Batch:
        return self._cut(self._parts[1], self.tested, length, generator)

    def batch(self, count: int, length: int, generator: torch.Generator) -> Batch:
        return self.learned(count, length, generator)

    def _cut(self, ids: Tensor, count: int, length: int, generator: torch.Generator) -> Batch:
        """Pieces of a text, from anywhere in it."""
        first = torch.randint(len(ids) - length, (count, 1), generator=generator)
        found = ids[first + torch.arange(length + 1)]
        return Batch(found[:, :-1], found[:, 1:])

    def ideal(self, ids: Tensor) -> list[Pattern]:
        return Induction().ideal(ids)

    def read(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\s+|\S", text)]

    def spelled(self, word: str) -> str:
        return SPACE if word.isspace() else word

    def write(self, tokens: list[str]) -> str:
        return "".join(tokens).replace(SPACE, " ")

    def known(self) -> str:
        return t("only what stands in its text: {symbols}", symbols=" ".join(self.symbols))

    @staticmethod
    def _spelled(text: str) -> str:
        return re.sub(r"\s+", SPACE, text.strip())


class LittleStories(_Next):
    """The next word of a little story, from its first word on.

    Args:
        grammar: What tells the stories.
        agreement: What is looked for before a word that must go with an earlier one.
        some: The beginning of a story, for its words.
    """

    starts = True

    def __init__(self, grammar: Grammar, agreement: str, some: str) -> None:
        self.grammar, self._agreement, self._some = grammar, agreement, some
        self.answers = grammar.words
        super().__init__()
        self.vocabulary = [*grammar.words, self.vocabulary[-1]]
        self.numbers = {token: i for i, token in enumerate(self.vocabulary)}

    def learned(self, count: int, length: int, generator: torch.Generator) -> Batch:
        return self._told(count, length, generator, 1)

    def held_out(self, length: int, generator: torch.Generator) -> Batch:
        return self._told(self.tested, length, generator, 0)

    def batch(self, count: int, length: int, generator: torch.Generator) -> Batch:
        return self.learned(count, length, generator)

    def _told(self, count: int, length: int, generator: torch.Generator, odd: int) -> Batch:
        """Stories with odd numbers, or with even ones; behind an end stand more ends."""
        seeds = 2 * torch.randint(_SEEDS, (count,), generator=generator) + odd
        ids = torch.full((count, length + 1), self.numbers[END])
        ids[:, 0] = len(self.grammar.words)
        for row, seed in zip(ids, seeds.tolist(), strict=True):
            words = self.grammar.tell(seed, length).words
            row[1 : len(words) + 1] = torch.tensor([self.numbers[word] for word in words])
        return Batch(ids, self.solve(ids))

    def solve(self, ids: Tensor) -> Tensor:
        return super().solve(ids).masked_fill(ids == self.numbers[END], BLANK)

    def right(self, ids: Tensor) -> Tensor:
        return self.solve(ids[None])[0]

    def best(self, held_out: Batch) -> Best:
        """What the grammar itself reaches on average, which knows every probability."""
        stories = [self._understood(ids) for ids in held_out.ids]
        shares = [[way.share for way in choice] for story in stories for choice in story.choices]
        accuracy = sum(map(max, shares)) / len(shares)
        loss = -sum(p * math.log(p) for choice in shares for p in choice) / len(shares)
        return Best(accuracy, loss)

    def patterns(self, ids: Tensor) -> list[Pattern]:
        """Before a word that earlier ones decide, it would be best to look at those."""
        ways = self._understood(ids).ways
        names: dict[str, tuple[Kind, ...]] = {
            t("who is meant next"): ("coreference",),
            self._agreement: ("agreement",),
            t("what is said again next"): ("repetition", "bracket", "pair"),
        }
        wanted = {name: torch.zeros(len(ids), len(ids)) for name in names}
        for at, way in enumerate(ways):  # the word at `at` stands one place on, behind the start
            for name, kinds in names.items():
                if way.kind in kinds:
                    wanted[name][at, [to + 1 for to in way.to]] = 1
        return [Pattern(name, rows) for name, rows in wanted.items()]

    def _understood(self, ids: Tensor) -> Story:
        return self.grammar.follow([self.vocabulary[i] for i in ids[1:].tolist()])[0]

    def read(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(self.grammar.pieces, text)]

    def write(self, tokens: list[str]) -> str:
        return self.grammar.as_text(tokens)

    def known(self) -> str:
        return t(
            "only the {n} words and marks of its stories, such as {some}",
            n=len(self.grammar.words) - 1,
            some=", ".join(self.grammar.split(self._some)),
        )


STORIES = {
    "stories": LittleStories(
        ENGLISH,
        t("what the next verb goes with"),
        "Mia and Tom live near the garden with a red ball, two foxes",
    ),
    "stories-zh": LittleStories(
        CHINESE, t("the measure word of the next noun"), "小美和小明住在花园附近，看见一匹马"
    ),
}


def course_of(lesson: Trained) -> Course:
    """What a lesson teaches."""
    if lesson.task == "letters":
        return _letters(lesson.text)
    return COURSES.get(lesson.task) or STORIES[lesson.task]


@functools.lru_cache(maxsize=16)
def _letters(text: str) -> NextLetter:
    return NextLetter(text)
