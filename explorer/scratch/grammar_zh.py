"""Little stories in Chinese by a grammar of our own, that knows of each word what decides it.

Chinese verbs have no number. What goes together over a distance is the measure word and its noun:
那匹小美喜欢的马, where 匹 asks for 马 past the clause between. A clause may hold another one, and
then the nouns close in the order of brackets: 那匹那只小美喜欢的猫看见的马. And 因为 asks for 所以,
虽然 for 但是.
"""

from collections.abc import Generator, Iterable, Sequence
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


def _measured(said: str) -> dict[str, tuple[str, ...]]:
    """Nouns by their measure words, from lines such as “只 猫 狗”."""
    return {line.split()[0]: _words(line)[1:] for line in said.splitlines()}


GIRLS = _words("小美 小红 小兰 小云 小雨 婷婷 丽丽 芳芳")
BOYS = _words("小明 小刚 小强 小龙 小亮 大伟 大勇 东东")
COLOURS = _words("红色 绿色 蓝色 黄色 白色 黑色 棕色 灰色 粉色 金色")
ANIMALS = _measured("只 猫 狗 鸟 兔子 鸭子 羊 青蛙\n匹 马 狼 骆驼\n头 牛 猪 熊 大象\n条 鱼 蛇 鳄鱼")
THINGS = _measured(
    "本 书 词典 日记\n把 伞 扇子 椅子 钥匙\n顶 帽子 帐篷\n件 毛衣 衬衫 外套\n个 球 苹果 书包 杯子\n"
    "辆 自行车 汽车\n张 地图 卡片"
)
PLACES = _words("花园 森林 学校 市场 竹林 公园 院子 村子 果园 城堡 山谷 田野")
FEELINGS = _words("高兴 难过 累 饿 勇敢 安静 骄傲 紧张")
QUALITIES = _words("新 旧 小 大 轻 重 漂亮 干净")
MANY = _words("两 三 四 五")
TIMES = _words("早上 下午 晚上")
SEEING = _words("看见 听见 喜欢 寻找 认识")
MOVING = _words("跑步 睡觉 跳舞 休息 玩耍 吃饭")
TREATING = _words("最爱 带着 画了 找到")
PAIRS = (("因为", "所以"), ("虽然", "但是"))
_OTHERS = _words(
    "[END] 。 ， ： “ ” （ ） 一天 每天 和 住 在 附近 里 遇见 了 有 一 的 那 他们 她 他 它 它们 "
    "很 非常 说 唱 又 啦 我 叫"
)
WORDS = tuple(
    dict.fromkeys(
        (
            *(*_OTHERS, *GIRLS, *BOYS, *COLOURS, *PLACES, *FEELINGS, *QUALITIES, *MANY, *TIMES),
            *(*SEEING, *MOVING, *TREATING),
            *(word for pair in PAIRS for word in pair),
            *(word for of in (ANIMALS, THINGS) for word, nouns in of.items()),
            *(noun for of in (ANIMALS, THINGS) for nouns in of.values() for noun in nouns),
        )
    )
)


@dataclass
class Someone:
    """A child, an animal, or several of them.

    Attributes:
        pronoun: She, he, it or they, in Chinese.
        mentions: Where it has been named.
        name: The name of a child, the noun of animals.
        number: How many animals, or things of a child; where it was last said. Empty for one.
        measure: The measure word of animals, or of a child's things; where it was last said.
        colour: Of a child's thing.
        thing: What a child has.
    """

    pronoun: str
    mentions: list[int] = field(default_factory=list)
    name: str = ""
    number: Said = NOTHING
    measure: Said = NOTHING
    colour: Said = NOTHING
    thing: Said = NOTHING

    @property
    def many(self) -> bool:
        return self.number.word not in ("", "一")

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
        return Someone("他们", sorted(m for c in self.children for m in c.mentions))


_FIRST = (
    *(Way(name, 0.7 / len((*GIRLS, *BOYS))) for name in (*GIRLS, *BOYS)),
    Way("一天", 0.3),
)


def _story(tale: Tale) -> Generator[Choice, Said, None]:
    yield from _children(tale)
    yield from _belongings(tale)
    yield from _meeting(tale)
    body = 0
    while (yield from _sentence(tale, body)):
        body += 1


