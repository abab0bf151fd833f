"""A Gaussian mixture over feature vectors that stays sensible with few photographs.

It follows scikit-learn's conventions of estimators, without importing scikit-learn where it only
scores: `clone`, pipelines and searches over parameters take it.

Twelve full covariances in 768 dimensions are 3.5 million numbers; a few hundred photographs can't
determine them. Two things keep the estimate sane, and both fade as photographs become many:

1. Features are whitened by the fit set's covariance after Ledoit and Wolf's shrinkage (2004), whose
   strength follows from the data. It makes the mixture indifferent to the scale and correlation of
   features, and directions without variance harmless.
2. In that space the pooled covariance is near the identity, and each component's covariance is
   drawn towards it as if d photographs had been seen that say so: the posterior mode under an
   inverse-Wishart prior (Fraley and Raftery 2007, regularised discriminant analysis).

Without shrinkage it is the published density: the likelihood's own maximum, which tens of thousands
of photographs determine well enough.
"""

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exiface.progress import Progress, no_progress
from exiface.scoring.expectation_maximisation import (
    Gaussians,
    History,
    Regularisation,
    estimate_gaussians,
    maximise,
    nearest_seeds,
    responsibilities_of,
    whitening_of,
)
from exiface.scoring.matrix_products import DeviceRows, HostRows, place
from exiface.scoring.scorer import DensityError, Scorer, checked_features
from exiface.threads import cores, ordered_map

_ARRAYS = ("centre", "whitening", "weights", "means", "precisions_cholesky")
_SHRUNK_ITERATIONS, _PLAIN_ITERATIONS = 200, 100
_STARTS = 5
# scikit-learn's, which the published density was fitted with.
_VARIANCE_FLOOR = 1e-6
_LEAST_ROWS = 2.0  # of a component without shrinkage
_LARGE = 2_000_000  # numbers: single precision, one start, all threads


