"""The training loop.

    exiface train --data manifest.parquet -o runs/first
    torchrun --nproc-per-node 2 -m exiface train --data manifest.parquet -o runs/first

A run that was killed goes on where its last checkpoint stands, and ends with the same weights as
one that never was: what a step does depends on its number alone.
"""

import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from exiface.datasets import Manifest
from exiface.datasets.sampling import Batch, Batches
from exiface.encoders import EncoderDescription
from exiface.encoders.description import ENCODER_FILE
from exiface.encoders.elsewhere import find_architecture
from exiface.encoders.folder import EncoderFolder, holds_encoder
from exiface.encoders.image_encoder import ImageEncoder
from exiface.encoders.to_onnx import export_encoder
from exiface.errors import UserError
from exiface.provenance import versions
from exiface.threads import keep_freed_memory
from exiface.training.checkpoint import load_checkpoint, save_checkpoint
from exiface.training.config import ConfigError, TrainConfig
from exiface.training.distributed import Process
from exiface.training.recorder import Recorder, Report, draw_weights
from exiface.training.train_step import TrainStep, learning_rate
from exiface.training.training_data import Examples, examples
from exiface.training.validation import validate


class TrainingError(UserError):
    """Training that can't go on."""


def train(
    config: TrainConfig,
    manifest: Manifest,
    run: Path,
    process: Process,
    *,
    init: Path | None = None,
    text: Path | None = None,
    report: Report | None = None,
) -> Path:
    """Train an encoder on photographs, or go on with a run that was interrupted.

    Args:
        config: the settings.
        manifest: with the splits "train" and "validation".
        run: folder of the run: settings, figures, checkpoint, and at the end the encoder.
        process: this process among those that train together.
        init: weights of the same backbone to start from.
        text: weights of a text encoder, where heads are sentences.
        report: called with (steps done, steps in all, figures) now and then.

    Returns:
        The path of the exported encoder.

    Raises:
        ConfigError: settings and data don't fit.
        CheckpointError: the folder holds a run with other settings or photographs.
        TrainingError: the loss is not finite.
    """
    keep_freed_memory()
    rows = examples(config, manifest)
    if config.batch_size % (process.world_size * config.micro_batches):
        raise ConfigError(
            f"batch_size {config.batch_size} can't be shared evenly by {process.world_size} "
            f"processes with {config.micro_batches} micro-batches each"
        )
    per_epoch = rows.training.steps_per_epoch(config.batch_size)
    total = per_epoch * config.epochs
    identity = _identity(config, rows, (init, text))
    train_step = TrainStep(config, rows.takes, process, init, text)
    run.mkdir(parents=True, exist_ok=True)
    first = load_checkpoint(run, train_step, identity)
    if first >= total and _exported(run, config):
        return run / ENCODER_FILE
    made_of = _made_of(rows, init)
    recorder = None
    if process.writes:
        (run / "config.yaml").write_text(config.as_yaml(), "utf-8")
        (run / "run.json").write_text(json.dumps(made_of, indent=2) + "\n", "utf-8")
        recorder = Recorder(run, first, total, config.batch_size, report)

    def drawn(batches: Batches, size: int) -> Iterator[list[Batch]]:
        return batches.training(
            first,
            total,
            size,
            micro_batches=config.micro_batches,
            rank=process.rank,
            world_size=process.world_size,
        )

    others: Iterable[list[Batch]] = itertools.repeat([])
    if rows.others is not None:
        others = drawn(rows.others, _size_of_others(config, process, len(rows.others.manifest)))
    measured: dict[str, float] = {}
    both = zip(drawn(rows.training, config.batch_size), others, strict=False)
    for step, (micro_batches, of_others) in enumerate(both, start=first + 1):
        rate = learning_rate(step - 1, total, per_epoch, config)
        losses = train_step.step(step, rate, micro_batches, of_others)
        if not all(map(math.isfinite, losses.values())):
            raise TrainingError(
                f"the loss of step {step} is not finite ({losses}); lower learning_rate, "
                "or set precision=float32"
            )
        validates = step % (per_epoch * config.validate_epochs) == 0 or step == total
        if recorder is not None:
            if train_step.weights is not None:
                recorder.weights(step, train_step.weights.named())
            recorder.losses(step, losses, rate)
            if validates:
                measured = validate(
                    train_step.learnt, rows.validation, rows.takes, config.batch_size
                )
                recorder.figures(step, {"epoch": step / per_epoch, **measured})
            if step % config.checkpoint_steps == 0 or step == total:
                save_checkpoint(run, train_step, step, identity)
        if validates:
            process.wait()
    if recorder is not None:
        recorder.close()
        # Killed between the last checkpoint and here: there was no last step to measure.
        measured = measured or validate(
            train_step.learnt, rows.validation, rows.takes, config.batch_size
        )
        draw_weights(run)
        _export(run, train_step, rows, made_of, measured)
    process.wait()
    return run / ENCODER_FILE


