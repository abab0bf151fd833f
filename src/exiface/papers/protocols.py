"""The published protocols, and beside them the honest one, on the same features.

Published (Zou et al., arXiv 2501.02207): a Gaussian mixture of twelve full covariances on the first
25,000 training photographs of CelebA, the threshold at the 5 % quantile of the likelihoods *of
those photographs*, up to 5,000 generated faces against as many photographs for each generator.
SDAIE (arXiv 2512.05651): five, on 10,000 photographs of ImageNet and LSUN, the 2 % quantile, all
images of a set against its own photographs.

Honest: the same scores, but p-values and threshold from photographs that the mixture didn't see.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from exiface.calibration import Calibration
from exiface.calibration.conformal import photographs_needed
from exiface.errors import UserError
from exiface.evaluation.audit import traits_of
from exiface.evaluation.feature_cache import FeatureCache
from exiface.evaluation.metrics import measure
from exiface.evaluation.sets import FAKE, REAL, PublishedRow, ScoredSet
from exiface.papers.exif_ranking.celeba_sets import PublishedSets
from exiface.photos.alterations import ORIGINAL
from exiface.progress import Progress, no_progress
from exiface.scoring import Classifier, DensityError, GaussianMixture, Scorer


@dataclass(frozen=True, slots=True)
class Protocol:
    """A published protocol."""

    components: int  #: of the mixture.
    fit: int = 25_000  #: photographs that it is fitted on, at most.
    test: int = 5_000  #: images of a set, at most.
    quantile: float = 0.05  #: of the likelihoods of the fit set, where the threshold lies.
    balanced: bool = True  #: whether as many photographs as generated images are drawn.
    shuffled: bool = False  #: whether photographs to fit on are drawn; else a list's first.
    seed: int = 2024  #: of what is drawn and of the mixture's start.


PROTOCOLS = {
    "nine": Protocol(12),
    "twelve": Protocol(10),
    "sdaie": Protocol(5, 10_000, 100_000, 0.02, balanced=False, shuffled=True, seed=42),
}
_CALIBRATION = 5_000  # photographs after the fit set, at most
# Fewer photographs than these after the fit set calibrate too coarsely: then a fifth of the list is
# kept from the fit.
_LEAST_CALIBRATION = 1_000
_KEPT = 0.2
_ALPHA = 0.05
_AUDITED = 200  # files of a set

# Figures as published; by generator where they are known to us.
_ACCURACIES = {
    "StyleGAN2": 0.7688,
    "VQGAN": 0.7459,
    "LDM": 0.9383,
    "DDIM": 0.9363,
    "SD 2.1": 0.7862,
    "Midjourney": 0.9129,
    "SDXL": 0.9171,
}
# Kind of the encoder -> mean accuracy and mean AUC.
_MEANS: dict[str, tuple[float | None, float | None]] = {
    "exif-pretrained": (None, 0.8412),
    "exif-ranking": (0.8663, 0.9343),
    "blades-oc": (0.8801, 0.9505),
    "blades-bc": (0.9186, None),
}


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What the protocols found."""

    rows: list[PublishedRow]  #: of the published protocol; the means last.
    sets: list[ScoredSet]  #: scored for the honest protocol, with p-values.
    features: dict[str, NDArray[np.float32]]  #: name of the set -> (n, d), for pictures.
    remarks: list[str]  #: what readers must know: what is missing, what the figures rest on.


def evaluate_published(
    files: PublishedSets,
    cache: FeatureCache,
    protocol: Protocol,
    *,
    classifier: Classifier | None = None,
    progress: Progress = no_progress,
) -> Evaluated:
    """Run a published protocol and the honest one.

    Args:
        files: the published test data.
        cache: encodes them.
        protocol: the published one.
        classifier: of a binary encoder, which takes the mixture's place.
        progress: called with (done, total) files.

    Raises:
        UserError: there are too few photographs, which is said before any is encoded; too few can
            be read; the mixture can't be fitted to them.
    """
    rng = np.random.default_rng(protocol.seed)
    fake = {name: _chosen(paths, rng, protocol.test) for name, paths in files.fakes.items()}
    real = {name: _chosen(paths, rng, protocol.test) for name, paths in files.photographs.items()}
    chosen = real | fake
    fit_paths = files.fit
    if protocol.shuffled:
        fit_paths = [fit_paths[place] for place in rng.permutation(len(fit_paths))]
    fit_paths = fit_paths[: protocol.fit + _CALIBRATION]
    components = protocol.components if classifier is None else None
    _check_enough(len(fit_paths), len(fit_paths), components)
    encoded = cache.encode([*fit_paths, *chain.from_iterable(chosen.values())], progress)
    of_fit, *of_sets = np.split(encoded, np.cumsum([len(fit_paths), *map(len, chosen.values())]))
    of_fit = of_fit[np.isfinite(of_fit).all(axis=1)]
    features = dict(zip(chosen, of_sets, strict=False))  # behind the last, nothing is left
    unread = [name for name in real if not np.isfinite(features[name]).all(1).any()]
    if unread:
        raise UserError(f"none of the photographs of {', '.join(unread)} can be read")
    _check_enough(len(of_fit), len(fit_paths), components)
    try:
        published, honest, calibrating, remark = _scorers(of_fit, classifier, protocol)
    except DensityError as error:
        # What it recommends are arguments of a class.
        reason = str(error).partition(": ")[0]
        raise UserError(
            f"{reason}: give --components a lower number than {protocol.components}, or more "
            "photographs"
        ) from None
    threshold = 0.0
    if classifier is None:
        of_fitted = published.score(of_fit[: protocol.fit])
        threshold = float(np.quantile(of_fitted, 1 - protocol.quantile))
    kind = cache.encoder.description.provenance.get("imported", {}).get("kind", "exif-ranking")
    scores = {name: _scores(published, rows) for name, rows in features.items()}
    drawn = rng if protocol.balanced else None
    rows = _published_rows(scores, files.against, threshold, kind, drawn)

    calibration = Calibration.of(honest.score(calibrating), alpha=_ALPHA)
    sets = []
    for name, paths in chosen.items():
        of_set = _scores(honest, features[name])
        p_values = np.where(np.isfinite(of_set), calibration.p_value(of_set), np.nan)
        names = np.array([*map(str, paths)])
        scored = ({ORIGINAL: of_set}, {ORIGINAL: p_values})
        kind_of_set = REAL if name in real else FAKE
        traits = traits_of(paths[:_AUDITED])
        sets.append(ScoredSet(kind_of_set, name, names, names, *scored, traits=traits))
    remarks = [remark]
    if files.missing:
        remarks.append(
            f"Missing: {', '.join(files.missing)}. Means run over {len(files.fakes)} of "
            f"{len(files.fakes) + len(files.missing)} generators; published means run over all."
        )
    return Evaluated(rows, sets, features, remarks)


