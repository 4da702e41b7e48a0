"""The instrument in a notebook cell: the exported page in a frame of its own."""

import html
from dataclasses import dataclass

from explorer.export.html import to_html
from explorer.trace import AttentionTrace


@dataclass(frozen=True, eq=False)
class Shown:
    """A trace as a notebook shows it; Jupyter and its kin call `_repr_html_`."""

    trace: AttentionTrace
    height: int = 1000

    def _repr_html_(self) -> str:
        page = html.escape(to_html(self.trace), quote=True)
        return (
            f'<iframe title="Attention" sandbox="allow-scripts allow-downloads" '
            f'style="width:100%;height:{int(self.height)}px;border:0" srcdoc="{page}"></iframe>'
        )
