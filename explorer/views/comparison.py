"""Figures of “Compare”: every head against every head, and how evenly both look."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from explorer.analysis.profiles import ENTROPY, EVENNESS
from explorer.headname import head_name
from explorer.language import say, t
from explorer.views.experiments import ACCENT, OTHER, QUIET, laid_out

Doubles = npt.NDArray[np.float64]
_NUMBERS = {  # as plotly finds them
    "layer": "%{customdata[0]}",
    "head": "%{customdata[1]}",
    "number": "%{customdata[2]:.2f}",
}


def distance_figure(
    distance: Doubles, layers_a: Sequence[int], layers_b: Sequence[int]
) -> go.Figure:
    """The distance of every head of A from every head of B.

    Args:
        distance: ``[layer of a, head of a, layer of b, head of b]``, in bits.
        layers_a: The numbers of A's layers.
        layers_b: The numbers of B's.
    """
    rows, columns = _names(layers_a, distance.shape[1]), _names(layers_b, distance.shape[3])
    flat = distance.reshape(len(rows), len(columns)).astype(np.float32)
    figure = go.Figure(
        go.Heatmap(
            z=flat,
            x=columns,
            y=rows,
            zmin=0,
            zmax=1,
            colorscale="Blues_r",
            colorbar={"title": say(t("bit")), "thickness": 12},
            hovertemplate=say(
                t("A {a}, B {b}: {number} bit", a="%{y}", b="%{x}", number="%{z:.3f}")
            )
            + "<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", title=say(t("head of A")), type="category")
    figure.update_xaxes(title=say(t("head of B")), type="category")
    return laid_out(figure, 460)


def entropy_figure(
    a: Mapping[str, Doubles],
    b: Mapping[str, Doubles],
    layers_a: Sequence[int],
    layers_b: Sequence[int],
) -> go.Figure:
    """The entropy of every head of both, layer by layer, as a share of what is possible.

    Args:
        a: The measures of A's heads, ``[layer, head]``.
        b: The same of B's.
        layers_a: The numbers of A's layers.
        layers_b: The numbers of B's.
    """
    figure = go.Figure(
        [
            _dots("A", a, layers_a, ACCENT, "circle", -0.12),
            _dots("B", b, layers_b, OTHER, "diamond", 0.12),
        ]
    )
    figure.add_hline(y=1, line={"color": QUIET, "dash": "dot"})
    figure.update_xaxes(title=say(t("layer")), dtick=1, zeroline=False)
    figure.update_yaxes(title=say(t("entropy / possible")), range=[0, 1.05])
    return laid_out(figure, 460)


def _dots(
    name: str,
    measures: Mapping[str, Doubles],
    numbers: Sequence[int],
    colour: str,
    symbol: str,
    shift: float,
) -> go.Scatter:
    shares, bits = measures[EVENNESS], measures[ENTROPY]
    places, heads = np.indices(shares.shape)
    layers = np.array(numbers)[places]
    return go.Scatter(
        x=(layers + shift).ravel(),
        y=shares.ravel(),
        customdata=np.stack([layers.ravel(), heads.ravel(), bits.ravel()], axis=1),
        name=name,
        mode="markers",
        marker={"color": colour, "symbol": symbol, "size": 8, "opacity": 0.75},
        hovertemplate=say(t("{name} L{layer}·H{head}: {number} bits", name=name, **_NUMBERS))
        + "<extra></extra>",
    )


def _names(layers: Sequence[int], heads: int) -> list[str]:
    return [head_name(layer, head) for layer in layers for head in range(heads)]
