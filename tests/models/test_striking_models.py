"""What is worth a look in the texts that the app opens with, and the silence of random models."""

import pytest
import torch
import transformers

import explorer
from explorer.analysis.striking import FAR, striking
from explorer.run import Run
from explorer.source import Embedded, Scratch
from explorer.sources import trace_run
from explorer.sources.catalogue import EXAMPLES
from tests.models.tiny import WORDS, byte_level
from tests.striking_numbers import numbers_of

# As in tests/unit/test_striking.py: sums of some hundred float32 weights, each off by 6e-8 of it.
TOLERANCE = 1e-5
TEXTS = (
    "The cat sat on the mat because it was tired, and a big dog ran under the mat.",
    "猫坐在垫子上，因为它累了。",
    "the red cat and the red dog and the big cat and the big dog sat on the red mat",
    "a b a b a b a b a b a b a b",
)
OF_TITLE = {example.title: example.run for example in EXAMPLES}


@pytest.fixture(scope="module")
def traces():
    return {title: trace_run(run) for title, run in OF_TITLE.items()}


@pytest.fixture(scope="module")
def found(traces):
    return {title: striking(trace) for title, trace in traces.items()}


def told(traces, found, title):
    """What is told of a text: kind, head, and the words that look and are looked at."""
    tokens = traces[title].key_tokens

    def text(positions):
        return " ".join(dict.fromkeys(tokens[i].text for i in positions))

    return {
        (f.kind, f"L{f.layer}·H{f.head}", text(f.queries), text(f.keys))
        for f in found[title].findings
    }


@pytest.mark.parametrize(
    ("title", "finding"),
    [
        ("Pronoun", ("pair", "L3·H1", "it", "cat")),
        ("Previous word", ("previous", "L0·H2", "", "")),
        ("Sentence pair", ("words again", "L1·H1", "wrote", "wrote")),
        ("Repeated phrase", ("words again", "L2·H9", "door", "door")),
        ("Paragraph", ("pair", "L3·H1", "its", "lighthouse")),
        ("Paragraph", ("words again", "L2·H9", "lighthouse", "lighthouse")),
        ("Code", ("words again", "L2·H9", "width", "width")),
    ],
)
def test_what_an_example_was_chosen_for_is_among_what_is_worth_a_look(
    traces, found, title, finding
):
    assert finding in told(traces, found, title)


@pytest.mark.parametrize("title", [t for t, run in OF_TITLE.items() if run.source == Embedded()])
def test_an_example_has_five_to_ten_findings_of_which_one_is_the_sink(traces, found, title):
    findings = found[title].findings
    assert 5 <= len(findings) <= 10
    (sink,) = [f for f in findings if f.kind == "sink"]
    assert [traces[title].key_tokens[i].text for i in sink.keys] == ["[CLS]"]
    for finding in findings:
        number, baselines = numbers_of(traces[title], finding)
        assert finding.number == pytest.approx(number, abs=TOLERANCE), finding
        assert finding.baselines == pytest.approx(baselines, abs=TOLERANCE), finding
        assert finding.number >= FAR * max(finding.baselines.values())


def test_a_decoder_that_looks_by_grammar_alone_has_no_habit_that_the_rules_know(found):
    assert (found["A decoder"].findings, found["A decoder"].silence) == ((), "noise")


def test_the_from_scratch_layer_with_random_weights_shows_nothing_but_noise(found):
    assert (found["中文 Chinese"].findings, found["中文 Chinese"].silence) == ((), "noise")


SCRATCH = [
    Scratch(d_model, n_heads, n_layers, seed, positions, causal)
    for seed, (d_model, n_heads, n_layers, positions, causal) in enumerate(
        [
            (8, 1, 1, True, False),
            (16, 2, 2, False, True),
            (64, 8, 2, True, False),
            (64, 8, 4, True, True),
            (128, 16, 2, False, False),
            (256, 4, 12, True, True),
            (48, 12, 6, True, False),
            (32, 4, 3, False, True),
        ]
    )
]


@pytest.mark.parametrize("source", SCRATCH, ids=lambda s: f"{s.d_model}-{s.n_heads}-{s.n_layers}")
def test_a_random_layer_is_silent(source):
    for text in TEXTS:
        assert striking(trace_run(Run(text, source=source))).findings == ()


SIZES = {"num_hidden_layers": 4, "num_attention_heads": 6, "hidden_size": 48}
SIZES |= {"intermediate_size": 96, "max_position_embeddings": 160}
GPT2 = {"n_layer": 4, "n_head": 6, "n_embd": 48, "n_positions": 160}


@pytest.mark.parametrize("spread", [0.02, 0.1, 0.5, 1.0])  # of the weights: their sharpness
@pytest.mark.parametrize("family", ["Bert", "GPT2", "Llama"])
def test_a_random_model_is_silent(family, spread, tmp_path):
    torch.manual_seed(int(100 * spread))
    if family == "Bert":
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "and", "b", *WORDS]
        (tmp_path / "vocab.txt").write_text("\n".join(words))
        tokenizer = transformers.BertTokenizerFast(vocab=str(tmp_path / "vocab.txt"))
    else:
        tokenizer = byte_level()
    maker = getattr(transformers, f"{family}Model")
    sizes = GPT2 if family == "GPT2" else SIZES
    ids = {"bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1}
    config = maker.config_class(vocab_size=300, initializer_range=spread, **sizes, **ids)
    model = maker(config).eval()
    for text in TEXTS:
        assert striking(explorer.trace(text, model=model, tokenizer=tokenizer)).findings == ()
