"""Train the decoders that tell little stories, measure them, write their pages: `make stories`.

Run with `en` or `zh` it is only about the one in that language; with the word `measure` it measures
what is there, and trains none.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from explorer.headname import head_name
from explorer.scratch.decoder import Decoder
from explorer.scratch.storyteller import HELD_OUT, TELLERS, Course, Teller, best_possible
from explorer.scratch.telling import Kind, Story, Way
from explorer.source import Stories
from explorer.sources.catalogue import STORIES_FOLDERS
from explorer.sources.little_stories import decoder_of, save
from explorer.sources.loading import load_model
from explorer.sources.progress import silent

PAGES = {
    "en": Path(__file__).with_name("stories.md"),
    "zh": Path(__file__).with_name("stories_zh.md"),
}
FIGURES = Path(__file__).with_name("stories.json")  # of the training, which is not measured again
MEASURED = 500  # stories; heads are found on as many others
Weights = npt.NDArray[np.float32]
ROWS = {0: "that is the word", -1: "before the word"}  # by how far it is from the word


@dataclass(frozen=True)
class Case:
    """A word that an earlier one decides, and what each head looks at most in one row.

    Attributes:
        at: The place of the word.
        to: The places of the words that decide it.
        hits: Whether each head looks most at one of those, ``[layer, head]``.
        nearest: Whether the nearest candidate is one of those.
    """

    at: int
    to: tuple[int, ...]
    hits: npt.NDArray[np.bool_]
    nearest: bool


@dataclass(frozen=True)
class Found:
    """The head that most often looks at what decides a word, beside what simple rules hit.

    Attributes:
        name: The head.
        count: Words that it was tried on.
        hits: Of those, the share at whose deciding word it looks most.
        hard: The same of words for which the nearest candidate is a wrong one; None if of none.
        nearest: What looking at the nearest candidate would hit.
        distance: What looking at the same distance always would hit, at the best distance.
        any: What looking at any word before would hit.
    """

    name: str
    count: int
    hits: float
    hard: float | None
    nearest: float
    distance: float
    any: float


@dataclass(frozen=True)
class Seen:
    """What a decoder looks at and says on some stories.

    Attributes:
        cases: By kind and row.
        right: By kind, for each word of which the grammar is sure whether the likeliest is right.
    """

    cases: dict[tuple[Kind, int], list[Case]]
    right: dict[Kind, list[bool]]


def read_by(teller: Teller, decoder: Decoder, story: Story) -> tuple[Weights, list[int]]:
    """Its attention on a story, ``[layer, head, query, key]``, and the words it holds likeliest.

    The first token is the start, so each word stands one place farther on.
    """
    found = []
    with torch.inference_mode():
        ids = torch.tensor([teller.numbers(story.words)])
        x = decoder.tokens(ids) + decoder.positions.weight[: ids.shape[1]]
        for block in decoder.blocks:
            read = block.norm_1(x)
            found.append(block.attention(read, read, read, causal=True, return_weights=True)[1][0])
            x = block(x)
        likeliest = (decoder.norm(x)[0] @ decoder.tokens.weight.T).argmax(-1)
    return torch.stack(found).numpy(), likeliest.tolist()


def observe(teller: Teller, decoder: Decoder, stories: Sequence[Story]) -> Seen:
    """What a decoder looks at and says, wherever an earlier word decides a word of some stories."""
    kinds = teller.grammar.kinds
    seen = Seen({(kind, row): [] for kind in kinds for row in ROWS}, {kind: [] for kind in kinds})
    for story in stories:
        weights, likeliest = read_by(teller, decoder, story)
        ids = teller.numbers(story.words)
        for at, way in enumerate(story.ways):
            if way.kind is None:
                continue
            if way.share == 1:
                seen.right[way.kind].append(likeliest[at] == ids[at + 1])
            for row in ROWS:
                if _asks_for_a_look(way, at, row):
                    seen.cases[way.kind, row].append(_case(story, weights, at, row))
    return seen


def _asks_for_a_look(way: Way, at: int, row: int) -> bool:
    """Whether the deciding word is farther off than the row before, where it decides at all."""
    decides = way.kind == "agreement" or way.share == 1
    return max(way.to) < at - 1 and (row == 0 or decides)


def _case(story: Story, weights: Weights, at: int, row: int) -> Case:
    """What each head looks at most of the words before the row: not at the start, nor at itself."""
    way = story.ways[at]
    own = at + 1 + row  # each word stands one place on, behind the start
    hits = np.isin(weights[:, :, own, 1:own].argmax(-1), way.to)
    candidates = {to for other in story.ways if other.kind == way.kind for to in other.to}
    return Case(at, way.to, hits, max(p for p in candidates if p < at + row) in way.to)


def found(found_on: Sequence[Case], tried_on: Sequence[Case]) -> Found:
    """Take the head that does best on some cases, hard ones if any, and try it on others."""
    hard = [case.hits for case in found_on if not case.nearest]
    learned = np.mean(hard or [case.hits for case in found_on], axis=0)
    layer, head = np.unravel_index(learned.argmax(), learned.shape)
    hits = np.array([case.hits[layer, head] for case in tried_on])
    nearest = np.array([case.nearest for case in tried_on])
    away = Counter(case.at - place for case in tried_on for place in case.to)
    return Found(
        head_name(int(layer), int(head)),
        len(hits),
        float(hits.mean()),
        None if nearest.all() else float(hits[~nearest].mean()),
        float(nearest.mean()),
        max(away.values()) / len(hits),
        float(np.mean([len(case.to) / case.at for case in tried_on])),
    )


@dataclass(frozen=True)
class Measured:
    """All that is measured of dependencies.

    Attributes:
        sure: By kind, how many words the grammar is sure of, and how often the decoder is right.
        heads: By kind and row.
    """

    sure: dict[Kind, tuple[int, float]]
    heads: dict[tuple[Kind, int], Found]


def measure(teller: Teller, decoder: Decoder) -> Measured:
    """Find the head of each kind of dependency on some stories, and try it on others."""
    tell = teller.grammar.tell
    found_on = observe(teller, decoder, [tell(HELD_OUT + i) for i in range(MEASURED)])
    tried_on = observe(teller, decoder, [tell(i) for i in range(MEASURED)])
    return Measured(
        {kind: (len(right), float(np.mean(right))) for kind, right in tried_on.right.items()},
        {key: found(cases, tried_on.cases[key]) for key, cases in found_on.cases.items()},
    )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def page(language: str, decoder: Decoder) -> str:
    """All that is to be said of a decoder, measured now; and of its training, as it was noted."""
    teller = TELLERS[language]
    tell, as_text = teller.grammar.tell, teller.grammar.as_text
    held = [tell(i) for i in range(HELD_OUT)]
    ours, best = teller.score(decoder, held), best_possible(held)
    noted = json.loads(FIGURES.read_text("utf-8"))[language]
    course = Course(**noted["course"])
    all_of = measure(teller, decoder)
    return (_INTRODUCTIONS[language] + _PAGE).format(
        story="\n".join(f"> {as_text(tell(i).words)}\n>" for i in (0, 3)).removesuffix("\n>"),
        sizes=teller.sizes,
        course=course,
        stories=course.steps * course.batch,
        minutes=noted["seconds"] / 60,
        bytes=(STORIES_FOLDERS[language] / "model.safetensors").stat().st_size / 1e6,
        held=HELD_OUT,
        ours=ours,
        best=best,
        measured=MEASURED,
        words="\n".join(
            f"| {kind} | {count:,} | {_percent(share)} |"
            for kind, (count, share) in all_of.sure.items()
        ),
        heads="\n".join(_head_row(kind, row, of) for (kind, row), of in all_of.heads.items()),
    )


def _head_row(kind: Kind, row: int, of: Found) -> str:
    shares = (of.hits, of.hard, of.nearest, of.distance, of.any)
    return f"| {kind} | {ROWS[row]} | {of.name} | {of.count:,} | " + (
        f"{' | '.join(map(_percent, shares))} |"
    )


_INTRODUCTIONS = {
    "en": """# Little stories

