"""What can be explained of a model, before anything is."""

import json

import pytest

from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import Embedded, Folder, Scratch, Transplanted
from explorer.sources.intervention import intervention
from explorer.sources.targets import possible
from explorer.target import ClassScore, Likeness, MaskedWord, OutputVector
from tests.models.tiny import tiny_model

TEXT = "the cat sat."
TARGETS = {
    "like": Likeness("a dog"),
    "word": MaskedWord(),
    "class": ClassScore(),
    "vector": OutputVector(),
}


@pytest.mark.parametrize("kind", ["Model", "MaskedLM", "SequenceClassification"])
def test_a_target_is_possible_where_it_can_be_asked_for_and_else_the_reason_is_the_same(
    kind, tmp_path
):
    run = Run(TEXT, source=Folder(str(tiny_model(kind, tmp_path))))
    found = possible(run)
    for name, target in TARGETS.items():
        if found.reasons[name]:
            with pytest.raises(ExplorerError) as refused:
                intervention(run, target)
            assert str(refused.value) == found.reasons[name]
        else:
            assert intervention(run, target).tokens == found.tokens
    has = {"MaskedLM": ["word"], "SequenceClassification": ["class"]}.get(kind, [])
    assert [k for k, why in found.reasons.items() if not why] == ["like", *has, "vector"]


def test_classes_have_the_models_own_names(tmp_path):
    folder = tiny_model("SequenceClassification", tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config |= {"id2label": {"0": "sad", "1": "glad"}, "label2id": {"sad": 0, "glad": 1}}
    (folder / "config.json").write_text(json.dumps(config))
    assert possible(Run(TEXT, source=Folder(str(folder)))).classes == ("sad", "glad")
    assert possible(Run(TEXT)).classes == ()


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (Scratch(), "predicts nothing"),
        (Transplanted(Embedded()), "predicts nothing"),
    ],
)
def test_a_source_without_an_output_has_no_target_and_says_why(source, says):
    found = possible(Run(TEXT, source=source))
    assert found.tokens == ()
    assert all(says in why for why in found.reasons.values())


def test_a_target_at_no_token_is_at_the_longest_word(tmp_path):
    run = Run("it sat because because", source=Folder(str(tiny_model("MaskedLM", tmp_path))))
    for target in (MaskedWord(), OutputVector()):
        asked = intervention(run, target)
        assert asked.at == 3  # after [CLS], the first of two
        assert "because" in asked.name
        assert asked.value == intervention(run, type(target)(3)).value
