"""The Gaussian mixture at the published size, against scikit-learn's.

    python -m benchmarks.mixture results/mixture.csv      (make benchmarks; four minutes)

Made features: clusters with correlated, decaying variances, as deep features have. Both start from
the same k-means++ seeds, iterate to the same tolerance, and are judged on the same rows left out.
"""

import resource
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.mixture import GaussianMixture as Reference

from benchmarks.table import Row, write_table
from exiface.scoring import GaussianMixture

ROWS, LEFT_OUT, DIMENSIONS, COMPONENTS, SEED = 25_000, 5_000, 768, 12, 2024


def made_features(clusters: int, rng: np.random.Generator) -> np.ndarray:
    """Rows (n, d) float32 of clusters that overlap, with variances that fall like 1/sqrt(j)."""
    number = ROWS + LEFT_OUT
    scales = np.arange(1, DIMENSIONS + 1) ** -0.5
    features = np.empty((number, DIMENSIONS), np.float32)
    labels = rng.integers(0, clusters, number)
    for cluster in range(clusters):
        index = np.flatnonzero(labels == cluster)
        mixing, _ = np.linalg.qr(rng.normal(size=(DIMENSIONS, DIMENSIONS)))
        own = scales * rng.uniform(0.5, 1.5, DIMENSIONS)
        centre = rng.normal(size=DIMENSIONS) * scales
        features[index] = (rng.normal(size=(len(index), DIMENSIONS)) * own) @ mixing + centre
    return features


def main(path: Path) -> None:
    rows: list[Row] = []

    def note(what: str, value: float, unit: str) -> None:
        rows.append((what, f"{value:.4g}", unit))

    for name, clusters in (("30 clusters", 30), ("1 cluster", 1)):
        features = made_features(clusters, np.random.default_rng(0))
        fit, left_out = features[:ROWS], features[ROWS:]
        ours = GaussianMixture(COMPONENTS, seed=SEED, shrunk=False)
        start = time.perf_counter()
        ours.fit(fit)
        seconds = time.perf_counter() - start
        if not rows:  # before scikit-learn's, and before the second set: a peak never falls
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            note("peak memory of the process, features included", peak, "GB")
        reference = Reference(COMPONENTS, init_params="k-means++", random_state=SEED)
        start = time.perf_counter()
        reference.fit(fit.astype(np.float64))
        other = time.perf_counter() - start
        history = ours.history_
        mine, theirs = ours.score_samples(left_out).mean(), reference.score(left_out)
        note(f"{name}: fit", seconds, "seconds")
        note(f"{name}: fit by scikit-learn", other, "seconds")
        note(f"{name}: ratio", other / seconds, "x")
        note(f"{name}: iterations", len(history.likelihoods), "")
        note(f"{name}: iterations of scikit-learn", reference.n_iter_, "")
        for step, spent in history.seconds.items():
            note(f"{name}: share of {step}", spent / seconds, "")
        note(
            f"{name}: share of whitening and start", 1 - sum(history.seconds.values()) / seconds, ""
        )
        note(f"{name}: mean log-likelihood, left out", mine, "nats")
        note(f"{name}: the same, scikit-learn", theirs, "nats")
        note(f"{name}: difference", 100 * (mine - theirs) / abs(theirs), "%")
    write_table(rows, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
