"""Little stories in English by a grammar of our own, that knows of each word what decides it."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from explorer.scratch.telling import (
    END,
    NOTHING,
    Choice,
    Grammar,
    Said,
    Telling,
    Way,
    any_of,
    bound,
    say,
)

_LAST_START = 103  # no sentence begins later; the longest has 22 words


def _words(said: str) -> tuple[str, ...]:
    return tuple(said.split())


GIRLS = _words("Mia Anna Lily Emma Nora Ella Ada Rosa Lena Clara Ida Vera")
BOYS = _words("Tom Ben Max Leo Sam Paul Finn Hugo Carl Noah Otto Emil")
COLOURS = _words("red green blue yellow white black brown grey pink golden")
THINGS = tuple(
    (noun, f"{noun}s")
    for noun in _words("ball boat kite hat key cup book lamp drum coat flute ring")
)
ANIMALS = (
    *((noun, f"{noun}s") for noun in _words("cat dog bird frog horse rabbit duck goat bear lamb")),
    ("fox", "foxes"),
    ("mouse", "mice"),
    ("goose", "geese"),
)
PLACES = _words("garden forest house school market meadow park barn field village town castle")
FEELINGS = _words("happy sad tired hungry brave quiet proud afraid")
QUALITIES = _words("new small big round soft heavy pretty broken")
MANY = _words("two three four many")
TIMES = _words("day night morning")
SEEING = tuple(
    (f"{verb}es" if verb == "watch" else f"{verb}s", verb)
    for verb in _words("see hear like follow watch")
)
MOVING = tuple((f"{verb}s", verb) for verb in _words("run jump sleep hide wait dance"))
TREATING = _words("loves takes paints carries")
_BE = ("is", "are")
_OTHERS = _words(
    "[END] . , : “ ” ( ) The the One Every and a near in live meets has They they She she He he "
    "it her his because that says sing again la I My name am see have very is are"
)
WORDS = tuple(
    dict.fromkeys(
        (
            *(*_OTHERS, *GIRLS, *BOYS, *COLOURS, *PLACES, *FEELINGS, *QUALITIES, *MANY, *TIMES),
            *TREATING,
            *(word for pair in (*THINGS, *ANIMALS, *SEEING, *MOVING) for word in pair),
        )
    )
)


@dataclass
class Someone:
    """A child, an animal, or several of them.

    Attributes:
        pronoun: She, he, it or they.
        own: Her or his.
        mentions: Where it has been named.
        name: The name of a child, the noun of animals.
    """

    pronoun: str
    own: str = ""
    mentions: list[int] = field(default_factory=list)
    name: str = ""
    colour: Said = NOTHING
    thing: Said = NOTHING
    number: str = ""

    @property
    def many(self) -> bool:
        return self.pronoun == "they"

    @property
    def things_many(self) -> bool:
        return self.number != "a"

    def named(self, said: Said) -> None:
        self.name = said.word
        self.mentions.append(said.at)


@dataclass
class Tale:
    """What a story has told so far: who is in it, and the song that they sing."""

    length: int = 0
    children: list[Someone] = field(default_factory=list)
    animals: list[Someone] = field(default_factory=list)
    song: list[Said] = field(default_factory=list)

    @property
    def both(self) -> Someone:
        return Someone("they", mentions=sorted(m for c in self.children for m in c.mentions))


def _verb(verbs: Sequence[tuple[str, str]], subject: int, many: bool) -> Telling:
    """One of these verbs, in the form that its subject asks for."""
    return (yield tuple(Way(v[many], 1 / len(verbs), "agreement", (subject,)) for v in verbs))


_FIRST = (
    *(Way(name, 0.7 / len((*GIRLS, *BOYS))) for name in (*GIRLS, *BOYS)),
    Way("One", 0.3),
)


def _story(tale: Tale) -> Generator[Choice, Said, None]:
    yield from _children(tale)
    yield from _belongings(tale)
    yield from _meeting(tale)
    body = 0
    while (yield from _sentence(tale, body)):
        body += 1


def _children(tale: Tale) -> Generator[Choice, Said, None]:
    """Mia and Tom live near the river. One day Mia meets Tom near the river."""
    said = yield _FIRST
    together = said.word != "One"
    if not together:
        yield from any_of(TIMES)
        said = yield from any_of((*GIRLS, *BOYS))
    first = _child(said)
    if together:
        yield from say("and")
    else:
        yield from bound("meets", "agreement", (said.at,))
    second = _child((yield from any_of(BOYS if first.pronoun == "she" else GIRLS)))
    tale.children = [first, second]
    if together:
        yield from bound("live", "agreement", (*first.mentions, *second.mentions))
    yield from say("near", "the")
    yield from any_of(PLACES)
    yield from say(".")


def _child(said: Said) -> Someone:
    child = Someone("she", "her") if said.word in GIRLS else Someone("he", "his")
    child.named(said)
    return child


def _belongings(tale: Tale) -> Generator[Choice, Said, None]:
    """Mia has a red ball, and Tom has two green kites."""
    first, second = tale.children
    said = yield (_by_name(first, 0.5), _by_name(second, 0.5))
    if said.word == second.name:
        first, second = second, first
    first.named(said)
    yield from _has(first)
    yield from say(",", "and")
    second.named((yield (_by_name(second, 1.0),)))
    yield from _has(second)
    yield from say(".")


def _by_name(who: Someone, share: float) -> Way:
    return Way(who.name, share, "repetition", tuple(who.mentions))


def _has(child: Someone) -> Generator[Choice, Said, None]:
    yield from bound("has", "agreement", (child.mentions[-1],))
    child.number = (yield from any_of(("a", "two"))).word
    child.colour = yield from any_of(COLOURS)
    child.thing = yield from any_of([pair[child.things_many] for pair in THINGS])


def _meeting(tale: Tale) -> Generator[Choice, Said, None]:
    """They see a fox and three frogs in the garden."""
    subject = yield from bound("They", "coreference", tale.both.mentions)
    yield from bound("see", "agreement", (subject.at,))
    for last in (False, True):
        count = yield (Way("a", 0.5), *(Way(number, 0.5 / len(MANY)) for number in MANY))
        many = count.word != "a"
        taken = {pair for pair in ANIMALS for other in tale.animals if other.name in pair}
        animal = Someone("they" if many else "it")
        animal.named((yield from any_of([pair[many] for pair in ANIMALS if pair not in taken])))
        tale.animals.append(animal)
        yield from say("in" if last else "and")
    yield from say("the")
    yield from any_of(PLACES)
    yield from say(".")


def _sentence(tale: Tale, body: int) -> Generator[Choice, Said, bool]:
    """One sentence of the story, or its end."""
    if body >= 8 or tale.length > _LAST_START:
        yield from say(END)
        return False
    rest = 1.0 if body < 3 else 0.85
    she, he = sorted(tale.children, key=lambda child: child.pronoun == "he")
    ways = (
        *(_by_name(child, 0.15 * rest) for child in (she, he)),
        *(_at_first(child, 0.15 * rest) for child in (she, he)),
        _at_first(tale.both, 0.15 * rest),
        Way("The", 0.2 * rest),
        Way("Every", 0.05 * rest),
        *((Way(END, 1 - rest),) if rest < 1 else ()),
    )
    said = yield ways
    if said.word == END:
        return False
    if said.word in ("The", "Every"):
        if said.word == "Every":
            yield from any_of(TIMES)
            yield from say("the")
        yield from _of_animals(tale)
    elif said.word == "They":
        yield from _of_both(tale, said)
    else:
        child = she if said.word in ("She", she.name) else he
        if said.word == child.name:
            child.named(said)
        yield from _of_child(tale, child, said)
    return True


def _at_first(who: Someone, share: float) -> Way:
    return Way(who.pronoun.capitalize(), share, "coreference", tuple(who.mentions))


def _of_child(tale: Tale, child: Someone, subject: Said) -> Generator[Choice, Said, None]:
    """Mia is happy. She loves her red ball. She says: “I see the frogs.” She hears the fox."""
    verbs = {"is": 0.3, "says": 0.25}
    verbs |= {verb: 0.3 / len(TREATING) for verb in TREATING}
    verbs |= {verb[0]: 0.15 / len(SEEING) for verb in SEEING}
    said = yield tuple(Way(v, p, "agreement", (subject.at,)) for v, p in verbs.items())
    if said.word == "is":
        yield from _feeling(tale, child, subject)
    elif said.word == "says":
        yield from _speech(tale, child)
    elif said.word in TREATING:
        yield from _belonging(child, subject)
    else:
        yield from _seen(tale)


def _of_both(tale: Tale, subject: Said) -> Generator[Choice, Said, None]:
    """They are happy. They sing: “…” They hear the fox."""
    verbs = {"are": 0.35, "sing": 0.4} | {verb[1]: 0.25 / len(SEEING) for verb in SEEING}
    said = yield tuple(Way(v, p, "agreement", (subject.at,)) for v, p in verbs.items())
    if said.word == "are":
        yield from _feeling(tale, tale.both, subject)
    elif said.word == "sing":
        yield from _song(tale)
    else:
        yield from _seen(tale)


def _of_animals(tale: Tale) -> Generator[Choice, Said, None]:
    """The fox that the frogs watch is hungry. The frogs near the fox run in the garden."""
    animal = yield from _animal(tale, tale.animals)
    head = animal.mentions[-1]
    more = _main_verbs(animal, head, 0.5)
    said = yield (Way("near", 0.2), Way("that", 0.3), *more)
    if said.word == "near":
        yield from say("the")
        others = [a for a in tale.animals if a is not animal]
        places = tuple(Way(place, 0.5 / len(PLACES)) for place in PLACES)
        said = yield (*places, _by_name(others[0], 0.5))
        if said.word == others[0].name:
            others[0].named(said)
        said = yield _main_verbs(animal, head, 1.0)
    elif said.word == "that":
        yield from _clause(tale, animal)
        said = yield _main_verbs(animal, head, 1.0)
    if said.word in _BE:
        yield from _feeling(tale, animal, Said(animal.name, head))
    else:
        yield from say("in", "the")
        yield from any_of(PLACES)
        yield from say(".")


def _main_verbs(animal: Someone, head: int, share: float) -> Choice:
    be = Way(_BE[animal.many], 0.5 * share, "agreement", (head,))
    others = (
        Way(verb[animal.many], 0.5 * share / len(MOVING), "agreement", (head,)) for verb in MOVING
    )
    return (be, *others)


def _clause(tale: Tale, animal: Someone) -> Generator[Choice, Said, None]:
    """… that Mia likes …; … that the frogs watch …; … that the frogs that Mia likes watch …."""
    said = yield (*(_by_name(child, 0.25) for child in tale.children), Way("the", 0.5))
    subject, many = said.at, False
    if said.word == "the":
        others = [a for a in tale.animals if a is not animal]
        other = yield from _animal(tale, others)
        subject, many = other.mentions[-1], other.many
        verbs = tuple(Way(v[many], 0.7 / len(SEEING), "agreement", (subject,)) for v in SEEING)
        said = yield (Way("that", 0.3), *verbs)
        if said.word != "that":
            return
        child = yield tuple(_by_name(c, 0.5) for c in tale.children)
        _find(tale.children, child.word).named(child)
        yield from _verb(SEEING, child.at, False)
    else:
        _find(tale.children, said.word).named(said)
    yield from _verb(SEEING, subject, many)


def _find(among: Sequence[Someone], name: str) -> Someone:
    return next(who for who in among if who.name == name)


def _animal(tale: Tale, among: Sequence[Someone]) -> Generator[Choice, Said, Someone]:
    """One of the animals of the story, by its name."""
    said = yield tuple(_by_name(animal, 1 / len(among)) for animal in among)
    found = _find(among, said.word)
    found.named(said)
    return found


def _seen(tale: Tale) -> Generator[Choice, Said, None]:
    yield from say("the")
    yield from _animal(tale, tale.animals)
    yield from say(".")


def _feeling(tale: Tale, who: Someone, subject: Said) -> Generator[Choice, Said, None]:
    """… happy because she hears the fox."""
    yield from any_of(FEELINGS)
    said = yield (Way("because", 0.6), Way(".", 0.4))
    if said.word == ".":
        return
    stands_for = yield from bound(who.pronoun, "coreference", (subject.at,))
    yield from _verb(SEEING, stands_for.at, who.many)
    yield from say("the")
    yield from _animal(tale, [a for a in tale.animals if a is not who])
    yield from say(".")


def _belonging(child: Someone, subject: Said) -> Generator[Choice, Said, None]:
    """… her red ball (it is very new)."""
    yield from bound(child.own, "coreference", (subject.at,))
    yield from bound(child.colour.word, "repetition", (child.colour.at,))
    thing = yield from bound(child.thing.word, "repetition", (child.thing.at,))
    said = yield (Way(".", 0.6), Way("(", 0.4))
    if said.word == ".":
        return
    many = child.things_many
    stands_for = yield from bound("they" if many else "it", "coreference", (thing.at,))
    yield from bound(_BE[many], "agreement", (stands_for.at,))
    quality = yield (Way("very", 0.4), *(Way(q, 0.6 / len(QUALITIES)) for q in QUALITIES))
    if quality.word == "very":
        yield from any_of(QUALITIES)
    yield from bound(")", "bracket", (said.at,))
    yield from say(".")


def _speech(tale: Tale, child: Someone) -> Generator[Choice, Said, None]:
    """… “My name is Mia.” “I see the fox.” “I have a red ball.” “I am happy.” – one of these."""
    opened = yield from say(":", "“")
    said = yield (Way("My", 0.4), Way("I", 0.6))
    if said.word == "My":
        yield from say("name", "is")
        child.named((yield from bound(child.name, "coreference", child.mentions)))
    else:
        said = yield tuple(Way(verb, 1 / 3) for verb in ("see", "have", "am"))
        if said.word == "see":
            yield from say("the")
            yield from _animal(tale, tale.animals)
        elif said.word == "am":
            yield from any_of(FEELINGS)
        else:
            number = "two" if child.things_many else "a"
            yield from bound(number, "repetition", (child.colour.at - 1,))
            yield from bound(child.colour.word, "repetition", (child.colour.at,))
            yield from bound(child.thing.word, "repetition", (child.thing.at,))
    yield from say(".")
    yield from bound("”", "bracket", (opened.at,))


def _song(tale: Tale) -> Generator[Choice, Said, None]:
    """… “Pink geese dance near the barn, la la la.”; later again: the same words."""
    if tale.song:
        yield from say("again")
    opened = yield from say(":", "“")
    if tale.song:
        tale.song = yield from _the_same(tale.song)
    else:
        tale.song = [(yield from any_of(COLOURS))]
        tale.song.append((yield from any_of([pair[True] for pair in ANIMALS])))
        tale.song.append((yield from _verb(MOVING, tale.song[1].at, True)))
        tale.song.append((yield from any_of(("near", "in"))))
        tale.song.append((yield from say("the")))
        tale.song.append((yield from any_of(PLACES)))
    yield from say(",", "la", "la", "la", ".")
    yield from bound("”", "bracket", (opened.at,))


def _the_same(song: Sequence[Said]) -> Generator[Choice, Said, list[Said]]:
    again = []
    for line in song:
        again.append((yield from bound(line.word, "repetition", (line.at,))))
    return again


def _begin() -> tuple[Tale, Generator[Choice, Said, None]]:
    tale = Tale()
    return tale, _story(tale)


ENGLISH = Grammar(
    WORDS,
    ("coreference", "agreement", "repetition", "bracket"),
    _begin,
    pieces=r"\w+|[^\w\s]",
    between=" ",
    closed=r" (?=[.,:)”])|(?<=[(“]) ",
)
KINDS = ENGLISH.kinds
as_text, follow, split, tell = ENGLISH.as_text, ENGLISH.follow, ENGLISH.split, ENGLISH.tell
