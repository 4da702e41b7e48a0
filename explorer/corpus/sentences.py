"""A small corpus of our own: sentences of everyday life by templates, and little stories.

What a template says is chosen by a seed, so everybody has the same sentences. They hold what heads
are known to follow: names that come again, pronouns, quotation marks, lists, numbers, clauses
between a noun and its verb, questions, and sentences that go together in pairs or threes.
"""

import random
import re
from collections.abc import Iterator

from explorer.scratch.grammar import as_text, tell

MANY = 3000
_STORIES = 6  # one text in so many is a little story


def _words(said: str) -> list[str]:
    return said.split()


_LISTS = {
    "name": _words("Anna Ben Clara David Elena Farid Grace Hugo Ines Jonas Kim Leila Marco Nadia"),
    "who": _words("teacher doctor baker farmer pilot nurse painter judge sailor student lawyer"),
    "thing": _words("letter book lamp bridge bottle engine ticket camera ladder basket mirror"),
    "animal": _words("dog cat horse bird lamb goat bear rabbit frog duck"),
    "place": _words("station market library garden harbour museum kitchen office valley village"),
    "city": _words("Paris Lima Oslo Cairo Boston Kyoto Rome Nairobi Vienna Sydney"),
    "did": _words("found sold painted carried opened repaired forgot described followed praised"),
    "went": _words("left arrived waited slept laughed returned worked smiled sang waved"),
    "how": _words("quickly quietly slowly carefully suddenly happily rarely often"),
    "feel": _words("tired happy proud afraid hungry curious angry calm late ready"),
    "big": _words("small large old new heavy broken bright empty wooden expensive"),
    "colour": _words("red green blue yellow white black brown grey"),
    "when": _words("Monday Tuesday Friday Sunday yesterday today tomorrow"),
    "food": _words("bread soup rice cheese apples coffee honey fish tea salt"),
    "number": _words("two three four five seven ten twelve forty 19 250 1,400"),
    "year": _words("1912 1945 1969 1984 2001 2019"),
}
_PLAIN = [
    "The {who} {did} the {big} {thing} in the {place}.",
    "{name} {did} a {thing} because it was {big}.",
    "The {animal} {went} {how}, and the {animal2} {went2} too.",
    "{name} met {name2} in {city}, and {name} gave {name2} a {thing}.",
    "Where did the {who} put the {colour} {thing}?",
    "“I am {feel},” said {name}, “but I am not {feel2}.”",
    "The {who} who {did} the {thing} {went} {when}.",
    "The {thing}s that the {who} {did} were {big} and {big2}.",
    "We bought {food}, {food2}, {food3} and {food4} at the {place}.",
    "In {year}, {number} {animal}s {went} near {city}.",
    "{name} thought that {name2} was {feel}, so {name} {went}.",
    "The {big} {thing} and the {big2} {thing} were in the same {place}.",
    "If the {place} is closed {when}, the {who} will be {feel}.",
    "Nobody in the {place} had seen the {animal} or its {thing}.",
    "The {who}'s {thing} cost {number} dollars, and the {who2}'s cost {number2}.",
    "{name} (the {who}) {did} the {thing} (a {colour} one) {how}.",
    "It was {when} when the {animal} {did} my {thing}.",
    "She {did} the {thing}; he {did2} the {thing2}; they both {went}.",
    "“Is the {thing} {colour}?” asked the {who}. “No,” said {name}, “it is {colour2}.”",
    "The {who} {went}. Then the {who2} {went2}. Then nobody {went3}.",
    "From {city} to {city2} it takes {number} hours by train, or {number2} by car.",
    "{name} likes {food} more than {food2}, but {name2} likes {food2} more than {food}.",
    "Not the {animal} but the {animal2} {did} the {food}.",
    "My {thing} is {colour}, your {thing} is {colour2}, and her {thing} is {colour}.",
    "Dear {name}, thank you for the {big} {thing}. I was {feel} when it came. Yours, {name2}",
    "The report of {year} names {number} {place}s, {number2} {thing}s and {number} {animal}s.",
]
_PLACE = re.compile(r"\{([a-z]+)([0-9]?)\}")


def sentences(n: int = MANY, seed: int = 0) -> list[str]:
    """So many different texts, the same for everybody who gives the same seed.

    Args:
        n: How many.
        seed: A whole number.
    """
    found: dict[str, None] = {}
    for text in _told(random.Random(seed), seed):
        if len(found) == n:
            break
        found[text] = None
    return list(found)


def _told(draw: random.Random, seed: int) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        if number % _STORIES == 0:
            yield as_text(tell(seed * 1_000_003 + number).words)
            continue
        some = draw.choice((1, 1, 1, 2, 2, 3))
        yield _filled(" ".join(draw.sample(_PLAIN, some)), draw)


def _filled(template: str, draw: random.Random) -> str:
    """A template filled: a place that comes again has the same word, others of its list others."""
    drawn: dict[str, list[str]] = {}

    def word(place: re.Match[str]) -> str:
        name, which = place[1], int(place[2] or 1) - 1
        words = drawn.setdefault(name, draw.sample(_LISTS[name], 4))
        return words[which]

    return _PLACE.sub(word, template)
