"""Figures of “Efficiency”: time and memory over the length."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from explorer.language import say, t
from explorer.views.experiments import ACCENT, OTHER, QUIET, laid_out

_LINES = {  # told apart by their dashes and signs too
    "eager": (QUIET, "dash", "circle"),
    "sdpa": (ACCENT, "solid", "square"),
    "window": (OTHER, "solid", "diamond"),
    "linear": ("#2e9d6a", "dot", "triangle-up"),
}


def costs_figure(lengths: Sequence[int], seconds: Mapping[str, Sequence[float]]) -> go.Figure:
    """Time of a pass over the length, both logarithmic, a line for each way."""
    figure = _lines(lengths, seconds, say(t("{n} tokens", n="%{x}")) + ": %{y:.2s}s")
    figure.update_yaxes(title=say(t("time")), ticksuffix="s")
    return figure


def memory_figure(lengths: Sequence[int], memory: Mapping[str, Sequence[int]]) -> go.Figure:
    """Memory of a pass over the length, both logarithmic, a line for each way."""
    figure = _lines(lengths, memory, say(t("{n} tokens", n="%{x}")) + ": %{y:.3s}B")
    figure.update_yaxes(title=say(t("memory")), ticksuffix="B")
    return figure


def _lines(lengths: Sequence[int], numbers: Mapping[str, Sequence[float]], hover: str) -> go.Figure:
    figure = go.Figure(
        [
            go.Scatter(
                x=list(lengths),
                y=list(values),
                name=name,
                mode="lines+markers",
                line={"color": _LINES[name][0], "dash": _LINES[name][1], "width": 3},
                marker={"size": 9, "symbol": _LINES[name][2]},
                hovertemplate=f"{name}, {hover}<extra></extra>",
            )
            for name, values in numbers.items()
        ]
    )
    figure.update_xaxes(
        type="log", title=say(t("tokens")), tickvals=list(lengths), ticktext=list(map(str, lengths))
    )
    figure.update_yaxes(type="log", exponentformat="SI", dtick=1)
    return laid_out(figure, 320)
