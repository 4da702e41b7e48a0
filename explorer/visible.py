"""Characters that nobody sees, as marks: direction controls, zero-width characters, NUL.

A direction control turns round what stands beside it on the page, and a zero-width space splits a
word for a tokenizer: a reader must see that they are there.
"""

import unicodedata

_NAMES = {
    0x00AD: "SHY",
    0x034F: "CGJ",
    0x061C: "ALM",
    0x115F: "HCF",
    0x1160: "HJF",
    0x180E: "MVS",
    0x200B: "ZWSP",
    0x200C: "ZWNJ",
    0x200D: "ZWJ",
    0x200E: "LRM",
    0x200F: "RLM",
    0x2028: "LS",
    0x2029: "PS",
    0x202A: "LRE",
    0x202B: "RLE",
    0x202C: "PDF",
    0x202D: "LRO",
    0x202E: "RLO",
    0x2060: "WJ",
    0x2066: "LRI",
    0x2067: "RLI",
    0x2068: "FSI",
    0x2069: "PDI",
    0x3164: "HF",
    0xFEFF: "BOM",
    0xFFA0: "HHF",
}
_BREAKS = {"\t": "⇥", "\n": "⏎", "\r": "␍"}  # seen in a running text, and not in a label
# Format characters that are signs of their own: they are seen.
_SEEN = {*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD}
_JOINERS = (0x200C, 0x200D)
_FLAG, _TAGS = 0x1F3F4, range(0xE0020, 0xE0080)
_FIRST_JOINED = 0x0590  # scripts before Hebrew do not join their letters
# Characters that nothing is drawn for (Unicode: Default_Ignorable_Code_Point), as far as their
# category does not tell: fillers, variation selectors, and places kept free for more of the kind.
_IGNORABLE = (
    *(range(code, code + 1) for code in (0x034F, 0x2065, 0x3164, 0xFFA0)),
    *(range(0x115F, 0x1161), range(0x17B4, 0x17B6), range(0x180B, 0x1810)),
    *(range(0xFE00, 0xFE10), range(0xFFF0, 0xFFF9), range(0xE0000, 0xE1000)),
)


def visible(text: str) -> str:
    """A text with a mark in place of every character that cannot be seen."""
    if text.isprintable() and not any(ord(c) in _NAMES for c in text if not c.isascii()):
        return text
    marks = marks_in(text) | {i: _BREAKS[c] for i, c in enumerate(text) if c in _BREAKS}
    return "".join(marks.get(i, c) for i, c in enumerate(text))


def marks_in(text: str) -> dict[int, str]:
    """The mark of every character of a running text that cannot be seen, by its place.

    Line breaks and tabs are seen there; joiners inside an emoji or between letters that join, and
    the tags of a flag, are part of what is seen. One walk through the text, however long.
    """
    marks = {}
    of_a_flag = False  # whether a flag, and nothing but its tags since, stands before
    for i, c in enumerate(text):
        of_a_flag = ord(c) == _FLAG or (of_a_flag and ord(c) in _TAGS)
        if c in _BREAKS or of_a_flag or not _is_unseen(c) or _joins(text, i):
            continue
        marks[i] = _mark(c)
    return marks


def is_blank(text: str) -> bool:
    """Whether a text shows nothing: only spaces, controls and characters that are not drawn.

    A private character and one that is newer than Python's tables have no category to tell by:
    somebody's font draws them. So are half characters shown, as a mark.
    """
    return all(map(_shows_nothing, text))


def _shows_nothing(character: str) -> bool:
    code = ord(character)
    category = unicodedata.category(character)
    if category in ("Cc", "Cf") or category[0] == "Z":
        return code not in _SEEN
    return any(code in codes for codes in _IGNORABLE)


def _is_unseen(character: str) -> bool:
    code = ord(character)
    if code in _NAMES:
        return True
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and code not in _SEEN


def _joins(text: str, i: int) -> bool:
    """Whether an unseen character joins, or holds apart, the two beside it."""
    code = ord(text[i])
    if code not in _JOINERS or i == 0 or i + 1 == len(text):
        return False
    before, after = text[i - 1], text[i + 1]
    if unicodedata.category(after) == "So" and code == 0x200D:
        return unicodedata.category(before) in ("So", "Sk", "Mn")
    return min(ord(before), ord(after)) >= _FIRST_JOINED and all(
        unicodedata.category(c)[0] in "LM" for c in (before, after)
    )


def _mark(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    return f"⟨{_NAMES.get(code, f'U+{code:04X}')}⟩"
