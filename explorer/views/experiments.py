"""Figures of the experiments on “Step by step”."""

from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.language import say, t

ACCENT, OTHER, QUIET = "#4664d6", "#d9822b", "#8a90a0"  # readable on light and on dark


def cost_figure(lengths: Sequence[int], seconds: Sequence[float]) -> go.Figure:
    """Measured time over length, both logarithmic, beside the square and an exponential."""
    n, last = lengths[0], seconds[-1]
    square = [last * (m / lengths[-1]) ** 2 for m in lengths]
    doubling = [seconds[0] * 2 ** ((m - n) / 128) for m in lengths]
    top = max(seconds) * 20
    figure = go.Figure(
        [
            go.Scatter(
                x=lengths,
                y=[value if value <= top else None for value in doubling],
                name=say(t("if it were exponential (twice the time for every 128 tokens more)")),
                mode="lines",
                line={"color": OTHER, "dash": "dot"},
                hoverinfo="skip",
            ),
            go.Scatter(
                x=lengths,
                y=square,
                name=say(t("the square of the length")),
                mode="lines",
                line={"color": QUIET, "dash": "dash"},
                hoverinfo="skip",
            ),
            go.Scatter(
                x=lengths,
                y=seconds,
                name=say(t("measured")),
                mode="lines+markers",
                line={"color": ACCENT, "width": 3},
                marker={"size": 9},
                hovertemplate=say(t("{n} tokens", n="%{x}")) + ": %{y:.2s}s<extra></extra>",
            ),
        ]
    )
    figure.update_xaxes(
        type="log", title=say(t("tokens")), tickvals=lengths, ticktext=list(map(str, lengths))
    )
    figure.update_yaxes(
        type="log", title=say(t("time")), ticksuffix="s", exponentformat="SI", dtick=1
    )
    return laid_out(figure, 320)


def saturation_figure(
    widths: Sequence[int], scaled: Sequence[float], unscaled: Sequence[float]
) -> go.Figure:
    """The largest weight of a row over d_k, with and without the division by √d_k."""
    figure = go.Figure(
        [
            go.Scatter(
                x=widths,
                y=values,
                name=say(name),
                mode="lines+markers",
                line={"color": colour, "width": 3},
                hovertemplate="d_k = %{x}: %{y:.3f}<extra></extra>",
            )
            for name, values, colour in (
                (t("not divided"), unscaled, OTHER),
                (t("divided by √dₖ"), scaled, ACCENT),
            )
        ]
    )
    figure.update_xaxes(type="log", title="dₖ", tickvals=widths, ticktext=list(map(str, widths)))
    figure.update_yaxes(title=say(t("largest weight of a row")), range=[0, 1.02])
    return laid_out(figure, 320)


def laid_out(figure: go.Figure, height: int) -> go.Figure:
    """A figure with the margins and the legend that all of ours have."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
        dragmode=False,
    )
    return figure
