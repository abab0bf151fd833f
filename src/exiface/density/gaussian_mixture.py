"""A Gaussian mixture over feature vectors that stays sensible with few photographs.

Twelve full covariances in 768 dimensions are 3.5 million numbers; a few hundred photographs can't
determine them. Two things keep the estimate sane, and both fade as photographs become many:

1. Features are whitened by the fit set's covariance after Ledoit and Wolf's shrinkage (2004), whose
   strength follows from the data. It makes the mixture indifferent to the scale and correlation of
   features, and directions without variance harmless.
2. In that space the pooled covariance is near the identity, and each component's covariance is
   drawn towards it as if d photographs had been seen that say so: the posterior mode under an
   inverse-Wishart prior (Fraley and Raftery 2007, regularised discriminant analysis).
"""

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exiface.errors import UserError
from exiface.progress import Progress, no_progress
from exiface.threads import ordered_map

_ARRAYS = ("centre", "whitening", "weights", "means", "precisions_cholesky")
_MAX_ITERATIONS = 200
_STARTS = 5
_LARGE = 2_000_000  # numbers


class DensityError(UserError):
    """Features that no density can be fitted to, or arrays that hold none."""


class GaussianMixture:
    """Gaussian mixture with full covariances.

    Args:
        n_components: number of Gaussians.
        seed: of the start (k-means from k-means++ seeds).

    Example:
        >>> features = np.random.default_rng(0).normal(size=(500, 4))
        >>> mixture = GaussianMixture(2, seed=0).fit(features)
        >>> near, far = mixture.log_likelihood([[0, 0, 0, 0], [9, 9, 9, 9]])
        >>> bool(near > far)
        True
    """

    def __init__(self, n_components: int, *, seed: int) -> None:
        if n_components < 1:
            raise DensityError(f"n_components must be at least 1, got {n_components}")
        self.n_components = n_components
        self.seed = seed
        self._arrays: dict[str, NDArray[np.float32]] = {}
        self._double: dict[str, NDArray[np.float64]] = {}
        self._constant = 0.0

    def fit(self, features: ArrayLike) -> Self:
        """Estimate the mixture from photographs.

        Args:
            features: (n, d).

        Returns:
            The mixture itself.

        Raises:
            DensityError: not (n, d), not finite, or too few rows.
        """
        features = _checked(features)
        with _settled(single_threaded=features.size < _LARGE):
            return self._fit(features)

    def _fit(self, features: NDArray[np.float64]) -> Self:
        number, dimensions = features.shape
        if number < max(2, 2 * self.n_components):
            raise DensityError(
                f"{number} feature vectors are too few for {self.n_components} components: "
                "lower n_components or give more photographs"
            )
        centre, whitening = _whitening(features)
        white = (features - centre) @ whitening
        prior = dimensions  # photographs that say "unit covariance", see the module's text
        responsibilities = _responsibilities(white, self.n_components, prior, self.seed)
        counts = responsibilities.sum(0)
        means = responsibilities.T @ white / np.maximum(counts, np.finfo(float).eps)[:, None]
        factors = np.empty((self.n_components, dimensions, dimensions))
        for component, (count, mean) in enumerate(zip(counts, means, strict=True)):
            centred = white - mean
            scatter = (responsibilities[:, component, None] * centred).T @ centred
            shrunk = (scatter + prior * np.eye(dimensions)) / (count + prior)
            factors[component] = np.linalg.inv(np.linalg.cholesky(shrunk)).T
        fitted = (centre, whitening, counts / number, means, factors)
        self._store(dict(zip(_ARRAYS, fitted, strict=True)))
        return self

    def _store(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep the numbers as they are stored, and what every likelihood needs of them, once."""
        self._arrays = {
            name: np.ascontiguousarray(arrays[name], dtype=np.float32) for name in _ARRAYS
        }
        self._double = {name: array.astype(np.float64) for name, array in self._arrays.items()}
        whitening = self._double["whitening"]
        self._constant = np.linalg.slogdet(whitening)[1] - len(whitening) / 2 * np.log(2 * np.pi)

    def log_likelihood(self, features: ArrayLike) -> NDArray[np.float64]:
        """Log-likelihood (natural, of the density over features) of each row.

        Args:
            features: (n, d).

        Returns:
            (n,)

        Raises:
            DensityError: not (n, d) with the d of the fit, not finite, or not fitted.
        """
        if not self._arrays:
            raise DensityError("the mixture is not fitted: call fit(features) first")
        centre, whitening, weights, means, factors = (self._double[name] for name in _ARRAYS)
        features = _checked(features, dimensions=len(centre))
        white = (features - centre) @ whitening
        joint = np.empty((len(features), len(weights)))
        with np.errstate(divide="ignore"):  # a component may have weight 0
            log_weights = np.log(weights)
        for component, (mean, factor) in enumerate(zip(means, factors, strict=True)):
            distance = np.square((white - mean) @ factor).sum(1)
            log_determinant = np.log(np.diagonal(factor)).sum()
            joint[:, component] = log_weights[component] + log_determinant - distance / 2
        return np.asarray(np.logaddexp.reduce(joint, axis=1) + self._constant)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The fitted numbers, by name, as they are stored."""
        return dict(self._arrays)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float32]]) -> Self:
        """Restore a fitted mixture.

        Raises:
            DensityError: an array is missing, unknown, or of another shape.
        """
        if set(arrays) != set(_ARRAYS):
            raise DensityError(f"a mixture has the arrays {_ARRAYS}, got {sorted(arrays)}")
        dimensions, components = len(arrays["centre"]), len(arrays["weights"])
        shapes: dict[str, tuple[int, ...]] = {
            "centre": (dimensions,),
            "whitening": (dimensions, dimensions),
            "weights": (components,),
            "means": (components, dimensions),
            "precisions_cholesky": (components, dimensions, dimensions),
        }
        for name, shape in shapes.items():
            if arrays[name].shape != shape:
                raise DensityError(f"{name} must be {shape}, got {arrays[name].shape}")
        mixture = cls(components, seed=0)
        mixture._store(arrays)
        return mixture


