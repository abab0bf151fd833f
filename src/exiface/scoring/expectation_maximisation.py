"""Expectation-maximisation for a mixture of Gaussians with full covariances.

In hundreds of dimensions nearly every row belongs to one component, and the others' share of it is
zero in any arithmetic. So the M step sums each row once or twice, not once a component; the E step
gives up a row's distance to a component as soon as it is too far (see `HostRows`); and between full
E steps only the components that were plausible for a row are looked at again: incremental EM (Neal
and Hinton, A View of the EM Algorithm, 1998, section 5), which never lowers the likelihood either.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from exiface.scoring.matrix_products import DeviceRows, HostRows
from exiface.scoring.scorer import DensityError
from exiface.threads import Item, Result, ordered_map

_NEGLIGIBLE = 36.0  # nats below a row's best component: less than double precision resolves
_FULL_EVERY = 4  # iterations

Joint = NDArray[np.float64]  # (n, k)


@dataclass(frozen=True, slots=True)
class Regularisation:
    """What keeps covariances positive."""

    floor: NDArray[np.float64]  #: (d,) added to each covariance's diagonal.
    #: rows that say "unit covariance", beside those seen (inverse-Wishart prior).
    prior: float = 0.0
    least: float = 0.0  #: rows that a component must hold, or else it has collapsed.


@dataclass(frozen=True, slots=True)
class Gaussians:
    """An estimate of the k components of a mixture."""

    weights: NDArray[np.float64]  #: (k,), summing to 1.
    means: NDArray[np.float64]  #: (k, d).
    #: (k, d, d) upper triangular; factor factor^T is the precision matrix.
    factors: NDArray[np.float64]

    def constants(self) -> NDArray[np.float64]:
        """(k,) log weight and log determinant, what a joint density is at distance 0."""
        determinants = np.log(np.diagonal(self.factors, axis1=1, axis2=2)).sum(1)
        with np.errstate(divide="ignore"):  # a component may have weight 0
            return np.asarray(
                np.log(self.weights) + determinants - self.means.shape[1] / 2 * np.log(2 * np.pi)
            )


@dataclass
class History:
    """How a fit went."""

    #: of each iteration: the mean log-likelihood at its start.
    likelihoods: list[float] = field(default_factory=list)
    converged: bool = False  #: whether it stopped because that no longer rose.
    #: spent in "expectation" and in "maximisation".
    seconds: dict[str, float] = field(
        default_factory=lambda: {"expectation": 0.0, "maximisation": 0.0}
    )


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


def maximise(
    rows: HostRows | DeviceRows,
    labels: NDArray[np.intp],
    n_components: int,
    regularisation: Regularisation,
    *,
    tolerance: float = 1e-3,
    iterations: int = 100,
    workers: int = 1,
) -> tuple[Gaussians, History]:
    """Fit a mixture; a component that collapses is a DensityError.

    Args:
        rows: n of them, d long.
        labels: (n,) the component that each row starts in.
        n_components: k.
        regularisation: of the covariances.
        tolerance: it ends where the mean log-likelihood rises by less in an iteration.
        iterations: at most.
        workers: threads that share the components; BLAS must keep to one thread beside them.

    Returns:
        The estimate, and how it went.
    """
    from scipy.special import logsumexp  # judging does without SciPy: it starts faster

    history = History()
    number = len(labels)

    def expect(gaussians: Gaussians, plausible: NDArray[np.bool_], full: bool) -> Joint:
        with _timed(history, "expectation"):
            return _expect(rows, gaussians, plausible, full, workers)

    def estimate(responsibilities: Joint) -> Gaussians:
        with _timed(history, "maximisation"):
            return estimate_gaussians(rows, responsibilities, regularisation, workers)

    responsibilities = np.zeros((number, n_components))
    responsibilities[np.arange(number), labels] = 1
    gaussians = estimate(responsibilities)
    settled = False
    for iteration in range(iterations):
        full = settled or not rows.prunes or iteration % _FULL_EVERY == 0
        joint = expect(gaussians, responsibilities > 0, full)
        likelihoods = logsumexp(joint, axis=1)
        responsibilities = np.exp(joint - likelihoods[:, None])
        mean = float(likelihoods.mean())
        risen = mean - history.likelihoods[-1] if history.likelihoods else np.inf
        history.likelihoods.append(mean)
        gaussians = estimate(responsibilities)
        if risen < tolerance and full:
            history.converged = True
            break
        # Before it ends, every component is looked at once more.
        settled = risen < tolerance
    return gaussians, history


@contextmanager
def _timed(history: History, step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    history.seconds[step] += time.perf_counter() - start


def _each(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    return map(function, items) if workers == 1 else ordered_map(function, items, workers=workers)


def _expect(
    rows: HostRows | DeviceRows,
    gaussians: Gaussians,
    plausible: NDArray[np.bool_],
    full: bool,
    workers: int,
) -> Joint:
    """Joint log densities (n, k); -inf where a component is negligible for a row."""
    constants = gaussians.constants()
    joint = np.full(plausible.shape, -np.inf)
    floor: NDArray[np.float64] | None = None

    def fill(component: int) -> None:
        wanted = plausible[:, component] if floor is None else ~plausible[:, component]
        index = np.flatnonzero(wanted)
        limits = None if floor is None else 2 * (constants[component] - floor[index])
        mean, factor = gaussians.means[component], gaussians.factors[component]
        distances = rows.squared_distances(index, mean, factor, limits)
        joint[index, component] = constants[component] - distances / 2

    components = [int(component) for component in np.flatnonzero(np.isfinite(constants))]
    list(_each(fill, components, workers))
    if full:
        floor = joint.max(axis=1) - _NEGLIGIBLE
        list(_each(fill, components, workers))
    joint[joint < joint.max(axis=1, keepdims=True) - _NEGLIGIBLE] = -np.inf
    return joint


def responsibilities_of(
    rows: HostRows | DeviceRows, gaussians: Gaussians, workers: int = 1
) -> Joint:
    """Share of each component in each row (n, k)."""
    from scipy.special import softmax

    every = np.ones((len(rows.values), len(gaussians.weights)), bool)
    shares: Joint = softmax(_expect(rows, gaussians, every, False, workers), axis=1)
    return shares


def estimate_gaussians(
    rows: HostRows | DeviceRows,
    responsibilities: Joint,
    regularisation: Regularisation,
    workers: int = 1,
) -> Gaussians:
    """Estimate the components from the share (n, k) of each in each row: the M step."""
    from scipy.linalg import LinAlgError, cholesky
    from scipy.linalg.lapack import dtrtri

    number, n_components = responsibilities.shape
    dimensions = rows.values.shape[1]
    diagonal = np.diag_indices(dimensions)

    def estimate(component: int) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        shares = responsibilities[:, component]
        index = np.flatnonzero(shares)
        count = float(shares.sum())
        if count < regularisation.least:
            raise DensityError(
                f"component {component + 1} of {n_components} collapsed onto {count:.1f} of "
                f"{number} feature vectors, where a likelihood has no bound: lower n_components, "
                "take another seed, or give more photographs (copies of one count once)"
            )
        mean, scatter = np.zeros(dimensions), np.zeros((dimensions, dimensions))
        if len(index):
            mean, scatter = rows.moments(index, shares[index])
        covariance = scatter
        covariance[diagonal] += regularisation.prior
        covariance /= max(count + regularisation.prior, np.finfo(float).tiny)
        covariance[diagonal] += regularisation.floor
        try:
            lower = cholesky(covariance, lower=True, overwrite_a=True)
        except (LinAlgError, ValueError):
            raise DensityError(
                f"component {component + 1} of {n_components} has no proper covariance over its "
                f"{count:.1f} feature vectors: lower n_components, or scale the features to "
                "comparable variances"
            ) from None
        inverse, _ = dtrtri(lower, lower=1, overwrite_c=1)
        return count / number, mean, inverse.T

    estimates = _each(estimate, range(n_components), workers)
    weights, means, factors = zip(*estimates, strict=True)
    return Gaussians(np.array(weights), np.stack(means), np.stack(factors))
