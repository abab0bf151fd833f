"""What was tried for photographs-only, one change at a time, three seeds each.

    make ablation DATA=<folder of bench_dev/, bench_dev_native/ and resynthesis/>

needs runs/photographs-only/ of `make photographs-only-detector` and the settings photographs-only,
and writes results/photographs-only-ablation.csv; a quarter of an hour on two cores. The backbone is
frozen, so that a change of the heads, their training or their combination needs no pass through it:
training draws are encoded once a seed. The generated faces of the benchmarks are measured and never
learnt from.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from common import Features, Score, encoded, figures, of_camera, summary, write
from resynthesis import Autoencoder
from scipy.stats import norm
from torch import nn

from exiface.datasets import Manifest, cap
from exiface.datasets.augmentation import Augmentation
from exiface.datasets.batches import FAMILIES, FaceBatches
from exiface.detector.supervised import learn
from exiface.encoders import EncoderFolder, OnnxEncoder
from exiface.encoders.mirrored import MirroredEncoder, symmetry
from exiface.photos.alterations import blurred, noisy, shrunk_and_grown
from exiface.photos.manipulations import averaged
from exiface.scoring import Evidence, GaussianMixture, Head
from exiface.scoring.evidence import FLOOR
from exiface.training import read_config
from exiface.training.task import PretextTask

SEEDS = (0, 1, 2)
EPOCHS_DRAWN = 3
EPOCHS = 15
SCREENED = 150  # faces
TEXTURES, LENGTH = MirroredEncoder.TEXTURES, MirroredEncoder.LENGTH
DEPTHS = len(MirroredEncoder.DEPTHS)
CHOSEN = ("symmetry", "smoothing", "-iso_speed")
SIGNS = {
    "symmetry": "symmetry",
    "smoothing": "smoothing",
    "averaging": "averaging",
    "published manipulations": "manipulation",
    "low aperture": "-aperture",
    "low exposure time": "-exposure_time",
    "low focal length": "-focal_length",
    "low ISO speed": "-iso_speed",
}
Pixels = np.ndarray
Draws = tuple[torch.Tensor, torch.Tensor, torch.Tensor]  # features, tags, families


def training(manifest: Manifest, encoder: OnnxEncoder, config, seed: int, augmentation) -> Draws:
    """Augmented draws of the training photographs, encoded."""
    faces = manifest.of_split("train")
    kept = cap(faces.photo, faces.camera, per_photo=4, per_camera=80, seed=config.seed)
    batches = FaceBatches(
        faces.select(kept),
        encoder.description.preprocessing,
        augmentation=augmentation,
        families=FAMILIES,
        seed=seed,
    )
    steps = EPOCHS_DRAWN * batches.steps_per_epoch(config.batch_size)
    drawn = [step[0] for step in batches.training(0, steps, config.batch_size)]
    return (
        torch.from_numpy(np.stack([encoder.encode(batch.crops) for batch in drawn])),
        torch.from_numpy(np.stack([batch.tags for batch in drawn])).float(),
        torch.from_numpy(np.stack([batch.manipulated for batch in drawn])),
    )


def heads(
    draws: Draws, seed: int, *, read: int = TEXTURES, weight_decay: float = 0.03
) -> dict[str, np.ndarray]:
    """Train the heads of the pretext task on features, as `exiface train` does on faces."""
    torch.manual_seed(seed)
    task = PretextTask(nn.Identity(), read, families=FAMILIES)
    optimizer = torch.optim.Adam(
        task.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-6, weight_decay=weight_decay
    )
    steps = len(draws[0]) * EPOCHS // EPOCHS_DRAWN
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        loss = task.total(task(*(part[step % len(draws[0])] for part in draws)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    directions = {name: value.numpy() for name, value in task.directions(LENGTH).items()}
    return directions | {"symmetry": symmetry()["symmetry"].numpy()}


def signs(found: dict[str, np.ndarray], names: Sequence[str], floor: float = FLOOR) -> Evidence:
    """Some of the heads as evidence."""
    return Evidence.of(found, [replace(Head.parse(name), floor=floor) for name in names])


def evidence(
    found: dict[str, np.ndarray], fit: Features, *names: str, floor: float = FLOOR
) -> Score:
    return signs(found, names, floor).fit(fit).score


def of_depths(*depths: int) -> np.ndarray:
    """The direction of symmetry at some depths only."""
    direction = np.zeros(LENGTH)
    asymmetries = direction[TEXTURES : TEXTURES + 2 * DEPTHS].reshape(2, DEPTHS)
    asymmetries[:, list(depths)] = -1
    return direction


def combined(how: Callable[[np.ndarray], np.ndarray], fitted: Evidence) -> Score:
    return lambda features: how(np.stack([*fitted.signs(features).values()], 1))


def density(part: slice, fit: Features, seed: int, sign: int = 1) -> Score:
    mixture = GaussianMixture(1, seed=seed).fit(fit[:, part])
    return lambda features: sign * mixture.score(features[:, part])


def manipulations(data: Path) -> dict[str, Callable[[Pixels, Pixels, np.random.Generator], Pixels]]:
    """Of a whole face; the second argument is another face."""
    resynthesised = Autoencoder(data / "resynthesis")
    return {
        "autoencoder": lambda face, _, rng: resynthesised(face),
        "non-local means": lambda face, _, rng: cv2.fastNlMeansDenoisingColored(
            face, None, 5, 5, 5, 13
        ),
        "bilateral filter": lambda face, _, rng: cv2.bilateralFilter(
            face, 9, rng.uniform(15, 35), 5
        ),
        "median filter": lambda face, _, rng: cv2.medianBlur(face, 3),
        "blur": lambda face, _, rng: blurred(face, rng.uniform(0.8, 1.6)),
        "shrunk and grown": lambda face, _, rng: shrunk_and_grown(face, rng.uniform(0.4, 0.7)),
        "sharpened": lambda face, _, rng: cv2.addWeighted(face, 1.7, blurred(face, 1.0), -0.7, 0),
        "noise": lambda face, _, rng: noisy(face, rng.uniform(2, 6), rng),
        "average of two faces": lambda face, other, rng: averaged(face, other),
        "average with its mirror image": lambda face, _, rng: averaged(
            face, np.ascontiguousarray(face[:, ::-1])
        ),
        "less saturated": lambda face, _, rng: cv2.addWeighted(
            face, 0.67, cv2.cvtColor(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
            0.33, 0,
        ),
    }  # fmt: skip


def screened(
    manifest: Manifest, encoder: OnnxEncoder, augmentation: Augmentation, data: Path, seed: int
) -> dict[str, Score]:
    """One logistic regression a manipulation: untouched against manipulated training faces."""
    rng = np.random.default_rng(seed)
    faces = manifest.of_split("train")
    faces = faces.select(cap(faces.photo, faces.camera, per_photo=2, per_camera=25, seed=seed))
    faces = faces.select(rng.permutation(len(faces))[:SCREENED])
    crops = np.concatenate(list(FaceBatches(faces, encoder.description.preprocessing).views(0)))

    def textures(changed: list[Pixels]) -> Features:
        sent = np.stack([augmentation(crop, rng) for crop in changed])
        parts = np.split(sent, range(32, len(sent), 32))
        return np.concatenate([encoder.encode(part) for part in parts])[:, :TEXTURES]

    untouched = textures(list(crops))
    found: dict[str, Score] = {}
    for name, change in manipulations(data).items():
        others = rng.permutation(len(crops))
        changed = [
            change(crop, crops[other], rng) for crop, other in zip(crops, others, strict=True)
        ]
        classifier = learn(untouched, textures(changed), strength=0.003)
        found[name] = partial(_of_textures, classifier.score)
    return found


def _of_textures(score: Score, features: Features) -> np.ndarray:
    return score(features[:, :TEXTURES])


def attempts(
    fit: Features, draws: Draws, plain: Draws, screening: dict[str, Score], seed: int
) -> dict[tuple[str, str], Score]:
    """(group, what) -> score, of one seed."""
    trained = heads(draws, seed)
    chosen = signs(trained, CHOSEN).fit(fit)

    def of(*names: str, floor: float = FLOOR) -> Score:
        return evidence(trained, fit, *names, floor=floor)

    def with_symmetry(*depths: int) -> Score:
        return evidence(trained | {"symmetry": of_depths(*depths)}, fit, *CHOSEN)

    found: dict[tuple[str, str], Score] = {
        ("photographs-only", "symmetry, smoothing, low ISO speed"): chosen.score,
        **{("one sign", name): of(head, floor=0) for name, head in SIGNS.items()},
        ("evidence", "without symmetry"): of("smoothing", "-iso_speed"),
        ("evidence", "without smoothing"): of("symmetry", "-iso_speed"),
        ("evidence", "without low ISO speed"): of("symmetry", "smoothing"),
        ("evidence", "and averaging"): of(*CHOSEN, "averaging"),
        ("evidence", "and published manipulations"): of(*CHOSEN, "manipulation"),
        ("evidence", "and low aperture"): of(*CHOSEN, "-aperture"),
        ("evidence", "all of these"): of(*CHOSEN, "averaging", "manipulation", "-aperture"),
        ("symmetry", "of the three deepest"): with_symmetry(3, 4, 5),
        ("symmetry", "of all six depths"): with_symmetry(*range(DEPTHS)),
        ("symmetry", "of the three shallow depths"): with_symmetry(0, 1, 2),
        **{("floor", f"{floor:g}"): of(*CHOSEN, floor=floor) for floor in (0, 0.01, 0.2)},
        ("combination", "sum of deviations"): combined(lambda signs: signs.sum(1), chosen),
        ("combination", "largest deviation"): combined(lambda signs: signs.max(1), chosen),
        ("combination", "harmonic mean of tails"): combined(
            lambda signs: (1 / norm.sf(signs)).sum(1), chosen
        ),
        ("combination", "two-sided tails"): combined(
            lambda signs: -norm.logsf(np.abs(signs)).sum(1), chosen
        ),
        ("training", "heads read all features"): evidence(
            heads(draws, seed, read=LENGTH), fit, *CHOSEN
        ),
        ("training", "no weight decay"): evidence(heads(draws, seed, weight_decay=0), fit, *CHOSEN),
        ("training", "weight decay 1"): evidence(heads(draws, seed, weight_decay=1), fit, *CHOSEN),
        ("training", "no augmentation"): evidence(heads(plain, seed), fit, *CHOSEN),
        ("density", "Gaussian over textures"): density(slice(TEXTURES), fit, seed),
        ("density", "the same, too typical is suspicious"): density(slice(TEXTURES), fit, seed, -1),
        ("density", "Gaussian over asymmetries"): density(
            slice(TEXTURES, TEXTURES + 2 * DEPTHS), fit, seed
        ),
        ("density", "Gaussian over the deepest means"): density(
            slice(TEXTURES + 2 * DEPTHS, None), fit, seed
        ),
        ("density", "Gaussian over all heads"): _of_heads(trained, fit, seed),
    }
    return found | {("one manipulation", name): score for name, score in screening.items()}


def _of_heads(trained: dict[str, np.ndarray], fit: Features, seed: int) -> Score:
    rows = np.stack([trained[name] for name in sorted(trained)])
    directions = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    mixture = GaussianMixture(1, seed=seed).fit(fit @ directions.T)
    return lambda features: mixture.score(features @ directions.T)


def main(data: Path, output: Path) -> None:
    config = read_config("photographs-only")
    manifest = Manifest.read(Path("runs/photographs-only/manifest.parquet"))
    encoder = EncoderFolder.read(Path("runs/photographs-only/encoder")).open()
    features = encoded(data, encoder)
    fit = of_camera(encoder, manifest, "fit", per_photo=4)
    calibration = of_camera(encoder, manifest, "calibration", per_photo=1)
    measured: dict[tuple[str, str], list[dict[str, float]]] = {}
    for seed in SEEDS:
        draws = training(manifest, encoder, config, seed, config.augmentation)
        plain = training(manifest, encoder, config, seed, None)
        screening = screened(manifest, encoder, config.augmentation, data, seed)
        for what, score in attempts(fit, draws, plain, screening, seed).items():
            found = figures(score, features, calibration)
            measured.setdefault(what, []).append(found)
            print(seed, *what, f"{found['mean']:.3f}", flush=True)
    rows = [
        {"group": group, "what": what} | summary(seeds) for (group, what), seeds in measured.items()
    ]
    write(rows, output)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
