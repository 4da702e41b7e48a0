"""What a decoder expects at every position, against Transformers' own logits."""

import numpy as np
import pytest
import torch
import transformers

from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.sampling import Sampling
from explorer.source import Folder
from explorer.sources.expecting import COUNT, expect
from tests.models.tiny import byte_level, tiny_of

# float32 logits of the same model by another path of sums; as logarithms they are near 5.
TOLERANCE = 1e-5
TEXT = "The cat sat on the mat."
SIZES = {"vocab_size": 300, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    config = transformers.GPT2Config(**SIZES, initializer_range=0.5)
    return tiny_of(config, tmp_path_factory.mktemp("gpt2"), byte_level(), "LMHeadModel")


@pytest.fixture(scope="module")
def own(folder):
    """The logits of the model alone, and the numbers of the tokens."""
    ids = transformers.AutoTokenizer.from_pretrained(folder)(TEXT)["input_ids"]
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    while ids[-1] == 2:  # the closing mark
        ids.pop()
    with torch.inference_mode():
        return model(torch.tensor([ids])).logits[0].double(), ids


def test_every_position_names_its_likeliest_tokens_and_the_one_that_came(folder, own):
    logits, ids = own
    found = expect(Run(TEXT, source=Folder(str(folder))))
    logs = logits.log_softmax(-1)
    best, top = logs.topk(COUNT)
    assert found.ids.tolist() == top.tolist()
    assert np.abs(found.logs - best.numpy()).max() < TOLERANCE
    came = [float(row[i]) for row, i in zip(logs, ids[1:], strict=False)]
    assert np.abs(found.real[:-1] - came).max() < TOLERANCE
    ranks = [int((row > row[i]).sum()) for row, i in zip(logs, ids[1:], strict=False)]
    assert found.ranks.tolist() == [*ranks, -1]
    assert (found.first, found.last, found.vocabulary) == (0, len(ids) - 1, 300)
    assert set(found.texts) == set(found.ids.ravel().tolist())


def test_temperature_and_top_k_are_those_of_the_drawing(folder, own):
    logits, _ = own
    found = expect(Run(TEXT, source=Folder(str(folder))), 0, Sampling(0.5, 3))
    kept, _ = (logits / 0.5).topk(3)
    assert np.abs(found.logs[:, :3] - kept.log_softmax(-1).numpy()).max() < TOLERANCE
    assert (found.logs[:, 3:] == -np.inf).all()


def test_where_always_the_likeliest_is_taken_the_others_are_still_told(folder):
    run = Run(TEXT, source=Folder(str(folder)))
    greedy, drawn = expect(run, 0, Sampling(0.0)), expect(run, 0, Sampling(1.0))
    assert (greedy.logs == drawn.logs).all()


def test_a_bert_is_refused_with_what_it_has_instead():
    with pytest.raises(ExplorerError, match="no head that predicts"):
        expect(Run(TEXT))
