"""What the examples say is to be noticed, measured on the model itself.

The weights are those of Transformers' own eager attention, not the ones that the app computes.
"""

import functools
import re

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

import explorer
from explorer.headname import head_name
from explorer.source import Embedded, Stories
from explorer.sources import EXAMPLES
from explorer.sources.catalogue import KNOWN, STORIES_FOLDERS, embedded_folder
from explorer.ui import guide

FOLDERS = {
    Embedded(): embedded_folder,
    Stories(): lambda: STORIES_FOLDERS["en"],
    Stories("zh"): lambda: STORIES_FOLDERS["zh"],
}
BY_TITLE = {example.title: example for example in EXAMPLES}
OF_MODELS = [example for example in EXAMPLES if example.run.source in FOLDERS]
# Another processor orders sums differently: 1e-6 was seen. Numbers are said as they are rounded.
OTHER_PROCESSOR = 1e-5


@functools.cache
def read(title):
    """The tokens of an example, and Transformers' own weights ``[layer, head, query, key]``."""
    folder = FOLDERS[BY_TITLE[title].run.source]()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    inputs = tokenizer(*BY_TITLE[title].run.texts, return_tensors="pt")
    with torch.inference_mode():
        attentions = model(**inputs, output_attentions=True).attentions
    tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
    return tokens, torch.cat(attentions).double().numpy()


class Seen:
    """An example at the place where it opens."""

    def __init__(self, title):
        opening = BY_TITLE[title].opening
        self.tokens, self.weights = read(title)
        self.query, self.head = opening["query"], (opening["layer"], *opening["heads"])
        self.map = self.weights[self.head]

    def at(self, text, which=0):
        """The position of a token: the first of its text, the second, …"""
        return [i for i, token in enumerate(self.tokens) if token == text][which]

    def favourite(self, query):
        """The ordinary token that a query looks at most."""
        ordinary = [not token.startswith("[") for token in self.tokens]
        return int(np.where(ordinary, self.map[query], -1).argmax())

    def times_others(self, query, key):
        """How many times the mean of what the other tokens give to a key a query gives to it."""
        return self.map[query, key] / np.delete(self.map[:, key], query).mean()


def pronoun():
    seen = Seen("Pronoun")
    it, cat = seen.query, seen.at("cat")
    assert seen.tokens[it] == "it"
    assert seen.map[it].argmax() == cat
    because, tired = seen.at("because"), seen.at("tired")
    assert seen.map[because].argmax() == tired
    return [seen.map[because, tired]]


def previous_word():
    seen = Seen("Previous word")
    before, word = seen.query, seen.at("word")
    assert seen.tokens[before] == "before"
    assert word == before - 1
    before_each = np.diagonal(seen.weights, offset=-1, axis1=2, axis2=3)
    means, least = before_each.mean(axis=-1), before_each[seen.head].min()
    assert "On average over all tokens no other head" in BY_TITLE["Previous word"].notice
    assert np.sort(means, axis=None)[-2] < means[seen.head] / 2
    assert least >= 0.999
    return [seen.map[before, word], least]


def sentence_pair():
    seen = Seen("Sentence pair")
    it, program = seen.query, seen.at("program")
    assert seen.tokens[it] == "it"
    assert program < seen.at("[SEP]") < it
    assert seen.favourite(it) == program
    assert seen.favourite(seen.at("wrote", 1)) == seen.at("wrote")
    return [seen.map[it, program], seen.times_others(it, program)]


def repeated_phrase():
    seen = Seen("Repeated phrase")
    red, door = [seen.at("red", i) for i in range(3)], [seen.at("door", i) for i in range(2)]
    assert seen.query == red[1]
    assert [seen.map[i].argmax() for i in (*red[1:], door[1])] == [red[0], red[0], door[0]]
    return [seen.map[red[1], red[0]], seen.map[door[1], door[0]]]


def paragraph():
    seen = Seen("Paragraph")
    she, ada, its = seen.query, seen.at("ada", 1), seen.at("its")
    assert seen.tokens[she] == "she"
    assert "ada" not in seen.tokens[ada + 1 : she]
    lighthouse = seen.at("lighthouse")
    assert [seen.map[i].argmax() for i in (she, its)] == [ada, lighthouse]
    return [seen.map[she, ada], she - ada, seen.map[its, lighthouse]]


def code():
    seen = Seen("Code")
    width, height = ([seen.at(name, i) for i in range(2)] for name in ("width", "height"))
    assert seen.query == width[1]
    assert [seen.map[width[1]].argmax(), seen.map[height[1]].argmax()] == [width[0], height[0]]
    return [seen.map[width[1], width[0]], seen.map[height[1], height[0]]]


