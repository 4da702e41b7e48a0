"""What a reader is told beside the picture."""

import dataclasses

import pytest

from explorer.instrument.wire import notes
from explorer.instrument.wire.about import About
from explorer.run import Run
from explorer.trace import Token


def said_of(trace, run=None):
    return [note.says for note in notes.notes_of(trace, run)]


def crossed(trace, written):
    """A trace in which a model looks from what it has written into the text."""
    n = len(trace.query_tokens)
    tokens = tuple(Token("<unk>", (i, i + 1), i, 1, special=False) for i in range(n))
    model = dataclasses.replace(trace.model, part="cross", unknown_token="<unk>")
    texts = (trace.texts[0], written)
    return dataclasses.replace(trace, model=model, query_tokens=tokens, texts=texts, n_cut=(0, 7))


def test_what_is_written_behind_a_text_is_told_and_not_called_the_models_own(make_trace):
    told = notes.notes_of(crossed(make_trace(), "a b"), Run("some text", written=(3, 4)))
    assert "2 of them written" in [note.label for note in told]
    assert not any("wrote the second text itself" in note.says for note in told)
    talk = notes.notes_of(make_trace(), Run("user: a", chat=True))
    assert [note.label for note in talk if note.label == "a conversation"]


def with_unknown(trace, places, name="random"):
    """The same tokens, of which some are unknown."""
    tokens = tuple(
        dataclasses.replace(t, text="[UNK]") if i in places else t
        for i, t in enumerate(trace.query_tokens)
    )
    model = dataclasses.replace(trace.model, unknown_token="[UNK]", name=name)
    return dataclasses.replace(trace, model=model, query_tokens=tokens, key_tokens=tokens)


def test_what_a_model_has_written_itself_is_told_with_what_is_unknown_in_it(make_trace):
    told = said_of(crossed(make_trace(), "猫狗鸟鱼虫"), Run("some text"))
    assert any("wrote the second text itself" in sentence for sentence in told)
    assert any("no “猫”. Try the hub model google-bert/bert-base-chinese" in s for s in told)
    assert any("first 5 of the second text were read, 7 were cut" in s for s in told)


def test_for_what_is_not_chinese_another_model_is_named(make_trace):
    told = said_of(crossed(make_trace(), "שלום!"), Run("some text"))
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
def test_whose_limit_a_text_was_cut_at_is_said(make_trace, monkeypatch, own, side, said):
    monkeypatch.setattr(notes, "MAX_TOKENS", 512)
    trace = make_trace()
    model = dataclasses.replace(trace.model, own_tokens=own, truncation_side=side)
    told = said_of(dataclasses.replace(trace, model=model, n_cut=(7,)), Run("x"))
    assert any(said in sentence and "A ✂ marks" in sentence for sentence in told)


def test_one_unknown_token_is_said_and_no_other_model_is_offered_for_it(make_trace):
    trace = with_unknown(make_trace(n=10), {3})
    (told,) = said_of(trace)
    assert told.startswith("1 of 10 tokens is [UNK], hatched in the reading view")
    assert "Try the hub model" not in told
    assert notes.other_of(trace) is None


def test_a_model_that_knows_the_script_is_offered_with_its_size(make_trace, monkeypatch):
    from explorer.sources import download

    trace = with_unknown(make_trace(n=10), {3, 4})
    monkeypatch.setattr(download, "is_downloaded", lambda model: False)
    other = notes.other_of(trace)
    assert other == notes.Other("google-bert/bert-base-multilingual-cased", "714 MB")
    assert About.of(trace).other == other
    monkeypatch.setattr(download, "is_downloaded", lambda model: True)
    assert notes.other_of(trace) == notes.Other(other.name, "")
    same = with_unknown(make_trace(n=10), {3, 4}, name=other.name)
    assert notes.other_of(same) is None, "it has just shown that it does not know them"


def test_a_token_that_marks_a_place_is_never_unknown(make_trace):
    """OPT and CLIP have one token for unknown text and for the ends of a text."""
    trace = make_trace(n=4, special=(0,))
    assert notes.unknown_tokens(with_unknown(trace, {0})) == []


def test_nothing_is_said_where_there_is_nothing_to_know(make_trace):
    assert notes.notes_of(make_trace(), Run("some text")) == ()
    assert said_of(make_trace(), Run("x " * 4000)) == [
        "This text is too long for a link: a shared address will not carry it."
    ]
