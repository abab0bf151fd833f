"""Calibrate a scorer on photographs: what `exiface fit` ends with, and `exiface calibrate` is."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from exiface.calibration import Calibration, GeneratedFaces
from exiface.calibration.conformal import check_bands
from exiface.calibration.quality_limits import QualityLimits
from exiface.datasets import Manifest, cap
from exiface.datasets.sampling import families_of
from exiface.detector.card import model_card
from exiface.detector.cross_check import CrossCheck
from exiface.detector.encoding import encode_rows, largest_faces, quality_of
from exiface.detector.folder import DetectorError, DetectorParts
from exiface.encoders import Encoder
from exiface.encoders.folder import are_among
from exiface.photos.alterations import saved
from exiface.photos.crops import as_shown
from exiface.photos.quality import Quality
from exiface.progress import Progress, no_progress
from exiface.provenance import versions
from exiface.scoring import Scorer
from exiface.threads import ordered_map

_LOGGER = logging.getLogger(__name__)
_LEARNT = 0.95  # of the left-out families lie below what looks learnt
_FEWEST = 10  # faces of a family, for that to mean anything
# Photographs are saved at each of these, so many of them, to see what compression does.
_JPEG_QUALITIES = (90, 70, 50, 30, 20, 10)
_COMPRESSED = 300
_BATCH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What is promised of photographs, and how those that calibrate are taken."""

    alpha: float = 0.05  #: promised false-alarm rate.
    #: p-value from which on nothing was found, where no generated faces are measured.
    beta: float = 0.2
    per_camera: int | None = None  #: photographs of a camera at most; None = all.
    #: take faces as pictures arrive, saved again and shrunk at random, not as they lie in the
    #: files. Whole images calibrate thrice: as they are, saved again, and shrunk.
    as_sent: bool = False
    #: px of a face, or of an image's shorter side; smaller ones are "unsure", whatever is measured.
    least_size: float | None = None
    seed: int = 0  #: of what is drawn.

    def __post_init__(self) -> None:
        check_bands(self.alpha, self.beta)  # before photographs are read for minutes


@dataclass(frozen=True)
class Calibrated:
    """What calibrating found; `DetectorParts` holds the same, under the same names."""

    calibration: Calibration
    cross_check: CrossCheck | None
    generated: GeneratedFaces | None
    quality: QualityLimits


def calibrated(
    encoder: Encoder,
    scorer: Scorer,
    rows: Manifest,
    promise: Promise,
    *,
    tag_weights: NDArray[np.float32] | None = None,
    generated: Manifest | GeneratedFaces | None = None,
    seen: Collection[str] = (),
    limits: QualityLimits | None = None,
    progress: Progress = no_progress,
) -> Calibrated:
    """Calibrate on photographs, and measure on them all that a verdict needs.

    The rows are one face, or whole image, a photograph (see `chosen`). Tags can't be checked
    without the weights (tags, d) of their heads. Generated faces are of generators that training
    never saw, each family of the manifest's sources weighing the same; or what they scored already,
    by detectors that were trained in the same way without their family. Those that shaped encoder
    or scorer, `seen` by their SHA-256 sums, are a DetectorError; too few photographs for the
    promised rate are a CalibrationError. Limits of quality that were measured before stand where
    there are too few photographs to measure others.
    """
    features, sources, forms = encode_rows(
        encoder, rows, as_sent=promise.as_sent, seed=promise.seed, progress=progress
    )
    scores = scorer.score(features)
    calibration = Calibration.of(
        scores, alpha=promise.alpha, beta=promise.beta, sources=sources, forms=forms
    )
    if merged := calibration.merged_sources:
        names = sorted(set(sources.tolist()))
        _LOGGER.warning(
            "these sources count as one, since each has too few photographs for a p-value of its "
            "own: %s; the promised rate holds for all of them together: give more photographs of "
            "each",
            ", ".join(names[number] or "without a name" for number in merged),
        )
    as_they_are = forms == 0  # what shrinking does to a picture is none of its quality's
    check = None
    if tag_weights is not None:
        check = CrossCheck.of(tag_weights, features[as_they_are], rows.tags)
    quality = _limits(encoder, scorer, calibration, scores[as_they_are], rows, promise, limits)
    if isinstance(generated, Manifest):
        generated = _measured(generated, encoder, scorer, calibration, promise, seen, progress)
    return Calibrated(calibration, check, generated, quality)


