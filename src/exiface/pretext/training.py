"""The training loop.

    exiface train --data manifest.parquet -o runs/first
    torchrun --nproc-per-node 2 -m exiface train --data manifest.parquet -o runs/first

A run that was killed goes on where its last checkpoint stands, and ends with the same weights as
one that never was: what a step does depends on its number alone.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from safetensors.torch import save_file

from exiface.datasets import Manifest, cap
from exiface.datasets.batches import FaceBatches
from exiface.datasets.drawing import Batches
from exiface.datasets.patch_batches import PatchBatches
from exiface.encoders import EncoderDescription
from exiface.encoders.architectures import ARCHITECTURES, ImageEncoder
from exiface.encoders.description import (
    CLASSIFIER_FILE,
    ENCODER_FILE,
    HEADS_FILE,
    PATCHES,
    SEEN_FILE,
)
from exiface.encoders.export import export, export_patches
from exiface.errors import UserError
from exiface.photos import RANKED_TAGS, Preprocessing
from exiface.photos.camera_settings import CLASSES
from exiface.photos.patches import Patches
from exiface.pretext.checkpoint import load_checkpoint, save_checkpoint
from exiface.pretext.config import ConfigError, TrainConfig
from exiface.pretext.distributed import Process
from exiface.pretext.learner import Learner, learning_rate
from exiface.pretext.recorder import Recorder
from exiface.pretext.validation import validate
from exiface.provenance import versions
from exiface.threads import keep_freed_memory

CONFIG_FILE = "config.yaml"
RUN_FILE = "run.json"  # photographs and versions
_LOG_STEPS = 10

Report = Callable[[int, int, dict[str, float]], None]


class TrainingError(UserError):
    """Training that can't go on."""


def train(
    config: TrainConfig,
    manifest: Manifest,
    run: Path,
    process: Process,
    *,
    init: Path | None = None,
    report: Report | None = None,
) -> Path:
    """Train an encoder on photographs, or go on with a run that was interrupted.

    Args:
        config: the settings.
        manifest: with the splits "train" and "validation".
        run: folder of the run: settings, figures, checkpoint, and at the end the encoder.
        process: this process among those that train together.
        init: weights of the same backbone to start from.
        report: called with (steps done, steps in all, figures) now and then.

    Returns:
        The path of the exported encoder.

    Raises:
        ConfigError: settings and data don't fit.
        CheckpointError: the folder holds a run with other settings or photographs.
        TrainingError: the loss is not finite.
    """
    keep_freed_memory()
    takes = _takes(config)
    manifest = _wanted(manifest, config)
    training = _batches(manifest, "train", config, takes)
    validation = _batches(manifest, "validation", config, takes)
    per_epoch = _steps_per_epoch(training, config, process)
    total = per_epoch * config.epochs
    identity = _identity(config, training, validation, init)
    learner = Learner(config, takes, process, init)
    run.mkdir(parents=True, exist_ok=True)
    first = load_checkpoint(run, learner.task, learner.optimizer, identity, learner.average)
    if first >= total and (run / ENCODER_FILE).exists() and (run / HEADS_FILE).exists():
        return run / ENCODER_FILE
    made_of = _made_of(training, validation, init)
    recorder = None
    if process.writes:
        (run / CONFIG_FILE).write_text(config.as_yaml(), "utf-8")
        (run / RUN_FILE).write_text(json.dumps(made_of, indent=2) + "\n", "utf-8")
        recorder = _Reporter(run, first, total, config.batch_size, report)

    batches = training.training(
        first,
        total,
        config.batch_size,
        micro_batches=config.micro_batches,
        rank=process.rank,
        world_size=process.world_size,
    )
    measured: dict[str, float] = {}
    for step, micro_batches in enumerate(batches, start=first + 1):
        rate = learning_rate(step - 1, total, per_epoch, config)
        losses = learner.step(step, rate, micro_batches)
        if not all(map(math.isfinite, losses.values())):
            raise TrainingError(
                f"the loss of step {step} is not finite ({losses}); lower learning_rate, "
                "or set precision=float32"
            )
        validates = step % (per_epoch * config.validate_epochs) == 0 or step == total
        if recorder is not None:
            recorder.losses(step, losses, rate)
            if validates:
                measured = validate(learner.learnt, validation, takes, config.batch_size)
                recorder.figures(step, {"epoch": step / per_epoch, **measured})
            if step % config.checkpoint_steps == 0 or step == total:
                save_checkpoint(
                    run, learner.task, learner.optimizer, step, identity, learner.average
                )
        if validates:
            process.wait()
    if recorder is not None:
        recorder.close()
        # Killed between the last checkpoint and here: there was no last step to measure.
        measured = measured or validate(learner.learnt, validation, takes, config.batch_size)
        _export(run, learner, training, validation, made_of, measured)
    process.wait()
    return run / ENCODER_FILE