def choose_components(
    features: ArrayLike,
    groups: ArrayLike,
    *,
    candidates: Sequence[int] = (1, 2, 4, 8, 12),
    folds: int = 5,
    seed: int = 0,
    progress: Progress = no_progress,
) -> tuple[int, dict[int, float]]:
    """Choose the number of components by the likelihood of photographs left out.

    Args:
        features: (n, d) of photographs.
        groups: (n,) rows of one group are left out together.
        candidates: numbers to try; those with fewer than 10 rows a component are not.
        folds: of the cross-validation, fewer where there are fewer groups.
        seed: of the fits.
        progress: called with (done, total) fits.

    Returns:
        The smallest number within one standard error of the best mean held-out log-likelihood
        (Hastie et al., Elements of Statistical Learning, 7.10), and that mean for each tried; the
        smallest candidate where there are too few groups to leave any out.
    """
    from sklearn.model_selection import GroupKFold

    features, groups = _checked(features), np.asarray(groups)
    folds = min(folds, len(np.unique(groups)))
    tried = [number for number in candidates if len(features) >= 10 * number]
    if folds < 2 or len(tried) < 2:
        return min(candidates), {}
    held_out = {number: np.empty(len(features)) for number in tried}
    parts = list(GroupKFold(folds).split(features, groups=groups))

    def leave_out(number: int, rest: NDArray[np.intp], left: NDArray[np.intp]) -> None:
        mixture = GaussianMixture(number, seed=seed)._fit(features[rest])
        held_out[number][left] = mixture.log_likelihood(features[left])

    with _settled(single_threaded=True):  # one fit a core instead
        tasks = [(number, *part) for number in tried for part in parts]
        for done, _ in enumerate(ordered_map(lambda task: leave_out(*task), tasks), start=1):
            progress(done, len(tasks))
    means = {number: float(values.mean()) for number, values in held_out.items()}
    best = held_out[max(means, key=lambda number: means[number])]
    for number in tried:
        lost = best - held_out[number]
        if lost.mean() <= lost.std(ddof=1) / np.sqrt(len(lost)):
            return number, means
    raise AssertionError("the best is within one standard error of itself")


def _checked(features: ArrayLike, dimensions: int | None = None) -> NDArray[np.float64]:
    array: NDArray[Any] = np.asarray(features, dtype=np.float64)
    if array.ndim != 2 or (dimensions is not None and array.shape[1] != dimensions):
        expected = f"(n, {dimensions or 'd'})"
        raise DensityError(f"features must have the shape {expected}, got {array.shape}")
    if not np.isfinite(array).all():
        rows = np.flatnonzero(~np.isfinite(array).all(1))
        raise DensityError(
            f"{len(rows)} feature vectors are not finite, the first is row {rows[0]}"
        )
    return array


def _whitening(features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The centre (d,) and the matrix (d, d) that give features unit covariance, after shrinkage."""
    from sklearn.covariance import ledoit_wolf

    centre = features.mean(0)
    covariance, _ = ledoit_wolf(features - centre, assume_centered=True)
    values, vectors = np.linalg.eigh(covariance)
    # A feature that never changes has no variance even after shrinkage where all do so.
    floor = max(values[-1], np.finfo(float).tiny) * 1e-9
    return centre, vectors / np.sqrt(np.maximum(values, floor))


def _responsibilities(
    white: NDArray[np.float64], n_components: int, prior: float, seed: int
) -> NDArray[np.float64]:
    """Which component each row belongs to (n, k), by EM on whitened features."""
    from sklearn.mixture import GaussianMixture as Mixture

    mixture = Mixture(
        n_components,
        covariance_type="full",
        # k-means from k-means++ seeds; the seeds alone leave EM in poor optima. Several times,
        # since whitening gives all directions one variance: k-means may cut along any of them.
        init_params="kmeans",
        n_init=_STARTS,
        reg_covar=prior * n_components / len(white),
        max_iter=_MAX_ITERATIONS,
        random_state=seed,
    )
    responsibilities: NDArray[np.float64] = mixture.fit(white).predict_proba(white)
    return responsibilities


@contextlib.contextmanager
def _settled(*, single_threaded: bool) -> Iterator[None]:
    """Keep EM quiet about iterations, and threads from hindering each other on small matrices.

    Both are settings of the whole process: they are made once, outside of any threads.
    """
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1 if single_threaded else None), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
