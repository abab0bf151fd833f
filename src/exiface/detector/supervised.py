"""A head that tells generated faces, learnt from examples of both: the work of `exiface supervise`.

What it knows is the generators that it has seen; how it fares on others must be measured by leaving
each of them out in turn.
"""

import shutil
from collections.abc import Iterator, Sequence
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
from exiface.encoders import OnnxEncoder, read_encoder
from exiface.encoders.description import CLASSIFIER_FILE, ENCODER_FILE, HEADS_FILE, SEEN_FILE
from exiface.encoders.runtime import read_description, read_heads, seen_by_encoder
from exiface.errors import UserError
from exiface.progress import Progress, no_progress

GENERATED = "generated"  # name of the head
# What pictures go through on their way, alike for both classes.
AUGMENTATION = Augmentation(
    flip=0.5, box_shift=0.06, jpeg=0.6, jpeg_quality=(55, 96), webp=0.3, rescale=0.6, blur=0.25
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
    encoder = OnnxEncoder(*read_encoder(encoder_folder))
    parts = [(faces, 0, False) for faces in photographs] + [(faces, 0, True) for faces in generated]
    if camera is not None:
        camera = camera.of_split("train")
        kept = cap(camera.photo, camera.camera, per_photo=4, per_camera=80, seed=seed)
        camera = camera.select(kept)
        parts += [(camera, 0, False), (camera, 1, True)]
    for wanted, what in ((False, "photographs"), (True, "generated faces")):
        if not sum(len(faces) for faces, _, is_generated in parts if is_generated == wanted):
            raise SupervisionError(f"no face among the {what}; name folders that hold some")
    total = views * sum(len(faces) for faces, _, _ in parts)
    features: dict[bool, list[NDArray[np.float32]]] = {False: [], True: []}
    done = 0
    for faces, family, is_generated in parts:
        for crops in drawn_views(encoder, faces, family, views=views, seed=seed):
            features[is_generated].append(encoder.encode(crops))
            done += len(crops)
            progress(done, total)
    classifier = learn(
        np.concatenate(features[False]), np.concatenate(features[True]), strength=strength
    )
    return classifier, {
        "photographs": sum(map(len, photographs)),
        "generated": sum(map(len, generated)),
        "camera": 0 if camera is None else len(camera),
        "views": views,
        "strength": strength,
        "seed": seed,
    }


def drawn_views(
    encoder: OnnxEncoder, faces: Manifest, manipulated: int = 0, *, views: int, seed: int
) -> Iterator[list[NDArray[np.uint8]]]:
    """Crops (s, s, 3) of faces as they are (view 0) and altered at random, in batches.

    Args:
        encoder: whose preprocessing cuts them.
        faces: to be seen.
        manipulated: 1 = smoothed.
        views: how often.
        seed: of all that is drawn.
    """
    drawn = FaceBatches(
        faces,
        encoder.description.preprocessing,
        augmentation=AUGMENTATION,
        families=(SMOOTHING,),
        seed=seed,
    )
    for view in range(views):
        yield from drawn.views(view, manipulated)


def learn(
    photographs: NDArray[np.float32], generated: NDArray[np.float32], *, strength: float
) -> Classifier:
    """Fit a logistic regression, both classes weighing the same.

    Args:
        photographs: (n, d) features.
        generated: (m, d) features.
        strength: C; lower = simpler.

    Returns:
        The classifier, of unscaled features.
    """
    learner = make_pipeline(
        StandardScaler(), LogisticRegression(C=strength, class_weight="balanced", max_iter=1000)
    )
    labels = np.repeat([False, True], [len(photographs), len(generated)])
    learner.fit(np.concatenate([photographs, generated]), labels)
    scaler, regression = learner[0], learner[-1]
    weights = regression.coef_ / scaler.scale_
    return Classifier([(weights, regression.intercept_ - weights @ scaler.mean_)])


def write_supervised(
    encoder_folder: Path,
    classifier: Classifier,
    made_of: dict[str, Any],
    examples: Sequence[Manifest],
    folder: Path,
) -> None:
    """Write an encoder folder with a classifier, for `fit`, which calibrates it.

    The classifier's direction stands among the heads as well, so that `fit` can combine it with
    other evidence.

    Args:
        encoder_folder: whose encoder and heads are taken over.
        classifier: over its features.
        made_of: what made the classifier.
        examples: faces that it saw; none of them may calibrate.
        folder: where to; made if need be.
    """
    description = read_description(encoder_folder)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(encoder_folder / ENCODER_FILE, folder / ENCODER_FILE)
    heads = read_heads(encoder_folder) | {GENERATED: classifier.direction}
    save_file(heads, folder / HEADS_FILE)
    seen = seen_by_encoder(encoder_folder).union(*(faces.sha256.tolist() for faces in examples))
    (folder / SEEN_FILE).write_text("".join(f"{digest}\n" for digest in sorted(seen)), "utf-8")
    save_file(classifier.arrays(), folder / CLASSIFIER_FILE)
    provenance = description.provenance | {"supervised": made_of}
    replace(description, provenance=provenance).write(folder)