def promised(detector: DetectorParts, *, name: str, alpha: float, beta: float) -> DetectorParts:
    """Promise another false-alarm rate of the photographs that calibrate a detector already.

    The detector that is returned, of a new name, is ready to be written. Too few photographs for
    that rate are a CalibrationError; see `Promise` for alpha and beta.
    """
    former = detector.calibration
    calibration = Calibration.of(**former.arrays(), alpha=alpha, beta=beta)
    same = len(calibration.references) == len(former.references)
    return completed(
        replace(
            detector,
            name=name,
            calibration=calibration,
            # What generated faces were measured by must be what new ones are measured by.
            generated=detector.generated if same else None,
            provenance=detector.provenance
            | {"promised_anew": {"from": detector.name, "digest": detector.digest}},
            digest="",
        )
    )


def calibrate(
    detector: DetectorParts,
    manifest: Manifest,
    *,
    name: str,
    promise: Promise | None = None,
    generated: Manifest | GeneratedFaces | None = None,
    progress: Progress = no_progress,
) -> DetectorParts:
    """Calibrate a detector on other photographs; encoder and scorer stay as they are.

    Args:
        detector: to be calibrated.
        manifest: photographs that neither encoder nor scorer saw; the largest face of each
            calibrates.
        name: of the new detector.
        promise: that it makes; None = that of before (see `promise_of`).
        generated: faces of generators that training never saw, measured anew (see `calibrated`).
            Those that came with the detector were measured by its former calibration, and go.
        progress: called with (done, total) faces.

    Raises:
        CalibrationError: too few photographs for the promised rate.
        DetectorError: no photograph with a face, or some that trained or fitted the detector.
    """
    promise = promise or promise_of(detector)
    if manifest.subject != detector.encoder.subject:
        raise DetectorError(
            f"the detector judges {detector.encoder.subject}s, and the manifest is of "
            f"{manifest.subject}s"
        )
    manifest = manifest.select(~manifest.generated)
    known = are_among(manifest.sha256, detector.shaped_by)
    if known.any():
        raise DetectorError(
            f"{known.sum()} of these photographs trained or fitted the detector (the first: "
            f"{manifest.path[known][0]}); the false-alarm rate would be a promise on known "
            "photographs: give others"
        )
    rows = chosen(manifest, per_photo=1, per_camera=promise.per_camera, seed=promise.seed)
    check, former = detector.cross_check, detector.generated
    found = calibrated(
        detector.open_encoder(),
        detector.scorer,
        rows,
        promise,
        tag_weights=None if check is None else check.weights,
        generated=generated,
        limits=detector.quality,
        progress=progress,
    )
    if former is not None and isinstance(generated, Manifest) and found.generated is not None:
        _warn_of_learnt(
            found.generated, former, sorted(set(families_of(generated.source).tolist()))
        )
    provenance = detector.provenance | {
        "calibration": rows.counts(),
        "least_size": promise.least_size,
        "recalibrated": {"from": detector.name, "digest": detector.digest},
        "versions": versions(),
    }
    return completed(replace(detector, name=name, provenance=provenance, digest="", **vars(found)))


def _warn_of_learnt(found: GeneratedFaces, former: GeneratedFaces, names: Sequence[str]) -> None:
    """Warn of families that are found more surely than those that training never saw."""
    # Photographs' p-values are even, so that one less the mean p-value is the AUC.
    usual = np.quantile([1 - values.mean() for values in former.by_family], _LEARNT)
    for name, values in zip(names, found.by_family, strict=True):
        if len(values) >= _FEWEST and 1 - values.mean() > usual:
            _LOGGER.warning(
                "%s is told from photographs more surely (AUC %.3f) than nearly all kinds of "
                "generators that training left out (%.3f): if the network knows it, leave it out "
                'of --generated, or "photographic" is said of what it misses',
                name,
                1 - values.mean(),
                usual,
            )


