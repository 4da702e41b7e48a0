"""Asked values of a decoder: edits and sampling are their links, and bad ones are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.edits import Edits
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.sampling import Sampling

heads = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=4).map(tuple)
places = st.integers(0, 9999)
layers = st.one_of(st.none(), st.integers(0, 99))
edges = st.lists(st.tuples(layers, layers, places, places), max_size=4).map(tuple)
cuts = st.lists(places, max_size=5).map(tuple)


@given(heads, heads, heads, cuts, edges)
def test_edits_survive_the_way_through_a_link(off, even, silent, cut, some):
    edits = Edits(off, even, silent, cut, some)
    assert Edits.from_query(edits.to_query()) == edits
    assert bool(edits) == any((off, even, silent, cut, some))
    assert hash(edits) == hash(Edits(off[::-1], even, silent[::-1], cut, some[::-1]))


@given(st.dictionaries(st.sampled_from(["off", "even", "silent", "cut", "edges"]), st.text()))
def test_a_link_that_writes_something_else_edits_nothing_or_what_it_writes(query):
    edits = Edits.from_query(query)
    assert Edits.from_query(edits.to_query()) == edits


@given(
    st.integers(0, 10**8).map(lambda n: n / 10**6),
    st.one_of(st.none(), st.integers(1, 1000)),
    st.integers(0, 2**31 - 1),
)
def test_sampling_survives_the_way_through_a_link(temperature, top_k, seed):
    sampling = Sampling(temperature, top_k, seed)
    found = Sampling.from_query(sampling.to_query())
    assert found == sampling


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"temperature": "nan"}, "must be a number"),
        ({"temperature": "101"}, "from 0 to 100"),
        ({"top_k": "0"}, "top_k is 0"),
        ({"top_k": "many"}, "must be a whole number"),
    ],
)
def test_sampling_that_cannot_be_is_refused(query, words):
    with pytest.raises(ExplorerError, match=words):
        Sampling.from_query(query)


@given(st.lists(st.integers(0, 10**9 - 1), max_size=9).map(tuple))
def test_what_was_written_is_in_the_link(written):
    run = Run("the cat", written=written)
    assert Run.from_query(run.to_query()) == run


def test_a_link_that_writes_no_numbers_is_refused():
    with pytest.raises(ExplorerError, match="must be numbers of tokens"):
        Run.from_query({"text": "x", "written": "1,2"})