def _exported(run: Path, config: TrainConfig) -> bool:
    """Whether a finished run's encoder is there, with the share of its start that is asked for."""
    if not holds_encoder(run):
        return False
    made_with = EncoderFolder.read(run).description.provenance.get("config", {})
    return bool(made_with.get("start_share") == config.start_share)


def _identity(config: TrainConfig, rows: Examples, starts: Sequence[Path | None]) -> str:
    """Digest all that decides the weights, so that another run's checkpoint isn't resumed."""
    # How often it is saved and with how many threads it is decoded decides nothing, and with what
    # the weights are interpolated in the end nothing of their way there.
    settings = config.model_copy(update={"checkpoint_steps": 1, "workers": None})
    decisive = settings.model_dump(mode="json", exclude={"start_share"})
    digest = hashlib.sha256(yaml.safe_dump(decisive, sort_keys=False).encode())
    for manifest in rows.manifests():
        digest.update("\n".join(manifest.sha256.tolist()).encode())
        digest.update(np.ascontiguousarray(manifest.box).tobytes())
    for start in starts:
        if start is not None:
            digest.update(start.read_bytes())
    return digest.hexdigest()


def _size_of_others(config: TrainConfig, process: Process, rows: int) -> int:
    """Photographs of a step by which weights are learnt: a whole number a process and part."""
    assert config.learnt_weights is not None  # noqa: S101 - there are such photographs
    parts = process.world_size * config.micro_batches
    size = parts * max(1, round(config.learnt_weights.batch * config.batch_size / parts))
    if rows < size:
        raise ConfigError(
            f"{rows} photographs are kept for learning the weights of losses, and a step needs "
            f"{size}: raise learnt_weights.held_out, or lower learnt_weights.batch"
        )
    return size


def _made_of(rows: Examples, init: Path | None) -> dict[str, Any]:
    made_of = {
        "training": rows.training.manifest.counts() | {"start": init.name if init else "random"},
        "validation": rows.validation.manifest.counts(),
        "versions": versions(),
    }
    if rows.others is not None:
        made_of["outer_step"] = rows.others.manifest.counts()
    return made_of


def _export(
    run: Path,
    train_step: TrainStep,
    rows: Examples,
    made_of: dict[str, Any],
    measured: dict[str, float],
) -> None:
    config, learnt = train_step.config, train_step.learnt
    architecture = find_architecture(config.architecture)
    directions = learnt.directions(architecture.features) | architecture.directions()
    provenance = made_of | {
        "validation": made_of["validation"] | measured,
        "config": config.model_dump(mode="json"),
    }
    if train_step.weights is not None:
        provenance["loss_weights"] = train_step.weights.named()
    if classifier := learnt.classifier():
        training = rows.training.manifest
        generated = training.generated
        provenance["supervised"] = {
            "photographs": int((~generated).sum()),
            "generated": int(generated.sum()),
            "sources": sorted(set(training.source[generated].tolist())),
        }
    description = EncoderDescription(
        config.architecture, architecture.features, train_step.takes, provenance
    )
    export_encoder(
        learnt.encoder if isinstance(learnt.encoder, ImageEncoder) else learnt.exported,
        description,
        run,
        half=config.exported == "float16",
        heads=directions,
        classifier=classifier,
        seen=set(np.concatenate([each.sha256 for each in rows.manifests()]).tolist()),
    )