def _children(tale: Tale) -> Generator[Choice, Said, None]:
    """小美和小明住在花园附近。 Or 一天早上，小美在花园里遇见了小明."""
    said = yield _FIRST
    together = said.word != "一天"
    if not together:
        yield from any_of(TIMES)
        yield from say("，")
        said = yield from any_of((*GIRLS, *BOYS))
    first = _child(said)
    if together:
        yield from say("和")
    else:
        yield from _in_a_place()
        yield from say("遇见", "了")
    second = _child((yield from any_of(BOYS if first.pronoun == "她" else GIRLS)))
    tale.children = [first, second]
    if together:
        yield from say("住", "在")
        yield from any_of(PLACES)
        yield from say("附近")
    yield from say("。")


def _in_a_place() -> Telling:
    yield from say("在")
    yield from any_of(PLACES)
    return (yield from say("里"))


def _child(said: Said) -> Someone:
    child = Someone("她" if said.word in GIRLS else "他")
    child.named(said)
    return child


def _belongings(tale: Tale) -> Generator[Choice, Said, None]:
    """小美有一顶红色的帽子，小明有两本蓝色的书."""
    first, second = tale.children
    said = yield (_by_name(first, 0.5), _by_name(second, 0.5))
    if said.word == second.name:
        first, second = second, first
    first.named(said)
    yield from _has(first)
    yield from say("，")
    second.named((yield (_by_name(second, 1.0),)))
    yield from _has(second)
    yield from say("。")


def _by_name(who: Someone, share: float) -> Way:
    return Way(who.name, share, "repetition", tuple(who.mentions))


def _has(child: Someone) -> Generator[Choice, Said, None]:
    yield from say("有")
    child.number = yield from any_of(("一", "两"))
    child.measure = yield from any_of(tuple(THINGS))
    child.colour = yield from any_of(COLOURS)
    yield from say("的")
    child.thing = yield from _noun(THINGS[child.measure.word], child.measure)


def _noun(nouns: Sequence[str], measure: Said) -> Telling:
    """One of the nouns that a measure word goes with."""
    return (yield tuple(Way(n, 1 / len(nouns), "agreement", (measure.at,)) for n in nouns))


def _meeting(tale: Tale) -> Generator[Choice, Said, None]:
    """他们在花园里看见一匹马和三只猫."""
    yield from bound("他们", "coreference", tale.both.mentions)
    yield from _in_a_place()
    yield from say("看见")
    for last in (False, True):
        taken = [animal.number.word for animal in tale.animals]
        numbers = [number for number in MANY if number not in taken]
        count = yield (Way("一", 0.5), *(Way(n, 0.5 / len(numbers)) for n in numbers))
        animal = Someone("它" if count.word == "一" else "它们", number=count)
        used = [other.measure.word for other in tale.animals]
        animal.measure = yield from any_of(tuple(m for m in ANIMALS if m not in used))
        animal.named((yield from _noun(ANIMALS[animal.measure.word], animal.measure)))
        tale.animals.append(animal)
        yield from say("。" if last else "和")


def _sentence(tale: Tale, body: int) -> Generator[Choice, Said, bool]:
    """One sentence of the story, or its end."""
    if body >= 8 or tale.length > _LAST_START:
        yield from say(END)
        return False
    rest = 1.0 if body < 3 else 0.85
    she, he = sorted(tale.children, key=lambda child: child.pronoun == "他")
    said = yield (
        *(_by_name(child, 0.12 * rest) for child in (she, he)),
        *(_at_first(child, 0.12 * rest) for child in (she, he)),
        _at_first(tale.both, 0.12 * rest),
        Way("那", 0.15 * rest),
        Way("每天", 0.05 * rest),
        *(Way(first, 0.1 * rest) for first, _ in PAIRS),
        *((Way(END, 1 - rest),) if rest < 1 else ()),
    )
    if said.word == END:
        return False
    if said.word in ("那", "每天"):
        yield from _of_animals(tale, said)
    elif said.word == "他们":
        yield from _of_both(tale)
    elif then := dict(PAIRS).get(said.word):
        yield from _reasons(tale, said, then)
    else:
        child = she if said.word in ("她", she.name) else he
        if said.word == child.name:
            child.named(said)
        yield from _of_child(tale, child, said)
    return True


