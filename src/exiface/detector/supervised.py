"""A head that tells generated faces, learnt from examples of both: the work of `exiface supervise`.

What it knows is the generators that it has seen; how it fares on others must be measured by leaving
each of them out in turn.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from exiface.datasets import Manifest, cap
from exiface.datasets.augmentation import Augmentation
from exiface.datasets.batches import SMOOTHING, FaceBatches
from exiface.detector.folder import encoder_named
from exiface.encoders import EncoderFolder
from exiface.encoders.description import GENERATED_HEAD
from exiface.errors import UserError
from exiface.progress import Progress, no_progress
from exiface.scoring import Classifier, GaussianMixture

_COMPONENTS = 10  # of the mixture that says which photographs are unlikely (BLADES)
_ROWS_A_COMPONENT = 20
# What pictures go through on their way, alike for both classes.
_AUGMENTATION = Augmentation(
    flip=0.5, box_shift=0.06, jpeg=0.6, jpeg_quality=(55, 96), webp=0.3, rescale=0.6, blur=0.25
)


class SupervisionError(UserError):
    """Examples that nothing can be learnt from."""


def supervise(
    encoder: EncoderFolder | str | Path,
    photographs: Sequence[Manifest],
    generated: Sequence[Manifest],
    *,
    camera: Manifest | None = None,
    views: int = 6,
    strength: float = 0.01,
    hidden: int | None = None,
    outliers: float = 0.0,
    seed: int = 0,
    progress: Progress = no_progress,
) -> tuple[Classifier, dict[str, Any]]:
    """Learn to tell generated faces from photographs, on the features of an encoder.

    Args:
        encoder: of faces, see `encoder_named`.
        photographs: sets of photographs.
        generated: sets of generated faces.
        camera: further photographs, of the split "train"; untouched they stand with the
            photographs, smoothed with the generated faces.
        views: how often each face is seen: once as it is, then altered at random.
        strength: C of the logistic regression; lower = simpler.
        hidden: units of a hidden layer (BLADES: 1536); None = a logistic regression.
        outliers: share of the photographs, those least likely under a mixture of all of them, that
            stand with the generated faces as what unusual pictures look like (BLADES).
        seed: of all that is drawn.
        progress: called with (done, total) faces.

    Returns:
        The classifier, and what made it.

    Raises:
        SupervisionError: a class without a face.
    """
    opened = encoder_named(encoder).open()
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
        drawn = FaceBatches(
            faces,
            opened.description.preprocessing,
            augmentation=_AUGMENTATION,
            families=(SMOOTHING,),
            seed=seed,
        )
        for view in range(views):
            for crops in drawn.views(view, family):
                features[is_generated].append(opened.encode(crops))
                done += len(crops)
                progress(done, total)
    real, fake = (np.concatenate(features[each]) for each in (False, True))
    if outliers:
        unlikely = least_likely(real, outliers, seed)
        real, fake = real[~unlikely], np.concatenate([fake, real[unlikely]])
    if hidden is None:
        classifier = learn(real, fake, strength=strength)
    else:
        classifier = learn_hidden(real, fake, hidden, seed)
    return classifier, {
        "photographs": sum(map(len, photographs)),
        "generated": sum(map(len, generated)),
        "camera": 0 if camera is None else len(camera),
        "views": views,
        "outliers": outliers,
        "seed": seed,
        **({"strength": strength} if hidden is None else {"hidden": hidden}),
    }


def learn(
    photographs: NDArray[np.float32], generated: NDArray[np.float32], *, strength: float
) -> Classifier:
    """Fit a logistic regression to features (n, d) and (m, d), both classes weighing the same.

    The lower the strength, which is C, the simpler is what it learns.
    """
    scaler = StandardScaler()
    regression = LogisticRegression(C=strength, class_weight="balanced", max_iter=1000)
    labels = np.repeat([False, True], [len(photographs), len(generated)])
    regression.fit(scaler.fit_transform(np.concatenate([photographs, generated])), labels)
    weights = regression.coef_ / scaler.scale_
    return Classifier([(weights, regression.intercept_ - weights @ scaler.mean_)])


def learn_hidden(
    photographs: NDArray[np.float32], generated: NDArray[np.float32], hidden: int, seed: int
) -> Classifier:
    """Fit a perceptron with so many hidden units to features (n, d) and (m, d) (BLADES).

    Both classes weigh the same. Which rate, how many rounds and which stop its authors chose was
    never published; here a tenth of the examples says when to stop.
    """
    scaler = StandardScaler()
    labels = np.repeat([False, True], [len(photographs), len(generated)])
    examples = scaler.fit_transform(np.concatenate([photographs, generated]))
    # Weights of examples would need a newer scikit-learn: the rarer class is shown more often.
    counts = np.bincount(labels, minlength=2)
    rng = np.random.default_rng(seed)
    rarer = np.flatnonzero(labels == (counts[1] < counts[0]))
    more = rng.choice(rarer, counts.max() - counts.min())
    rows = np.concatenate([np.arange(len(labels)), more])
    perceptron = MLPClassifier(
        (hidden,), early_stopping=True, max_iter=200, batch_size=256, random_state=seed
    )
    perceptron.fit(examples[rows], labels[rows])
    (first, last), (first_bias, last_bias) = perceptron.coefs_, perceptron.intercepts_
    weights = first.T / scaler.scale_
    return Classifier([(weights, first_bias - weights @ scaler.mean_), (last.T, last_bias)])


def least_likely(features: NDArray[np.float32], share: float, seed: int) -> NDArray[np.bool_]:
    """Which photographs (n,) of those with features (n, d) a mixture of all finds least likely."""
    mixture = GaussianMixture(min(_COMPONENTS, len(features) // _ROWS_A_COMPONENT), seed=seed)
    likelihood = mixture.fit(features).score_samples(features)
    return likelihood <= np.quantile(likelihood, share)


def write_supervised(
    encoder: EncoderFolder | str | Path,
    classifier: Classifier,
    made_of: dict[str, Any],
    examples: Sequence[Manifest],
    folder: Path,
) -> None:
    """Write an encoder folder with a classifier, for `fit`, which calibrates it.

    The direction of a classifier without hidden layers stands among the heads as well, so that
    `fit` can combine it with other evidence. The network and the other heads are those of the
    encoder (see `supervise`); none of the examples, which the classifier saw, may calibrate.
    """
    files = encoder_named(encoder)
    heads = dict(files.heads)
    if made_of.get("hidden") is None:
        heads[GENERATED_HEAD] = classifier.arrays()["0.weight"][0]
    provenance = files.description.provenance | {"supervised": made_of}
    replace(
        files,
        description=replace(files.description, provenance=provenance),
        heads=heads,
        classifier=classifier.arrays(),
        seen={*files.seen}.union(*(faces.sha256.tolist() for faces in examples)),
    ).write(folder)
