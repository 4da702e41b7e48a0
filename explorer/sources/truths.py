"""What is known to decide a word: told by the grammar of little stories, which decides it."""

from collections.abc import Sequence

from explorer.language import t
from explorer.run import Run
from explorer.scratch.storyteller import TELLERS
from explorer.scratch.telling import Grammar, Kind
from explorer.source import Stories
from explorer.trace import Token

_SAYS: dict[Kind, str] = {
    "coreference": t("whom it stands for"),
    "agreement": t("what it goes with"),
    "repetition": t("what was said before"),
    "bracket": t("what it closes"),
    "pair": t("the word that asks for it"),
}


def deciding_words(
    run: Run, tokens: Sequence[Token], row: int, word: str
) -> tuple[tuple[int, ...], str]:
    """The tokens that decide the word after a position, and how that is known.

    Args:
        run: What is read. Only of the decoder of little stories is anything known.
        tokens: Its tokens: a start, and then one for each word.
        row: The position after which the word comes.
        word: The word.

    Returns:
        Positions, and a sentence without its end; nothing where the text up to there is no
        beginning of a story, where the word cannot come there, or where nothing decides it.
    """
    if not isinstance(run.source, Stories):
        return (), ""
    grammar = TELLERS[run.source.language].grammar
    return of_story(grammar, [token.text for token in tokens[1 : row + 1]], word)


def of_story(grammar: Grammar, words: Sequence[str], word: str) -> tuple[tuple[int, ...], str]:
    """The tokens that decide a word behind some words of a story; a start stands before them."""
    story, ways = grammar.follow(words)
    way = next((way for way in ways if way.word == word), None)
    if len(story.words) < len(words) or way is None or way.kind is None:
        return (), ""
    return (
        tuple(to + 1 for to in way.to),
        t(
            "The grammar of these stories decides “{word}” by {says}",
            word=word,
            says=_SAYS[way.kind],
        ),
    )
