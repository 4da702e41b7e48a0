"""Two corpora runs: differences with intervals, corrected for looking at many heads."""

import numpy as np
from scipy import stats

from explorer.analysis.corpora import (
    benjamini_hochberg,
    differences,
    holm,
    paired_error,
    standard_error,
)


def drawn(n, shift=0.0, seed=0):
    return np.random.default_rng(seed).normal(shift, 1, (n, 3, 4))


def test_different_texts_have_the_error_of_welch():
    a, b = drawn(900), drawn(700, 0.1, 1)
    error = standard_error(
        (a.std(axis=0, ddof=1), np.array(900.0)), (b.std(axis=0, ddof=1), np.array(700.0))
    )
    found = differences(b.mean(axis=0) - a.mean(axis=0), error, "holm")
    wanted = stats.ttest_ind(b, a, equal_var=False)
    np.testing.assert_allclose(found.difference / error, wanted.statistic)
    # Of hundreds of texts Student's distribution is nearly the normal one.
    np.testing.assert_allclose(found.p, wanted.pvalue, atol=1e-3)
    low, high = wanted.confidence_interval(0.95)
    np.testing.assert_allclose([found.low, found.high], [low, high], atol=1e-3)


def test_the_same_texts_have_the_error_of_their_differences():
    a = drawn(200)
    b = a + drawn(200, 0.05, 1) / 10
    b[0, 0, 0] = np.nan
    error = paired_error(a[..., :], b, np.array(200.0))
    wanted = stats.sem(b[:, 1] - a[:, 1], axis=0)
    np.testing.assert_allclose(error[1], wanted)
    np.testing.assert_allclose(error[0, 0], (b - a)[1:, 0, 0].std(ddof=1) / np.sqrt(200))
    assert np.isnan(paired_error(a[:1], b[:1], np.array(1.0))).all()


def test_holm_takes_each_chance_as_many_times_as_there_are_that_are_no_smaller():
    p = np.array([[0.01, 0.04, np.nan], [0.03, 0.005, 0.5]])
    found, known = holm(p), sorted(p[~np.isnan(p)])
    for value, corrected in zip(p.ravel(), found.ravel(), strict=True):
        if np.isnan(value):
            assert np.isnan(corrected)
            continue
        steps = [(len(known) - i) * q for i, q in enumerate(known) if q <= value]
        assert corrected == min(1, max(steps))


def test_benjamini_and_hochberg_is_that_of_scipy():
    p = np.random.default_rng(2).uniform(size=(4, 5)) ** 2
    found = benjamini_hochberg(p)
    np.testing.assert_allclose(found, stats.false_discovery_control(p, axis=None).reshape(4, 5))


def test_where_nothing_differs_holm_names_something_in_one_of_twenty_runs_at_most():
    named = 0
    for seed in range(200):
        z = np.random.default_rng(seed).normal(size=(6, 12))
        named += differences(z, np.ones_like(z), "holm").differs.any()
    assert named <= 18  # 10 are expected at most; 3 standard deviations above


def test_of_what_is_not_known_nothing_is_said():
    found = differences(np.array([0.0, 0.5, 0.0]), np.array([0.0, np.nan, 0.1]), "holm")
    assert found.p[0] == 1
    assert np.isnan(found.p[1])
    assert not found.differs.any()
