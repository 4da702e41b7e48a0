"""What is said of a result before any number of it, and the Python that gives it again."""

import pytest

import explorer
from explorer.code import python_of
from explorer.instrument.wire.about import About
from explorer.lesson import Trained
from explorer.picture import Picture
from explorer.run import Run
from explorer.source import Embedded, Hub, Scratch, Transplanted

CAT = "The cat sat on the mat because it was tired."


def test_a_result_names_its_text_its_model_and_how_far_it_was_checked():
    run = Run(CAT)
    about = About.of(explorer.trace(CAT), run, asked=3, made=9.5)
    assert (about.title, about.text) == ("all-MiniLM-L6-v2", CAT)
    assert (about.n_layers, about.n_heads, about.n_tokens) == (6, 12, 13)
    assert about.checked
    assert f"no weight is off by more than {about.checked}" in about.passport
    assert (about.noise, about.asked, about.made) == (False, 3, 9.5)


def test_random_weights_are_called_noise_and_learned_ones_are_not():
    for source, noise in ((Scratch(), True), (Transplanted(Embedded()), False)):
        run = Run("a cat", source=source)
        assert About.of(explorer.trace("a cat", source=source.spec), run).noise is noise


@pytest.mark.parametrize(
    "run",
    [
        Run(CAT),
        Run('He said: "it\'s \\n" <b>\u2028', "B\tC"),
        Run("猫坐在垫子上", source=Scratch(d_model=32, n_heads=4, causal=True)),
        Run("aabb", source=Trained(task="reverse", steps=1)),
        Run(CAT, source=Transplanted(Embedded())),
    ],
    ids=lambda run: run.text[:9],
)
def test_the_python_of_a_run_gives_the_same_trace(run):
    names = {}
    exec(python_of(run), names)  # our own lines: what a reader would paste
    from explorer.sources import trace_run

    own = trace_run(run)
    assert names["trace"].texts == own.texts
    assert (names["trace"].weights == own.weights).all()


def test_the_python_of_what_is_not_here_names_it():
    assert "source='hf:a/b@main'" in python_of(Run(CAT, source=Hub("a/b", "main")))
    assert "source_language='en'" in python_of(
        Run("x", None, Hub("a/b"), "cross", None, "en", None)
    )
    looked_at = Run(source=Hub("a/b"), picture=Picture("digest", b"png"))
    assert "picture='picture.png', source='hf:a/b'" in python_of(looked_at)
