"""Regular expressions of a tokenizer: how little each takes, and whether it could run for ever.

They are read by structure alone (groups, classes, repeats), in the dialect of Oniguruma that
tokenizers are written in. A backtracking engine takes exponential time where a repeat without an
end stands within another one, and where a part must match again what matched before.
"""

import re
from dataclasses import dataclass

from explorer.language import t

MOST = 4096  # characters: the longest in use has about 500
_GROUP = re.compile(r"\?(#|<?[=!]|[imsx-]*[:)]|>|<\w+>|P<\w+>)")
# A sign behind another one is a manner (lazy, possessive); behind a count only ? is.
_REPEAT = re.compile(
    r"[*+?][?+]?|(?P<counted>\{(?=[\d,]*\d)(?P<low>\d*)(?P<comma>,?)(?P<high>\d*)\})\??"
)
_REPEATS = 3  # without an end, one after the other: each one more costs a power of the length
_FAILING = 1  # of them behind which it may still fail: time grows with the square of a run
_LOOSE = 12  # parts that may take more or less, one after the other: each one may double the ways
_SHORT = 8  # times that a repeat with an end may repeat what can be taken in several ways
_DEPTH = 16


class RunawayError(ValueError):
    """A pattern that could run for ever; its text says why."""


@dataclass
class _Part:
    """What a pattern, or a part of it, takes.

    Attributes:
        least: Characters that it takes at least.
        repeats: Repeats without an end in it, one after the other.
        firm: Whether it always takes as many characters, in one way.
        tests: Whether it takes nothing and may fail: a look ahead, an edge of a word.
        failing: Repeats without an end behind which it may still fail: then each of their lengths
            is tried, from each place.
    """

    least: int = 0
    repeats: int = 0
    firm: bool = True
    tests: bool = False
    failing: int = 0


def least_length(pattern: str) -> int:
    """How many characters a match of a pattern has at least.

    Raises:
        RunawayError: The pattern could run for ever, or is damaged.
    """
    if len(pattern) > MOST:
        raise RunawayError(t("is a pattern of more than {most} characters", most=f"{MOST:,}"))
    reader = _Reader(pattern)
    found = reader.alternatives(0)
    if reader.at < len(pattern):
        raise RunawayError(t("is a pattern with an unpaired bracket"))
    if found.failing > _FAILING:
        raise RunawayError(t("is a pattern that may fail behind several repeats without an end"))
    return found.least


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self.pattern, self.at = pattern, 0

    def alternatives(self, depth: int) -> _Part:
        if depth > _DEPTH:
            raise RunawayError(t("is a pattern of too many brackets within each other"))
        ways = [self._sequence(depth)]
        while self._take("|"):
            ways.append(self._sequence(depth))
        if len(ways) == 1:
            return ways[0]
        most = max(way.repeats for way in ways)
        failing = max(way.failing for way in ways)
        return _Part(min(way.least for way in ways), most, firm=False, failing=failing)

    def _sequence(self, depth: int) -> _Part:
        whole, loose = _Part(), 0
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            part = self._repeated(self._one(depth))
            before = whole.repeats if part.least or part.tests else 0
            whole.failing = max(whole.failing, before + part.failing)
            whole.least += part.least
            whole.repeats += part.repeats
            whole.firm = whole.firm and part.firm
            loose += not part.firm
            if whole.repeats > _REPEATS or loose > _LOOSE:
                raise RunawayError(t("is a pattern that repeats too often without an end"))
        return whole

    def _one(self, depth: int) -> _Part:
        character = self.pattern[self.at]
        self.at += 1
        if character == "(":
            return self._group(depth)
        if character == "[":
            self._class()
        elif character == "\\":
            return self._escape()
        elif character in "^$":
            return _Part(tests=True)
        return _Part(least=1)

    def _group(self, depth: int) -> _Part:
        opened = _GROUP.match(self.pattern, self.at)
        if opened is None and self.pattern.startswith("?", self.at):
            raise RunawayError(t("is a pattern with a group of an unknown kind"))
        kind = opened[1] if opened else ""
        self.at = opened.end() if opened else self.at
        if kind.endswith(")"):
            return _Part()
        inside = self.alternatives(depth + 1)
        if not self._take(")"):
            raise RunawayError(t("is a pattern with an unpaired bracket"))
        if kind in ("=", "!", "<=", "<!"):
            inside.least, inside.tests = 0, True
        return inside

    def _class(self) -> None:
        """A class of characters, which may hold others; a bracket at its beginning is a letter."""
        depth = 1
        self._take("^")
        self._take("]")
        while depth:
            if self.at >= len(self.pattern):
                raise RunawayError(t("is a pattern with an unpaired bracket"))
            character = self.pattern[self.at]
            self.at += 2 if character == "\\" else 1
            depth += (character == "[") - (character == "]")

    def _escape(self) -> _Part:
        rest = self.pattern[self.at : self.at + 1]
        self.at += 1
        if (rest.isdigit() and rest != "0") or rest in ("k", "g"):
            raise RunawayError(t("is a pattern that asks for what matched before"))
        if rest in ("p", "P", "x", "u", "h") and self.pattern.startswith("{", self.at):
            self.at = self.pattern.find("}", self.at) + 1 or len(self.pattern)
        unseen = rest in ("b", "B", "A", "z", "Z", "G", "K")
        # \X and \R are repeats in themselves.
        long = rest in ("X", "R")
        return _Part(0 if unseen else 1, int(long), firm=not long, tests=unseen)

    def _repeated(self, part: _Part) -> _Part:
        """A part with the repeats that stand behind it, one after the other."""
        while found := _REPEAT.match(self.pattern, self.at):
            self.at = found.end()
            part = self._again(part, found)
        return part

    def _again(self, part: _Part, found: re.Match[str]) -> _Part:
        counted = found["counted"] is not None
        low, high = int(found["low"] or 0), int(found["high"] or found["low"] or 0)
        if max(low, high) > 1000:
            raise RunawayError(t("is a pattern that repeats more than 1,000 times"))
        endless = found[0][0] in "*+" or (counted and bool(found["comma"]) and not found["high"])
        long = endless or (counted and high > _SHORT)
        if (counted and high > 1 and part.repeats) or (long and (part.repeats or not part.firm)):
            raise RunawayError(t("is a pattern that repeats what repeats itself"))
        least = part.least * (low if counted else int(found[0][0] == "+"))
        firm = part.firm and counted and not found["comma"]
        return _Part(least, part.repeats + long, firm, failing=part.failing)

    def _take(self, sign: str) -> bool:
        found = self.pattern.startswith(sign, self.at)
        self.at += found
        return found
