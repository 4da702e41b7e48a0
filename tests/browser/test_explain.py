"""Explain, as people see it: every method beside measured removal, heads off, masked words."""

import json
import re
import uuid
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from explorer.analysis.explanation import explain, truth_line
from explorer.edits import Edits
from explorer.run import Run
from explorer.source import Folder, Stories
from explorer.sources.intervention import intervention
from explorer.target import Likeness, MaskedWord, NextWord
from tests.browser.conftest import Reader, stands_at
from tests.models.tiny import tiny_model

CAT = "The cat sat on the mat because it was tired."
OTHER = "A tired animal rests."


def open_explain(reader, **query):
    return reader.open(f"?{urlencode(query)}" if query else "", "explain").painted()


def heads_say(reader):
    return reader.page.locator("section[aria-label=Heads] .ax-says")


def saved(reader, kind):
    """The file that a button under Save hands out."""
    menu = reader.page.locator(".ax-save", has=reader.page.get_by_text("Save", exact=True))
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    with reader.page.expect_download() as waiting:
        menu.get_by_role("button", name=kind, exact=True).click()
    return waiting.value


def word(reader, text):
    """A word of the line in which one is chosen."""
    return reader.page.locator(".ax-asked").get_by_role("button", name=text, exact=True).first


def click_head(reader, layer, head, shape=(6, 12)):
    canvas = reader.page.locator("section[aria-label=Heads] canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    width, height = (box["width"] - 26) / shape[1], (box["height"] - 20) / shape[0]
    canvas.click(position={"x": 24 + (head + 0.5) * width, "y": 18 + (layer + 0.5) * height})


@pytest.fixture(scope="module")
def asked():
    return intervention(Run(CAT), Likeness(OTHER))


@pytest.fixture(scope="module")
def word_model(app):
    folder = app.folder / "words"
    folder.mkdir()
    return tiny_model("MaskedLM", folder)


@pytest.fixture(scope="module")
def explained(app, screens):
    """A reader of the likeness of two texts, for tests that only look; it is opened once."""
    with screens() as page, Reader(page, app) as someone:
        yield open_explain(someone, text=CAT, target="like", other=OTHER)
    assert not someone.errors
    assert not someone.outside


def test_a_first_visit_explains_and_says_how_far_to_believe_it(reader, asked):
    open_explain(reader)
    found = explain(asked)
    lines = reader.page.locator(".ax-findings li").all_inner_texts()
    assert lines == truth_line(found)
    expect(reader.page.locator(".ax-target")).to_contain_text(
        f"= {asked.value:.3f}", use_inner_text=True
    )
    rows = reader.page.locator(".ax-method:not(.ax-truth)")
    shown = [row.locator(".ax-agree strong").inner_text() for row in rows.all()]
    want = [f"{s.agreement.rho:.2f}".replace("-", "−") for s in found.scores]
    assert shown == want


def test_a_word_pointed_at_gives_every_methods_number(explained, asked):
    found = explain(asked)
    tired = 9  # the tenth word
    rows = explained.page.locator(".ax-method")
    rows.nth(1).get_by_text("tired", exact=True).hover()
    expect(rows.nth(0).locator("[data-score]")).to_have_text(
        f"+{found.removal[tired]:.3f}", use_inner_text=True
    )
    for i, score in enumerate(found.scores):
        cell = rows.nth(i + 1).locator("[data-score]").inner_text()
        assert float(cell.replace("−", "-")) == pytest.approx(score.values[tired], abs=6e-4)


def test_a_chosen_method_says_what_it_leaves_out_and_shows_its_curves(explained):
    explained.page.get_by_role("button", name="attention rollout").click()
    explained.painted("rollout")
    said = explained.page.locator(".ax-caveat").inner_text()
    assert "Abnar & Zuidema 2020" in said
    assert "Leaves out the values" in said
    expect(explained.page.locator("section[aria-label=Curves] .ax-help")).to_contain_text(
        "area", use_inner_text=True
    )
    stands_at(explained.page, "**method=rollout**")


def test_heads_switched_off_move_the_target_at_once_and_together(reader, asked):
    open_explain(reader, text=CAT, target="like", other=OTHER)
    one, both = asked.heads_off([[(3, 1)], [(3, 1), (5, 7)]])
    click_head(reader, 3, 1)
    reader.page.mouse.move(5, 5)
    heads_say(reader).get_by_text(
        f"Off: L3·H1. The target is {one:.3f} instead of {asked.value:.3f}"
    ).wait_for()
    click_head(reader, 5, 7)
    reader.page.mouse.move(5, 5)
    heads_say(reader).get_by_text(f"Off: L3·H1, L5·H7. The target is {both:.3f}").wait_for()
    stands_at(reader.page, "**off=3-1.5-7**")
    reader.page.get_by_role("button", name="All heads on").click()
    heads_say(reader).get_by_text("All heads are on").wait_for()


def test_words_are_taken_away_together_and_the_link_says_so(reader, asked):
    open_explain(reader, text=CAT, target="like", other=OTHER)
    both = asked.without([[2, 10]], "replace")[0]
    truth = reader.page.locator(".ax-truth")
    truth.get_by_text("cat", exact=True).click()
    truth.get_by_text("tired", exact=True).click()
    said = reader.page.locator(
        ".ax-taken", has_text=f"Without “cat” “tired”, the target is {both:.3f}"
    )
    said.wait_for()
    click_head(reader, 3, 1)
    reader.page.mouse.move(5, 5)
    all_ = asked.changed(off=[(3, 1)], removed=[2, 10])
    heads_say(reader).get_by_text(f"and the words above gone. The target is {all_:.3f}").wait_for()
    stands_at(reader.page, "**off=3-1&gone=1.9**")
    reader.page.reload()
    reader.painted("attention")
    heads_say(reader).get_by_text(f"and the words above gone. The target is {all_:.3f}").wait_for()
    reader.page.get_by_role("button", name="Put them back").click()
    reader.page.locator(".ax-taken", has_text="No word is taken away.").wait_for()


def test_any_two_methods_are_compared(explained):
    explained.unfold("How far any two methods agree")
    table = explained.page.locator(".ax-table table").last
    expect(table.locator("tbody tr")).to_have_count(14)
    one = table.locator("tbody tr").nth(1).locator("td").nth(13).inner_text()
    other = table.locator("tbody tr").nth(13).locator("td").nth(1).inner_text()
    assert one == other
    assert -1 <= float(one.replace("−", "-")) <= 1


def test_what_is_on_screen_can_be_taken_away(explained):
    begins = {"SVG": b"<svg", "PDF": b"%PDF", "PNG": b"\x89PNG", "CSV": b"\xef\xbb\xbfword,tokens"}
    for kind, start in begins.items():
        data = saved(explained, kind).path().read_bytes()
        assert start in data[:200]
        assert len(data) > 500


def test_all_is_saved_as_one_file_that_answers_for_one_word_or_head_offline(
    reader, tmp_path, screens
):
    open_explain(reader, text=CAT, target="like", other=OTHER, method="alti")
    caveat = reader.page.locator(".ax-caveat").inner_text()
    saved(reader, "HTML").save_as(tmp_path / "explained.html")
    asked = intervention(Run(CAT), Likeness(OTHER))
    with screens(offline=True) as page:
        other = Reader(page, type("Disk", (), {"url": "file://"}))
        page.goto((tmp_path / "explained.html").as_uri())
        page.locator(".ax[data-painted]").wait_for()
        expect(page.locator(".ax-caveat")).to_have_text(caveat)
        page.get_by_title("Take away “cat”").click()
        value = asked.changed((), (2,))
        expect(page.locator(".ax-taken")).to_contain_text(f"the target is {value:.3f} instead of")
        page.get_by_title("Take away “mat”").click()
        expect(page.locator(".ax-taken")).to_contain_text("This file does not hold what these do")
        page.get_by_role("button", name="Put them back").click()
        click_head(other, 5, 11)
        page.mouse.move(5, 5)
        value = asked.changed(((5, 11),))
        expect(heads_say(other)).to_contain_text(f"The target is {value:.3f} instead of")
        expect(page.locator(".ax-ask")).to_have_count(0)
    assert not other.errors
    assert not other.outside


def test_a_link_opens_the_same_explanation_again(reader):
    link = {"text": CAT, "target": "vector", "at": "8", "away": "drop", "method": "alti"}
    open_explain(reader, **link, off="5-11.0-2")
    heads_say(reader).get_by_text("Off: L5·H11, L0·H2. The target is").wait_for()
    expect(reader.page.locator(".ax-target")).to_contain_text(
        "output vector of “it” (token 8)", use_inner_text=True
    )
    expect(reader.page.locator(".ax-caveat")).to_contain_text("ALTI", use_inner_text=True)
    expect(reader.page.locator(".ax-truth")).to_contain_text("dropped", use_inner_text=True)
    before = [reader.page.locator(".ax-findings").inner_text(), heads_say(reader).inner_text()]
    reader.page.reload()
    reader.painted("alti")
    heads_say(reader).get_by_text("Off: L5·H11, L0·H2. The target is").wait_for()
    assert [reader.page.locator(".ax-findings").inner_text(), heads_say(reader).inner_text()] == (
        before
    )


def test_a_masked_word_is_guessed_and_guessed_again_with_heads_off(reader, word_model):
    text = "the cat sat on the mat"
    run = Run(text, source=Folder(str(word_model)))
    open_explain(reader, text=text, source=run.source.spec, target="word", at="2")
    asked = intervention(run, MaskedWord(2))
    rows = reader.page.locator(".ax-guesses tbody tr")
    expect(rows).to_have_count(10)
    name, chance = asked.predictions()[0]
    expect(rows.first.locator("td")).to_have_text([name, f"{chance:.4f}"], use_inner_text=True)
    click_head(reader, 1, 0, (2, 2))
    other, changed = asked.predictions(off=[(1, 0)])[0]
    reader.page.locator(".ax-guesses td", has_text=f"{changed:.4f}").first.wait_for()
    expect(rows.first.locator("td").nth(2)).to_have_text(other, use_inner_text=True)
    # Another word, by a click on it in the text.
    reader.page.get_by_role("button", name="All heads on").click()
    word(reader, "mat").click()
    reader.page.locator(".ax-target", has_text="“mat” at the masked token 6").wait_for()
    expect(word(reader, "mat")).to_have_attribute("aria-pressed", "true")
    stands_at(reader.page, "**at=6**")
    # And the probability of another word there.
    reader.box("Probability of").fill("cat")
    reader.box("Probability of").press("Enter")
    reader.page.locator(".ax-target", has_text="“cat” at the masked token 6").wait_for()


def test_what_the_model_has_not_is_grey_with_the_reason_and_a_word_is_chosen_by_a_click(reader):
    open_explain(reader, text=CAT, target="like", other=OTHER)
    for name, why in (
        ("a masked word", "has no head that predicts masked words"),
        ("a class", "has no head that chooses between classes"),
    ):
        kind = reader.page.get_by_role("radio", name=name)
        expect(kind).to_be_disabled()
        assert why in kind.locator("xpath=..").get_attribute("title")
        expect(reader.page.locator(".ax-grey")).to_contain_text(
            f"{name} (all-MiniLM-L6-v2 {why}", use_inner_text=True
        )
    expect(reader.page.locator(".ax input[type=number]")).to_have_count(0)
    reader.page.get_by_text("a word’s output", exact=True).click()
    # At first the word that is pinned: the example of this text has pinned one.
    reader.page.locator(".ax-target", has_text="output vector of “it” (token 8)").wait_for()
    expect(word(reader, "it")).to_have_attribute("aria-pressed", "true")
    word(reader, "mat").click()
    reader.page.locator(".ax-target", has_text="output vector of “mat” (token 6)").wait_for()
    stands_at(reader.page, "**at=6**")
    # Other pages look at it, too.
    reader.page.get_by_test_id("stTopNavLink").get_by_text("Explore", exact=True).click()
    reader.page.locator(".ax-picked", has_text="mat").wait_for()


def test_without_a_pin_a_word_of_content_is_asked_about_and_never_a_special_token(reader):
    text = "a b the extraordinary cat."
    open_explain(reader, text=text, target="vector")
    expect(reader.page.locator(".ax-target")).to_contain_text(
        "“extraordinary”", use_inner_text=True
    )
    expect(reader.page.locator(".ax-asked button", has_text="[CLS]")).to_have_count(0)


def test_a_class_is_chosen_by_the_models_own_name(reader, app):
    folder = app.folder / "classes"
    folder.mkdir()
    names = {0: "sad", 1: "glad"}
    tiny_model("SequenceClassification", folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"id2label": names, "label2id": {name: i for i, name in names.items()}}
    (folder / "config.json").write_text(json.dumps(config))
    source = f"path:{folder}"
    open_explain(reader, text="the cat sat on the mat", source=source, target="class")
    box = reader.page.get_by_role("combobox", name="Class")
    expect(box.locator("option")).to_have_text(
        ["the likeliest", "sad (0)", "glad (1)"],
        use_inner_text=True,
    )
    box.select_option("sad (0)")
    reader.page.locator(".ax-target", has_text="logit of the class “sad”").wait_for()
    stands_at(reader.page, "**label=0**")


def test_how_words_go_is_behind_a_button_and_what_is_not_usual_stands_beside_it(reader):
    open_explain(reader, text=CAT, target="like", other=OTHER)
    reader.page.get_by_text("How words go").click()
    reader.page.get_by_text("dropped", exact=True).click()
    reader.page.locator(".ax-truth", has_text="each word dropped").wait_for()
    chip = reader.page.get_by_role("button", name="words are dropped ×")
    reader.page.keyboard.press("Escape")
    chip.click()
    reader.page.locator(".ax-truth", has_text="[MASK] in its place").wait_for()
    expect(chip).to_have_count(0)


def test_what_is_no_answer_to_what_is_asked_is_dimmed(reader):
    open_explain(reader, text=CAT, target="like", other=OTHER)
    results = reader.page.locator(".ax-results")
    expect(results).not_to_have_class(re.compile("ax-stale"))
    box = reader.box("The other text")
    box.fill("x" * 2001)
    box.press("Enter")
    reader.told("at most 2,000 can be compared with")
    # The box holds what nothing was found for; what is shown is still the last answer.
    expect(results).to_have_class(re.compile("ax-stale"))
    expect(reader.page.locator(".ax-target")).to_contain_text(
        "A tired animal rests.", use_inner_text=True
    )


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"target": "vector", "at": "99999"}, "There is no token 99999"),
        ({"target": "word", "at": "x"}, "This link cannot be opened as it is."),
        ({"target": "class", "label": "99999"}, "has no head that chooses between classes"),
        ({"target": "magic"}, "there are like, word, class, vector, next and span"),
    ],
)
def test_an_impossible_link_is_answered_in_words(reader, query, says):
    odd = {"off": "99-99.x", "gone": "999.-1", "method": "magic"}
    reader.open(f"?{urlencode({'text': CAT} | query | odd)}", "explain")
    reader.told(says)
    expect(reader.page.locator("[data-testid=stException]")).to_have_count(0)


