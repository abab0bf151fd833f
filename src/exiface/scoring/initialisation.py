"""Where a mixture begins: whitened features, and the component that each row starts in."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


def whitening_of(
    features: NDArray[np.float64], *, shrunk: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The centre (d,) and the matrix (d, d) that give features unit covariance.

    With shrinkage it decides what is estimated; without, it only keeps the arithmetic exact.
    """
    from sklearn.covariance import ledoit_wolf

    centre = features.mean(0)
    centred = features - centre
    if shrunk:
        covariance, _ = ledoit_wolf(centred, assume_centered=True)
    else:
        covariance = centred.T @ centred / len(centred)
    values, vectors = np.linalg.eigh(covariance)
    # A feature that never changes has no variance even after shrinkage where all do so.
    floor = max(values[-1], np.finfo(float).tiny) * 1e-9
    return centre, vectors / np.sqrt(np.maximum(values, floor))


def nearest_seeds(features: NDArray[np.float64], n_components: int, seed: int) -> NDArray[np.intp]:
    """Which of the k-means++ seeds each row is nearest to (n,)."""
    from sklearn.cluster import kmeans_plusplus
    from sklearn.metrics import pairwise_distances_argmin

    seeds, _ = kmeans_plusplus(features, n_components, random_state=seed)
    return np.asarray(pairwise_distances_argmin(features, seeds), np.intp)


def k_means(
    white: NDArray[Any], n_components: int, seed: int, count: int
) -> Iterator[NDArray[np.intp]]:
    """Which cluster each row is in (n,), `count` times."""
    from sklearn.cluster import KMeans

    random = np.random.RandomState(seed)
    for _ in range(count):
        clusters = KMeans(n_components, n_init=1, random_state=random).fit(white)
        yield clusters.labels_.astype(np.intp)
