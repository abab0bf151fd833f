"""A head that tells generated faces, learnt from examples of both: the work of `exiface supervise`.

What it knows is the generators that it has seen; how it fares on others must be measured by leaving
each of them out in turn.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from exiface.datasets import Manifest, cap
from exiface.datasets.augmentation import Augmentation
from exiface.datasets.batches import SMOOTHING, FaceBatches
from exiface.density import Classifier
from exiface.detector.fitting import seen_by_encoder
from exiface.encoders import OnnxEncoder, read_encoder
from exiface.encoders.description import CLASSIFIER_FILE, ENCODER_FILE, HEADS_FILE, SEEN_FILE
from exiface.errors import UserError
from exiface.progress import Progress, no_progress

# What pictures go through on their way, alike for both classes.
AUGMENTATION = Augmentation(
    flip=0.5, box_shift=0.06, jpeg=0.6, jpeg_quality=(55, 96), rescale=0.6, blur=0.25
)


class SupervisionError(UserError):
    """Examples that nothing can be learnt from."""


def supervise(
    encoder_folder: Path,
    photographs: Sequence[Manifest],
    generated: Sequence[Manifest],
    *,
    camera: Manifest | None = None,
    views: int = 6,
    strength: float = 0.01,
    seed: int = 0,
    progress: Progress = no_progress,
) -> tuple[Classifier, dict[str, Any]]:
    """Learn to tell generated faces from photographs, on the features of an encoder.

    Args:
        encoder_folder: with `encoder.onnx` and `encoder.json`.
        photographs: sets of photographs.
        generated: sets of generated faces.
        camera: further photographs, of the split "train"; untouched they stand with the
            photographs, smoothed with the generated faces.
        views: how often each face is seen: once as it is, then altered at random.
        strength: C of the logistic regression; lower = simpler.
        seed: of all that is drawn.
        progress: called with (done, total) faces.

    Returns:
        The classifier, and what made it.

    Raises:
        SupervisionError: a class without a face.
        EncoderError: no encoder in the folder.
    """
    model, description = read_encoder(encoder_folder)
    encoder = OnnxEncoder(model, description)
    parts = [(faces, 0, False) for faces in photographs] + [(faces, 0, True) for faces in generated]
    if camera is not None:
        known = camera.of_split("train")
        known = known.select(cap(known.photo, known.camera, per_photo=4, per_camera=80, seed=seed))
        parts += [(known, 0, False), (known, 1, True)]
    for wanted, what in ((False, "photographs"), (True, "generated faces")):
        if not sum(len(faces) for faces, _, is_generated in parts if is_generated == wanted):
            raise SupervisionError(f"no face among the {what}; name folders that hold some")
    total = views * sum(len(faces) for faces, _, _ in parts)
    features: list[NDArray[np.float32]] = []
    labels: list[NDArray[np.bool_]] = []
    done = 0
    for faces, family, is_generated in parts:
        drawn = FaceBatches(
            faces,
            description.preprocessing,
            augmentation=AUGMENTATION,
            families=(SMOOTHING,),
            seed=seed,
        )
        for view in range(views):
            for crops in drawn.views(view, family):
                features.append(encoder.encode(crops))
                done += len(crops)
                progress(done, total)
            labels.append(np.full(len(faces), is_generated))
    learner = make_pipeline(
        StandardScaler(), LogisticRegression(C=strength, class_weight="balanced", max_iter=1000)
    )
    learner.fit(np.concatenate(features), np.concatenate(labels))
    scaler, regression = learner[0], learner[-1]
    weights = regression.coef_ / scaler.scale_
    bias = regression.intercept_ - weights @ scaler.mean_
    return Classifier([(weights, bias)]), {
        "photographs": sum(map(len, photographs)),
        "generated": sum(map(len, generated)),
        "camera": 0 if camera is None else len(known),
        "views": views,
        "strength": strength,
        "seed": seed,
    }


def write_supervised(
    encoder_folder: Path,
    classifier: Classifier,
    made_of: dict[str, Any],
    examples: Sequence[Manifest],
    folder: Path,
) -> None:
    """Write an encoder folder with a classifier, for `fit`, which calibrates it.

    Args:
        encoder_folder: whose encoder and heads are taken over.
        classifier: over its features.
        made_of: what made the classifier.
        examples: faces that it saw; none of them may calibrate.
        folder: where to; made if need be.
    """
    _, description = read_encoder(encoder_folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in (ENCODER_FILE, HEADS_FILE):
        if (encoder_folder / name).exists():
            shutil.copyfile(encoder_folder / name, folder / name)
    seen = seen_by_encoder(encoder_folder).union(*(faces.sha256.tolist() for faces in examples))
    (folder / SEEN_FILE).write_text("".join(f"{digest}\n" for digest in sorted(seen)), "utf-8")
    save_file(classifier.arrays(), folder / CLASSIFIER_FILE)
    provenance = description.provenance | {"supervised": made_of}
    replace(description, provenance=provenance).write(folder)
