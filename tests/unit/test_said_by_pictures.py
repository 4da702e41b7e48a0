"""What pictures say, in a language with words in another order: run by Node, as a browser does."""

import gettext
import json
import shutil
import subprocess

import pytest

from explorer import language
from explorer.instrument.assets import bundle

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="it is run by Node")
BACKWARDS = {
    "{name}: {who} looks most at {found}.": "«{found} ← {who} · {name}»",
    "{token} ({weight})": "{weight} {token}",
    "{first}, then {next}": "{next} + {first}",
    ("{steps} step", 0): "a step",
    ("{steps} step", 1): "steps: {steps}",
    "ordinal\x04{n}rd": "#{n}",
    "layer {layer}, head {head}": "{head} of {layer}",
}
ASK = """
const units = ["{who}", "b"].map((text) => ({ text }));
const said = {
  name: "L0·H1", picture: { rows: units, columns: units }, most: false, nowhere: () => 0,
  given: () => Float32Array.of(0.25, 0.75),
};
console.log(JSON.stringify({
  sentence: numbers_words.sentence(said, { rows: [0], columns: [] }),
  ordinal: numbers_next.ordinal(3),
  steps: [1, 2].map(numbers_trainingplay.stepsOf),
  speech: numbers_headname.inSpeech("L2·H7 links"),
  untold: numbers_words.POINT,
}));
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    catalogue = gettext.NullTranslations()
    catalogue._catalog = BACKWARDS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language, "catalogue_of", lambda _: catalogue)
        text = bundle("explore", "backwards")
    script = tmp_path_factory.mktemp("said") / "explore.mjs"
    script.write_text(text + ASK, "utf-8")
    done = subprocess.run(["node", script], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_sentence_follows_the_order_of_its_language_and_tokens_stay_apart(told):
    name = ["«0.250 ", ["{who}"], " + 0.750 ", ["b"], " ← ", ["{who}"], " · L0·H1»"]
    assert told["sentence"] == name


def test_numbers_and_heads_are_said_in_the_language(told):
    assert told["ordinal"] == "#3"
    assert told["steps"] == ["a step", "steps: 2"]
    assert told["speech"] == "7 of 2 links"


def test_what_the_language_has_not_is_said_in_english(told):
    assert told["untold"] == "point at a word to see where it looks; click to pin it."
