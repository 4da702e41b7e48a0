"""Little stories: a grammar that knows what decides each word, a decoder that has learned it."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

import explorer
from docs import stories
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.scratch.grammar import BOYS, ENGLISH, GIRLS, WORDS, as_text, follow, split, tell
from explorer.scratch.grammar_zh import CHINESE
from explorer.scratch.storyteller import HELD_OUT, TELLERS, Course, best_possible
from explorer.scratch.telling import END, LONGEST
from explorer.source import Stories
from explorer.sources.catalogue import STORIES_FOLDER
from explorer.sources.layertraces import Twist, trace_layer
from explorer.sources.little_stories import decoder_of, save
from explorer.sources.loading import load_model
from explorer.sources.progress import silent

PAGE = (Path(__file__).parents[2] / "docs/stories.md").read_text("utf-8")
TEXT = "Mia and Tom live near the park. Mia has a red ball, and Tom has two green kites."
ROUNDED = 1e-5  # sums of float32 in another order; the largest logit is about 10
seeds = st.integers(0, 10**9)
grammars = pytest.mark.parametrize("grammar", [ENGLISH, CHINESE], ids=["en", "zh"])
TELLER = TELLERS["en"]


# --- the grammar ----------------------------------------------------------------------------------


@grammars
@given(seed=seeds)
def test_the_words_that_may_come_have_probabilities_that_sum_to_one(grammar, seed):
    for choice in grammar.tell(seed).choices:
        assert math.isclose(sum(way.share for way in choice), 1, abs_tol=1e-9)
        words = [way.word for way in choice]
        assert len(set(words)) == len(words)
        assert set(words) <= set(grammar.words)


@grammars
@given(seed=seeds)
def test_a_story_written_as_people_write_is_understood_again(grammar, seed):
    story = grammar.tell(seed)
    again, after = grammar.follow(grammar.split(grammar.as_text(story.words)))
    assert (*again.words, END) == story.words
    assert (*again.choices, after) == story.choices
    assert len(story.words) <= LONGEST


@grammars
@given(seed=seeds, at=st.integers(0, LONGEST))
def test_a_word_that_cannot_stand_there_ends_what_is_understood(grammar, seed, at):
    words = grammar.tell(seed).words[:at]
    understood, after = grammar.follow([*words, "zebra", "the"])
    assert understood.words == words
    assert all(way.word != "zebra" for way in after)


def test_the_numbers_of_the_grammar_are_those_with_which_it_tells():
    """Of 800 first words and of as many last choices, within five standard deviations."""
    told = [tell(i) for i in range(800)]
    ends = [choice for story in told for choice in story.choices if choice[-1].word == END]
    went_on = sum(len(choice) > 1 for choice in ends)
    ended = sum(story.choices[-1][-1].share < 1 for story in told)
    share = 0.15
    assert abs(ended - share * went_on) < 5 * math.sqrt(share * (1 - share) * went_on)
    ones = sum(story.words[0] == "One" for story in told)
    assert abs(ones - 0.3 * 800) < 5 * math.sqrt(0.3 * 0.7 * 800)


# What the truth must be by the words alone, told without the grammar.
PLURAL = {"mice", "geese", "foxes"}


def is_many(word):
    return word in PLURAL or word in ("They", "they") or word.endswith("s")


@given(seeds)
def test_what_decides_a_word_agrees_with_it(seed):
    story = tell(seed)
    words = story.words
    for at, way in enumerate(story.ways):
        assert all(to < at for to in way.to)
        assert bool(way.kind) == bool(way.to)
        deciding = [words[to] for to in way.to]
        if way.kind == "repetition":
            assert words[at] in deciding
        elif way.kind == "bracket":
            assert (deciding, words[at]) in ((["“"], "”"), (["("], ")"))
        elif way.kind == "coreference" and words[at].lower() in ("she", "her", "he", "his"):
            names = (*GIRLS, "She") if words[at].lower() in ("she", "her") else (*BOYS, "He")
            assert set(deciding) <= set(names)
        elif way.kind == "coreference" and words[at] in (*GIRLS, *BOYS):
            assert words[at - 3 : at] == ("My", "name", "is")
            assert set(deciding) == {words[at]}
        elif way.kind == "coreference" and words[at] in ("it", "they"):
            assert all(is_many(word) == (words[at] == "they") for word in deciding)
        elif way.kind == "agreement" and words[at] in ("is", "are") and len(deciding) == 1:
            assert is_many(deciding[0]) == (words[at] == "are")


def test_a_clause_within_a_clause_closes_in_its_order():
    text = (
        f"{TEXT} They see a fox and two frogs in the barn. "
        "The fox that the frogs that Mia hears watch is"
    )
    story, _ = follow(split(text))
    words, ways = story.words, story.ways
    assert len(words) == len(split(text))
    subjects = {words[at]: words[way.to[0]] for at, way in enumerate(ways) if at > len(words) - 4}
    assert subjects == {"hears": "Mia", "watch": "frogs", "is": "fox"}


# --- the decoder ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def loaded():
    return load_model(Stories(), silent)


@pytest.fixture(scope="module")
def theirs():
    """Transformers' own, from the files, with its own eager attention."""
    return AutoModelForCausalLM.from_pretrained(STORIES_FOLDER, attn_implementation="eager").eval()


@pytest.fixture(scope="module")
def ids():
    tokenizer = AutoTokenizer.from_pretrained(STORIES_FOLDER)
    return tokenizer(TEXT, return_tensors="pt").input_ids


