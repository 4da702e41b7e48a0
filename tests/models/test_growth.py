"""Time grows no faster than a reader's text, in every function that walks through it."""

import pytest

from benchmarks.growth import FUNCTIONS, HOSTILE, models, seconds

SHORT, TIMES = 1_000, 8
SLACK = 3  # how much more than proportional it may be on a busy machine; a square gives TIMES
AT_ONCE = 0.02  # seconds; what a long text takes no longer than grows with nothing that matters


@pytest.fixture(scope="module", autouse=True)
def made():
    models()  # tokenizers are made before anything is timed


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_time_grows_no_faster_than_the_text(function):
    for kind, text_of in HOSTILE.items():
        short, long = text_of(SHORT), text_of(SHORT * TIMES)
        took = seconds(function, long, 1)
        for _ in range(3):  # a pause of the machine is not growth: measured anew before it counts
            if took <= max(AT_ONCE, SLACK * TIMES * seconds(function, short)):
                break
            took = min(took, seconds(function, long))
        else:
            pytest.fail(f"{kind}: {took:.3f} s for {TIMES} times the text")
