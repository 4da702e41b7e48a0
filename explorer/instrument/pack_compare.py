"""Two traces side by side as the bytes that the browser reads; `compare.js` is the other end.

Layout, little-endian: header length (uint32), header (JSON), then two payloads of `pack` and a file
that was asked for, whose lengths the header names.
"""

import json
import math
import struct
from collections.abc import Mapping, Sequence

from explorer.analysis.comparison import Comparison
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
    alignment, file = comparison.alignment, page.encode()
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
        "lengths": [*map(len, payloads), len(file)],
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    return b"".join([struct.pack("<I", len(text)), text, *payloads, file])


def _texts(tokens: Sequence[Token], places: Sequence[int]) -> list[str]:
    return [tokens[i].text for i in places]
