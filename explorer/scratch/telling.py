"""How a story is told word by word, whatever its language: what may come, and what decides it.

Before each word a grammar says which words may come, how likely each is, and to which earlier
words it is bound. Nothing is decided in secret: so what it says is the best that anybody could
predict who has read the story so far.
"""

import functools
import random
import re
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Kind = Literal["coreference", "agreement", "repetition", "bracket", "pair"]
END = "[END]"
LONGEST = 126  # words of a story, its end among them


class Way(NamedTuple):
    """A word that may come.

    Attributes:
        word: The word.
        share: How likely it is, 0 to 1.
        kind: How it is bound to earlier words; None if it is not.
        to: The positions of the earlier words, each of which says enough.
    """

    word: str
    share: float
    kind: Kind | None = None
    to: tuple[int, ...] = ()


class Said(NamedTuple):
    """A word that came, and its position."""

    word: str
    at: int


NOTHING = Said("", 0)
Choice = tuple[Way, ...]
Telling = Generator[Choice, Said, Said]


def any_of(words: Sequence[str]) -> Telling:
    """One of these, whichever."""
    return (yield _evenly(tuple(words)))


@functools.cache
def _evenly(words: tuple[str, ...]) -> Choice:
    return tuple(Way(word, 1 / len(words)) for word in words)


def say(*words: str) -> Telling:
    """These words, one after the other."""
    for word in words:
        said = yield (Way(word, 1.0),)
    return said


def bound(word: str, kind: Kind, to: Iterable[int]) -> Telling:
    """A word that earlier ones decide."""
    return (yield (Way(word, 1.0, kind, tuple(to)),))


@dataclass(frozen=True)
class Story:
    """A story, or its beginning, with what the grammar knows of it.

    Attributes:
        words: The words.
        choices: For each word, those that might have come in its place, itself among them.
    """

    words: tuple[str, ...]
    choices: tuple[Choice, ...]

    @property
    def ways(self) -> tuple[Way, ...]:
        """For each word how likely it was, and what it is bound to."""
        pairs = zip(self.words, self.choices, strict=True)
        return tuple(next(w for w in choice if w.word == word) for word, choice in pairs)


@dataclass(frozen=True)
class Grammar:
    """What tells the stories of a language.

    Attributes:
        words: All its words and marks, the end of a story first.
        kinds: The kinds of bonds between its words.
        begin: Begins a tale: what is noted of it (with a ``length``), and its telling.
        pieces: The pattern of one word in a text.
        between: What people write between two words.
        closed: The pattern of a space that people do not write; empty if they write none.
    """

    words: tuple[str, ...]
    kinds: tuple[Kind, ...]
    begin: Callable[[], tuple[Any, Generator[Choice, Said, None]]]
    pieces: str
    between: str
    closed: str

    def tell(self, seed: int, most: int = LONGEST) -> Story:
        """A story, the same one for the same number.

        Args:
            seed: The number.
            most: Words that are told, if the story does not end before.
        """
        chance = random.Random(seed)

        def pick(choice: Choice, at: int) -> str | None:
            if at == most:
                return None
            if len(choice) == 1:
                return choice[0].word
            return chance.choices(choice, [way.share for way in choice])[0].word

        return self._told(pick)

    def follow(self, words: Sequence[str]) -> tuple[Story, Choice]:
        """Words as the grammar understands them, as far as they tell a story.

        Returns:
            The story up to the first word that cannot stand where it stands; and the words that
            may come there, none where the story has ended.
        """
        after: list[Choice] = []

        def pick(choice: Choice, at: int) -> str | None:
            word = words[at] if at < len(words) else None
            if all(word != way.word for way in choice):
                after.append(choice)
                return None
            return word

        story = self._told(pick)
        return story, after[0] if after else ()

    def _told(self, pick: Callable[[Choice, int], str | None]) -> Story:
        """Let somebody pick each word, until the story ends or nothing is picked."""
        tale, telling = self.begin()
        choice = next(telling)
        words: list[str] = []
        choices: list[Choice] = []
        try:
            while (word := pick(choice, len(words))) is not None:
                words.append(word)
                choices.append(choice)
                tale.length = len(words)
                choice = telling.send(Said(word, len(words) - 1))
        except StopIteration:
            pass
        return Story(tuple(words), tuple(choices))

    def as_text(self, words: Iterable[str]) -> str:
        """Words as people write them; the end of a story is no word."""
        text = self.between.join(word for word in words if word != END)
        return re.sub(self.closed, "", text) if self.closed else text

    def split(self, text: str) -> list[str]:
        """The words and marks of a text, as the grammar has them."""
        return re.findall(self.pieces, text)
