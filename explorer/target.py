"""Target: the one number of a model's output that an explanation is about. Hashable."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.run import readable
from explorer.visible import is_blank

# How words go: a neutral token in their place, nothing, or a word that stays and that no later
# token may look at.
How = Literal["replace", "drop", "cut"]
MOST_GUESS = 200  # characters of the word that is asked for; no vocabulary's tokens are so long
MOST_OTHER = 2_000  # characters of the other text: it travels in the link


@dataclass(frozen=True, slots=True)
class Likeness:
    """The cosine of the text's vector and another text's.

    Attributes:
        other: The other text; read by the model as it is.
        first: Whether a text's vector is that of its first token; else the mean of all.
    """

    other: str
    first: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "other", readable(self.other))
        if is_blank(self.other):
            raise ExplorerError(t("Like which text? Type one to compare with."))
        if len(self.other) > MOST_OTHER:
            raise ExplorerError(
                t(
                    "The other text has {other} characters; at most {most_other} can be compared "
                    "with. Shorten it.",
                    other=f"{len(self.other):,}",
                    most_other=f"{MOST_OTHER:,}",
                )
            )


@dataclass(frozen=True, slots=True)
class MaskedWord:
    """The probability of a word at a masked token.

    Attributes:
        at: The position of the token that is masked; None for the longest word.
        guess: The token whose probability is asked for; None for the one that stood there.
    """

    at: int | None = None
    guess: str | None = None

    def __post_init__(self) -> None:
        if self.guess is None:
            return
        object.__setattr__(self, "guess", readable(self.guess))
        if len(self.guess) > MOST_GUESS:
            raise ExplorerError(
                t(
                    "The word to ask for has {guess} characters; no token has more than "
                    "{most_guess}. Type one word.",
                    guess=f"{len(self.guess):,}",
                    most_guess=MOST_GUESS,
                )
            )


@dataclass(frozen=True, slots=True)
class ClassScore:
    """The logit of a class.

    Attributes:
        label: The number of the class; None for the likeliest.
    """

    label: int | None = None


@dataclass(frozen=True, slots=True)
class OutputVector:
    """The length of a token's output vector, along the direction that it has now.

    Attributes:
        at: The token's position; None for the longest word.
    """

    at: int | None = None


@dataclass(frozen=True, slots=True)
class NextWord:
    """What a decoder gives to a next token: its probability, its logit, or how far before another.

    Attributes:
        at: The position after which it comes; None for the end of the text.
        guess: The token that is asked for, as it is spelled, or ⟨its number⟩; None for the one
            that stands there, and at the end of the text for the likeliest.
        other: A token that it is compared with: the target is then the difference of their logits.
        logit: Whether the logit is meant, and not the probability.
    """

    at: int | None = None
    guess: str | None = None
    other: str | None = None
    logit: bool = False

    def __post_init__(self) -> None:
        for name in ("guess", "other"):
            word = getattr(self, name)
            if word is None:
                continue
            object.__setattr__(self, name, readable(word))
            if not word or len(word) > MOST_GUESS:
                raise ExplorerError(
                    t(
                        "The next token to ask for has {word} characters; it must have 1 to "
                        "{most_guess}. Type one word.",
                        word=f"{len(word):,}",
                        most_guess=MOST_GUESS,
                    )
                )


@dataclass(frozen=True, slots=True)
class WrittenSpan:
    """The logarithm of the probability of some tokens of a text, each after those before it.

    Attributes:
        start: The position of the first.
        end: One past the position of the last.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ExplorerError(t("Which words? The last must not stand before the first."))


Target = Likeness | MaskedWord | ClassScore | OutputVector | NextWord | WrittenSpan
_NAMES: dict[type[Target], str] = {
    Likeness: "like",
    MaskedWord: "word",
    ClassScore: "class",
    OutputVector: "vector",
    NextWord: "next",
    WrittenSpan: "span",
}
PARAMS = ("target", "other", "first", "at", "guess", "label", "logit", "start", "end")


def target_to_query(target: Target) -> dict[str, str]:
    """A target as URL parameters; `target_from_query` gives it back."""
    query = {"target": _NAMES[type(target)]}
    for name in PARAMS[1:]:
        value = getattr(target, name, None)
        if value is not None and value is not False:
            query[name] = "1" if value is True else str(value)
    return query


def target_from_query(query: Mapping[str, str]) -> Target | None:
    """The target that a link asks for; None if it names none.

    Raises:
        ExplorerError: It names something that cannot be.
    """
    kind = query.get("target")
    if kind is None:
        return None
    if kind == "like":
        return Likeness(query.get("other", ""), query.get("first") == "1")
    if kind == "class":
        return ClassScore(_number(query, "label"))
    if kind == "word":
        return MaskedWord(_number(query, "at"), query.get("guess"))
    if kind == "vector":
        return OutputVector(_number(query, "at"))
    if kind == "next":
        words = (query.get("guess") or None, query.get("other") or None)
        return NextWord(_number(query, "at"), *words, query.get("logit") == "1")
    if kind == "span":
        start, end = _number(query, "start"), _number(query, "end")
        return WrittenSpan(0 if start is None else start, 0 if end is None else end)
    raise ExplorerError(
        t(
            "The link names the target {kind}; there are like, word, class, vector, next and span.",
            kind=f"{kind[:20]!r}",
        )
    )


def _number(query: Mapping[str, str], name: str) -> int | None:
    value = query.get(name)
    if value is None:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", value):
        raise ExplorerError(
            t(
                "The link says {name} = {value}; it must be a whole number.",
                name=name,
                value=f"{value[:20]!r}",
            )
        )
    return int(value)
