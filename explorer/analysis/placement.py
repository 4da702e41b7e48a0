"""All heads on a plane, near ones near: multidimensional scaling of their distances.

As Clark, Khandelwal, Levy, Manning (2019) place heads by Jensen–Shannon divergence.
"""

import warnings

import numpy as np

from explorer.layers import Doubles
from explorer.sources.progress import away


def place_heads(distance: Doubles) -> tuple[Doubles, float]:
    """Two coordinates for each head, so that distances are kept as well as a plane can.

    Args:
        distance: ``[head, head]``, symmetric, from `distances_within`; NaN counts as farthest.

    Returns:
        ``[head, 2]`` around 0, and the stress: the share of the squared distances that the plane
        does not keep (Kruskal's stress-1, 0 is perfect).
    """
    with away():  # takes a second the first time
        from sklearn.manifold import MDS

    distance = np.nan_to_num(distance, nan=1.0)
    if len(distance) < 3 or not distance.any():
        return np.stack([distance[0], np.zeros(len(distance))], axis=1), 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        scaling = MDS(metric="precomputed", n_init=4, init="random", random_state=0)
        places = scaling.fit_transform(distance)
    apart = np.linalg.norm(places[:, None] - places, axis=-1)
    stress = np.sqrt(((apart - distance) ** 2).sum() / (distance**2).sum())
    return places - places.mean(axis=0), float(stress)
