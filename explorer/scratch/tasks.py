"""Small tasks that attention can learn: sequences, what to answer, and what to look at."""

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.language import t

START = "^"  # a token of its own at the front: somewhere to look when there is nothing to find
BLANK = -100  # the answer where none is asked for; torch's own default for losses
_OPENING, _CLOSING = "([{<", ")]}>"
_DEEPEST = 3
_FOLDS = 8  # one sequence in so many is held out


@dataclass(frozen=True)
class Batch:
    """Sequences and their answers.

    Attributes:
        ids: Token numbers, ``[sequence, position]``.
        answers: Numbers of the right answers, the same shape; `BLANK` where none is asked for.
    """

    ids: Tensor
    answers: Tensor


@dataclass(frozen=True)
class Pattern:
    """Where a head would look if it did one thing only.

    Attributes:
        name: What it does, in words.
        wanted: 0 or 1, ``[query, key]``; a row of zeros where it does not matter.
    """

    name: str
    wanted: Tensor


@dataclass(frozen=True)
class Best:
    """What the best that anybody could do would reach.

    Attributes:
        accuracy: The share of answers that would be right.
        loss: The mean of -log of the probability that each right answer would have been given.
    """

    accuracy: float
    loss: float


class Course:
    """One task: makes sequences, knows the answers and where to look for them.

    Attributes:
        symbols: The tokens, by number.
        answers: What can be answered, by number.
        starts: Whether a sequence begins with `START`.
        causal: Whether a token may look only at itself and at earlier ones.
        tested: Held-out sequences that it is tested on.
        apart: The next frame is kept after one in so many of the steps so far.
    """

    symbols: str = "abcdefghij"
    answers: tuple[str, ...] = ()
    starts = False
    causal = False
    tested = 512
    apart = 12

    def __init__(self) -> None:
        self.answers = self.answers or tuple(self.symbols)
        self.vocabulary = list(self.symbols) + ([START] if self.starts else [])
        self.numbers = {token: i for i, token in enumerate(self.vocabulary)}

    def batch(self, count: int, length: int, generator: torch.Generator) -> Batch:
        """Fresh sequences with their answers."""
        ids = self.draw(count, length, generator)
        answers = self.solve(ids)
        if self.starts:
            ids = torch.cat([torch.full((count, 1), len(self.symbols)), ids], 1)
            answers = torch.cat([torch.full((count, 1), BLANK), answers], 1)
        return Batch(ids, answers)

    def learned(self, count: int, length: int, generator: torch.Generator) -> Batch:
        """What a step learns from: nothing is asked of sequences that are held out."""
        batch = self.batch(count, length, generator)
        learned = ~is_held_out(batch.ids)[:, None]
        return Batch(batch.ids, torch.where(learned, batch.answers, BLANK))

    def held_out(self, length: int, generator: torch.Generator) -> Batch:
        """Sequences that are never learned from."""
        batch = self.batch(4 * _FOLDS * self.tested // 3, length, generator)
        kept = is_held_out(batch.ids).nonzero()[: self.tested, 0]
        return Batch(batch.ids[kept], batch.answers[kept])

    def best(self, _held_out: Batch) -> Best | None:
        """What could be reached at best; None where that is to be always right, or is not known."""
        return None

    def read(self, text: str) -> list[tuple[int, int]]:
        """A text as tokens, each by its first and one-past-last character; spaces separate."""
        return [(i, i + 1) for i, c in enumerate(text) if not c.isspace()]

    def spelled(self, word: str) -> str:
        """A piece of a text as the vocabulary spells it."""
        return word

    def write(self, tokens: list[str]) -> str:
        """Tokens as a text that reads as the same tokens."""
        return " ".join(tokens)

    def known(self) -> str:
        """What its sequences are made of, as the end of a sentence."""
        return t("only the tokens {tokens}", tokens=" ".join(self.symbols))

    def right(self, ids: Tensor) -> Tensor:
        """The right answers to one sequence as the layer reads it, ``[position]``."""
        return torch.nn.functional.pad(
            self.solve(ids[None, self.starts :])[0], (int(self.starts), 0), value=BLANK
        )

    def draw(self, count: int, length: int, generator: torch.Generator) -> Tensor:
        """Sequences, without `START`, ``[sequence, position]``."""
        return torch.randint(len(self.symbols), (count, length), generator=generator)

    def solve(self, ids: Tensor) -> Tensor:
        """The right answers to sequences without `START`."""
        raise NotImplementedError

    def ideal(self, ids: Tensor) -> list[Pattern]:
        """Where it would be best to look in one sequence, without `START`, ``[position]``."""
        raise NotImplementedError

    def patterns(self, ids: Tensor) -> list[Pattern]:
        """The same for a sequence as the layer reads it, with `START` where the task has it."""
        if not self.starts:
            return self.ideal(ids)
        found = self.ideal(ids[1:])
        return [Pattern(p.name, torch.nn.functional.pad(p.wanted, (1, 0, 1, 0))) for p in found]


class Copy(Course):
    """Name the token before."""

    def solve(self, ids: Tensor) -> Tensor:
        return torch.cat([torch.full_like(ids[:, :1], BLANK), ids[:, :-1]], 1)

    def ideal(self, ids: Tensor) -> list[Pattern]:
        return [Pattern(t("the previous token"), torch.diag(torch.ones(len(ids) - 1), -1))]


class Reverse(Course):
    """Read backwards."""

    def solve(self, ids: Tensor) -> Tensor:
        return ids.flip(1)

    def ideal(self, ids: Tensor) -> list[Pattern]:
        return [Pattern(t("the place as far from the other end"), torch.eye(len(ids)).flip(0))]


class Duplicate(Course):
    """Does this token stand anywhere else?"""

    symbols = "abcdefghijklmnopqrstuvwxyz"
    answers = ("once", "twice")
    starts = True

    def draw(self, count: int, length: int, generator: torch.Generator) -> Tensor:
        """Some letters twice, the others once; how many is anybody's guess."""
        letters = torch.rand(count, len(self.symbols), generator=generator).argsort(1)
        pairs = torch.randint(length // 2 + 1, (count, 1), generator=generator)
        place = torch.arange(length)
        letters = letters.gather(1, torch.where(place < 2 * pairs, place // 2, place - pairs))
        return letters.gather(1, torch.rand(count, length, generator=generator).argsort(1))

    def solve(self, ids: Tensor) -> Tensor:
        return (_same(ids).sum(-1) > 1).long()

    def ideal(self, ids: Tensor) -> list[Pattern]:
        others = (_same(ids[None])[0] - torch.eye(len(ids))).clamp(min=0)
        return [Pattern(t("the same token elsewhere"), others)]


class Sort(Course):
    """Put digits in order."""

    symbols = "0123456789"

    def solve(self, ids: Tensor) -> Tensor:
        return ids.sort(1).values

    def ideal(self, ids: Tensor) -> list[Pattern]:
        return [
            Pattern(t("the digit that belongs here"), (ids.sort().values[:, None] == ids).float())
        ]


class Count(Course):
    """How often does this token stand here?"""

    symbols = "abcdef"
    answers = ("1", "2", "3", "4", t("5 or more"))
    starts = True

    def solve(self, ids: Tensor) -> Tensor:
        return (_same(ids).sum(-1).long() - 1).clamp(max=len(self.answers) - 1)

    def ideal(self, ids: Tensor) -> list[Pattern]:
        return [Pattern(t("the same token, here and elsewhere"), _same(ids[None])[0])]


class Brackets(Course):
    """Which bracket does each ? close?"""

    symbols = _OPENING + "?"
    answers = tuple(_CLOSING)

    def draw(self, count: int, length: int, generator: torch.Generator) -> Tensor:
        """Balanced brackets, the closing ones written as ?; an odd length ends with one open."""
        opens = torch.rand(count, length, generator=generator) < 0.5
        kinds = torch.randint(len(_OPENING), (count, length), generator=generator)
        ids, depth = torch.empty(count, length, dtype=torch.long), torch.zeros(count).long()
        for i in range(length):
            room = depth + 1 <= length - i - 1  # all that is open must still be closed
            may = (depth < _DEEPEST) & (room | (i == length - 1))
            opening = ((depth == 0) | opens[:, i]) & may
            ids[:, i] = torch.where(opening, kinds[:, i], len(_OPENING))
            depth = depth + torch.where(opening, 1, -1)
        return ids

    def solve(self, ids: Tensor) -> Tensor:
        opener = [_openers(row) for row in ids.tolist()]
        return torch.tensor(
            [
                [BLANK if j is None else row[j] for j in found]
                for row, found in zip(ids.tolist(), opener, strict=True)
            ]
        )

    def ideal(self, ids: Tensor) -> list[Pattern]:
        wanted = torch.zeros(len(ids), len(ids))
        for i, j in enumerate(_openers(ids.tolist())):
            if j is not None:
                wanted[i, j] = 1
        return [Pattern(t("the bracket that it closes"), wanted)]


class Induction(Course):
    """What came after this token the last time? (Olsson et al. 2022)."""

    symbols = "abcdefghijklmnop"
    causal = True

    def draw(self, count: int, length: int, generator: torch.Generator) -> Tensor:
        """A row of different letters, and then the same row again."""
        letters = torch.rand(count, len(self.symbols), generator=generator).argsort(1)
        period = torch.randint(length // 3, length // 2 + 1, (count, 1), generator=generator)
        return letters.gather(1, torch.arange(length) % period)

    def solve(self, ids: Tensor) -> Tensor:
        after = self._after(ids)
        answers = (after.float() * ids[:, None, :]).sum(-1).long()
        return torch.where(after.any(-1), answers, BLANK)

    def ideal(self, ids: Tensor) -> list[Pattern]:
        previous = torch.diag(torch.ones(len(ids) - 1), -1)
        after = self._after(ids[None])[0].float()
        return [
            Pattern(t("the previous token"), previous),
            Pattern(t("the token after the earlier one"), after),
        ]

    @staticmethod
    def _after(ids: Tensor) -> Tensor:
        """For each place the one after the last earlier place with the same token."""
        earlier = _same(ids).bool().tril(-1)
        last = earlier & (earlier.long().flip(-1).cumsum(-1).flip(-1) == 1)
        return last.roll(1, -1)


def _same(ids: Tensor) -> Tensor:
    """1 where two places hold the same token, ``[sequence, query, key]``."""
    return (ids[:, :, None] == ids[:, None, :]).float()


def _openers(row: list[int]) -> list[int | None]:
    """For each ? the place of the bracket that it closes; None for others, and for strays."""
    stack: list[int] = []
    found: list[int | None] = []
    for i, token in enumerate(row):
        closes = token == len(_OPENING)
        found.append(stack.pop() if closes and stack else None)
        if not closes:
            stack.append(i)
    return found


COURSES: dict[str, Course] = {
    "copy": Copy(),
    "reverse": Reverse(),
    "duplicate": Duplicate(),
    "sort": Sort(),
    "count": Count(),
    "brackets": Brackets(),
    "induction": Induction(),
}


def is_held_out(ids: Tensor) -> Tensor:
    """Whether sequences are for testing only: about one in eight, by what is in them.

    So no sequence is both learned from and tested on, however few there are.
    """
    factors = torch.tensor([pow(31, i, 1_000_003) for i in range(ids.shape[1])])
    return ((ids + 1) * factors).sum(-1) % 1_000_003 % _FOLDS == 0


def nearness(weights: Tensor, wanted: Tensor) -> Tensor:
    """The share of attention that goes where the pattern wants it, 0 to 1.

    Args:
        weights: ``[..., query, key]``.
        wanted: 0 or 1, ``[query, key]`` or with the same leading dimensions.

    Returns:
        ``[...]``: the mean over the rows that want something; NaN if none does.
    """
    matters = wanted.any(-1)
    hit = (weights * wanted).sum(-1)
    return (hit * matters).sum(-1) / matters.sum(-1)
