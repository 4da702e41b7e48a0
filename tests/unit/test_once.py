"""What is computed once and kept: without a lock, so that work which takes turns never hangs."""

import threading

from explorer.once import once

WAIT = 10  # seconds; only a failure waits this long


class Sum:
    def __init__(self, *parts):
        self.parts, self.times = parts, 0
        self.meanwhile = lambda: None

    @once
    def total(self):
        """All of them."""
        self.times += 1
        self.meanwhile()
        return sum(self.parts)


def test_a_value_is_computed_at_its_first_use_and_kept_for_each_object():
    one, other = Sum(1, 2), Sum(3, 4)
    assert one.times == 0
    assert (one.total, other.total, one.total) == (3, 7, 3)
    assert one.times == other.times == 1
    assert Sum.total.__doc__ == "All of them."


def test_while_one_object_computes_its_value_another_one_can():
    one, other = Sum(1, 2), Sum(3, 4)
    computing, go_on = threading.Event(), threading.Event()

    def until_the_other_is_done():
        computing.set()
        assert go_on.wait(WAIT)

    one.meanwhile = until_the_other_is_done
    found = []
    first = threading.Thread(target=lambda: found.append(one.total))
    second = threading.Thread(target=lambda: (found.append(other.total), go_on.set()))
    first.start()
    assert computing.wait(WAIT)
    second.start()
    first.join(WAIT)
    second.join(WAIT)
    assert found == [7, 3]


def test_a_failure_is_not_kept():
    broken = Sum("a")
    for _ in range(2):
        try:
            broken.total  # noqa: B018
        except TypeError:
            continue
        raise AssertionError("it must fail")
    assert broken.times == 2
