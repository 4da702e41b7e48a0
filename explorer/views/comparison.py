"""Figures of “Compare”: every head against every head, and how evenly both look."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from explorer.views.experiments import ACCENT, OTHER, QUIET, laid_out

Doubles = npt.NDArray[np.float64]


def distance_figure(distance: Doubles) -> go.Figure:
    """The distance of every head of A from every head of B.

    Args:
        distance: ``[layer of a, head of a, layer of b, head of b]``, in bits.
    """
    rows, columns = _names(distance.shape[:2]), _names(distance.shape[2:])
    flat = distance.reshape(len(rows), len(columns)).astype(np.float32)
    figure = go.Figure(
        go.Heatmap(
            z=flat,
            x=columns,
            y=rows,
            zmin=0,
            zmax=1,
            colorscale="Blues_r",
            colorbar={"title": "bit", "thickness": 12},
            hovertemplate="A %{y}, B %{x}: %{z:.3f} bit<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", title="head of A (layer-head)", type="category")
    figure.update_xaxes(title="head of B (layer-head)", type="category")
    return laid_out(figure, 460)


def entropy_figure(a: Doubles, b: Doubles, most_a: float, most_b: float) -> go.Figure:
    """The entropy of every head of both, layer by layer, as a share of what is possible.

    Args:
        a: ``[layer, head]``, in bits.
        b: The same of the second.
        most_a: What even attention would have.
        most_b: The same of the second.
    """
    # A text of one token leaves no choice: its entropy is 0 of 0 bits.
    figure = go.Figure(
        [
            _dots("A", a / (most_a or 1), a, ACCENT, "circle", -0.12),
            _dots("B", b / (most_b or 1), b, OTHER, "diamond", 0.12),
        ]
    )
    figure.add_hline(y=1, line={"color": QUIET, "dash": "dot"})
    figure.update_xaxes(title="layer", dtick=1, zeroline=False)
    figure.update_yaxes(title="entropy / possible", range=[0, 1.05])
    return laid_out(figure, 460)


def _dots(
    name: str, shares: Doubles, bits: Doubles, colour: str, symbol: str, shift: float
) -> go.Scatter:
    layers, heads = np.indices(shares.shape)
    return go.Scatter(
        x=(layers + shift).ravel(),
        y=shares.ravel(),
        customdata=np.stack([layers.ravel(), heads.ravel(), bits.ravel()], axis=1),
        name=name,
        mode="markers",
        marker={"color": colour, "symbol": symbol, "size": 8, "opacity": 0.75},
        hovertemplate=name + " layer %{customdata[0]}, head %{customdata[1]}: "
        "%{customdata[2]:.2f} bits<extra></extra>",
    )


def _names(shape: Sequence[int]) -> list[str]:
    return [f"{layer}-{head}" for layer in range(shape[0]) for head in range(shape[1])]
