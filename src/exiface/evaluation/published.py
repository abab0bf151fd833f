"""The published protocol, and beside it the honest one, on the same features.

Published (Zou et al., arXiv 2501.02207): a Gaussian mixture of twelve full covariances on the first
25,000 training photographs of CelebA, the threshold at the 5 % quantile of the likelihoods *of
those photographs*, up to 5,000 generated faces against as many photographs for each generator.

Honest: the same scores, but p-values and threshold from photographs that the mixture didn't see.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from exiface.datasets.published_sets import PublishedSets
from exiface.density import Calibration, Classifier, GaussianMixture, Scorer
from exiface.errors import UserError
from exiface.evaluation.audit import Traits, read_traits
from exiface.evaluation.feature_cache import FeatureCache
from exiface.evaluation.sets import FAKE, REAL, ScoredSet
from exiface.photos import UnreadableImageError, read_photo
from exiface.photos.alterations import ORIGINAL
from exiface.progress import Progress, no_progress
from exiface.threads import ordered_map

SEED = 2024
COMPONENTS = {"nine": 12, "twelve": 10}
REAL_NAME = "CelebA"
_FIT, _CALIBRATION, _TEST = 25_000, 5_000, 5_000  # faces at most
_QUANTILE = 0.05
# Fewer photographs than these after the fit set calibrate too coarsely: then a fifth of the list is
# kept from the fit.
_LEAST_CALIBRATION = 1_000
_KEPT = 0.2
_AUDITED = 200  # files of a set

# Figures as published, in per cent; by generator where they are known to us.
_ACCURACIES = {
    "StyleGAN2": 76.88,
    "VQGAN": 74.59,
    "LDM": 93.83,
    "DDIM": 93.63,
    "SD 2.1": 78.62,
    "Midjourney": 91.29,
    "SDXL": 91.71,
}
# Kind of the encoder -> mean accuracy and mean AUC.
_MEANS: dict[str, tuple[float | None, float | None]] = {
    "exif-pretrained": (None, 84.12),
    "exif-ranking": (86.63, 93.43),
    "blades-oc": (88.01, 95.05),
    "blades-bc": (91.86, None),
}


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One generator under the published protocol; shares of 1.

    Attributes:
        generator: or "mean".
        images: generated faces, and as many photographs.
        accuracy: at the threshold from the fit set.
        auc: photographs score higher in likelihood.
        ap_photographic: average precision, photographic = positive, as one-class systems report it.
        ap_generated: average precision, generated = positive, as binary ones do.
        published_accuracy: None where it isn't known to us.
        published_auc: likewise.
    """

    generator: str
    images: int
    accuracy: float
    auc: float
    ap_photographic: float
    ap_generated: float
    published_accuracy: float | None = None
    published_auc: float | None = None


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What the protocols found.

    Attributes:
        rows: of the published protocol; the means last.
        sets: scored for the honest protocol, with p-values.
        features: name of the set -> (n, d), for pictures.
        remarks: what readers must know: what is missing, what the figures rest on.
    """

    rows: list[PublishedRow]
    sets: list[ScoredSet]
    features: dict[str, NDArray[np.float32]]
    remarks: list[str]


def evaluate_published(
    files: PublishedSets,
    cache: FeatureCache,
    *,
    components: int,
    classifier: Classifier | None = None,
    seed: int = SEED,
    progress: Progress = no_progress,
) -> Evaluated:
    """Run both protocols.

    Args:
        files: the published test data.
        cache: encodes them.
        components: of the mixture.
        classifier: of a binary encoder, which takes the mixture's place.
        seed: of the mixture's start and of the choice of faces.
        progress: called with (done, total) files.

    Returns:
        What was found.

    Raises:
        UserError: too few photographs can be read.
        DensityError: the mixture can't be fitted.
    """
    rng = np.random.default_rng(seed)
    chosen = {name: _chosen(paths, rng) for name, paths in files.fakes.items()}
    chosen = {REAL_NAME: _chosen(files.test, rng), **chosen}
    fit_paths = files.fit[: _FIT + _CALIBRATION]
    total = len(fit_paths) + sum(map(len, chosen.values()))
    done = 0

    def encode(paths: Sequence[Path]) -> NDArray[np.float32]:
        nonlocal done
        before = done
        features = cache.encode(paths, lambda now, _: progress(before + now, total))
        done += len(paths)
        return features

    of_fit = _readable(encode(fit_paths))
    features = {name: encode(paths) for name, paths in chosen.items()}
    if len(of_fit) < 2 * components or not np.isfinite(features[REAL_NAME]).all(1).any():
        raise UserError(
            f"of {len(fit_paths)} listed photographs {len(of_fit)} can be used, too few for a "
            f"mixture of {components}; the lists need more, or give --components a lower number"
        )
    published_scorer, honest_scorer, calibrating, remark = _scorers(
        of_fit, components, classifier, seed
    )
    threshold = 0.0
    if classifier is None:
        threshold = float(np.quantile(published_scorer.score(of_fit[:_FIT]), 1 - _QUANTILE))
    kind = cache.encoder.description.provenance.get("imported", {}).get("kind", "exif-ranking")
    scores = {name: _scores(published_scorer, rows) for name, rows in features.items()}
    rows = _published_rows(scores, threshold, kind, rng)

    calibration = Calibration.of(honest_scorer.score(calibrating))
    sets = []
    for name, paths in chosen.items():
        honest = _scores(honest_scorer, features[name])
        p_values = np.full(len(paths), np.nan)
        judged = np.isfinite(honest)
        p_values[judged] = calibration.p_value(honest[judged])
        sets.append(
            ScoredSet(
                REAL if name == REAL_NAME else FAKE,
                name,
                paths=np.array([str(path) for path in paths]),
                photos=np.array([str(path) for path in paths]),
                scores={ORIGINAL: honest},
                p_values={ORIGINAL: p_values},
                traits=_traits(paths[:_AUDITED]),
            )
        )
    remarks = [remark]
    if files.missing:
        remarks.append(
            f"Missing: {', '.join(files.missing)}. Means run over {len(files.fakes)} of "
            f"{len(files.fakes) + len(files.missing)} generators; published means run over all."
        )
    return Evaluated(rows, sets, features, remarks)


def _scorers(
    of_fit: NDArray[np.float32], components: int, classifier: Classifier | None, seed: int
) -> tuple[Scorer, Scorer, NDArray[np.float32], str]:
    """What scores in either protocol, the features that calibrate, and a word on it."""
    if classifier is not None:
        remark = f"Calibrated on {len(of_fit)} photographs of the training list."
        return classifier, classifier, of_fit, remark
    mixture = GaussianMixture(components, seed=seed, shrunk=False).fit(of_fit[:_FIT])
    after = of_fit[_FIT:]
    if len(after) >= _LEAST_CALIBRATION:
        remark = f"Calibrated on the {len(after)} photographs of the list after the fit set."
        return mixture, mixture, after, remark
    kept = max(int(_KEPT * len(of_fit)), 1)
    honest = GaussianMixture(components, seed=seed, shrunk=False).fit(of_fit[:-kept])
    remark = (
        "The list holds too few photographs beyond the fit set: for the honest protocol the "
        f"mixture was fitted again without the last {kept}, which calibrate."
    )
    return mixture, honest, of_fit[-kept:], remark


def _published_rows(
    scores: dict[str, NDArray[np.float64]],
    threshold: float,
    kind: str,
    rng: np.random.Generator,
) -> list[PublishedRow]:
    real = scores[REAL_NAME][np.isfinite(scores[REAL_NAME])]
    rows = []
    for generator, of_set in scores.items():
        fake = of_set[np.isfinite(of_set)]
        if generator == REAL_NAME or not len(fake):
            continue
        number = min(len(real), len(fake))
        photographs = rng.choice(real, number, replace=False)
        generated = rng.choice(fake, number, replace=False)
        photographic = np.repeat([1, 0], number)
        likelihoods = -np.concatenate([photographs, generated])
        right = (photographs <= threshold).sum() + (generated > threshold).sum()
        rows.append(
            PublishedRow(
                generator,
                number,
                accuracy=float(right / (2 * number)),
                auc=float(roc_auc_score(photographic, likelihoods)),
                ap_photographic=float(average_precision_score(photographic, likelihoods)),
                ap_generated=float(average_precision_score(1 - photographic, -likelihoods)),
                published_accuracy=_share(_ACCURACIES.get(generator))
                if kind == "exif-ranking"
                else None,
            )
        )
    if rows:
        mean_accuracy, mean_auc = _MEANS.get(kind, (None, None))
        rows.append(
            PublishedRow(
                "mean",
                sum(row.images for row in rows),
                fmean(row.accuracy for row in rows),
                fmean(row.auc for row in rows),
                fmean(row.ap_photographic for row in rows),
                fmean(row.ap_generated for row in rows),
                _share(mean_accuracy),
                _share(mean_auc),
            )
        )
    return rows


def _chosen(paths: Sequence[Path], rng: np.random.Generator) -> list[Path]:
    """Up to 5,000 files, drawn."""
    order = rng.permutation(len(paths))[:_TEST]
    return [paths[place] for place in sorted(order)]


def _readable(features: NDArray[np.float32]) -> NDArray[np.float32]:
    return features[np.isfinite(features).all(axis=1)]


def _scores(scorer: Scorer, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,); NaN where there are no features."""
    scores = np.full(len(features), np.nan)
    judged = np.isfinite(features).all(axis=1)
    if judged.any():
        scores[judged] = scorer.score(features[judged])
    return scores


def _traits(paths: Sequence[Path]) -> list[Traits]:
    def read(path: Path) -> Traits | None:
        content = path.read_bytes()
        try:
            return read_traits(content, read_photo(content).pixels)
        except UnreadableImageError:
            return None

    return [traits for traits in ordered_map(read, paths) if traits is not None]


def _share(per_cent: float | None) -> float | None:
    return None if per_cent is None else per_cent / 100