Written by `make stories`; the figures are measured, and a test holds the decoder to them.
The same in Chinese: [stories_zh.md](stories_zh.md).

`stories` is a small decoder that comes with the app: the from-scratch layer in a stack of GPT-2's
form ({sizes.n_layers} layers, {sizes.n_heads} heads, {sizes.d_model} wide, {sizes.words} tokens,
{bytes:.1f} MB), trained on stories by a grammar of our own (`explorer/scratch/grammar.py`). The
grammar knows the probability of every word that may come, and to which earlier words each word
is bound. Two of its stories:

{story}

""",
    "zh": """# Little stories in Chinese · 中文小故事

Written by `make stories`; the figures are measured, and a test holds the decoder to them.
The same in English: [stories.md](stories.md).

`stories-zh` is a small decoder that comes with the app: the from-scratch layer in a stack of
GPT-2's form ({sizes.n_layers} layers, {sizes.n_heads} heads, {sizes.d_model} wide, {sizes.words}
tokens, {bytes:.1f} MB), trained on stories by a grammar of our own
(`explorer/scratch/grammar_zh.py`). Two of its stories:

{story}

Its tokens are words, as the grammar decides words: 花园 is one token. Nobody writes spaces between
Chinese words, so a text is cut where the longest word of the vocabulary stands; a test holds that
every story is cut as it was told. What is no word of the stories is [UNK], character by character.

