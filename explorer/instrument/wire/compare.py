"""Two traces side by side as a payload; `compare.js` of the numbers is the other end.

Its blocks are the two traces' own payloads, ``a`` and ``b``, and ``page``, a file
that was asked for.
"""

import math
from collections.abc import Mapping, Sequence

from explorer.analysis.comparison import Comparison
from explorer.instrument.wire.container import of_bytes, write
from explorer.trace import Token

SHOWN_RANKS = 200  # heads in the list of those that differ most


def pack_compare(
    comparison: Comparison,
    payloads: tuple[bytes, bytes],
    *,
    compare_id: str,
    link: Mapping[str, str] | None = None,
    opening: Mapping[str, str] | None = None,
    page: str = "",
) -> bytes:
    """The payload of a comparison.

    Args:
        comparison: What to show.
        payloads: Of the two traces, from `pack`.
        compare_id: Names the pair: payloads with one id add to the same picture.
        link: The URL parameters of both runs; None if no link can carry them.
        opening: The view to open with, by the names that a link uses.
        page: All this as a file, if it was asked for.
    """
    alignment = comparison.alignment
    a, b = comparison.a.numbers, comparison.b.numbers  # layers go by the models' own numbers
    header = {
        "id": compare_id,
        "link": link,
        "units": [
            {"text": u.text, "other": u.other, "a": u.a, "b": u.b, "special": u.special}
            for u in alignment.units
        ],
        "left_out": [
            _texts(comparison.a.query_tokens, alignment.only_a),
            _texts(comparison.b.query_tokens, alignment.only_b),
        ],
        "kept": comparison.kept,
        "findings": comparison.findings,
        "ranking": [
            [a[i], head, b[j], other, None if math.isnan(apart) else round(apart, 6)]
            for i, head, j, other, apart in comparison.ranking()[:SHOWN_RANKS]
        ],
        "matches": [[b[layer], head] for layer, head in comparison.best_match()],
        "same_shape": comparison.same_shape,
        "opening": opening,
    }
    files = zip(("a", "b", "page"), (*payloads, page.encode()), strict=True)
    return write(header, [of_bytes({"kind": kind}, data) for kind, data in files])


def _texts(tokens: Sequence[Token], places: Sequence[int]) -> list[str]:
    return [tokens[i].text for i in places]
