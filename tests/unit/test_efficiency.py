"""What survives, on its way to the page: budgets that are sent, costs, wishes, files, Python."""

import io
from dataclasses import replace

import numpy as np
import pytest

from explorer import export
from explorer.analysis.survival import QUARTER, WITHOUT, cost, survival, without
from explorer.cheaper import Cheap
from explorer.instrument.wire.about import About
from explorer.instrument.wire.container import read
from explorer.instrument.wire.efficiency import WAYS, Tried, pack_efficiency, some_of
from explorer.instrument.wire.request import CheapWish
from tests.unit.test_cheaper import made, traced


@pytest.fixture(scope="module")
def found():
    trace = traced(made(0, 40), replace(made(1, 40), number=1))
    return trace, survival(trace)


def test_what_is_sent_is_what_was_found(found):
    trace, known = found
    cheap = Cheap("top", 3)
    head, blocks = read(
        pack_efficiency(trace, known, efficiency_id="x", shown=(0, 1, cheap), page="file")
    )
    sent = {about["kind"]: array for about, array in blocks}
    assert [way["kind"] for way in head["ways"]] == list(known.curves)
    for way in head["ways"]:
        curve = known.curves[way["kind"]]
        for at, budget in enumerate(way["budgets"]):
            assert sent[way["kind"]][at] == pytest.approx(curve.at(budget).ravel(), abs=1e-7)
        assert way["needs"][1] == curve.needs(0.9).ravel().tolist()
    assert sent["before"] == pytest.approx(trace.layers[0].rows(1))
    assert sent["after"].sum(-1) == pytest.approx(1, abs=1e-6)
    assert head["of_map"] == {"head": 1, "kind": "top", "budget": 3}
    assert bytes(sent["page"]).decode() == "file"


@pytest.mark.parametrize("n", [1, 2, 31, 40, 700])
def test_few_of_many_budgets_are_sent_the_first_and_the_last_among_them(n):
    places = some_of(range(n))
    assert places[0] == 0
    assert places[-1] == n - 1
    assert places == sorted(set(places))
    assert len(places) < 80


def test_costs_are_counted_pair_by_pair():
    for looks_back in (False, True):
        layer = made(0, 9, looks_back=looks_back)
        pairs = [(i, j) for i in range(9) for j in range(9) if j <= i or not looks_back]
        near = [(i, j) for i, j in pairs if abs(i - j) <= 2]
        back = [(i, j) for i, j in near if j <= i]
        wide = [(i, j) for i, j in pairs if abs(i - j) <= 2 or 4 in (i, j)]
        top = sum(min(3, sum(i == row for i, _ in pairs)) for row in range(9))
        assert cost(layer, "window", 2) == pytest.approx(len(near) / len(pairs))
        assert cost(layer, "back", 2) == pytest.approx(len(back) / len(pairs))
        assert cost(layer, "global", 2, (4,)) == pytest.approx(len(wide) / len(pairs))
        assert cost(layer, "top", 3) == pytest.approx(top / len(pairs))
    assert cost(made(0, 90), "rank", 3) == pytest.approx(6 / 90)
    assert cost(made(0, 90), "linear", 1) == pytest.approx(8 / 90)  # a head is 4 wide
    assert cost(made(0, 90), "rank", 60) == 1


def test_the_plainest_way_that_is_enough_is_named(found):
    trace, known = found
    own = without(trace, known, 0.8)
    for (layer, head), way in np.ndenumerate(own.ways):
        able = []
        for kind in WITHOUT:
            need = int(known.curves[kind].needs(0.8)[layer, head])
            dear = cost(trace.layers[layer], kind, need, known.everywhere)
            able += [(kind, need, dear)] if dear <= QUARTER else []
        if not able:
            assert way == -1
            continue
        said = (WITHOUT[way], own.budgets[layer, head], own.costs[layer, head])
        assert said == able[0]


@pytest.mark.parametrize(
    "sent",
    [
        None,
        {},
        {"way": "window", "budget": -1, "put": ""},
        {"way": "top", "budget": 0, "put": ""},
        {"way": ["window"], "budget": 1, "put": ""},
        {"way": "window", "budget": True, "put": ""},
        {"way": "window", "budget": 1, "put": "everything"},
        {"way": "window", "budget": 10**9, "put": "all"},
    ],
)
def test_a_wish_that_cannot_be_is_none(sent):
    assert CheapWish.of(sent) is None


def test_a_wish_names_a_head_and_a_way():
    wish = CheapWish.of({"way": "rank", "budget": 2, "put": "all", "layer": 3, "head": 1})
    assert (wish.head.layer, wish.head.head, wish.cheap, wish.put) == (
        3,
        1,
        Cheap("rank", 2),
        "all",
    )


def test_where_tokens_look_only_back_a_rank_is_sent_as_measured_and_not_to_be_placed():
    trace = traced(made(0, 20, looks_back=True))
    head, _ = read(pack_efficiency(trace, survival(trace), efficiency_id="x"))
    reasons = {way["kind"]: way["not_placed"] for way in head["ways"]}
    assert "it would have seen" in reasons.pop("rank")
    assert not any(reasons.values())
    assert head["order"] == ["window", "global", "top"]
    given = {way["kind"]: (way["given"], way["budget"]) for way in head["ways"]}
    assert given["window"] == ("a window of {} back", "tokens back")
    assert given["global"] == ("a window of {} back and the global tokens", "tokens back")
    assert "see what follows" in WAYS["rank"].gives_up


def test_every_way_has_its_words(found):
    _, known = found
    assert set(known.curves) == set(WAYS)
    for way in WAYS.values():
        assert ("{}" in way.given) == bool(way.budget)


def test_files_hold_all_of_it(found):
    trace, known = found
    with np.load(io.BytesIO(export.survival_to_npz(trace, known))) as arrays:
        assert arrays["window_kept"] == pytest.approx(known.curves["window"].kept)
        assert arrays["rank_budgets"].tolist() == list(range(1, 41))
    tried = (Tried("</script><b>", "L0·H1", 0.9, 0.8, "cat"),)
    page = export.survival_to_html(
        trace, known, about=About.of(trace), opening={"way": "rank"}, tried=tried
    )
    assert "<title>tiny: cheaper attention</title>" in page
    assert "</script><b>" not in page