class GaussianMixture(Scorer):
    """Gaussian mixture with full covariances.

    Args:
        n_components: number of Gaussians.
        seed: of the start: k-means from k-means++ seeds; without shrinkage, the seeds alone.
        shrunk: whiten and shrink, as few photographs need; False: maximum likelihood, as published
            (scikit-learn's, from the same start, with the same floor of the variances).

    Attributes:
        history_: of the fit; absent before it, and in a mixture restored from arrays.
        n_features_in_: length of the feature vectors; absent before the fit.

    Example:
        >>> features = np.random.default_rng(0).normal(size=(500, 4))
        >>> mixture = GaussianMixture(2).fit(features)
        >>> near, far = mixture.score_samples([[0, 0, 0, 0], [9, 9, 9, 9]])
        >>> bool(near > far)
        True
    """

    def __init__(self, n_components: int = 1, *, seed: int = 0, shrunk: bool = True) -> None:
        self.n_components = n_components
        self.seed = seed
        self.shrunk = shrunk

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn's
        """The arguments that it was made with, by name; `deep` changes nothing."""
        return {"n_components": self.n_components, "seed": self.seed, "shrunk": self.shrunk}

    def set_params(self, **params: Any) -> Self:
        """Change arguments, by name, before the next fit."""
        for name, value in params.items():
            if name not in self.get_params():
                raise DensityError(f"a mixture has no parameter {name!r}")
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn asks of an estimator."""
        from sklearn.utils import Tags, TargetTags

        return Tags(estimator_type="density_estimator", target_tags=TargetTags(required=False))

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"GaussianMixture({given})"

    def fit(self, features: ArrayLike, y: object = None) -> Self:  # noqa: ARG002 - scikit-learn's
        """Estimate the mixture from features (n, d) of photographs; y is not looked at."""
        features = checked_features(features)
        if self.n_components < 1:
            raise DensityError(f"n_components must be at least 1, got {self.n_components}")
        with _settled():
            return self._fit(features, workers=cores() if features.size >= _LARGE else 1)

    def _fit(self, features: NDArray[np.float64], workers: int = 1) -> Self:
        if len(features) < max(2, 2 * self.n_components):
            raise DensityError(
                f"{len(features)} feature vectors are too few for {self.n_components} components: "
                "lower n_components or give more photographs"
            )
        centre, whitening = whitening_of(features, shrunk=self.shrunk)
        large = features.size >= _LARGE
        white = (features - centre).astype(np.float32 if large else np.float64)
        white = white @ whitening.astype(white.dtype)
        rows = place(white) if large else HostRows(white)
        if self.shrunk:
            gaussians, self.history_ = self._shrunk(rows, white, workers)
        else:
            # What the floor of the features' variances is in the whitened space.
            floor = np.square(whitening).sum(0) * _VARIANCE_FLOOR
            gaussians, self.history_ = maximise(
                rows,
                nearest_seeds(features, self.n_components, self.seed),
                self.n_components,
                Regularisation(floor, least=_LEAST_ROWS),
                iterations=_PLAIN_ITERATIONS,
                workers=workers,
            )
        parts = (centre, whitening, gaussians.weights, gaussians.means, gaussians.factors)
        self._store(dict(zip(_ARRAYS, parts, strict=True)))
        return self

    def _shrunk(
        self, rows: HostRows | DeviceRows, white: NDArray[Any], workers: int
    ) -> tuple[Gaussians, History]:
        """Fit to whitened rows and draw the covariances towards the pooled one."""
        from sklearn.cluster import KMeans

        number, dimensions = white.shape
        # The prior shapes the last estimate. Within EM its weight, spread over the components, is a
        # floor of their variances: those that fit their own few rows too closely would keep others
        # out.
        floor = np.full(dimensions, dimensions * self.n_components / number)
        # Several starts, since whitening gives all directions one variance: k-means may cut along
        # any of them. The seeds alone would leave EM in poor optima.
        starts = 1 if number * dimensions >= _LARGE or self.n_components == 1 else _STARTS
        k_means = KMeans(self.n_components, n_init=1, random_state=np.random.RandomState(self.seed))
        fits = [
            maximise(
                rows,
                k_means.fit_predict(white),
                self.n_components,
                Regularisation(floor),
                iterations=_SHRUNK_ITERATIONS,
                workers=workers,
            )
            for _ in range(starts)
        ]
        gaussians, history = max(fits, key=lambda fit: fit[1].likelihoods[-1])
        shares = responsibilities_of(rows, gaussians, workers)
        prior = Regularisation(np.zeros(dimensions), prior=dimensions)
        return estimate_gaussians(rows, shares, prior, workers), history

    def _store(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep the numbers as they are stored, and what every likelihood needs of them, once."""
        self._arrays = {
            name: np.ascontiguousarray(arrays[name], dtype=np.float32) for name in _ARRAYS
        }
        self._double = {name: array.astype(np.float64) for name, array in self._arrays.items()}
        self._constant = np.linalg.slogdet(self._double["whitening"])[1]
        self.n_features_in_ = len(self._arrays["centre"])

    @property
    def weights_(self) -> NDArray[np.float64]:
        """(k,) share of each component."""
        return self._fitted()["weights"]

    @property
    def means_(self) -> NDArray[np.float64]:
        """(k, d) mean of each component, in the space of the features."""
        arrays = self._fitted()
        return np.linalg.solve(arrays["whitening"].T, arrays["means"].T).T + arrays["centre"]

    def score_samples(self, features: ArrayLike) -> NDArray[np.float64]:
        """The natural logarithm (n,) of the density over the features, of each row (n, d)."""
        return np.asarray(np.logaddexp.reduce(self._joint(features), axis=0) + self._constant)

    def predict(self, features: ArrayLike) -> NDArray[np.intp]:
        """The component (n,) that each row (n, d) most likely belongs to, 0 to k - 1."""
        return np.asarray(self._joint(features).argmax(axis=0))

    def score(self, features: ArrayLike, y: object = None) -> NDArray[np.float64]:  # noqa: ARG002
        """How anomalous each row is (n,), higher = more: the negative log-likelihood."""
        return -self.score_samples(features)

    def log_likelihood(self, score: float) -> float:
        """The log-likelihood that a score stands for."""
        return -score

    def refitted(self, features: ArrayLike) -> "GaussianMixture":
        """One Gaussian, fitted on features (n, d) of other, few photographs (see `fit`)."""
        return GaussianMixture(1, seed=self.seed).fit(features)

    @property
    def words(self) -> str:
        """What it is, for people."""
        number = self.n_components
        return f"Gaussian mixture, {number} component{'s' if number > 1 else ''}"

    def _joint(self, features: ArrayLike) -> NDArray[np.float64]:
        """Log density (k, n) of each row in each component, in the whitened space."""
        arrays = self._fitted()
        values = checked_features(features, len(arrays["centre"]))
        rows = HostRows((values - arrays["centre"]) @ arrays["whitening"])
        gaussians = Gaussians(arrays["weights"], arrays["means"], arrays["precisions_cholesky"])
        every = np.arange(len(values))
        return np.stack(
            [
                constant - rows.squared_distances(every, mean, factor) / 2
                for constant, mean, factor in zip(
                    gaussians.constants(), gaussians.means, gaussians.factors, strict=True
                )
            ]
        )

    def _fitted(self) -> dict[str, NDArray[np.float64]]:
        if not hasattr(self, "_double"):
            raise DensityError("the mixture is not fitted: call fit(features) first")
        return self._double

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The fitted numbers, by name, as they are stored."""
        self._fitted()
        return dict(self._arrays)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float32]]) -> Self:
        """Restore a fitted mixture."""
        if set(arrays) != set(_ARRAYS):
            raise DensityError(f"a mixture has the arrays {_ARRAYS}, got {sorted(arrays)}")
        dimensions, components = len(arrays["centre"]), len(arrays["weights"])
        matrix = (dimensions, dimensions)
        shapes = (
            (dimensions,),
            matrix,
            (components,),
            (components, dimensions),
            (components, *matrix),
        )
        for name, shape in zip(_ARRAYS, shapes, strict=True):
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

    features, groups = checked_features(features), np.asarray(groups)
    folds = min(folds, len(np.unique(groups)))
    tried = [number for number in candidates if len(features) >= 10 * number]
    if folds < 2 or len(tried) < 2:
        return min(candidates), {}
    held_out = {number: np.empty(len(features)) for number in tried}
    parts = list(GroupKFold(folds).split(features, groups=groups))

    def leave_out(number: int, rest: NDArray[np.intp], left: NDArray[np.intp]) -> None:
        mixture = GaussianMixture(number, seed=seed)._fit(features[rest])
        held_out[number][left] = mixture.score_samples(features[left])

    with _settled():
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


@contextlib.contextmanager
def _settled() -> Iterator[None]:
    """Keep k-means quiet about copies of one row, and BLAS to one thread."""
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    # What runs in parallel are fits, or the components of one: NumPy and SciPy bring a BLAS each,
    # whose threads would wait for one another. Both are settings of the whole process: they are
    # made once, outside of any threads.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
