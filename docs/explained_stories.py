"""Does attention explain little stories? Writes docs/explained_stories.md: `make explained`.

In 200 beginnings of stories the grammar says which earlier words decide the next one. Every method
of Explain scores the words, and is held against that, and against what happens when words go.
"""

import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from explorer.analysis.explanation import Asked, Explanation, deciding_units, explain
from explorer.analysis.pointing import Pointing, pointing
from explorer.analysis.profiles import Doubles
from explorer.analysis.removal import Curves, curve_steps
from explorer.run import Run
from explorer.scratch.grammar import KINDS, as_text, tell
from explorer.scratch.telling import Kind, Story
from explorer.source import Stories
from explorer.sources.intervention import intervention
from explorer.target import How, NextWord

PAGE = Path(__file__).parent / "explained_stories.md"
COUNT, LONGEST = 200, 40  # cases, and words that are read at most
FIRST = 2_000  # stories with these numbers nobody has learned from, and no head was found on
WAYS: dict[How, str] = {
    "cut": "is cut out of attention",
    "drop": "is dropped",
    "replace": "becomes [UNK]",
}
RANDOM, NEAREST = "by chance", "the nearest word"


@dataclass(frozen=True)
class Case:
    """A word of a story that earlier words decide.

    Attributes:
        kind: How.
        story: The story.
        at: The place of the word; what stands before it is read.
    """

    kind: Kind
    story: Story
    at: int

    @property
    def word(self) -> str:
        return self.story.words[self.at]

    @property
    def run(self) -> Run:
        return Run(as_text(self.story.words[: self.at]), source=Stories())

    @property
    def deciding(self) -> list[int]:
        """The tokens of the words that decide: each stands one place on, behind the start."""
        return [to + 1 for to in self.story.ways[self.at].to]

    @property
    def nearest(self) -> bool:
        """Whether the nearest word that decides another one of this kind is one of them."""
        ways = self.story.ways
        candidates = {to for way in ways if way.kind == self.kind for to in way.to}
        return max(p for p in candidates if p < self.at - 1) in ways[self.at].to


@dataclass
class Row:
    """What is counted of one method.

    Attributes:
        points: How far it points at the words that decide, case by case.
        agrees: Its rank correlation with measured removal, where it is defined.
        areas: The area under its curve of deletion.
        tops: The word with the highest score.
    """

    points: list[Pointing] = field(default_factory=list)
    agrees: list[float] = field(default_factory=list)
    areas: list[float] = field(default_factory=list)
    tops: list[str] = field(default_factory=list)


def cases(count: int = COUNT, first: int = FIRST) -> list[Case]:
    """Words that earlier ones decide, as many of every kind, each of a story of its own.

    The deciding words stand farther off than the word before, and where it is not agreement, which
    leaves a choice of verbs, the grammar leaves no choice.
    """
    found: list[Case] = []
    seed = first
    while len(found) < count:
        kind, story = KINDS[len(found) % len(KINDS)], tell(seed)
        may = [
            at
            for at, way in enumerate(story.ways)
            if at <= LONGEST
            and way.kind == kind
            and max(way.to) < at - 1
            and (kind == "agreement" or way.share == 1)
        ]
        if may:
            found.append(Case(kind, story, random.Random(seed).choice(may)))
        seed += 1
    return found


def measure(some: Sequence[Case], report: bool = False) -> dict[str, dict[Kind, Row]]:
    """All methods on some cases, by method and kind."""
    rows: dict[str, dict[Kind, Row]] = {}
    for i, case in enumerate(some):
        asked = intervention(case.run, NextWord(guess=case.word))
        found = explain(asked, how="cut")
        for name, row in _rows_of(case, asked, found, i):
            kept = rows.setdefault(name, {}).setdefault(case.kind, Row())
            kept.points += row.points
            kept.agrees += row.agrees
            kept.areas += row.areas
            kept.tops += row.tops
        if report and i % 20 == 19:
            print(f"{i + 1} of {len(some)}", flush=True)
    return rows


def _rows_of(case: Case, asked: Asked, found: Explanation, seed: int) -> list[tuple[str, Row]]:
    deciding = deciding_units(found.units, case.deciding)
    rows = []
    for how, says in WAYS.items():
        gone = asked.value - asked.without(found.units, how)
        top = found.tokens[found.units[int(gone.argmax())][0]].text
        row = Row([pointing(gone, deciding)], tops=[top])
        if how == "cut":
            row.areas.append(_curves(asked, found, gone).deletion_area)
        rows.append((f"measured: the word {says}", row))
    for score in found.scores:
        if score.values is None or score.agreement is None or score.curves is None:
            continue
        rho = score.agreement.rho
        agrees = [] if rho is None else [rho]
        points = [pointing(score.values, deciding)]
        rows.append((score.method.name, Row(points, agrees, [score.curves.deletion_area])))
    n = len(found.units)
    for name, values in (
        (RANDOM, np.random.default_rng(seed).permutation(n).astype(float)),
        (NEAREST, np.arange(n, dtype=float)),
    ):
        area = _curves(asked, found, values).deletion_area
        rows.append((name, Row([pointing(values, deciding)], [], [area])))
    return rows


