"""What a reader is told beside the picture."""

import dataclasses

import pytest

from explorer.run import Run
from explorer.trace import Token
from explorer.ui import messages


@pytest.fixture
def told(monkeypatch):
    """Every sentence that is put on the page."""
    said = []
    monkeypatch.setattr(messages, "_box", lambda key, sentence: said.append(sentence))
    return said


def crossed(trace, written):
    """A trace in which a model looks from what it has written into the text."""
    n = len(trace.query_tokens)
    tokens = tuple(Token("<unk>", (i, i + 1), i, 1, special=False) for i in range(n))
    model = dataclasses.replace(trace.model, part="cross", unknown_token="<unk>")
    texts = (trace.texts[0], written)
    return dataclasses.replace(trace, model=model, query_tokens=tokens, texts=texts, n_cut=(0, 7))


def test_what_a_model_has_written_itself_is_told_with_what_is_unknown_in_it(make_trace, told):
    messages.about(crossed(make_trace(), "猫狗鸟鱼虫"), Run("some text"), marked=False)
    assert any("wrote the second text itself" in sentence for sentence in told)
    assert any("no “猫”. Try the hub model google-bert/bert-base-chinese" in s for s in told)
    assert any("first 5 of the second text were read, 7 were cut" in s for s in told)


def test_for_what_is_not_chinese_another_model_is_named(make_trace, told):
    messages.about(crossed(make_trace(), "שלום!"), Run("some text"), marked=False)
    assert any("google-bert/bert-base-multilingual-cased" in sentence for sentence in told)


@pytest.mark.parametrize(
    ("own", "side", "said"),
    [
        (
            2048,
            "right",
            "reads at most 512 tokens at once, and random itself takes 2,048: whoever",
        ),
        (
            None,
            "right",
            "random itself sets no limit: whoever runs the server may raise EXPLORER_",
        ),
        (
            512,
            "right",
            "random takes at most 512 tokens: the first 5 of the text were read, 7 ",
        ),
        (512, "left", "random takes at most 512 tokens: the last 5 of the text were read, 7 "),
    ],
)
def test_whose_limit_a_text_was_cut_at_is_said(make_trace, told, monkeypatch, own, side, said):
    monkeypatch.setattr(messages, "MAX_TOKENS", 512)
    trace = make_trace()
    model = dataclasses.replace(trace.model, own_tokens=own, truncation_side=side)
    messages.about(dataclasses.replace(trace, model=model, n_cut=(7,)), Run("x"), marked=True)
    assert any(said in sentence and "A ✂ marks" in sentence for sentence in told)
