"""Patterns of tokenizers: those in use are taken, those that could run for ever are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.sources.patterns import RunawayError, least_length

CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
IN_USE = {
    "GPT-2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "Llama 3, Qwen2": CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "o200k": rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{CONTRACTIONS}?"
    rf"|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{CONTRACTIONS}?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "BLOOM": r" ?[^(\s|[.,!?…。，、।۔،])]+",
    "CLIP": r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    "DeepSeek": r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?"
    r"[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "Kimi": rf"[\p{{Han}}]+|[^\r\n]?[\p{{Lu}}\p{{M}}&&[^\p{{Han}}]]*{LOWER}+{CONTRACTIONS}?",
    "digits in threes": r"\d{1,3}(?=(?:\d{3})*\b)",
    "posix": r"[[:alpha:]]+",
}
FOR_EVER = ["(a+)+b", "(a*)*", "(a|aa)+$", "(.*a){20}", r"(a)\1", r"(?<x>a)\k<x>", "(?R)"]
FOR_EVER += ["a*a*a*a*a*b", "(?:a?){500}a{500}", "a{1,}+b", "((b+)c)*", "(?:(?:x+x+)+y)", "a?" * 30]
FOR_EVER += ["(a+){2,}", r"(\X)+", "(" * 30 + ")" * 30, "a" * 5000, "a{100000}", "(", ")", "[a"]


@pytest.mark.parametrize("pattern", IN_USE.values(), ids=IN_USE)
def test_the_patterns_of_tokenizers_in_use_are_taken(pattern):
    assert least_length(pattern) == 1


@pytest.mark.parametrize("pattern", FOR_EVER, ids=[p[:20] for p in FOR_EVER])
def test_a_pattern_that_could_run_for_ever_is_refused(pattern):
    with pytest.raises(RunawayError, match="is a pattern"):
        least_length(pattern)


@pytest.mark.parametrize(
    ("pattern", "least"),
    [
        ("ab|c", 1),
        ("a{3}b?", 3),
        (" {2,}", 2),
        ("x*", 0),
        ("(?=abc)", 0),
        ("(?:ab){2,3}", 4),
        ("^", 0),
    ],
)
def test_the_shortest_match_is_known(pattern, least):
    assert least_length(pattern) == least


@given(st.text("ab|()[]{}*+?\\^$1,:=!<>p-", max_size=40))
def test_any_pattern_is_measured_or_refused(pattern):
    try:
        assert least_length(pattern) >= 0
    except RunawayError as error:
        assert "pattern" in str(error)  # noqa: PT017


@pytest.mark.parametrize("slow", [r"a*a*b", r"a*a*a*b", r"\s*x+\b", r"(?:a+)(?:b*c)", r"a*b*(?=c)"])
def test_a_pattern_that_may_fail_behind_several_repeats_is_refused(slow):
    with pytest.raises(RunawayError, match="may fail behind several repeats"):
        least_length(slow)
