"""A link to a training holds what was asked for, not how far it happened to have come."""

from types import SimpleNamespace

from explorer.source import Trained
from explorer.ui.train import Film, _in_link


def film(lesson, steps):
    return Film(lesson, "", SimpleNamespace(steps=steps))


def test_a_link_made_while_it_learns_asks_for_all_steps_and_later_for_those_it_took():
    asked = Trained("letters", steps=400)
    begun = film(Trained("letters", steps=400), [0, 170])
    assert _in_link(begun, asked).steps == 400
    assert _in_link(film(asked, [0]), asked).steps == 400
    assert _in_link(begun, None).steps == 170  # stopped
    assert _in_link(begun, Trained("copy")) == Trained(
        "letters", steps=170
    )  # the last one, on show