class _Reporter:
    """Keeps a run's figures, and reports them now and then."""

    def __init__(
        self, run: Path, first: int, total: int, batch_size: int, report: Report | None
    ) -> None:
        self._recorder = Recorder(run, first)
        self._total = total
        self._batch_size = batch_size
        self._report = report
        self._clock, self._clock_step = time.perf_counter(), first

    def losses(self, step: int, losses: dict[str, float], rate: float) -> None:
        if step % _LOG_STEPS and step != self._total:
            return
        seconds = time.perf_counter() - self._clock
        speed = (step - self._clock_step) * self._batch_size / seconds
        named = {f"loss_{name}": loss for name, loss in losses.items()}
        self.figures(step, named | {"learning_rate": rate, "faces_per_second": round(speed, 1)})

    def figures(self, step: int, figures: dict[str, float]) -> None:
        self._recorder.record(step, figures)
        if self._report is not None:
            self._report(step, self._total, figures)
        self._clock, self._clock_step = time.perf_counter(), step

    def close(self) -> None:
        self._recorder.close()


def _takes(config: TrainConfig) -> Preprocessing | Patches:
    """What makes the encoder's input of a photograph."""
    architecture = ARCHITECTURES[config.architecture]
    if architecture.subject == "image":
        return Patches(architecture.size, config.most_patches, "evenly")
    return Preprocessing(architecture.size, config.crop_scale, largest=architecture.largest)


def _steps_per_epoch(training: Batches, config: TrainConfig, process: Process) -> int:
    if config.batch_size % (process.world_size * config.micro_batches):
        raise ConfigError(
            f"batch_size {config.batch_size} can't be shared evenly by {process.world_size} "
            f"processes with {config.micro_batches} micro-batches each"
        )
    return training.steps_per_epoch(config.batch_size)


def _wanted(manifest: Manifest, config: TrainConfig) -> Manifest:
    """The rows that play a part: no source left out, generated ones only if they are learnt.

    Other pictures of the same photographs, at another size or resynthesised, go with them.
    """
    subject = ARCHITECTURES[config.architecture].subject
    if manifest.subject != subject:
        raise ConfigError(
            f"architecture {config.architecture} learns from {subject}s, and the manifest is of "
            f"{manifest.subject}s: make one with exiface prepare --subject {subject}"
        )
    left_out = np.zeros(len(manifest), bool)
    sources = np.unique(manifest.source)
    for pattern in config.leave_out:
        matching = [source for source in sources if fnmatchcase(str(source), pattern)]
        if not matching:
            known = ", ".join(filter(None, sources.tolist())) or "none"
            raise ConfigError(f"leave_out: no source is {pattern!r}; the manifest has {known}")
        left_out |= np.isin(manifest.source, matching)
    left_out |= np.isin(manifest.photo, manifest.photo[left_out])
    if not config.shares.generated:
        left_out |= manifest.generated
    return manifest.select(~left_out)