def test_what_another_architecture_lacks_is_named_with_the_reason(reader, app):
    folder = app.folder / "mpnet"
    folder.mkdir()
    tiny_model("MPNetModel", folder)
    text = "the cat sat on the mat"
    open_explain(reader, text=text, source=f"path:{folder}", target="like", other="the dog")
    row = reader.page.locator(".ax-method", has_text="ALTI")
    expect(row).to_contain_text(
        "Not available: The attention of mpnet is built in another way",
        use_inner_text=True,
    )
    expect(heads_say(reader)).to_contain_text("Not available", use_inner_text=True)


def test_the_from_scratch_layer_says_that_it_predicts_nothing(reader):
    reader.open(f"?{urlencode({'text': CAT, 'source': 'scratch'})}", "explain")
    reader.told("The from-scratch layer predicts nothing")
    reader.page.get_by_text("None of these can be explained").wait_for()
    reader.page.get_by_role("radio", disabled=True).nth(3).wait_for()


def test_no_other_text_is_said_and_nothing_lost(reader):
    open_explain(reader, text=CAT, target="like", other=OTHER)
    box = reader.box("The other text")
    box.fill(" ")
    box.press("Enter")
    reader.page.get_by_text("Like which text?").wait_for()
    expect(reader.page.locator(".ax-target")).to_be_visible()
    box.fill("A dog barks.")
    box.press("Enter")
    reader.page.locator(".ax-target", has_text="A dog barks.").wait_for()


