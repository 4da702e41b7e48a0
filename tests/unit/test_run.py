"""Run: a run is its link, and what cannot be run is refused with a sentence."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import run
from explorer.errors import ExplorerError
from explorer.lesson import TASKS, Trained
from explorer.limits import MAX_CHARACTERS
from explorer.picture import Picture
from explorer.run import LINK_BYTES, PARTS, Run, is_blank
from explorer.source import (
    Embedded,
    Folder,
    Hub,
    Scratch,
    Stories,
    Transplanted,
    hub_model,
    parse_source,
)
from explorer.target import MaskedWord

texts = st.text(min_size=1, max_size=60).filter(lambda t: not is_blank(t))
scratch = st.builds(
    lambda d, h, layers, seed, positions, causal: Scratch(
        d * h, h, layers, seed, positions, causal
    ),
    st.integers(1, 64),
    st.integers(1, 16),
    st.integers(1, 12),
    st.integers(0, 2**31 - 1),
    st.booleans(),
    st.booleans(),
)
trained = st.builds(
    lambda task, length, width, heads, layers, rate, steps, seed: Trained(
        task, length, width * heads, heads, layers, rate, steps, seed
    ),
    st.sampled_from(list(TASKS)),
    st.integers(6, 32),
    st.integers(8, 16),
    st.integers(1, 8),
    st.integers(1, 3),
    st.floats(1e-5, 10),
    st.integers(1, 10_000),
    st.integers(0, 2**31 - 1),
)
models = [Embedded(), Hub("bert-base-uncased"), Hub("a/b.c", "v1"), Folder("/models/x y")]
sources = st.one_of(
    st.sampled_from([Stories(), *models, *map(Transplanted, models)]), scratch, trained
)


@given(texts, st.one_of(st.none(), texts), sources)
def test_every_run_survives_the_way_through_a_link(text, second, source):
    run = Run(text, second, source)
    assert Run.from_query(run.to_query()) == run


@given(
    st.dictionaries(
        st.sampled_from(["text", "second", "source", "d_model", "seed", "task", "learning_rate"]),
        st.one_of(st.text(), st.sampled_from(["trained", "scratch", "transplant:", "copy", "1e9"])),
    )
)
def test_a_link_of_any_content_gives_a_run_or_a_sentence(query):
    try:
        run = Run.from_query(query)
    except ExplorerError as error:
        assert str(error).endswith((".", "?"))  # noqa: PT017
    else:
        assert run is None or isinstance(run, Run)


@pytest.mark.parametrize("text", ["", "   \n\t", "\u200b\ufeff", "\x00", "\u202e\u2066"])
def test_text_without_anything_to_see_is_refused(text):
    with pytest.raises(ExplorerError, match="no text to read"):
        Run(text)


def test_a_blank_second_text_is_no_second_text():
    assert Run("a", " \n ") == Run("a")


def test_lone_surrogates_become_a_visible_mark_of_the_same_length():
    assert Run("a\ud800b").text == "a\N{REPLACEMENT CHARACTER}b"


def test_text_of_a_million_characters_is_refused_with_both_numbers():
    with pytest.raises(ExplorerError, match=f"1,000,000 characters; at most {MAX_CHARACTERS:,}"):
        Run("a" * 1_000_000)


@pytest.mark.parametrize("letter", ["a", "😀"])
def test_a_text_that_was_cut_on_its_way_is_refused_without_claiming_its_length(letter):
    guard = Path(run.__file__).with_name("ui") / "guard.js"
    (most,) = re.findall(r"const MOST = ([\d_]+);", guard.read_text("utf-8"))
    assert int(most) == run.FIRST_SENT
    whole, half = divmod(run.FIRST_SENT, len(letter.encode("utf-16-le")) // 2)
    sent = letter * whole + "\N{REPLACEMENT CHARACTER}" * half
    words = f"has {len(sent):,} characters or more: no more of it was sent. At most"
    with pytest.raises(ExplorerError, match=words):
        Run(sent)


@pytest.mark.parametrize(
    "text", ["\ue000", "\U000f0000", "\U0001fae9", "\ufffd", "\u0601", "\u0301"]
)
def test_private_and_new_characters_are_something_to_read(text):
    assert Run(f" {text}\n").text == f" {text}\n"


@pytest.mark.parametrize(
    "text", ["\u3164", "\uffa0\u115f", "\ufe0f", "\u034f", "\U000e0041\U000e01ef", "\u2065 \u2028"]
)
def test_characters_that_nothing_is_drawn_for_are_no_text(text):
    with pytest.raises(ExplorerError, match="no text to read"):
        Run(text)


@pytest.mark.parametrize(
    "name",
    ["../etc", "/etc/passwd", "a/b/c", "a b", ".hidden", "a..b", "a--b", "x" * 97, "a\n", "a/"],
)
def test_what_is_no_hub_name_never_reaches_a_library(name):
    with pytest.raises(ExplorerError, match="not a model name"):
        Hub(name)


@pytest.mark.parametrize("name", ["gpt2", "google-bert/bert-base-uncased", "a/b_c.d-e", "x" * 96])
def test_real_hub_names_are_taken(name):
    assert Hub(name).spec == f"hf:{name}"


@pytest.mark.parametrize("revision", ["../x", "a b", "-x", "a/../b"])
def test_what_is_no_revision_is_refused(revision):
    with pytest.raises(ExplorerError, match="not a revision"):
        Hub("gpt2", revision)


@pytest.mark.parametrize(
    ("typed", "model"),
    [
        ("x", Hub("x")),
        ("x@main", Hub("x", "main")),
        (" x @ main ", Hub("x", "main")),
        ("me / x@refs/pr/1", Hub("me/x", "refs/pr/1")),
        ("hf:me/x@main", Hub("me/x", "main")),
        ("https://huggingface.co/me/x", Hub("me/x")),
        ("https://huggingface.co/me/x/", Hub("me/x")),
        ("http://www.huggingface.co/me/x?library=transformers#usage", Hub("me/x")),
        ("huggingface.co/gpt2", Hub("gpt2")),
        ("https://HF.co/me/x@v1", Hub("me/x", "v1")),
        ("https://huggingface.co/me/x/tree/main", Hub("me/x", "main")),
        ("https://huggingface.co/me/x/tree/refs%2Fpr%2F1", Hub("me/x", "refs/pr/1")),
        ("https://huggingface.co/gpt2/blob/v1/config.json", Hub("gpt2", "v1")),
        ("https://huggingface.co/me/x/discussions/3", Hub("me/x")),
    ],
)
def test_a_model_is_understood_as_people_write_it(typed, model):
    assert hub_model(typed) == model
    assert parse_source(model.spec) == model


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("@main", "Which model.* before “@main”"),
        (" @ ", "Which model"),
        ("", "Which model"),
        ("x@", "Which revision of “x”.*x@main"),
        ("https://huggingface.co/me/x@", "Which revision of “me/x”"),
        ("x@@main", "not a revision"),
        ("x@a@b", "not a revision"),
        ("https://elsewhere.example/me/x", "not a model name"),
        ("https://huggingface.co/", "Which model"),
    ],
)
def test_half_a_name_of_a_model_is_asked_for_its_other_half(typed, words):
    with pytest.raises(ExplorerError, match=words):
        hub_model(typed)


@pytest.mark.parametrize("what", ["datasets", "spaces"])
def test_an_address_that_is_no_models_is_refused(what):
    with pytest.raises(ExplorerError, match=f"the hub’s {what}, not of a model"):
        hub_model(f"https://huggingface.co/{what}/me/x")


def test_a_width_that_heads_cannot_share_is_refused_with_widths_that_fit():
    with pytest.raises(ExplorerError, match="Nearest widths that can: 8 and 16"):
        Scratch(d_model=10, n_heads=8)


@pytest.mark.parametrize(
    "options", [{"n_heads": 0}, {"d_model": 10**6}, {"n_layers": -1}, {"seed": 0.5}]
)
def test_impossible_options_name_the_option_and_its_range(options):
    (name,) = options
    with pytest.raises(ExplorerError, match=rf"{name} is .*whole number from"):
        Scratch(**options)


@pytest.mark.parametrize(
    ("spec", "options", "words"),
    [
        ("gpt", {}, "no source “gpt”"),
        ("bert", {"seed": 1}, "takes no options"),
        ("scratch", {"width": 3}, "no option “width”"),
        ("hf:", {}, "Which model"),
        ("path:", {}, "Which folder"),
    ],
)
def test_sources_that_do_not_exist_are_refused(spec, options, words):
    with pytest.raises(ExplorerError, match=words):
        parse_source(spec, **options)


def test_a_text_as_long_as_models_take_fits_into_a_link_in_english_and_chinese():
    assert Run("A word of five. " * 170).fits_link()
    assert Run("字" * 512).fits_link()
    assert not Run("a" * LINK_BYTES).fits_link()


def test_equal_runs_have_equal_hashes():
    assert hash(Run("a", source=Scratch())) == hash(Run("a", source=parse_source("scratch")))


def test_a_picture_or_a_file_is_one_run_without_a_link_and_another_picture_another_run():
    one, two = (Run(picture=Picture(name, b"png")) for name in "ab")
    assert one != two
    assert one == Run("text beside a picture is not read", picture=Picture("a", b"other bytes"))
    assert one.by_line() == [one]
    assert not one.fits_link()


@pytest.mark.parametrize("part", PARTS)
def test_the_part_of_an_encoder_decoder_travels_in_the_link(part):
    run = Run("a", "b", part=part)
    assert Run.from_query(run.to_query()) == run


def test_a_conversation_travels_in_the_link_and_is_one_run_of_one_text():
    run = Run("user: a\nassistant: b", chat=True)
    assert Run.from_query(run.to_query()) == run != Run(run.text)
    assert run.by_line() == [run]


def test_a_part_that_there_is_none_of_is_refused():
    with pytest.raises(ExplorerError, match="no attention “middle”"):
        Run.from_query({"text": "a", "part": "middle"})
    with pytest.raises(ExplorerError, match=r"seed is 9{20}; .* from 0 to 2147483647"):
        Run.from_query({"text": "a", "source": "scratch", "seed": "9" * 20})


def test_a_word_to_ask_for_is_no_text():
    assert MaskedWord(1, "cat\ud800").guess == "cat\N{REPLACEMENT CHARACTER}"
    with pytest.raises(ExplorerError, match="has 100,000 characters; no token has more than 200"):
        MaskedWord(1, "a" * 100_000)


def test_a_link_to_an_uploaded_file_is_answered_with_what_to_do():
    with pytest.raises(ExplorerError, match="files do not travel in links"):
        Run.from_query({"text": "a", "source": "own:1234"})