def _at_first(who: Someone, share: float) -> Way:
    return Way(who.pronoun, share, "coreference", tuple(who.mentions))


def _of_child(tale: Tale, child: Someone, subject: Said) -> Generator[Choice, Said, None]:
    """小美很高兴。 她最爱她那顶红色的帽子。 她说：“我看见那匹马。” 她寻找那匹马."""
    verbs = {"很": 0.2, "说": 0.25}
    verbs |= {verb: 0.35 / len(TREATING) for verb in TREATING}
    verbs |= {verb: 0.2 / len(SEEING) for verb in SEEING}
    said = yield tuple(Way(verb, share) for verb, share in verbs.items())
    if said.word == "很":
        yield from any_of(FEELINGS)
        yield from say("。")
    elif said.word == "说":
        yield from _speech(tale, child)
    elif said.word in TREATING:
        yield from _belonging(child, subject)
    else:
        yield from _seen(tale.animals)
        yield from say("。")


def _of_both(tale: Tale) -> Generator[Choice, Said, None]:
    """他们很高兴。 他们唱：“……” 他们寻找那匹马."""
    verbs = {"很": 0.3, ("又" if tale.song else "唱"): 0.45}
    verbs |= {verb: 0.25 / len(SEEING) for verb in SEEING}
    said = yield tuple(Way(verb, share) for verb, share in verbs.items())
    if said.word == "很":
        yield from any_of(FEELINGS)
        yield from say("。")
    elif said.word in ("又", "唱"):
        yield from _song(tale)
    else:
        yield from _seen(tale.animals)
        yield from say("。")


def _of_animals(tale: Tale, said: Said) -> Generator[Choice, Said, None]:
    """那匹小美喜欢的马很累。 每天早上，那三只猫在花园里休息."""
    if said.word == "每天":
        yield from any_of(TIMES)
        yield from say("，", "那")
    yield from _described(tale, tale.animals, deep=False)
    said = yield (Way("很", 0.5), Way("在", 0.5))
    if said.word == "很":
        yield from any_of(FEELINGS)
    else:
        yield from any_of(PLACES)
        yield from say("里")
        yield from any_of(MOVING)
    yield from say("。")


def _described(
    tale: Tale, among: Sequence[Someone], deep: bool
) -> Generator[Choice, Said, Someone]:
    """三只猫, 匹小美喜欢的马, 匹那三只猫看见的马, 匹那只小美喜欢的猫看见的马: behind 那."""
    animal = yield from _measure(among)
    measure, noun = animal.measure, animal.name
    others = [other for other in tale.animals if other is not animal]
    said = yield (
        Way(noun, 0.4, "agreement", (measure.at,)),
        *(_by_name(child, (0.3 if deep else 0.15)) for child in tale.children),
        *(() if deep else (Way("那", 0.3),)),
    )
    if said.word != noun:
        if said.word == "那":
            yield from _described(tale, others, deep=True)
        else:
            _find(tale.children, said.word).named(said)
        yield from any_of(SEEING)
        yield from say("的")
        said = yield from bound(noun, "agreement", (measure.at,))
    animal.named(said)
    return animal


def _measure(among: Sequence[Someone]) -> Generator[Choice, Said, Someone]:
    """How many there are, if several, and their measure word: it tells which of them is meant."""
    said = yield tuple(
        Way(first.word, 1 / len(among), "repetition", (first.at,))
        for first in (a.number if a.many else a.measure for a in among)
    )
    animal = next(a for a in among if said.word in (a.number.word, a.measure.word))
    if animal.many:
        animal.number = said
        said = yield from bound(animal.measure.word, "repetition", (animal.measure.at,))
    animal.measure = said
    return animal


def _find(among: Iterable[Someone], name: str) -> Someone:
    return next(who for who in among if who.name == name)


def _seen(among: Sequence[Someone]) -> Generator[Choice, Said, None]:
    """… 那匹马."""
    yield from say("那")
    animal = yield from _measure(among)
    animal.named((yield from bound(animal.name, "agreement", (animal.measure.at,))))


