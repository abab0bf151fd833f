"""Make a detector of an encoder and photographs: the work behind `exiface fit`."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from exiface.calibration import GeneratedFaces
from exiface.choices import FitSplit
from exiface.datasets import Manifest
from exiface.detector.calibrating import Promise, calibrated, chosen, completed
from exiface.detector.cross_check import tag_weights
from exiface.detector.encoding import encode_rows
from exiface.detector.folder import DetectorError, DetectorParts, digests, encoder_named
from exiface.encoders import Encoder, EncoderError, EncoderFolder
from exiface.encoders.folder import are_among
from exiface.progress import Progress, no_progress
from exiface.provenance import versions
from exiface.scoring import (
    Classifier,
    Evidence,
    GaussianMixture,
    Head,
    Scorer,
    choose_components,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """What scores, and which photographs it is fitted on."""

    #: of the mixture; None = chosen by the likelihood of photographs left out.
    components: int | None = None
    #: heads of the encoder that score instead of a mixture or classifier.
    evidence: tuple[Head, ...] = ()
    #: what is fitted on. Photographs that validated the encoder shaped nothing in it: where they
    #: fit, those of "fit" calibrate as well.
    split: FitSplit = "fit"
    #: faces of a photograph that are fitted on, at most; None = all. Calibration takes one, the
    #: largest: faces of one photograph are not independent.
    per_photo: int | None = 2


def fit(
    encoder: EncoderFolder | str | Path,
    manifest: Manifest,
    *,
    name: str,
    fitting: Fitting = Fitting(),
    promise: Promise = Promise(),  # noqa: B008
    generated: Manifest | GeneratedFaces | None = None,
    progress: Progress = no_progress,
) -> DetectorParts:
    """Fit a scorer and calibrate it on photographs; a binary encoder's classifier needs no fit.

    Args:
        encoder: what was read of it, its folder, such as a run folder, or the name of a detector
            inside the package, whose encoder it is.
        manifest: photographs, split into "fit" and "calibration" (see `split_for_fit`).
        name: of the detector.
        fitting: what scores, and which photographs it is fitted on.
        promise: that is made of photographs, with those that calibrate.
        generated: faces of generators that training never saw, on which the verdict "photographic"
            is measured (see `calibrated`); None = not measured.
        progress: called with (done, total) of each part of the work: the faces of each split, and
            the fits that choose the number of components.

    Raises:
        EncoderError: no encoder in the folder.
        DetectorError: a split is empty, or calibration photographs or generated faces were trained
            on.
        DensityError: a head that the encoder doesn't have, or features that can't be fitted.
        CalibrationError: too few for the promised rate.
    """
    files = encoder_named(encoder)
    if manifest.subject != files.description.subject:
        raise DetectorError(
            f"the encoder looks at {files.description.subject}s, and the manifest is of "
            f"{manifest.subject}s: make one with exiface prepare --subject "
            f"{files.description.subject}"
        )
    scorer: Scorer | None = None if fitting.evidence else read_classifier(files)
    calibrates: tuple[str, ...] = ("calibration",)
    if scorer is not None or fitting.split != "fit":
        # All photographs that shaped neither the encoder nor the scorer calibrate.
        calibrates = ("fit", "calibration")
    manifest = split_for_fit(manifest.select(~manifest.generated), files.seen, calibrates)
    opened = files.open()
    shaped = set(files.seen)
    provenance: dict[str, Any] = {}
    if scorer is None:
        rows = _of_split(manifest, (fitting.split,), fitting.per_photo, promise)
        shaped.update(rows.sha256.tolist())
        scorer, provenance = _fitted(files, opened, rows, fitting, promise, progress)
    rows = _of_split(manifest, calibrates, 1, promise)
    found = calibrated(
        opened,
        scorer,
        rows,
        promise,
        tag_weights=tag_weights(files.heads),
        generated=generated,
        seen=files.seen,
        progress=progress,
    )
    provenance |= {
        "calibration": rows.counts(),
        "as_sent": promise.as_sent,
        "least_size": promise.least_size,
        "versions": versions(),
    }
    return completed(
        DetectorParts(
            name=name,
            model=files.model,
            encoder=files.description,
            scorer=scorer,
            card="",
            provenance=provenance,
            attention=files.attention,
            # A detector of whole images has not earned it on sources and generators left out
            # together.
            photographic=files.description.subject == "face",
            seen=digests(shaped),
            **vars(found),
        )
    )


def _fitted(
    files: EncoderFolder,
    encoder: Encoder,
    rows: Manifest,
    fitting: Fitting,
    promise: Promise,
    progress: Progress,
) -> tuple[Scorer, dict[str, Any]]:
    """Fit evidence or a mixture; returns it, and what the detector keeps of how it was made."""
    features, _, _ = encode_rows(
        encoder, rows, as_sent=promise.as_sent, seed=promise.seed, progress=progress
    )
    if fitting.evidence:
        evidence = Evidence.of(files.heads, fitting.evidence).fit(features)
        return evidence, {"fit": rows.counts()}
    components = fitting.components
    held_out: dict[int, float] = {}
    if components is None:
        components, held_out = choose_components(
            features,
            np.resize(rows.group_or_photo(), len(features)),
            seed=promise.seed,
            progress=progress,
        )
    return GaussianMixture(components, seed=promise.seed).fit(features), {
        "fit": rows.counts(),
        "held_out_log_likelihood": {str(key): value for key, value in held_out.items()},
    }


def _of_split(
    manifest: Manifest, splits: tuple[str, ...], per_photo: int | None, promise: Promise
) -> Manifest:
    rows = manifest.of_split(*splits)
    if not len(rows):
        raise DetectorError(f"no photograph in the split {splits[-1]!r}; give more photographs")
    return chosen(rows, per_photo=per_photo, per_camera=promise.per_camera, seed=promise.seed)


def read_classifier(encoder: EncoderFolder) -> Classifier | None:
    """The head of a binary encoder; None where it has none."""
    if not encoder.classifier:
        return None
    try:
        return Classifier.from_arrays(dict(encoder.classifier))
    except ValueError as error:
        raise EncoderError(f"the encoder's classifier can't be used: {error}") from None


def split_for_fit(
    manifest: Manifest, seen: Collection[str], calibrates: tuple[str, ...] = ("calibration",)
) -> Manifest:
    """Settle which photographs fit and which calibrate.

    A manifest that the encoder was trained with keeps its splits. Where the encoder saw none of the
    photographs, those of "train" and "validation" fit as well. That a photograph which the encoder
    saw would calibrate, by its split, is a DetectorError.
    """
    known = are_among(manifest.sha256, seen)
    wrong = known & np.isin(manifest.split, calibrates)
    if wrong.any():
        first = manifest.path[wrong][0]
        raise DetectorError(
            f"{wrong.sum()} calibration photographs were trained on (the first: "
            f"{first}); the false-alarm rate would be a promise on known photographs. Give the "
            "manifest that the encoder was trained with, or other photographs"
        )
    if known.any():
        return manifest
    return manifest.with_split(np.where(manifest.split == "calibration", "calibration", "fit"))
