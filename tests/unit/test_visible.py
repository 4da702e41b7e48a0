"""What cannot be seen is shown as a mark; what shapes what is seen is left alone."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.trace import Token
from explorer.visible import marks_in, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a⟨RLO⟩b"),
        ("\u2066x\u2069", "⟨LRI⟩x⟨PDI⟩"),
        ("zero\u200bwidth", "zero⟨ZWSP⟩width"),
        ("\ufeffBOM", "⟨BOM⟩BOM"),
        ("nul\0", "nul␀"),
        ("del\x7f \x85", "del␡ ⟨U+0085⟩"),
        ("soft\u00adhyphen", "soft⟨SHY⟩hyphen"),
        ("tab\tand\nline", "tab⇥and⏎line"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("lone \ud800", "lone ⟨U+D800⟩"),
        ("plain ＡＢＣ é 猫", "plain ＡＢＣ é 猫"),
    ],
)
def test_what_cannot_be_seen_becomes_a_mark(text, shown):
    assert visible(text) == shown
    assert Token(text, None, None, 0, special=False).text == shown


@pytest.mark.parametrize(
    "text",
    [
        "👨‍👩‍👧‍👦",  # a family: joiners between emoji
        "👩🏽‍🚀",  # a skin colour, then a joiner
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # Scotland's tags
        "می‌خواهم",  # Persian: a non-joiner inside a word
        "क्‍ष",  # Devanagari: a joiner
        "é",  # a combining mark
        "\u0601\u0661",  # a sign over Arabic numbers
    ],
)
def test_what_shapes_a_character_stays(text):
    assert visible(text) == text
    assert marks_in(text) == {}


def test_tags_belong_to_the_flag_before_them_and_to_no_other_sign():
    tags = "\U000e0067" * 20_000
    assert marks_in("🏴" + tags) == {}
    assert list(marks_in("🏴a" + tags)) == list(range(2, 20_002))
    assert list(marks_in(tags[:2] + "🏴" + tags[:2])) == [0, 1]


def test_a_joiner_between_latin_letters_is_shown():
    assert visible("a\u200db") == "a⟨ZWJ⟩b"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_marks_take_the_place_of_unseen_characters_and_of_nothing_else(text):
    marks = marks_in(text)
    for i, character in enumerate(text):
        if i in marks:
            assert (
                unicodedata.category(character)[0] in "CZ"
                or character in "\u034f\u115f\u1160\u3164\uffa0"
            )
            assert marks[i].isprintable()
    kept = "".join(c for i, c in enumerate(text) if i not in marks)
    assert "\u202e" not in kept
    assert "\0" not in kept
    assert "\u202e" not in visible(text)