def test_long_work_says_what_it_does_and_can_be_stopped(reader):
    open_explain(reader, text=CAT, target="like", other=OTHER)
    expect(reader.page.locator("[class*=explain_stop]")).to_have_count(0, timeout=60_000)
    # Long enough to be seen at work, and new each time: what is known already is there at once.
    text = f"{uuid.uuid4().hex} " + "the old lighthouse keeper watched the ships and the sea " * 40
    reader.run(text)
    reader.page.get_by_text("Scoring by").wait_for()
    reader.page.get_by_text("Being computed…").first.wait_for()  # and what is there is shown
    reader.page.locator(".ax-method:not(.ax-truth) .ax-running").nth(5).wait_for()
    stop = reader.page.locator("[class*=explain_stop]")
    stop.get_by_role("button", name="Stop").click()
    reader.page.get_by_text("Stopped. Nothing was changed.").wait_for()
    expect(reader.page.locator(".ax-target")).to_contain_text(
        f"= {intervention(Run(CAT), Likeness(OTHER)).value:.3f}", use_inner_text=True
    )


STORY = "Mia and Tom live near the garden. Mia has a red ball, and Tom has two green kites."


def test_a_changed_model_is_explained_beside_the_model_as_it_is_and_changed_back(reader):
    """From a link; a change is taken back by its chip, and heads that are off become one."""
    run = Run(STORY, source=Stories(), edits=Edits(off=((2, 1),)))
    target = NextWord(guess="They")
    asked = intervention(run, target)
    link = {"text": STORY, "source": "stories", "target": "next", "guess": "They", "away": "cut"}
    open_explain(reader, **link, edits="off:2-1")
    said = reader.page.locator(".ax-target")
    by = f"{asked.value - asked.plain:+.4f}".replace("-", "−")
    expect(said).to_contain_text(f"{by} to the model as it is", use_inner_text=True)
    expect(reader.page.locator(".ax-guesses th")).to_have_text(
        ["now predicted", "probability", "the model as it is", "probability"], use_inner_text=True
    )
    # The grammar says what decides, and each method is held against it.
    expect(reader.page.locator(".ax-truth .ax-deciding")).to_have_text(
        ["Mia", "Tom", "Mia", "Tom"], use_inner_text=True
    )
    expect(reader.page.locator(".ax-findings li").first).to_contain_text("decides “They”")
    chip = reader.page.get_by_role("button", name="L2·H1 off")
    chip.click()
    reader.page.wait_for_url(lambda url: "edits" not in url)
    expect(said).not_to_contain_text("to the model as it is", use_inner_text=True)
    reader.painted("attention")
    click_head(reader, 0, 3, (3, 4))
    reader.page.get_by_role("button", name="Explain without them").click()
    expect(reader.page.get_by_role("button", name="L0·H3 off")).to_be_visible()
    expect(said).to_contain_text("to the model as it is", use_inner_text=True)
    reader.page.wait_for_url("**edits=off*")


def test_the_answer_of_a_trained_layer_is_explained_and_its_truth_is_known(reader):
    link = {"text": "abcdef", "source": "trained", "task": "copy", "steps": "60", "at": "3"}
    open_explain(reader, **link, target="next", neutral="e", away="replace")
    expect(reader.page.get_by_role("radio", name="an answer")).to_be_checked()
    expect(reader.page.get_by_role("radio", name="likeness to a text")).to_be_disabled()
    expect(reader.page.locator(".ax-findings li").first).to_contain_text(
        "The task finds “c” at the previous token: “c”.", use_inner_text=True
    )
    expect(reader.page.locator(".ax-truth")).to_contain_text("each word e in its place")
    expect(reader.page.locator(".ax-method .ax-points").first).to_have_text(
        re.compile("truth: place .* of 5")
    )
