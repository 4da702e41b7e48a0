"""How far scores point at the words that decide: place and area, against plain loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.analysis.pointing import pointing

scores = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 0.5, 2.0]), min_size=2, max_size=9)


@given(scores, st.data())
def test_the_area_is_how_often_a_word_that_decides_wins_over_another(values, data):
    some = st.sets(st.integers(0, len(values) - 1), min_size=1, max_size=len(values) - 1)
    deciding = data.draw(some)
    pairs = [
        1.0 if values[i] > values[j] else 0.5 if values[i] == values[j] else 0.0
        for i in deciding
        for j in range(len(values))
        if j not in deciding
    ]
    found = pointing(values, deciding)
    assert found.area == pytest.approx(np.mean(pairs))
    assert 1 <= found.rank <= len(values)
    assert found.first == (max(values[i] for i in deciding) > max(_others(values, deciding)))
    turned = pointing([-v for v in values], deciding)
    assert turned.area == pytest.approx(1 - found.area)


def _others(values, deciding):
    return [v for i, v in enumerate(values) if i not in deciding]


def test_equal_scores_share_their_places_and_alone_there_is_no_area():
    assert pointing([1, 1, 1], [0]).rank == 2
    assert pointing([3, 1, 2, 2], [2]).rank == 2.5
    assert pointing([3, 1, 2], [1, 2]).rank == 2
    assert pointing([1, 2], [0, 1]).area is None
    assert pointing([1, 2], [0, 1]).first
