"""A trace as files: an HTML page that opens anywhere, and NPZ for programs."""

import io

from explorer.export.html import comparison_to_html, to_html, walk_to_html
from explorer.sources.stored import write_npz
from explorer.trace import AttentionTrace

__all__ = ["comparison_to_html", "to_html", "to_npz", "walk_to_html"]


def to_npz(trace: AttentionTrace) -> bytes:
    """The bytes of an NPZ file; `explorer.sources.stored.write_npz` says what is in it."""
    file = io.BytesIO()
    write_npz(trace, file)
    return file.getvalue()