def decoder():
    seen = Seen("A decoder")
    watch, hears, fox = seen.query, seen.at("hears"), seen.at("fox", 1)
    frogs = seen.at("frogs", 1)
    assert seen.tokens[hears : watch + 2] == ["hears", "watch", "is"]
    assert [seen.map[i].argmax() for i in (hears, watch)] == [frogs, fox]
    return [seen.map[watch, fox], seen.map[hears, frogs]]


def chinese_decoder():
    seen = Seen("A decoder in Chinese")
    inner, outer = seen.at("猫", 1) - 1, seen.query
    horse, cats = seen.at("匹", 1), seen.at("只", 1)
    assert seen.tokens[inner : inner + 2] == ["的", "猫"]
    assert seen.tokens[outer : outer + 2] == ["的", "马"]
    assert [seen.map[i].argmax() for i in (inner, outer)] == [cats, horse]
    return [seen.map[outer, horse], seen.map[inner, cats]]


CLAIMS = {
    "Pronoun": pronoun,
    "Previous word": previous_word,
    "Sentence pair": sentence_pair,
    "Repeated phrase": repeated_phrase,
    "Paragraph": paragraph,
    "Code": code,
    "A decoder": decoder,
    "A decoder in Chinese": chinese_decoder,
}


def test_there_are_nine_examples_and_a_measurement_for_each_of_a_trained_model():
    assert len(EXAMPLES) == 9
    assert [example.title for example in OF_MODELS] == list(CLAIMS)


@pytest.mark.parametrize("example", OF_MODELS, ids=lambda e: e.title)
def test_the_numbers_that_an_example_says_are_the_models(example):
    said = re.findall(r"(?<![·LH\d.])\d+(?:\.\d+)?", example.notice)
    measured = CLAIMS[example.title]()
    assert len(said) == len(measured)
    for number, found in zip(said, measured, strict=True):
        digits = len(number.partition(".")[2])
        assert abs(float(number) - found) <= 0.5 * 10**-digits + OTHER_PROCESSOR


@pytest.mark.parametrize("example", OF_MODELS, ids=lambda e: e.title)
def test_an_example_names_the_head_and_the_word_that_it_opens_with(example):
    opening = example.opening
    heads = re.findall(r"L\d+·H\d+", example.notice)
    assert heads == [head_name(opening["layer"], *opening["heads"])]
    tokens, _ = read(example.title)
    words = re.findall("“([^”]+)”", example.notice)
    assert words[0] == tokens[opening["query"]]
    assert {word.lower() for word in words} <= set(tokens)


def test_the_example_with_random_weights_says_that_they_are_noise_and_what_to_do():
    example = BY_TITLE["中文 Chinese"]
    trace = explorer.trace(example.run.text, source="scratch")
    weights = np.asarray(trace.weights, np.float64)
    bits = -(weights * np.log2(weights)).sum(axis=-1).mean(axis=-1)
    (said,) = re.findall(r"0\.\d+", example.notice)
    assert float(said) <= (bits / np.log2(weights.shape[-1])).min() < float(said) + 0.01
    assert example.notice.startswith("Random weights: what you see is noise,")
    assert trace.query_tokens[example.opening["query"]].text == "它"
    named = [known for known in KNOWN if known.name in example.notice]
    assert [known.about.split(";")[0] for known in named] == ["BERT, Chinese"]


def test_the_guide_says_where_the_head_of_pronouns_errs_and_where_it_does_not():
    text = {section.anchor: section.text for section in guide.sections()}["limits"]
    links = [link for s in guide.sections() for link in s.links if s.anchor in ("start", "limits")]
    asked = {link.query["text"]: link.query for link in links}
    (errs,) = [query for query in asked if f"“{query}”" in text]
    trace = explorer.trace(errs)
    tokens = [token.text for token in trace.key_tokens]
    it = trace.rows(3, 1)[tokens.index("it")]
    for word, number in re.findall(r"\*(man|dog)\*, (0\.\d+)", text):
        assert abs(it[tokens.index(word)] - float(number)) <= 0.0005 + OTHER_PROCESSOR
    assert tokens[int(it.argmax())] == "man"
    (both,) = [query for query in asked if query.startswith("My sister")]
    trace = explorer.trace(both)
    tokens = [token.text for token in trace.key_tokens]
    rows = trace.rows(3, 1)
    assert [tokens[int(rows[tokens.index(p)].argmax())] for p in ("she", "it")] == ["sister", "cat"]
