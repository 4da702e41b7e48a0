"""The Article, as people read it: chapter by chapter, in both languages, figures in hand."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

import explorer
from explorer.ui.prose import chapters
from tests.browser.conftest import Reader, stands_at

CAT = "The cat sat on the mat because it was tired."
OWN = "My sister fed the cat and then she left it alone."


def open_page(reader, **query):
    reader.open(f"?{urlencode(query)}", "article")
    return reader.painted("whole", timeout=120_000)


def figure(page, name):
    return page.locator(f"[data-figure={name}]")


@pytest.fixture(scope="module", params=["en", "zh"])
def opened(request, app, screens):
    """A reader of the first text in a language, for tests that leave it as they found it."""
    with screens(viewport={"width": 1280, "height": 720}) as page, Reader(page, app) as someone:
        open_page(someone, text=CAT, chapter=4, layer=3, heads=1, query=8, lang=request.param)
        someone.language = request.param
        yield someone
    assert not someone.errors
    assert not someone.outside


def test_all_nine_chapters_are_walked_by_the_contents_and_every_figure_in_them_is_drawn(opened):
    page = opened.page
    # The link names the fourth.
    expect(page.locator("section[data-chapter='4'] > h2")).to_be_in_viewport()
    links = page.locator(".ax-article-nav a")
    expect(links).to_have_count(9)
    for link, chapter in zip(links.all(), chapters(opened.language), strict=True):
        expect(link).to_have_text(chapter.title)
        link.click()
        expect(link).to_have_attribute("aria-current", "true")
        section = page.locator(f"section[data-chapter='{chapter.anchor}']")
        expect(section.get_by_role("heading", level=2)).to_be_in_viewport()
        names = [piece.texts[0] for piece in chapter.pieces if piece.kind == "figure"]
        drawn = section.locator("[data-figure]")
        expect(drawn).to_have_count(len(names))
        for name in names:
            one = figure(page, name)
            one.scroll_into_view_if_needed()
            expect(one).to_have_text(re.compile(r"\w"), use_inner_text=True)
            expect(one.get_by_role("status").filter(has_text="…")).to_have_count(0)
    page.wait_for_url("**chapter=9**")


def test_a_figure_leads_to_the_page_where_it_lives_at_the_same_place(reader):
    open_page(reader, text=CAT, layer=3, heads=1, query=8)
    page = reader.page
    one = figure(page, "definition")
    one.get_by_label("Head", exact=True).select_option("4")
    one.get_by_role("button", name="tired", exact=True).click()
    weights = explorer.trace(CAT).weights[3, 4, 10]
    top = int(weights.argmax())
    said = explorer.trace(CAT).key_tokens[top].text
    expect(one.locator(".ax-fig-says")).to_contain_text(f"“tired” gives “{said}”")
    expect(one.locator(".ax-fig-says")).to_contain_text("In L3·H4")
    one.get_by_role("button", name="Open in Explore").click()
    page.wait_for_function("document.title.startsWith('Explore')")
    reader.painted()
    stands_at(page, re.compile("heads=4"))
    found = parse_qs(urlsplit(page.url).query)
    assert (found["layer"], found["heads"], found["query"]) == (["3"], ["4"], ["10"])
    assert "chapter" not in found
    page.go_back()
    page.wait_for_function("document.title.startsWith('Article')")
    reader.painted()
    stands_at(page, re.compile("heads=4"))
    scores = figure(page, "ownscale")
    scores.scroll_into_view_if_needed()
    scores.get_by_role("button", name="These scores, number by number").click()
    page.wait_for_function("document.title.startsWith('Step by step')")
    reader.painted("scale")
    stands_at(page, re.compile("stage=4"))
    assert "chapter" not in parse_qs(urlsplit(page.url).query)  # that was the page before


def test_an_answer_is_given_once_counted_and_held_against_the_readers_own_text(reader):
    open_page(reader, text=OWN)
    page = reader.page
    trace = explorer.trace(OWN)
    texts = [token.text for token in trace.key_tokens]
    one = figure(page, "ask_look")
    query = texts.index("she")
    expect(one.locator(".ax-ask-text")).to_have_text(
        "Which other word does “she” look at most in L3·H1?"
    )
    below = figure(page, "definition").locator(".ax-fig-says")
    expect(below).to_have_text(re.compile("“she”.* L3·H1 is the question above"))
    row = trace.weights[3, 1, query]
    choices = one.locator(".ax-ask-choices button")
    said = [choice.inner_text().strip("“”") for choice in choices.all()]
    best = max(said, key=lambda text: row[texts.index(text)])
    wrong = min(said, key=lambda text: row[texts.index(text)])
    one.get_by_role("button", name=f"“{wrong}”").click()
    expect(one.get_by_role("status")).to_contain_text("Not this one.")
    expect(one.get_by_role("status")).to_contain_text(f"“{best}” {row[texts.index(best)]:.3f}")
    expect(choices.first).to_be_disabled()
    expect(one.get_by_role("status")).to_be_focused()  # a keyboard keeps its place
    expect(below).to_contain_text("In L3·H1, “she” gives")
    expect(page.locator(".ax-article-nav")).to_contain_text("0 of 1 answer right")
    page.reload()
    expect(page.locator(".ax-article-nav")).to_contain_text("0 of 1 answer right")
    page.get_by_role("button", name="中文", exact=True).click()
    expect(page.locator(".ax-article-nav")).to_contain_text("目录")
    expect(one.locator(".ax-ask-choices button").first).to_be_disabled()


def test_a_link_to_a_chapter_leads_there_though_figures_above_it_grow(reader):
    open_page(reader, text=OWN, chapter="4")
    page = reader.page
    heading = page.locator("section[data-chapter='4'] h2")
    expect(page.locator(".ax-article-nav [aria-current=true]")).to_contain_text("4. The module")
    expect(heading).to_be_in_viewport()
    stands_at(page, re.compile("chapter=4"))
    pair = figure(page, "far").locator("[data-pair='1']")
    pair.press("Enter")
    expect(pair).to_have_attribute("aria-pressed", "true")
    expect(pair).to_be_focused()  # though the pairs are drawn anew


def test_the_numbers_of_the_formula_are_the_models_own(reader):
    open_page(reader, text=CAT, layer=3, heads=1, query=8, key=2)
    weight = explorer.trace(CAT).weights[3, 1, 8, 2]
    sums = figure(reader.page, "formula").locator(".ax-formula-sums")
    sums.scroll_into_view_if_needed()
    expect(sums).to_contain_text(f"it is the weight {weight:.3f}")


def test_a_sentence_of_ones_own_is_read_and_the_saved_lesson_opens_alone(reader, tmp_path):
    open_page(reader)
    page = reader.page
    reader.edit()
    page.get_by_label("Your own sentence").fill(OWN)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(figure(page, "glance").get_by_role("button", name="sister")).to_have_count(1)
    reader.painted("whole")
    menu = page.locator(".ax-save:visible").first
    menu.locator("summary").click()
    with page.expect_download() as waiting:
        menu.get_by_role("button", name="HTML").click()
    file = tmp_path / "article.html"
    waiting.value.save_as(file)
    alone = page.context.new_page()
    alone.goto(file.as_uri())
    alone.locator('.ax[data-painted*="whole"]').wait_for()
    expect(alone.locator(".ax-article-nav a")).to_have_count(9)
    figure(alone, "definition").get_by_role("button", name="fed", exact=True).click()
    expect(figure(alone, "definition")).to_contain_text("“fed” gives")
    expect(alone.get_by_role("button", name="Open in Explore")).to_have_count(0)
    alone.close()


def test_the_corrections_are_experiments_that_answer_a_hand_and_the_models_own_numbers(opened):
    page = opened.page
    far = figure(page, "far")
    far.scroll_into_view_if_needed()
    weight = float(explorer.trace(CAT).weights[5, 11, 8, 2])
    expect(far.locator("[data-pair='0']")).to_have_text(re.compile(rf"L5·H11.*{weight:.3f}"))
    kinds = figure(page, "kinds")
    kinds.scroll_into_view_if_needed()
    before = explorer.trace(CAT).weights[0, 2].diagonal(-1).sum() / 13
    expect(kinds.locator(".ax-fig-says")).to_have_text(re.compile(rf"L0·H2.*{100 * before:.0f} %"))
    order = figure(page, "order")
    order.scroll_into_view_if_needed()
    words = order.locator("[data-place]")
    expect(words).to_have_text(["the", "dog", "chased", "the", "cat"])
    words.nth(0).click()
    words.nth(4).click()
    expect(words).to_have_text(["cat", "dog", "chased", "the", "the"])
    words.nth(4).click()
    words.nth(0).click()
    expect(words).to_have_text(["the", "dog", "chased", "the", "cat"])
    rows = figure(page, "rows")
    rows.scroll_into_view_if_needed()
    rows.locator("[data-cell='2.3']").focus()
    expect(rows.locator(".ax-fig-says")).to_contain_text("2·2 + 0·0 + (−1)·1 + 1·(−1) + 2 = 4")
    faults = figure(page, "faults")
    faults.scroll_into_view_if_needed()
    answers = faults.locator(".ax-answer code")
    for place, said in enumerate(["10, 8, 64", "'mask'", "2, 5, 512", "10x500", "10, 7, 73"]):
        faults.get_by_role("radio").nth(place).check(force=True)
        expect(answers.first).to_contain_text(said)
    expect(answers.last).to_contain_text("512 cannot be divided evenly among 7 heads")