def _batches(
    manifest: Manifest, split: str, config: TrainConfig, takes: Preprocessing | Patches
) -> Batches:
    rows = manifest.of_split(split)
    kept = cap(
        rows.photo,
        rows.camera,
        per_photo=config.max_faces_per_photo,
        per_camera=config.max_faces_per_camera,
        seed=config.seed,
    )
    if not len(kept):
        raise ConfigError(
            f"the manifest has no {manifest.subject} in the split {split!r}; prepare more"
        )
    rows = rows.select(kept)
    if not _teaches(rows, config):
        raise ConfigError(
            f"no {manifest.subject} of the split {split!r} has a camera tag, so there is nothing "
            "to rank; prepare photographs with their metadata, or give tags: exiface prepare "
            "--records"
        )
    augmentation = config.augmentation if split == "train" else None
    if isinstance(takes, Patches):
        return PatchBatches(
            rows,
            takes,
            number=config.patches,
            side=None if config.architecture == PATCHES else config.window,
            augmentation=augmentation,
            window=config.window,
            drawing=config.drawing,
            seed=config.seed,
            workers=config.workers,
        )
    return FaceBatches(
        rows,
        takes,
        augmentation=augmentation,
        families=config.families,
        drawing=config.drawing,
        window=None if takes.largest is None else config.window,
        seed=config.seed,
        workers=config.workers,
    )


def _teaches(rows: Manifest, config: TrainConfig) -> bool:
    """Whether there is a tag to learn, where tags are learnt."""
    ranked = config.ranked if config.shares.ranking else ()
    classes = config.classes if config.shares.classes else ()
    if not (ranked or classes):
        return True
    values = rows.tags[:, [RANKED_TAGS.index(name) for name in ranked]]
    places = rows.classes[:, [list(CLASSES).index(name) for name in classes]]
    return bool(np.isfinite(values).any() or (places >= 0).any())


def _identity(
    config: TrainConfig, training: Batches, validation: Batches, init: Path | None
) -> str:
    """Digest all that decides the weights, so that another run's checkpoint isn't resumed."""
    # How often it is saved and with how many threads it is decoded decides nothing, and with what
    # the weights are interpolated in the end nothing of their way there.
    settings = config.model_copy(update={"checkpoint_steps": 1, "workers": None})
    decisive = settings.model_dump(mode="json", exclude={"start_share"})
    digest = hashlib.sha256(yaml.safe_dump(decisive, sort_keys=False).encode())
    for faces in (training.manifest, validation.manifest):
        digest.update("\n".join(faces.sha256.tolist()).encode())
        digest.update(np.ascontiguousarray(faces.box).tobytes())
    if init is not None:
        digest.update(init.read_bytes())
    return digest.hexdigest()


def _made_of(training: Batches, validation: Batches, init: Path | None) -> dict[str, Any]:
    return {
        "training": training.manifest.counts() | {"start": init.name if init else "random"},
        "validation": validation.manifest.counts(),
        "versions": versions(),
    }


def _export(
    run: Path,
    learner: Learner,
    training: Batches,
    validation: Batches,
    made_of: dict[str, Any],
    measured: dict[str, float],
) -> None:
    manifests = (training.manifest, validation.manifest)
    seen = sorted(set(np.concatenate([faces.sha256 for faces in manifests]).tolist()))
    (run / SEEN_FILE).write_text("".join(f"{digest}\n" for digest in seen), "utf-8")
    config, learnt = learner.config, learner.learnt
    architecture = ARCHITECTURES[config.architecture]
    directions = learnt.directions(architecture.features) | architecture.directions()
    save_file(directions, run / HEADS_FILE)
    provenance = made_of | {
        "validation": made_of["validation"] | measured,
        "config": config.model_dump(mode="json"),
    }
    if classifier := learnt.classifier():
        save_file(classifier, run / CLASSIFIER_FILE)
        generated = training.manifest.generated
        provenance["supervised"] = {
            "photographs": int((~generated).sum()),
            "generated": int(generated.sum()),
            "sources": sorted(set(training.manifest.source[generated].tolist())),
        }
    description = EncoderDescription(
        config.architecture, architecture.features, learner.takes, provenance
    )
    half = config.exported == "float16"
    if isinstance(learnt.encoder, ImageEncoder):
        export_patches(learnt.encoder, description, run, half=half)
    else:
        export(learnt.encoder, description, run, half=half)
