"""Little stories in Chinese: what decides a word, how texts are cut, and what the decoder does."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

import explorer
from docs import stories
from explorer.run import Run
from explorer.scratch.grammar_zh import ANIMALS, BOYS, CHINESE, GIRLS, THINGS, WORDS
from explorer.scratch.nextword import course_of
from explorer.scratch.storyteller import HELD_OUT, TELLERS, best_possible
from explorer.scratch.telling import LONGEST
from explorer.source import Stories, Trained
from explorer.sources.catalogue import STORIES_FOLDERS
from explorer.sources.layertraces import trace_layer
from explorer.sources.little_stories import decoder_of
from explorer.sources.loading import load_model
from explorer.sources.predicting import predict
from explorer.sources.progress import silent
from explorer.sources.truths import deciding_words
from explorer.sources.writing import Writing

TEXT = "小美和小明住在公园附近。小美有一顶红色的帽子，小明有两本蓝色的书。"
MEETING = f"{TEXT}他们在花园里看见一匹马和三只猫。"
NESTED = f"{MEETING}那匹那三只小美喜欢的猫看见的"
FOLDER = STORIES_FOLDERS["zh"]
TELLER = TELLERS["zh"]
PAGE = stories.PAGES["zh"].read_text("utf-8")
ROUNDED = 1e-5  # sums of float32 in another order; the largest logit is about 10
MEASURES = {noun: word for of in (ANIMALS, THINGS) for word, nouns in of.items() for noun in nouns}
seeds = st.integers(0, 10**9)


# --- the grammar ----------------------------------------------------------------------------------


def is_many(words, at):
    """Whether what a noun names is several, by the number before its measure word."""
    measure = max(i for i in range(at) if words[i] == MEASURES[words[at]])
    return words[measure - 1] in ("两", "三", "四", "五")


@given(seeds)
def test_what_decides_a_word_agrees_with_it(seed):
    """The truth by the words alone, told without the grammar."""
    story = CHINESE.tell(seed)
    words = story.words
    assert len(words) <= LONGEST
    for at, way in enumerate(story.ways):
        assert all(to < at for to in way.to)
        assert bool(way.kind) == bool(way.to)
        deciding = [words[to] for to in way.to]
        if way.kind == "agreement":
            assert deciding == [MEASURES[words[at]]]
        elif way.kind == "repetition":
            assert words[at] in deciding
        elif way.kind == "bracket":
            assert (deciding, words[at]) in ((["“"], "”"), (["（"], "）"))
        elif way.kind == "pair":
            assert (deciding, words[at]) in ((["因为"], "所以"), (["虽然"], "但是"))
        elif way.kind == "coreference" and words[at] in ("她", "他"):
            assert set(deciding) <= {*(GIRLS if words[at] == "她" else BOYS), words[at]}
        elif way.kind == "coreference" and words[at] in ("它", "它们"):
            assert [is_many(words, to) for to in way.to] == [words[at] == "它们"]
        elif way.kind == "coreference" and words[at] == "他们":
            assert set(deciding) <= {*GIRLS, *BOYS}
        elif way.kind == "coreference":
            assert words[at - 1] == "叫"
            assert set(deciding) == {words[at]}


def test_every_word_that_it_knows_is_told_and_no_two_kinds_of_animals_share_a_measure_word():
    told = [CHINESE.tell(i).words for i in range(800)]
    assert {word for words in told for word in words} == set(WORDS)
    for words in told:
        named = {word for word in words[:-1] if word in MEASURES and MEASURES[word] in ANIMALS}
        song = {words[i + 5] for i, word in enumerate(words[:-6]) if word == "唱"}
        assert len({MEASURES[noun] for noun in named - song}) <= 2


def test_nouns_close_in_the_order_of_their_measure_words():
    words = CHINESE.split(f"{NESTED}马很累。")
    story, _ = CHINESE.follow(words)
    assert list(story.words) == words
    bound = {
        (words[at], at - way.to[0]): words[way.to[0]]
        for at, way in enumerate(story.ways)
        if way.kind == "agreement" and at > words.index("那")
    }
    assert bound == {("猫", 4): "只", ("马", 10): "匹"}


@given(st.text(st.sampled_from("小美明马花园的那匹。 aZ9老，\n"), max_size=20))
def test_a_text_is_cut_into_words_of_the_stories_and_else_into_characters(text):
    pieces = CHINESE.split(text)
    assert "".join(pieces) == re.sub(r"\s", "", text)
    for piece in pieces:
        assert piece in WORDS or len(piece) == 1 or re.fullmatch("[A-Za-z0-9]+", piece)


# --- the layer that is trained on them ------------------------------------------------------------


def test_before_a_noun_the_ideal_is_to_look_at_its_measure_word():
    course = course_of(Trained("stories-zh"))
    words = CHINESE.split(f"{NESTED}马")
    ids = torch.tensor([course.numbers[word] for word in ("^", *words)])
    wanted = {p.name: p.wanted for p in course.patterns(ids)}["the measure word of the next noun"]
    last = wanted[len(words) - 1].nonzero()[:, 0].tolist()  # the row before 马, behind the start
    assert [words[i - 1] for i in last] == ["匹"]


def test_a_trained_layer_reads_and_writes_chinese_words():
    run = Run(TEXT, source=Trained("stories-zh", steps=3))
    trace = explorer.trace(TEXT, source="trained", task="stories-zh", steps=3)
    assert [t.text for t in trace.tokens] == ["^", *CHINESE.split(TEXT)]
    writing = Writing(run)
    rows = list(writing.write(4))
    assert len(rows) == 4
    assert " " not in "".join(writing.run.texts)


def test_the_next_letter_is_learned_of_a_chinese_text_too():
    corpus = "".join(CHINESE.as_text(CHINESE.tell(i).words) for i in range(6))
    signs = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))  # as many as a text of some pages has
    found = explorer.trace(
        "小明喜欢", source="trained", task="letters", corpus=corpus + signs, steps=2
    )
    assert [t.text for t in found.tokens] == [*"小明喜欢"]


# --- the decoder ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def decoder():
    return decoder_of(load_model(Stories("zh"), silent).network)


def test_its_attention_is_transformers_own_and_so_is_a_step_through_its_layers():
    whole = AutoModelForCausalLM.from_pretrained(FOLDER, attn_implementation="eager").eval()
    ids = AutoTokenizer.from_pretrained(FOLDER)(TEXT, return_tensors="pt").input_ids
    with torch.inference_mode():
        out = whole(ids, output_attentions=True)
    attentions = torch.cat(out.attentions).numpy()
    trace = explorer.trace(TEXT, source="stories-zh")
    assert [t.text for t in trace.tokens] == ["[START]", *CHINESE.split(TEXT)]
    assert [TEXT[slice(*t.span)] for t in trace.tokens if t.span] == CHINESE.split(TEXT)
    assert len({t.word for t in trace.tokens}) == len(trace.tokens)  # a token, a word
    assert np.abs(trace.weights - attentions).max() < 1e-6
    for layer in range(3):
        found = trace_layer(Run(TEXT, source=Stories("zh")), layer)
        assert np.abs(found.weights - attentions[layer]).max() < 1e-6
    logits = out.logits[0, -1].numpy()
    assert np.abs(predict(Run(TEXT, source=Stories("zh"))).logits - logits).max() < ROUNDED


def test_what_it_does_not_know_is_marked_character_by_character():
    trace = explorer.trace("小美有一只老虎。 OK", source="stories-zh")
    assert [t.text for t in trace.tokens[1:]] == [
        *("小美", "有", "一", "只", "[UNK]", "[UNK]", "。", "[UNK]")
    ]
    (note,) = trace.model.notes
    named = re.findall(r"such as (.*?);", note)[0].split(", ")
    assert set(named) <= set(WORDS)
    assert CHINESE.follow(CHINESE.split(note.rpartition(": ")[2]))[0].words[-1] == "。"


def test_what_it_writes_has_no_spaces():
    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    for seed in range(10):
        text = CHINESE.as_text(CHINESE.tell(seed).words)
        assert tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True) == text


def test_it_is_a_source_like_any_other():
    run = Run(TEXT, source=Stories("zh"))
    assert Run.from_query(run.to_query()) == run
    assert run.to_query()["source"] == "stories-zh"


def test_past_two_clauses_it_says_the_noun_that_the_measure_word_asks_for():
    run = Run(NESTED, source=Stories("zh"))
    found = predict(run)
    chance = torch.tensor(found.logits).softmax(-1)
    assert TELLER.vocabulary[found.ids[0]] == "马"
    assert chance[TELLER.vocabulary.index("马")] > 0.9
    tokens = explorer.trace(NESTED, source="stories-zh").tokens
    places, says = deciding_words(run, tokens, len(tokens) - 1, "马")
    assert [tokens[i].text for i in places] == ["匹"]
    assert says == "The grammar of these stories decides “马” by what it goes with"


def test_the_figures_in_the_docs_are_the_decoders_own(decoder):
    said = re.findall(r"^\| (?:the decoder|best possible.*?) \| (\S+) \| (\S+) \|$", PAGE, re.M)
    held = [CHINESE.tell(i) for i in range(HELD_OUT)]
    ours, best = TELLER.score(decoder, held), best_possible(held)
    for (accuracy, loss), found in zip(said, (ours, best), strict=True):
        assert abs(float(accuracy) - found.accuracy) < 0.01
        assert abs(float(loss) - found.loss) < 0.01
    assert best.accuracy - 0.03 < ours.accuracy  # and it is a good one


def test_the_head_that_the_docs_name_finds_the_measure_word_past_what_stands_between(decoder):
    (name, hits, hard) = re.findall(
        r"^\| agreement \| before the word \| (\S+) \| [\d,]+ \| ([\d.]+) % \| ([\d.]+) %",
        PAGE,
        re.M,
    )[0]
    seen = stories.observe(TELLER, decoder, [CHINESE.tell(i) for i in range(60)])
    cases = seen.cases["agreement", -1]
    found = stories.found(cases, cases)
    assert found.name == name
    for said, share in ((hits, found.hits), (hard, found.hard)):
        assert share > 0.8
        assert abs(float(said) / 100 - share) < 0.06  # of some 150 such nouns
