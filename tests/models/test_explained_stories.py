"""docs/explained_stories.py on a few stories: what is counted, and what the page says of it."""

import numpy as np
import pytest

from docs.explained_stories import PAGE, cases, first_share, measure, page, together
from explorer.analysis.explanation import METHODS
from explorer.scratch.grammar import KINDS
from explorer.sources.intervention import intervention
from explorer.target import NextWord


@pytest.fixture(scope="module")
def some():
    return cases(4)


def test_cases_are_words_that_earlier_ones_decide_one_of_every_kind(some):
    assert [case.kind for case in some] == list(KINDS)
    for case in some:
        way = case.story.ways[case.at]
        assert way.word == case.word
        assert max(way.to) < case.at - 1
        asked = intervention(case.run, NextWord(guess=case.word))
        assert [asked.tokens[i].text for i in case.deciding] == [
            case.story.words[t] for t in way.to
        ]
        # The page of the app knows the same of the same text.
        assert set(case.deciding) == set(asked.deciding)
        assert set(case.deciding) <= set(asked.removable)


def test_what_is_counted_of_a_case_is_what_the_words_scores_are(some):
    rows = measure(some)
    case = some[1]
    asked = intervention(case.run, NextWord(guess=case.word))
    gone = asked.value - asked.without([[i] for i in asked.removable], "cut")
    better = [
        (gone[asked.removable.index(d)] > gone[i]) + (gone[asked.removable.index(d)] == gone[i]) / 2
        for d in case.deciding
        for i in range(len(gone))
        if asked.removable[i] not in case.deciding
    ]
    (cut,) = rows["measured: the word is cut out of attention"][case.kind].points
    assert cut.area == pytest.approx(np.mean(better))
    written = page(rows, some)
    for name, by_kind in rows.items():
        assert f"| {name} | {100 * first_share(together(by_kind)):.1f} % |" in written


def test_the_page_has_a_row_for_every_method_that_can_be_asked():
    said = PAGE.read_text("utf-8")
    missing = {"norms_residual", "norms_layer_norm", "integrated_pad", "integrated_mask"}
    assert all(f"| {m.name} | " in said for m in METHODS if m.key not in missing)
    assert said.count("| integrated gradients, baseline [UNK] | ") == 2
    assert said.count("| by chance | ") == 2