def test_our_stack_says_what_transformers_says_of_the_same_weights(loaded, theirs, ids):
    with torch.inference_mode():
        ours, other = decoder_of(loaded.network)(ids), theirs(ids).logits
    assert (ours - other).abs().max() < ROUNDED


def test_the_attention_that_is_shown_is_transformers_own(theirs, ids):
    trace = explorer.trace(TEXT, source="stories")
    with torch.inference_mode():
        attentions = torch.cat(theirs(ids, output_attentions=True).attentions)
    assert trace.weights.shape == (3, 4, 22, 22)
    assert np.abs(trace.weights - attentions.numpy()).max() < 1e-6
    assert trace.model.passport.form == "scores"
    assert trace.tokens[0].text == "[START]"
    assert trace.tokens[0].special


@pytest.mark.parametrize("layer", range(3))
def test_step_by_step_walks_its_layers(theirs, ids, layer):
    trace = trace_layer(Run(TEXT, source=Stories()), layer)
    with torch.inference_mode():
        out = theirs(ids, output_attentions=True, output_hidden_states=True)
        read = theirs.transformer.h[layer].ln_1(out.hidden_states[layer])[0]
        output = theirs.transformer.h[layer].attn(read[None])[0]
    assert np.abs(trace.x - read.numpy()).max() < ROUNDED
    assert np.abs(trace.weights - out.attentions[layer][0].numpy()).max() < 1e-6
    assert np.abs(
        trace.weights @ trace.v - trace.joined.reshape(22, 4, 32).swapaxes(0, 1)
    ).max() < (ROUNDED)
    assert output.shape[1:] == trace.output.shape
    assert [part.name for part in trace.parts] == (["token", "position"] if layer == 0 else [])


def test_without_positions_every_token_is_told_the_same_one():
    run = Run("the fox the fox", source=Stories())
    trace = trace_layer(run, 0, Twist(positions=False))
    told = trace.parts[1].values
    assert (told == told[0]).all()
    assert np.array_equal(trace.x[1], trace.x[3])


def test_words_that_it_does_not_know_are_marked_and_it_says_which_it_knows():
    trace = explorer.trace("Mia sees a zebra.", source="stories")
    assert [token.text for token in trace.tokens] == ["[START]", "Mia", "sees", "a", "[UNK]", "."]
    (note,) = trace.model.notes
    assert f"knows {len(WORDS) - 1} words and marks, such as Mia" in note
    named = re.findall(r"such as (.*?);", note)[0].split(", ")
    assert set(named) <= set(WORDS)


def test_what_it_writes_reads_as_people_write(theirs):
    tokenizer = AutoTokenizer.from_pretrained(STORIES_FOLDER)
    for seed in range(20):
        text = as_text(tell(seed).words)
        assert tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True) == text


def test_it_is_a_source_like_any_other():
    run = Run(TEXT, source=Stories())
    assert Run.from_query(run.to_query()) == run
    assert run.to_query()["source"] == "stories"
    with pytest.raises(ExplorerError, match="takes no options"):
        explorer.trace(TEXT, source="stories", seed=1)


def test_the_figures_in_the_docs_are_the_decoders_own(loaded):
    said = re.findall(r"^\| (?:the decoder|best possible.*?) \| (\S+) \| (\S+) \|$", PAGE, re.M)
    held = [tell(i) for i in range(HELD_OUT)]
    ours, best = TELLER.score(decoder_of(loaded.network), held), best_possible(held)
    for (accuracy, loss), found in zip(said, (ours, best), strict=True):
        assert abs(float(accuracy) - found.accuracy) < 0.01
        assert abs(float(loss) - found.loss) < 0.01
    assert best.accuracy - 0.03 < ours.accuracy  # and it is a good one


def test_what_is_noted_of_the_training_is_what_make_stories_does():
    said = json.loads((Path(__file__).parents[2] / "docs/stories.json").read_text("utf-8"))
    assert said.keys() == TELLERS.keys()
    for language, noted in said.items():
        assert Course(**noted["course"]) == TELLERS[language].course
        assert noted["seconds"] < 15 * 60


def test_a_training_is_the_same_one_twice_and_its_files_bring_it_back(tmp_path):
    course, losses = Course(steps=4, batch=4), []
    decoder = TELLER.learn(course, lambda step, loss: losses.append(loss))
    again = TELLER.learn(course, lambda step, loss: None)
    for one, other in zip(decoder.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
    assert losses[-1] < losses[0]
    save(decoder, TELLER, tmp_path)
    back = decoder_of(AutoModelForCausalLM.from_pretrained(tmp_path))
    for one, other in zip(decoder.parameters(), back.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_head_that_the_docs_name_finds_the_subject_past_what_stands_between(loaded):
    (name, hits, hard) = re.findall(
        r"^\| agreement \| before the word \| (\S+) \| [\d,]+ \| ([\d.]+) % \| ([\d.]+) %",
        PAGE,
        re.M,
    )[0]
    seen = stories.observe(TELLER, decoder_of(loaded.network), [tell(i) for i in range(60)])
    cases = seen.cases["agreement", -1]
    found = stories.found(cases, cases)
    assert found.name == name
    assert found.nearest < 0.6  # the nearest noun would often be a wrong one
    for said, share in ((hits, found.hits), (hard, found.hard)):
        assert share > 0.9
        assert abs(float(said) / 100 - share) < 0.05  # 60 stories have some 50 such verbs