def _check_enough(number: int, listed: int, components: int | None) -> None:
    """Refuse too few photographs for the mixture, if there is one, and for the calibration."""
    kept = number if components is None else _kept(number)
    least = photographs_needed(_ALPHA)
    if kept < least:
        raise UserError(
            f"{number} of {listed} photographs to fit on can be used, of which {kept} would "
            f"calibrate, and {least} must: there must be more"
        )
    if components is not None and number - kept < 2 * components:
        raise UserError(
            f"{number} of {listed} photographs to fit on can be used, of which {kept} calibrate; "
            f"the others are too few for a mixture of {components}: give --components at most "
            f"{(number - kept) // 2}, or more photographs"
        )


def _kept(number: int) -> int:
    """How many of so few photographs are kept from the fit, to calibrate."""
    return max(int(_KEPT * number), 1)


def _scorers(
    of_fit: NDArray[np.float32], classifier: Classifier | None, protocol: Protocol
) -> tuple[Scorer, Scorer, NDArray[np.float32], str]:
    """What scores in either protocol, the features that calibrate, and a word on it."""
    if classifier is not None:
        remark = f"Calibrated on {len(of_fit)} photographs to fit on."
        return classifier, classifier, of_fit, remark

    def fitted(rows: NDArray[np.float32]) -> GaussianMixture:
        return GaussianMixture(protocol.components, seed=protocol.seed, shrunk=False).fit(rows)

    mixture = fitted(of_fit[: protocol.fit])
    after = of_fit[protocol.fit :]
    if len(after) >= _LEAST_CALIBRATION:
        remark = f"Calibrated on the {len(after)} photographs after the fit set."
        return mixture, mixture, after, remark
    kept = _kept(len(of_fit))
    honest = fitted(of_fit[:-kept])
    remark = (
        "There are too few photographs beyond the fit set: for the honest protocol the "
        f"mixture was fitted again without the last {kept}, which calibrate."
    )
    return mixture, honest, of_fit[-kept:], remark


def _published_rows(
    scores: dict[str, NDArray[np.float64]],
    against: Mapping[str, str],
    threshold: float,
    kind: str,
    rng: np.random.Generator | None,
) -> list[PublishedRow]:
    """A row a generator; rng: draws as many of both, None = all are compared."""
    rows = []
    known = _ACCURACIES if kind == "exif-ranking" else {}
    for generator, name in against.items():
        photographs, generated = (
            scores[each][np.isfinite(scores[each])] for each in (name, generator)
        )
        if not len(generated):
            continue
        if rng is not None:
            number = min(len(photographs), len(generated))
            photographs = rng.choice(photographs, number, replace=False)
            generated = rng.choice(generated, number, replace=False)
        found = measure(photographs, generated)
        right = np.concatenate([photographs <= threshold, generated > threshold])
        rows.append(
            PublishedRow(
                generator.removesuffix("/generated"),
                len(generated),
                float(right.mean()),
                found.auc,
                found.ap_photographic,
                found.ap_generated,
                known.get(generator),
            )
        )
    if rows:
        names = ("accuracy", "auc", "ap_photographic", "ap_generated")
        means = {name: fmean(getattr(row, name) for row in rows) for name in names}
        mean = PublishedRow("mean", sum(row.images for row in rows), **means)
        accuracy, auc = _MEANS.get(kind, (None, None))
        rows.append(replace(mean, published_accuracy=accuracy, published_auc=auc))
    return rows


def _chosen(paths: Sequence[Path], rng: np.random.Generator, most: int) -> list[Path]:
    """Up to so many files, drawn."""
    order = rng.permutation(len(paths))[:most]
    return [paths[place] for place in sorted(order)]


def _scores(scorer: Scorer, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,); NaN where there are no features."""
    scores = np.full(len(features), np.nan)
    judged = np.isfinite(features).all(axis=1)
    if judged.any():
        scores[judged] = scorer.score(features[judged])
    return scores
