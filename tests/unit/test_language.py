"""Sentences in the reader's language: how a message is made, travels and is said."""

import json
import pickle
import re
import threading

import pytest
from babel.messages import Catalog

from docs import language as catalogues
from explorer import language
from explorer.errors import ExplorerError
from explorer.instrument.assets import bundle
from explorer.instrument.wire import container
from explorer.language import listed, say, say_all, sentences, t, tc, tn

PLACE = re.compile(r"\{\w*\}")


@pytest.fixture
def mirrored(monkeypatch):
    """A language in which every message stands between two marks."""
    import gettext

    class Mirror(gettext.NullTranslations):
        def gettext(self, message):
            return f"⟦{message}⟧"

        def ngettext(self, one, many, n):
            return f"⟦{many}⟧"

        def pgettext(self, context, message):
            return f"⟦{context}: {message}⟧"

    monkeypatch.setattr(language, "catalogue_of", lambda code: Mirror())
    with language.speaking("xx"):
        yield


def test_a_sentence_is_english_until_it_is_said(mirrored):
    cut = t("Cut after {n} tokens.", n=512)
    assert cut == "Cut after 512 tokens."
    assert say(cut) == "⟦Cut after 512 tokens.⟧"
    assert say("The cat sat.") == "The cat sat."


def test_a_sentence_within_another_is_said_as_well(mirrored):
    both = t("{a}: {b}", a=t("Layer"), b=tn("{n} head", "{n} heads", 2))
    assert both == "Layer: 2 heads"
    assert say(both) == "⟦⟦Layer⟧: ⟦2 heads⟧⟧"
    assert say(tc("of a lock", "key")) == "⟦of a lock: key⟧"


def test_what_fills_a_place_is_never_read_as_one():
    assert t("“{text}” is {n} long", text="{n}", n=3) == "“{n}” is 3 long"
    assert t("{missing} stays") == "{missing} stays"


def test_an_error_keeps_its_sentence(mirrored):
    error = ExplorerError(t("The text is empty."))
    assert say(str(error)) == "⟦The text is empty.⟧"


def test_a_sentence_is_kept_by_a_file_of_python_objects(mirrored):
    kept = pickle.loads(pickle.dumps(tn("{n} head", "{n} heads", 1)))
    assert kept == "1 head"
    assert say(kept) == "⟦1 heads⟧"


def test_a_payload_is_in_the_language_that_is_spoken(mirrored):
    header, _ = container.read(container.write({"notes": [t("Cut."), {"says": t("Noise.")}]}))
    assert header == {"notes": ["⟦Cut.⟧", {"says": "⟦Noise.⟧"}]}
    with language.speaking("en"):
        header, _ = container.read(container.write({"notes": [t("Cut.")]}))
    assert header == {"notes": ["Cut."]}


def test_lists_and_sentences_are_joined_by_messages(mirrored):
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert say(listed(["a", "b", "c"])) == "⟦⟦a, b⟧ and c⟧"
    assert sentences("One.", "", t("Two.")) == "One. Two."
    assert say(sentences("One.", t("Two."))) == "⟦One. ⟦Two.⟧⟧"
    assert say(sentences()) == ""


def test_a_tree_without_messages_is_as_it_was(mirrored):
    tree = {"a": [1, 2.5, None, "x"], "b": {"c": True}}
    assert say_all(tree) == tree


def test_every_language_has_a_rule_for_numbers_that_both_parts_can_follow():
    for code in language.languages():
        rule = language.plural_rule(code)
        assert set(rule) <= set("n0123456789 %=!<>&|?:()+*-"), rule


def test_a_bundle_speaks_its_language():
    assert 'LANGUAGE = "en"' in bundle("explore") or "numbers_language" not in bundle("explore")


def test_the_catalogues_are_what_the_files_of_the_translators_give():
    for folder in catalogues.LOCALE.iterdir():
        assert not list(folder.glob("*.po")), "make language joins these into the catalogue"
        path = folder / "LC_MESSAGES/explorer.po"
        catalogue = catalogues.joined(folder.name)
        assert path.read_bytes() == catalogues.written(catalogue), "make language"
        assert path.with_suffix(".mo").read_bytes() == catalogues.compiled(catalogue)


def translated(folder):
    """Every message of a catalogue, and its forms."""
    whole = catalogues.read(folder / "LC_MESSAGES/explorer.po")
    for message in whole:
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id:
            yield message, forms


@pytest.mark.parametrize("folder", sorted(catalogues.LOCALE.iterdir()), ids=lambda f: f.name)
def test_every_message_is_translated_and_none_is_left_that_nobody_says(folder):
    said = {(str(m.id), m.context) for m in catalogues.gathered() if m.id}
    there = {(str(m.id), m.context): all(forms) for m, forms in translated(folder)}
    assert sorted(said - there.keys()) == [], "make language"
    assert sorted(there.keys() - said) == [], "make language"
    assert [message for message, done in there.items() if not done] == []


@pytest.mark.parametrize("folder", sorted(catalogues.LOCALE.iterdir()), ids=lambda f: f.name)
def test_a_translation_has_the_places_of_its_message(folder):
    for message, forms in translated(folder):
        if any(place in catalogues.PROSE for place, _ in message.locations):
            continue  # formulae have braces, too
        own = message.id[1] if message.pluralizable else message.id
        for form in filter(None, forms):
            assert set(PLACE.findall(form)) == set(PLACE.findall(own)), message.id


def test_one_file_more_is_one_language_more(tmp_path, monkeypatch):
    whole = Catalog(locale="fr", charset="utf-8", fuzzy=False)
    whole.add("English", "Français", context="a language's own name")
    whole.add("Run", "Lancer")
    file = tmp_path / "fr/LC_MESSAGES/explorer.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(catalogues.compiled(whole))
    monkeypatch.setattr(language, "_LOCALE", tmp_path)
    for known in (language.languages, language.catalogue_of):
        known.cache_clear()
    try:
        assert language.languages() == {"en": "English", "fr": "Français"}
        assert language.nearest("fr-CA") == "fr"
        assert language.nearest("zh-CN") is None
        assert say(t("Run"), "fr") == "Lancer"
        assert say(t("Stop"), "fr") == "Stop"  # what is not translated stays
        assert language.plural_rule("fr") == "(n > 1)"
    finally:
        monkeypatch.undo()
        for known in (language.languages, language.catalogue_of):
            known.cache_clear()


def test_json_keeps_a_sentence_as_text():
    assert json.dumps(t("Cut.")) == '"Cut."'


def test_what_is_made_in_another_thread_is_in_the_language_of_whoever_asked():
    from explorer.ui.work import making

    with language.speaking("zh"):
        work = making(("a file",), lambda report: say(t("Run")))
    found = []
    thread = threading.Thread(target=lambda: found.append(work.make(lambda doing, share: None)))
    thread.start()
    thread.join()
    assert found == [say(t("Run"), "zh")]
    assert work != making(("a file",), lambda report: "")  # which is made in another language
