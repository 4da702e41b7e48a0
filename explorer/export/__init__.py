"""A trace as files: an HTML page that opens anywhere, and NPZ for programs."""

import io
from typing import Any

from explorer.export.html import comparison_to_html, layer_traces_to_html, to_html
from explorer.instrument.wire.trace import Report
from explorer.sources.stored import write_npz
from explorer.trace import AttentionTrace

__all__ = ["comparison_to_html", "layer_traces_to_html", "to_html", "to_npz"]


class _Watched(io.BytesIO):
    """A file in memory that reports each time something is written into it."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self._report = report

    def write(self, data: Any) -> int:
        self._report("Writing the file", None)
        return super().write(data)


def to_npz(trace: AttentionTrace, report: Report = lambda doing, share: None) -> bytes:
    """The bytes of an NPZ file; `explorer.sources.stored.write_npz` says what is in it.

    Args:
        trace: What to write.
        report: Told what is being done; may raise to end it.
    """
    file = _Watched(report)
    write_npz(trace, file)
    return file.getvalue()
