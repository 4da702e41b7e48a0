"""Targets of a decoder that predicts the next word: which token is meant, and what it comes to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.sources.loading import LoadedModel
from explorer.sources.predicting import token_of
from explorer.sources.written import text_of
from explorer.target import NextWord, WrittenSpan
from explorer.trace import Token

_NUMBER = re.compile(r"⟨(\d{1,9})⟩")


@dataclass(frozen=True)
class Predicted:
    """What is asked of a decoder, by positions and numbers.

    Attributes:
        rows: The positions after which tokens are predicted.
        tokens: The token that is asked for at each.
        other: A token that the one of a single row is compared with.
        measure: ``probability``, ``logit`` (also the difference of two), or ``log`` (the logarithm
            of the probability, summed over the rows).
    """

    rows: tuple[int, ...]
    tokens: tuple[int, ...]
    other: int | None = None
    measure: str = "probability"

    @property
    def stays(self) -> set[int]:
        """The positions that are not taken away: where something is predicted, and what."""
        return {*self.rows, *(row + 1 for row in self.rows[:-1])}

    @property
    def last(self) -> int:
        """The last position that counts: a decoder looks at none behind it."""
        return self.rows[-1]

    def of(self, logits: Tensor) -> Tensor:
        """The target of each text, ``[text]``, from ``[text, row, vocabulary]`` in float64."""
        rows = torch.arange(len(self.rows))
        found = logits[:, rows, list(self.tokens)]
        if self.measure == "logit":
            return found[:, 0] if self.other is None else found[:, 0] - logits[:, 0, self.other]
        logs = found - logits.logsumexp(-1)
        return logs[:, 0].exp() if self.measure == "probability" else logs.sum(-1)


def end_of(tokens: Sequence[Token]) -> int:
    """The position after which a text goes on: marks that close it are not counted."""
    last = len(tokens) - 1
    while last and tokens[last].special and tokens[last].span is None:
        last -= 1
    return last


def asked_for(
    loaded: LoadedModel,
    target: NextWord | WrittenSpan,
    ids: Sequence[int],
    tokens: Sequence[Token],
    likeliest: Any,
) -> Predicted:
    """A target by positions and numbers.

    Args:
        loaded: The model.
        target: The target.
        ids: The numbers of the text's tokens.
        tokens: The tokens.
        likeliest: Gives the likeliest token after a position.

    Raises:
        ExplorerError: There is no such position, or no such token.
    """
    n = len(ids)
    if isinstance(target, WrittenSpan):
        if not 1 <= target.start < target.end <= n:
            raise ExplorerError(
                t(
                    "This text has the tokens 0 to {value}, and the first is predicted from"
                    " nothing: choose words from token 1 on.",
                    value=n - 1,
                )
            )
        rows = tuple(range(target.start - 1, target.end - 1))
        return Predicted(rows, tuple(ids[row + 1] for row in rows), measure="log")
    end = end_of(tokens)
    at = end if target.at is None else target.at
    if at >= n:
        raise ExplorerError(
            t("There is no token {at}: this text has the tokens 0 to {value}.", at=at, value=n - 1)
        )
    if target.guess is not None:
        token = _number_of(loaded, target.guess)
    else:
        token = int(ids[at + 1]) if at < end else int(likeliest(at))
    other = None if target.other is None else _number_of(loaded, target.other)
    logit = target.logit or other is not None
    return Predicted((at,), (token,), other, "logit" if logit else "probability")


def _number_of(loaded: LoadedModel, word: str) -> int:
    said = _NUMBER.fullmatch(word)
    whole: Any = loaded.whole
    size = len(whole.get_output_embeddings().weight)
    number = int(said[1]) if said else token_of(loaded, word)
    if number >= size:
        raise ExplorerError(
            t(
                "{name} predicts no token {number}; it has 0 to {value}.",
                name=loaded.info.name,
                number=f"{number:,}",
                value=f"{size - 1:,}",
            )
        )
    return number


def name_of(
    loaded: LoadedModel, asked: Predicted, ids: Sequence[int], tokens: Any, offset: int = 0
) -> str:
    """What is asked for, in words; so many tokens stand before those that are counted."""
    row = asked.rows[0]

    def named(token: int) -> str:
        return text_of(loaded.tokenizer, ids[: row + 1], token).removeprefix("␣")

    behind = t("after “{text}” (token {value})", text=tokens[row].text, value=offset + row)
    word = named(asked.tokens[0])
    if asked.measure == "log":
        first, last = offset + row + 1, offset + asked.rows[-1] + 1
        return t(
            "logarithm of the probability of the tokens {first} to {last}", first=first, last=last
        )
    if asked.other is not None:
        return t(
            "logit of “{word}” less that of “{other}”, {behind}",
            word=word,
            other=named(asked.other),
            behind=behind,
        )
    kind = "logit" if asked.measure == "logit" else "probability"
    return t("{kind} of “{word}” {behind}", kind=kind, word=word, behind=behind)
