"""Every architecture of the zoo, as a reader would load it, against Transformers' own attention.

Tolerance: the same sums in float32, in another order. Numbers near 1 have steps of 1e-7, and each
layer adds a few. A weight is relatively as far off as its score is, and that grows with the score.
"""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from docs.parity import BEGIN, END, PAGE
from explorer.errors import ExplorerError
from explorer.layers import FromScores
from explorer.run import Run
from explorer.source import Folder
from explorer.sources import trace_run
from tests.models import zoo

TOLERANCE = 2e-6
SHOWN = [
    pytest.param(name, own, reads, id=f"{group}: {name}")
    for group, (reads, names) in zoo.GROUPS.items()
    for name, own in names.items()
]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Sums as small as these take longer where threads share them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("name", "own", "reads"), SHOWN)
def test_what_is_shown_of_a_model_is_what_transformers_computes(name, own, reads, tmp_path):
    found = zoo.check(name, own, reads, tmp_path)
    assert found.weights <= TOLERANCE * max(1, found.score)
    assert found.output <= 2 * TOLERANCE
    assert found.window == zoo.WINDOWS.get(name)
    if reads == "text":  # a longer one is cut where the model has no more places, and that is said
        long = " ".join([zoo.TEXT] * 6)
        trace = trace_run(Run(long, source=Folder(str(tmp_path))))
        read = AutoTokenizer.from_pretrained(tmp_path)(long)["input_ids"]
        assert len(trace.query_tokens) + sum(trace.n_cut) == len(read)


@pytest.mark.parametrize("name", zoo.REFUSED)
def test_what_has_no_weights_of_every_token_on_every_token_is_refused_in_words(name, tmp_path):
    reads, own, words = zoo.REFUSED[name]
    with pytest.raises(ExplorerError, match=words):
        zoo.check(name, own, reads, tmp_path)


def test_a_window_or_a_scale_that_was_left_out_would_be_seen(tmp_path):
    model = zoo.build("mistral", {})
    zoo.save(model, "text", tmp_path)
    layer = trace_run(Run(zoo.TEXT, source=Folder(str(tmp_path)))).layers[0]
    wanted = layer.weights()
    starts = np.where([True, False], 0, layer.rule.allowed).astype(np.int32)
    for wrong in ({"allowed": starts}, {"scale": 1.1 * layer.rule.scale}):
        other = FromScores(0, layer.q, layer.k, replace(layer.rule, **wrong))
        assert np.abs(other.weights() - wanted).max() > 100 * TOLERANCE


def test_the_page_lists_every_architecture_of_the_zoo_and_no_other():
    made = PAGE.read_text("utf-8").split(BEGIN)[1].split(END)[0]
    listed = {}
    for section in made.split("\n### ")[1:]:
        group, rows = section.split("\n", 1)
        listed[group.lower()] = re.findall(r"^\| (\w+) \(`([\w-]+)`(?:, ([^)]*))?\) ", rows, re.M)
    wanted = {group: names for group, (_, names) in zoo.GROUPS.items()} | {"refused": zoo.REFUSED}
    names = {g: [" ".join(filter(None, row[1:])) for row in rows] for g, rows in listed.items()}
    assert names == {group: list(of_group) for group, of_group in wanted.items()}
    classes = {row[0] for group, rows in listed.items() if group != "refused" for row in rows}
    assert len(classes) >= 100
