"""Make a detector of an encoder and photographs: the work behind `exiface fit`."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from exiface.calibration import Calibration, GeneratedFaces
from exiface.datasets import Manifest, cap
from exiface.datasets.sampling import families_of
from exiface.detector.card import model_card
from exiface.detector.cross_check import CrossCheck, tag_weights
from exiface.detector.encoders_inside import encoder_named
from exiface.detector.encoding import encode_rows, largest_faces
from exiface.detector.folder import DetectorError, DetectorParts, digests
from exiface.detector.quality_limits import measure_limits
from exiface.encoders import Encoder, EncoderError, EncoderFolder
from exiface.progress import Progress, no_progress
from exiface.provenance import versions
from exiface.scoring import Classifier, Evidence, GaussianMixture, Scorer, choose_components
from exiface.scoring.evidence import directions_of, sign


def fit(
    encoder: str | Path,
    manifest: Manifest,
    *,
    name: str,
    components: int | None = None,
    evidence: Sequence[str] = (),
    fit_split: Literal["fit", "validation"] = "fit",
    as_sent: bool = False,
    alpha: float = 0.05,
    beta: float = 0.2,
    per_photo: int | None = 2,
    per_camera: int | None = None,
    generated: Manifest | GeneratedFaces | None = None,
    seed: int = 0,
    progress: Progress = no_progress,
) -> DetectorParts:
    """Fit a density and calibrate it on photographs; a binary encoder's classifier needs no fit.

    Args:
        encoder: its folder, such as a run folder, or the name of a detector inside the package,
            whose encoder it is.
        manifest: photographs, split into "fit" and "calibration" (see `split_for_fit`).
        name: of the detector.
        components: of the mixture; None = chosen by the likelihood of photographs left out.
        evidence: heads of the encoder that score instead of a mixture or classifier (`Evidence`);
            with a leading minus, low outputs are suspicious; with a trailing `:FLOOR` or
            `:FLOOR:WEIGHT`, the least tail probability of that sign and what it weighs.
        fit_split: what is fitted on. Photographs that validated the encoder shaped nothing in it:
            where they fit, those of "fit" calibrate as well.
        as_sent: take faces as pictures arrive, saved again and shrunk at random, not as they lie
            in the files. Whole images calibrate thrice: as they are, saved again, and shrunk.
        alpha: promised false-alarm rate.
        beta: p-value from which on nothing was found, where no generated faces are measured.
        per_photo: faces of a photograph that the density is fitted on, at most. Calibration takes
            one, the largest: faces of one photograph are not independent.
        per_camera: faces of a camera at most, in each split.
        generated: faces of generators that training never saw, on which the verdict "photographic"
            is measured, each source of the manifest a family; or what they scored already, by
            detectors trained in the same way without their family. None = not measured.
        seed: of the choice of faces and of the mixture's start.
        progress: called with (done, total) of each part of the work: the faces of each split, and
            the fits that choose the number of components.

    Returns:
        The detector, ready to be written.

    Raises:
        EncoderError: no encoder in the folder.
        DetectorError: a split is empty, or calibration photographs or generated faces were trained
            on.
        DensityError: a head that the encoder doesn't have, or features that can't be fitted.
        CalibrationError: too few for the promised rate.
    """
    files = encoder_named(encoder)
    description, heads = files.description, files.heads
    opened = files.open()
    if manifest.subject != description.subject:
        raise DetectorError(
            f"the encoder looks at {description.subject}s, and the manifest is of "
            f"{manifest.subject}s: make one with exiface prepare --subject {description.subject}"
        )
    manifest = manifest.select(~manifest.generated)
    manifest = split_for_fit(manifest, files.seen)
    scorer: Scorer | None = None if evidence else read_classifier(files)
    if scorer is not None or fit_split != "fit":
        # All photographs that shaped neither the encoder nor the density calibrate.
        unseen = np.isin(manifest.split, ("fit", "calibration"))
        manifest = manifest.with_split(np.where(unseen, "calibration", manifest.split))
    provenance: dict[str, Any] = {}
    seen_as = partial(encode_rows, opened, as_sent=as_sent, seed=seed, progress=progress)
    shaped = set(files.seen)
    if scorer is None:
        faces = _chosen(manifest, fit_split, per_photo, per_camera, seed)
        features = seen_as(faces)[0]
        shaped = shaped.union(faces.sha256.tolist())
        if evidence:
            names, floors, weights = zip(*map(sign, evidence), strict=True)
            scorer = Evidence(directions_of(heads, names), floors, weights).fit(features)
            fitted = {
                "evidence": list(names),
                "floor": [None if np.isnan(floor) else floor for floor in floors],
                "weights": list(weights),
            }
            provenance = {"fit": faces.counts() | fitted}
        else:
            held_out: dict[int, float] = {}
            if components is None:
                components, held_out = choose_components(
                    features,
                    np.resize(faces.group_or_photo(), len(features)),
                    seed=seed,
                    progress=progress,
                )
            scorer = GaussianMixture(components, seed=seed).fit(features)
            provenance = {
                "fit": faces.counts() | {"components": components},
                "held_out_log_likelihood": {str(key): value for key, value in held_out.items()},
            }
    faces = _chosen(manifest, "calibration", 1, per_camera, seed)
    features, sources, forms = seen_as(faces)
    scores = scorer.score(features)
    calibration = Calibration.of(scores, alpha=alpha, beta=beta, sources=sources, forms=forms)
    features, scores = features[: len(faces)], scores[: len(faces)]  # the first way: as they are
    quality = measure_limits(opened, scorer, calibration, scores, faces, seed=seed)
    known = _measured(generated, opened, scorer, calibration, files.seen, progress, as_sent=as_sent)
    provenance |= {"calibration": faces.counts(), "as_sent": as_sent, "versions": versions()}
    parts = DetectorParts(
        name=name,
        model=files.model,
        encoder=description,
        scorer=scorer,
        calibration=calibration,
        card="",
        cross_check=_cross_check(tag_weights(heads), features, faces),
        generated=known,
        quality=quality,
        provenance=provenance,
        attention=files.attention,
        # A detector of whole images has not earned it on sources and generators left out together.
        photographic=description.subject == "face",
        seen=digests(shaped),
    )
    return _with_card(parts)


def calibrate(
    detector: DetectorParts,
    manifest: Manifest,
    *,
    name: str,
    alpha: float | None = None,
    beta: float | None = None,
    per_camera: int | None = None,
    generated: Manifest | GeneratedFaces | None = None,
    seed: int = 0,
    progress: Progress = no_progress,
) -> DetectorParts:
    """Calibrate a detector on other photographs; encoder and density stay as they are.

    Args:
        detector: to be calibrated.
        manifest: photographs that neither encoder nor density saw; the largest face of each
            calibrates.
        name: of the new detector.
        alpha: promised false-alarm rate; None = as before.
        beta: p-value from which on nothing was found, where no generated faces are measured; None =
            as before.
        per_camera: photographs of a camera at most.
        generated: faces of generators that training never saw, measured anew. Those that came with
            the detector were measured by its former calibration, and go.
        seed: of the choice of photographs where a camera has more.
        progress: called with (done, total) faces.

    Returns:
        The detector, ready to be written.

    Raises:
        CalibrationError: too few photographs for the promised rate.
        DetectorError: no photograph with a face.
    """
    encoder = detector.open_encoder()
    if manifest.subject != detector.encoder.subject:
        raise DetectorError(
            f"the detector judges {detector.encoder.subject}s, and the manifest is of "
            f"{manifest.subject}s"
        )
    manifest = manifest.select(~manifest.generated)
    known = np.isin([int(each[:16], 16) for each in manifest.sha256], detector.seen)
    if known.any():
        raise DetectorError(
            f"{known.sum()} of these photographs trained or fitted the detector (the first: "
            f"{manifest.path[known][0]}); the false-alarm rate would be a promise on known "
            "photographs: give others"
        )
    as_sent = bool(detector.provenance.get("as_sent")) and detector.encoder.subject == "image"
    faces = _chosen(
        manifest.with_split(np.full(len(manifest), "calibration")),
        "calibration",
        1,
        per_camera,
        seed,
    )
    features, sources, forms = encode_rows(
        encoder, faces, as_sent=as_sent, seed=seed, progress=progress
    )
    scores = detector.scorer.score(features)
    bands = detector.calibration
    calibration = Calibration.of(
        scores,
        alpha=bands.alpha if alpha is None else alpha,
        beta=bands.beta if beta is None else beta,
        sources=sources,
        forms=forms,
    )
    features, scores = features[: len(faces)], scores[: len(faces)]
    scored = _measured(
        generated, encoder, detector.scorer, calibration, set(), progress, as_sent=as_sent
    )
    provenance = detector.provenance | {
        "calibration": faces.counts(),
        "recalibrated": {"from": detector.name, "digest": detector.digest},
        "versions": versions(),
    }
    weights = None if detector.cross_check is None else detector.cross_check.weights
    parts = replace(
        detector,
        name=name,
        calibration=calibration,
        cross_check=_cross_check(weights, features, faces),
        generated=scored,
        quality=measure_limits(encoder, detector.scorer, calibration, scores, faces, seed=seed),
        provenance=provenance,
        digest="",
    )
    return _with_card(parts)


def _with_card(parts: DetectorParts) -> DetectorParts:
    return replace(parts, card=model_card(parts.name, parts.encoder, parts.judge, parts.provenance))


def _measured(
    generated: Manifest | GeneratedFaces | None,
    encoder: Encoder,
    scorer: Scorer,
    calibration: Calibration,
    seen: Collection[str],
    progress: Progress,
    *,
    as_sent: bool,
) -> GeneratedFaces | None:
    """What generated faces score by this detector; as it is, where others have scored them."""
    if not isinstance(generated, Manifest):
        return generated
    known = np.isin(generated.sha256, list(seen))
    if known.any():
        raise DetectorError(
            f"{known.sum()} generated faces were trained on (the first: "
            f"{generated.path[known][0]}); what they score says nothing of generators never seen: "
            "give others"
        )
    faces = largest_faces(generated)
    # Faces as they lie in the files; whole images in each of the forms that calibrated.
    as_sent = as_sent and encoder.subject == "image"
    features, _, _ = encode_rows(encoder, faces, as_sent=as_sent, seed=0, progress=progress)
    families = np.resize(families_of(faces.source), len(features))
    return GeneratedFaces.of(calibration.p_value(scorer.score(features)), families)


def _chosen(
    manifest: Manifest, split: str, per_photo: int | None, per_camera: int | None, seed: int
) -> Manifest:
    """The faces of a split that are used; one a photograph is its largest."""
    faces = manifest.of_split(split)
    if per_photo == 1:
        faces = largest_faces(faces)
    kept = cap(faces.photo, faces.camera, per_photo=per_photo, per_camera=per_camera, seed=seed)
    if not len(kept):
        raise DetectorError(f"no photograph in the split {split!r}; give more photographs")
    return faces.select(kept)


def _cross_check(
    weights: NDArray[np.float32] | None, features: NDArray[np.float32], faces: Manifest
) -> CrossCheck | None:
    return None if weights is None else CrossCheck.of(weights, features, faces.tags)


def read_classifier(encoder: EncoderFolder) -> Classifier | None:
    """The head of a binary encoder; None where it has none.

    Raises:
        EncoderError: its arrays don't make a classifier.
    """
    if not encoder.classifier:
        return None
    try:
        return Classifier.from_arrays(dict(encoder.classifier))
    except ValueError as error:
        raise EncoderError(f"the encoder's classifier can't be used: {error}") from None


def split_for_fit(manifest: Manifest, seen: Collection[str]) -> Manifest:
    """Settle which photographs fit and which calibrate.

    A manifest that the encoder was trained with keeps its splits. Where the encoder saw none of the
    photographs, those of "train" and "validation" fit as well.

    Raises:
        DetectorError: a photograph that the encoder saw would calibrate.
    """
    known = np.isin(manifest.sha256, list(seen))
    calibrates = manifest.split == "calibration"
    if (known & calibrates).any():
        first = manifest.path[known & calibrates][0]
        raise DetectorError(
            f"{(known & calibrates).sum()} calibration photographs were trained on (the first: "
            f"{first}); the false-alarm rate would be a promise on known photographs. Give the "
            "manifest that the encoder was trained with, or other photographs"
        )
    if known.any():
        return manifest
    return manifest.with_split(np.where(calibrates, "calibration", "fit"))