def _curves(asked: Asked, found: Explanation, values: Doubles) -> Curves:
    """The target while words are cut out in the order of some scores."""
    shares, gone, missing = curve_steps(list(values))
    choices = [[p for u in chosen for p in found.units[u]] for chosen in (*gone, *missing)]
    heights = asked.without(choices, "cut")
    return Curves(shares, heights[: len(gone)], heights[len(gone) :])


def together(by_kind: dict[Kind, Row]) -> Row:
    """All kinds of a method as one."""
    rows = list(by_kind.values())
    return Row(
        [p for row in rows for p in row.points],
        [a for row in rows for a in row.agrees],
        [a for row in rows for a in row.areas],
    )


def first_share(row: Row) -> float:
    """How often the highest score is that of a word that decides."""
    return float(np.mean([p.first for p in row.points]))


def area(row: Row) -> float:
    """The mean area under the ROC curve."""
    return float(np.mean([p.area for p in row.points if p.area is not None]))


def page(rows: dict[str, dict[Kind, Row]], some: Sequence[Case]) -> str:
    """All that is to be said of it."""
    best = max((n for n in rows if not n.startswith(("measured", "by "))), key=_first(rows))
    raw = next(n for n in rows if n == "attention, last layer")
    cut = next(n for n in rows if n.startswith("measured"))
    say = {"best": best, "raw": raw, "cut": cut}
    return _PAGE.format(
        count=len(some),
        first=FIRST,
        longest=LONGEST,
        words=np.mean([len(case.story.words[: case.at]) for case in some]),
        nearest=np.mean([case.nearest for case in some]),
        example=f"> {some[0].run.text} **{some[0].word}**",
        decides=" and ".join(_said(some[0], to) for to in some[0].story.ways[some[0].at].to),
        table="\n".join(_line(name, together(of)) for name, of in rows.items()),
        kinds="\n".join(_kind_line(name, of) for name, of in rows.items()),
        **{f"{key}_name": name for key, name in say.items()},
        **{key: first_share(together(rows[name])) for key, name in say.items()},
        chance=first_share(together(rows[RANDOM])),
        colon=np.mean([top == ":" for top in rows[cut]["bracket"].tops]),
    )


def _said(case: Case, place: int) -> str:
    return f"“{case.story.words[place]}” (word {place + 1})"


def _first(rows: dict[str, dict[Kind, Row]]) -> Callable[[str], float]:
    return lambda name: first_share(together(rows[name]))


def _line(name: str, row: Row) -> str:
    rho = f"{np.mean(row.agrees):.2f}".replace("-", "−") if row.agrees else "–"
    fall = f"{np.mean(row.areas):.3f}" if row.areas else "–"
    spread = np.std([p.area for p in row.points if p.area is not None], ddof=1)
    error = 1.96 * spread / len(row.points) ** 0.5
    return (
        f"| {name} | {100 * first_share(row):.1f} % | {area(row):.3f} ± {error:.3f} | {rho} | "
        f"{fall} |"
    )


def _kind_line(name: str, of: dict[Kind, Row]) -> str:
    cells = (f"{100 * first_share(of[k]):.0f} % · {area(of[k]):.2f}" for k in KINDS if k in of)
    return f"| {name} | {' | '.join(cells)} |"


_PAGE = """# Does attention explain little stories?

Written by `make explained`, in some minutes; run it again where the decoder was trained anew.

Of a model in the wild nobody knows why it says what it says. Of the decoder that tells
[little stories](stories.md) we know one thing: what *would* decide the next word, for the grammar
that told them decides it. In {count} beginnings of stories (the numbers from {first:,} on, which it
has not learned from; at most {longest} words, {words:.0f} on average), as many of each kind of
dependency, the target is the probability of the word that comes. The first of them:

{example}

It is decided by {decides}. Each method of Explain scores the words before it, read at the row that
predicts. The word right before stays, and never decides here.

- *First*: how often the highest score is that of a word that decides.
- *Area*: how likely a word that decides has a higher score than another word of the text (the area
  under the ROC curve; 0.5 by chance), with the interval of 95 % of its mean.
- *ρ*: the mean rank correlation with measured removal, where words are cut out of attention: no
  later token may look at them (Geva et al. 2023).
- *Deletion*: the mean probability of the word while words are cut out in the order of the scores,
  from none to all: low where the scores find what the decoder needs.

| method | first | area | ρ | deletion |
|---|---:|---:|---:|---:|
{table}

By {raw_name}, a word that decides comes first in {raw:.0%} of the cases; by chance it does in
{chance:.0%}. The best of the methods, {best_name}, reaches {best:.0%}. What is measured when a word
is cut out of attention reaches {cut:.0%}: so the decoder does not always lean on the words that the
grammar has in mind, and a method that points elsewhere may be right about the decoder. Brackets
show it: in {colon:.0%} of them the word whose removal counts most is a colon, which comes before
every quotation mark of the grammar: it tells a quotation from what is none as well as the mark
does. In {nearest:.0%} of all cases the nearest candidate is a right one.

## By kind

First · area.

| method | {kind_names} |
|---|{kind_rules}
{kinds}
""".replace("{kind_names}", " | ".join(KINDS)).replace("{kind_rules}", "---:|" * len(KINDS))


def main(count: int = COUNT) -> None:
    """Measure, and write the page."""
    some = cases(count)
    PAGE.write_text(page(measure(some, report=True), some), "utf-8")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