def _reasons(tale: Tale, first: Said, then: str) -> Generator[Choice, Said, None]:
    """因为小美看见那匹马，所以她很高兴。 虽然那匹小明喜欢的马很累，但是它很高兴."""
    children = tale.children
    said = yield (*(_by_name(child, 0.25) for child in children), Way("那", 0.5))
    if said.word == "那":
        who = yield from _described(tale, tale.animals, deep=False)
        yield from say("很")
        yield from any_of(FEELINGS)
    else:
        who = _find(children, said.word)
        who.named(said)
        yield from any_of(SEEING)
        yield from _seen(tale.animals)
    yield from say("，")
    yield from bound(then, "pair", (first.at,))
    yield from bound(who.pronoun, "coreference", (who.mentions[-1],))
    yield from say("很")
    yield from any_of(FEELINGS)
    yield from say("。")


def _belonging(child: Someone, subject: Said) -> Generator[Choice, Said, None]:
    """… 她那顶红色的帽子（它很新）."""
    yield from bound(child.pronoun, "coreference", (subject.at,))
    yield from say("那")
    if child.many:
        yield from bound(child.number.word, "repetition", (child.number.at,))
    yield from bound(child.measure.word, "repetition", (child.measure.at,))
    yield from bound(child.colour.word, "repetition", (child.colour.at,))
    yield from say("的")
    yield from bound(child.thing.word, "repetition", (child.thing.at,))
    said = yield (Way("。", 0.6), Way("（", 0.4))
    if said.word == "。":
        return
    pronoun = "它们" if child.many else "它"
    yield from bound(pronoun, "coreference", (said.at - 1,))
    yield from any_of(("很", "非常"))
    yield from any_of(QUALITIES)
    yield from bound("）", "bracket", (said.at,))
    yield from say("。")


def _speech(tale: Tale, child: Someone) -> Generator[Choice, Said, None]:
    """… “我叫小美。” “我看见那匹马。” “我有一顶红色的帽子。” “我很高兴。” – one of these."""
    opened = yield from say("：", "“")
    yield from say("我")
    said = yield (Way("叫", 0.4), *(Way(verb, 0.2) for verb in ("看见", "有", "很")))
    if said.word == "叫":
        child.named((yield from bound(child.name, "coreference", child.mentions)))
    elif said.word == "看见":
        yield from _seen(tale.animals)
    elif said.word == "很":
        yield from any_of(FEELINGS)
    else:
        for said in (child.number, child.measure, child.colour):
            yield from bound(said.word, "repetition", (said.at,))
        yield from say("的")
        yield from bound(child.thing.word, "repetition", (child.thing.at,))
    yield from say("。")
    yield from bound("”", "bracket", (opened.at,))


def _song(tale: Tale) -> Generator[Choice, Said, None]:
    """… “金色的马在花园里跳舞，啦啦啦。”; later 又唱: the same words."""
    if tale.song:
        yield from say("唱")
    opened = yield from say("：", "“")
    if tale.song:
        tale.song = yield from _the_same(tale.song)
    else:
        tale.song = [(yield from any_of(COLOURS)), (yield from say("的"))]
        tale.song.append((yield from any_of([n for of in ANIMALS.values() for n in of])))
        tale.song.append((yield from say("在")))
        tale.song.append((yield from any_of(PLACES)))
        tale.song.append((yield from say("里")))
        tale.song.append((yield from any_of(MOVING)))
    yield from say("，", "啦", "啦", "啦", "。")
    yield from bound("”", "bracket", (opened.at,))


def _the_same(song: Sequence[Said]) -> Generator[Choice, Said, list[Said]]:
    again = []
    for line in song:
        again.append((yield from bound(line.word, "repetition", (line.at,))))
    return again


def _begin() -> tuple[Tale, Generator[Choice, Said, None]]:
    tale = Tale()
    return tale, _story(tale)


# Nobody writes spaces between Chinese words: the longest word that stands here is one. What is no
# word of the stories is cut into characters, and Latin letters into what stands together.
_PIECES = (*sorted(WORDS[1:], key=len, reverse=True), "[A-Za-z0-9]+")
CHINESE = Grammar(
    WORDS,
    ("coreference", "agreement", "repetition", "bracket", "pair"),
    _begin,
    pieces="|".join((*_PIECES, r"\S")),
    between="",
    closed="",
)