Chinese verbs have no number, so what goes together over a distance is another thing than in
English. *Agreement* is between a measure word and its noun: in 那匹那只小美喜欢的猫看见的马, 匹
asks for 马 and 只 for 猫, past the clauses between, and they close in the order of brackets. The
two kinds of animals of a story never have the same measure word. *Pair* is 因为 with 所以,
虽然 with 但是. *Coreference* is 她, 他, 它, 它们 and 他们; *repetition* a name, a number, a measure
word, a colour, a song; *bracket* is ” and ）.

""",
}

_PAGE = """## Training

Seed {course.seed}; {course.steps:,} steps of {course.batch} stories, {stories:,} in all; AdamW,
largest rate {course.rate:g}. It took {minutes:.1f} minutes of one core.

## The next word

On {held} stories that it has not learned from:

| | right | loss |
|---|---|---|
| the decoder | {ours.accuracy:.4f} | {ours.loss:.4f} |
| best possible, by the grammar | {best.accuracy:.4f} | {best.loss:.4f} |

Where the grammar leaves no choice, on {measured} stories: how often the likeliest word is right.

| kind | words | right |
|---|---|---|
{words}

## Heads

For each kind of dependency, the head that most often looks most at the word that decides: in the
row of the word itself, when it is read, and in the row before, when it is to be said. Words that
are decided by the one right before them are left out, and so are, in the row before, those that
nothing decides yet (who the next sentence is about). What a row gives to itself and to the start is
not looked at. *Hard* are the cases where the nearest candidate (a word that decides another one of
this kind) is a wrong one. Heads were found on the hard cases of {measured} stories, where there are
any, and tried on {measured} others. Beside it what simple rules hit: always the nearest candidate,
always the same distance, any word.

| kind | row | head | words | hits | hard | nearest | distance | any |
|---|---|---|---|---|---|---|---|---|
{heads}
"""


def train(language: str) -> None:
    """Train with the course's own settings, on one core, and write what comes of it."""
    torch.set_num_threads(1)
    teller, start = TELLERS[language], time.process_time()
    course = teller.course

    def report(step: int, loss: float) -> None:
        if step % 100 == 0:
            print(f"{language}: step {step:,} of {course.steps:,}: loss {loss:.3f}", flush=True)

    decoder = teller.learn(course, report)
    seconds = round(time.process_time() - start)
    save(decoder, teller, STORIES_FOLDERS[language])
    noted = json.loads(FIGURES.read_text("utf-8"))
    noted[language] = {"course": asdict(course), "seconds": seconds}
    FIGURES.write_text(json.dumps(noted) + "\n", "utf-8")


if __name__ == "__main__":
    for wanted in [name for name in TELLERS if name in sys.argv[1:]] or list(TELLERS):
        if "measure" not in sys.argv[1:]:
            train(wanted)
        told_by = load_model(Stories(wanted), silent).network
        PAGES[wanted].write_text(page(wanted, decoder_of(told_by)), "utf-8")