def promise_of(detector: DetectorParts) -> Promise:
    """The promise that a detector makes of photographs as they lie in the files.

    Whole images calibrate in the forms that they were calibrated in before, and the least size that
    was asked for stays.
    """
    as_sent = bool(detector.provenance.get("as_sent")) and detector.encoder.subject == "image"
    calibration = detector.calibration
    return Promise(
        alpha=calibration.alpha,
        beta=calibration.beta,
        as_sent=as_sent,
        least_size=detector.provenance.get("least_size"),
    )


def completed(parts: DetectorParts) -> DetectorParts:
    """A detector with the model card that describes it."""
    return replace(parts, card=model_card(parts))


def chosen(rows: Manifest, *, per_photo: int | None, per_camera: int | None, seed: int) -> Manifest:
    """Choose the faces that are used; where it is one a photograph, the largest.

    Where there is none, a DetectorError says so.
    """
    if per_photo == 1:
        rows = largest_faces(rows)
    kept = cap(rows.photo, rows.camera, per_photo=per_photo, per_camera=per_camera, seed=seed)
    if not len(kept):
        raise DetectorError("no photograph to calibrate on; give more photographs")
    return rows.select(kept)


def _measured(
    generated: Manifest,
    encoder: Encoder,
    scorer: Scorer,
    calibration: Calibration,
    promise: Promise,
    seen: Collection[str],
    progress: Progress,
) -> GeneratedFaces:
    """What generated faces score: as they lie in the files, whole images in each form."""
    known = are_among(generated.sha256, seen)
    if known.any():
        raise DetectorError(
            f"{known.sum()} generated faces were trained on (the first: "
            f"{generated.path[known][0]}); what they score says nothing of generators never seen: "
            "give others"
        )
    faces = largest_faces(generated)
    as_sent = promise.as_sent and encoder.subject == "image"
    features, _, _ = encode_rows(encoder, faces, as_sent=as_sent, seed=0, progress=progress)
    families = np.resize(families_of(faces.source), len(features))
    return GeneratedFaces.of(calibration.p_value(scorer.score(features)), families)


def _limits(
    encoder: Encoder,
    scorer: Scorer,
    calibration: Calibration,
    scores: NDArray[np.float64],
    rows: Manifest,
    promise: Promise,
    former: QualityLimits | None,
) -> QualityLimits:
    """Measure the limits of quality, of photographs with these scores as they are."""
    compared = set(
        np.random.default_rng(promise.seed).permutation(len(rows))[:_COMPRESSED].tolist()
    )

    def measured(row: int) -> tuple[Quality, NDArray[np.uint8] | None]:
        quality, taken = quality_of(encoder, rows, row)
        return quality, as_shown(taken) if row in compared else None

    qualities, crops = zip(*ordered_map(measured, range(len(rows))), strict=True)
    kept = [crop for crop in crops if crop is not None]

    def compressed(quality: int) -> NDArray[np.float64]:
        again = [saved(crop, "JPEG", quality) for crop in kept]
        batches = [again[start : start + _BATCH] for start in range(0, len(again), _BATCH)]
        features = np.concatenate(list(ordered_map(encoder.encode, batches)))
        return calibration.p_value(scorer.score(features))

    found = QualityLimits.of(
        qualities,
        calibration.p_value(scores),
        calibration.alpha,
        compressed=((quality, compressed(quality)) for quality in _JPEG_QUALITIES),
        former=former,
    )
    if promise.least_size is None:
        return found
    if (small := sum(each.size < promise.least_size for each in qualities)) > len(qualities) / 2:
        _LOGGER.warning(
            "%d of %d photographs have less than %g px, of which the verdict is always unsure: if "
            "yours are judged at this size, give another --least-size",
            small,
            len(qualities),
            promise.least_size,
        )
    return replace(found, size=float(np.fmax(found.size, promise.least_size)))
