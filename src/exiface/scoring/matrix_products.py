"""Feature vectors as expectation-maximisation sees them: distances and moments, fast.

Almost all the time of a mixture with full covariances in hundreds of dimensions goes into two kinds
of products. Both are done in the precision of the rows, block by block, and summed in double.
"""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHUNK = 2048  # rows at a time: what a core's cache holds
_BLOCK = 128  # columns at a time of a triangular factor
_SHRUNK = 0.6  # share of rows left from which on it pays to gather them anew


class HostRows:
    """Rows (n, d) in main memory, float32 or float64: products are computed in that precision."""

    # Distances beyond a limit cost less than those within it.
    prunes = True

    def __init__(self, values: NDArray[Any]) -> None:
        self.values = np.ascontiguousarray(values)

    def squared_distances(
        self,
        index: NDArray[np.intp],
        mean: NDArray[np.float64],
        factor: NDArray[np.float64],
        limits: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Squared Mahalanobis distances `|(x - mean) factor|^2` of some rows.

        Since the factor is triangular, a block of its columns needs only as many columns of the
        rows, and the sum so far bounds the distance from below: rows beyond their limit go no
        further.

        Args:
            index: (m,) of the rows.
            mean: (d,).
            factor: (d, d), upper triangular, factor factor^T the precision matrix.
            limits: (m,) distances beyond which nobody wants to know; None = none.

        Returns:
            (m,), infinite beyond the limit.
        """
        kind, dimensions = self.values.dtype, self.values.shape[1]
        shift, factor = (mean @ factor).astype(kind), factor.astype(kind)
        distances = np.zeros(len(index))
        for first in range(0, len(index), _CHUNK):
            places = np.arange(first, min(first + _CHUNK, len(index)))
            rows = self.values[index[places]]
            for start in range(0, dimensions, _BLOCK):
                stop = min(start + _BLOCK, dimensions)
                part = rows[:, :stop] @ factor[:stop, start:stop]
                part -= shift[start:stop]
                distances[places] += np.einsum("ij,ij->i", part, part)
                if limits is None:
                    continue
                near = distances[places] <= limits[places]
                if near.mean() < _SHRUNK:
                    distances[places[~near]] = np.inf
                    places, rows = places[near], rows[near]
                if not len(places):
                    break
        if limits is not None:
            distances[distances > limits] = np.inf
        return distances

    def moments(
        self, index: NDArray[np.intp], weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean (d,) of the rows at index (m,), with weights (m,), and scatter (d, d) about it."""
        dimensions = self.values.shape[1]
        chunks = range(0, len(index), _CHUNK)
        mean, scatter = np.zeros(dimensions), np.zeros((dimensions, dimensions))
        for start in chunks:
            part = slice(start, start + _CHUNK)
            mean += weights[part] @ self.values[index[part]].astype(np.float64)
        mean /= weights.sum()
        for start in chunks:
            part = slice(start, start + _CHUNK)
            # The square root on both sides makes the product symmetric, and NumPy computes half.
            rows = self.values[index[part]] - mean.astype(self.values.dtype)
            rows *= np.sqrt(weights[part]).astype(rows.dtype)[:, None]
            scatter += rows.T @ rows
        return mean, scatter


class DeviceRows:
    """Rows (n, d) in the memory of a GPU, through torch."""

    prunes = False

    def __init__(self, values: NDArray[Any], device: str = "cuda") -> None:
        import torch

        self._torch = torch
        self.values = torch.from_numpy(np.ascontiguousarray(values)).to(device)

    def _moved(self, array: NDArray[Any], kind: Any = None) -> Any:
        return self._torch.from_numpy(array).to(self.values.device, kind)

    def squared_distances(
        self,
        index: NDArray[np.intp],
        mean: NDArray[np.float64],
        factor: NDArray[np.float64],
        limits: NDArray[np.float64] | None = None,  # noqa: ARG002 - a GPU is as fast without
    ) -> NDArray[np.float64]:
        """Squared Mahalanobis distances of some rows; see `HostRows`."""
        rows = self.values[self._moved(index)]
        white = rows @ self._moved(factor, rows.dtype) - self._moved(mean @ factor, rows.dtype)
        distances: NDArray[np.float64] = white.double().square().sum(1).cpu().numpy()
        return distances

    def moments(
        self, index: NDArray[np.intp], weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weighted mean and scatter matrix of some rows; see `HostRows`."""
        rows = self.values[self._moved(index)]
        share = self._moved(weights)
        mean = (share @ rows.double()) / share.sum()
        rows = (rows - mean.to(rows.dtype)) * share.sqrt().to(rows.dtype)[:, None]
        return mean.cpu().numpy(), (rows.T @ rows).double().cpu().numpy()


def place(values: NDArray[Any]) -> HostRows | DeviceRows:
    """Put rows where they are worked on fastest: a GPU where torch is installed and finds one."""
    return DeviceRows(values) if has_gpu() else HostRows(values)


def has_gpu() -> bool:
    """Whether torch is installed and finds a GPU."""
    # Importing torch takes seconds, which a machine without a driver need not spend.
    if importlib.util.find_spec("torch") is None or not Path("/proc/driver/nvidia").exists():
        return False
    import torch

    return torch.cuda.is_available()
