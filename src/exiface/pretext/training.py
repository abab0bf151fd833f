"""The training loop.

    exiface train --data manifest.parquet -o runs/first
    torchrun --nproc-per-node 2 -m exiface train --data manifest.parquet -o runs/first

A run that was killed goes on where its last checkpoint stands, and ends with the same weights as
one that never was: what a step does depends on its number alone.
"""

import contextlib
import hashlib
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from exiface.datasets import Manifest, cap
from exiface.datasets.batches import Batch, FaceBatches
from exiface.encoders import EncoderDescription
from exiface.encoders.architectures import ARCHITECTURES, load_backbone
from exiface.encoders.description import ENCODER_FILE, SEEN_FILE
from exiface.encoders.export import export
from exiface.photos import Preprocessing
from exiface.pretext.checkpoint import load_checkpoint, save_checkpoint
from exiface.pretext.config import ConfigError, TrainConfig
from exiface.pretext.distributed import Process
from exiface.pretext.recorder import Recorder
from exiface.pretext.task import PretextTask
from exiface.pretext.validation import crops_of, validate
from exiface.provenance import versions

_LOG_STEPS = 10
CONFIG_FILE = "config.yaml"

Report = Callable[[int, int, dict[str, float]], None]


class TrainingError(RuntimeError):
    """Training that can't go on."""


def train(
    config: TrainConfig,
    manifest: Manifest,
    run: Path,
    process: Process,
    *,
    init: Path | None = None,
    report: Report = lambda step, total, figures: None,
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
    architecture = ARCHITECTURES[config.architecture]
    preprocessing = Preprocessing(architecture.size, config.crop_scale)
    training = _faces(manifest, "train", config, preprocessing)
    validation = _faces(manifest, "validation", config, preprocessing)
    if config.batch_size % (process.world_size * config.micro_batches):
        raise ConfigError(
            f"batch_size {config.batch_size} can't be shared evenly by {process.world_size} "
            f"processes with {config.micro_batches} micro-batches each"
        )
    try:
        steps_per_epoch = training.steps_per_epoch(config.batch_size)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    total = steps_per_epoch * config.epochs

    torch.manual_seed(config.seed)
    encoder = architecture.build()
    if init is not None:
        load_backbone(encoder, init, last_layer=architecture.last_layer)
    task = PretextTask(encoder, architecture.features, config.ranking_scale)
    task = task.to(process.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    model: nn.Module = task
    if process.world_size > 1:
        if process.device.type == "cuda":
            model = task = nn.SyncBatchNorm.convert_sync_batchnorm(task)
        model = DistributedDataParallel(task)
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    optimizer = kind(
        task.parameters(),
        betas=config.betas,
        eps=config.epsilon,
        weight_decay=config.weight_decay,
    )
    identity = _identity(config, training, validation, init)
    run.mkdir(parents=True, exist_ok=True)
    first = load_checkpoint(run, task, optimizer, identity)
    if first >= total and (run / ENCODER_FILE).exists():
        return run / ENCODER_FILE
    recorder = None
    if process.writes:
        (run / CONFIG_FILE).write_text(config.as_yaml(), "utf-8")
        recorder = Recorder(run, first)

    batches = training.training(
        first,
        total,
        config.batch_size,
        micro_batches=config.micro_batches,
        rank=process.rank,
        world_size=process.world_size,
    )
    clock, clock_step = time.perf_counter(), first
    for step, micro_batches in enumerate(batches, start=first + 1):
        rate = learning_rate(step - 1, total, steps_per_epoch, config)
        for group in optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed((config.seed * 1_000_003 + step) * 1_009 + process.rank)
        losses = _step(model, optimizer, micro_batches, training, process.device, config)
        if not all(map(math.isfinite, losses.values())):
            raise TrainingError(
                f"the loss of step {step} is not finite ({losses}); lower learning_rate, "
                "or set precision=float32"
            )
        if recorder is None:
            if step % (steps_per_epoch * config.validate_epochs) == 0 or step == total:
                process.wait()
            continue
        if step % _LOG_STEPS == 0 or step == total:
            seconds = time.perf_counter() - clock
            figures: dict[str, float] = {f"loss_{name}": loss for name, loss in losses.items()}
            figures["learning_rate"] = rate
            figures["faces_per_second"] = (step - clock_step) * config.batch_size / seconds
            recorder.record(step, figures)
            report(step, total, figures)
            clock, clock_step = time.perf_counter(), step
        if step % (steps_per_epoch * config.validate_epochs) == 0 or step == total:
            measured = validate(task, validation, process.device, config.batch_size)
            recorder.record(step, {"epoch": step / steps_per_epoch, **measured})
            report(step, total, measured)
            process.wait()
            clock, clock_step = time.perf_counter(), step
        if step % config.checkpoint_steps == 0 or step == total:
            save_checkpoint(run, task, optimizer, step, identity)
    if recorder is not None:
        recorder.close()
        _export(run, task, config, training, validation, preprocessing, init)
    process.wait()
    return run / ENCODER_FILE


def learning_rate(step: int, total: int, steps_per_epoch: int, config: TrainConfig) -> float:
    """The learning rate of a step: linear warm-up, then half a cosine that ends with training.

    Example:
        >>> config = TrainConfig(learning_rate=1.0, warmup_epochs=1, epochs=3)
        >>> [round(learning_rate(step, 6, 2, config), 3) for step in range(6)]
        [0.5, 1.0, 1.0, 0.854, 0.5, 0.146]
    """
    warmup = round(config.warmup_epochs * steps_per_epoch)
    if step < warmup:
        return config.learning_rate * (step + 1) / warmup
    done = (step - warmup) / max(1, total - warmup)
    span = config.learning_rate - config.final_learning_rate
    return config.final_learning_rate + span * (1 + math.cos(math.pi * done)) / 2


def _step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    micro_batches: list[Batch],
    faces: FaceBatches,
    device: torch.device,
    config: TrainConfig,
) -> dict[str, float]:
    """One optimiser step; returns the losses, averaged over the micro-batches."""
    half = config.precision == "bfloat16" or (
        config.precision == "auto" and device.type == "cuda"
    )
    optimizer.zero_grad(set_to_none=True)
    sums: dict[str, float] = {}
    for number, batch in enumerate(micro_batches, start=1):
        # Gradients are exchanged once, with the last part.
        apart = isinstance(model, DistributedDataParallel) and number < len(micro_batches)
        with (
            model.no_sync() if apart else contextlib.nullcontext(),  # type: ignore[operator]
            torch.autocast(device.type, torch.bfloat16, enabled=half),
        ):
            losses = model(
                crops_of(batch, faces, device),
                torch.from_numpy(batch.tags).to(device, torch.float32),
                torch.from_numpy(batch.manipulated).to(device, torch.float32),
            )
            (losses.pop("total") / len(micro_batches)).backward()
        for name, loss in losses.items():
            sums[name] = sums.get(name, 0.0) + loss.item() / len(micro_batches)
    optimizer.step()
    return sums


def _faces(
    manifest: Manifest, split: str, config: TrainConfig, preprocessing: Preprocessing
) -> FaceBatches:
    faces = manifest.of_split(split)
    kept = cap(
        faces.photo,
        faces.camera,
        per_photo=config.max_faces_per_photo,
        per_camera=config.max_faces_per_camera,
        seed=config.seed,
    )
    if not len(kept):
        raise ConfigError(f"the manifest has no face in the split {split!r}; prepare more")
    return FaceBatches(
        faces.select(kept),
        preprocessing,
        augmentation=config.augmentation if split == "train" else None,
        seed=config.seed,
        workers=config.workers,
    )


def _identity(
    config: TrainConfig, training: FaceBatches, validation: FaceBatches, init: Path | None
) -> str:
    """A digest of all that decides the weights, so that another run's checkpoint isn't resumed."""
    # How often it is saved and with how many threads it is decoded decides nothing.
    settings = config.model_copy(update={"checkpoint_steps": 1, "workers": None})
    digest = hashlib.sha256(settings.as_yaml().encode())
    for faces in (training.manifest, validation.manifest):
        digest.update("\n".join(faces.sha256.tolist()).encode())
        digest.update(np.ascontiguousarray(faces.box).tobytes())
    if init is not None:
        digest.update(init.read_bytes())
    return digest.hexdigest()


def _export(
    run: Path,
    task: PretextTask,
    config: TrainConfig,
    training: FaceBatches,
    validation: FaceBatches,
    preprocessing: Preprocessing,
    init: Path | None,
) -> None:
    manifests = (training.manifest, validation.manifest)
    seen = sorted(set(np.concatenate([faces.sha256 for faces in manifests]).tolist()))
    (run / SEEN_FILE).write_text("".join(f"{digest}\n" for digest in seen), "utf-8")
    provenance: dict[str, Any] = {
        "training": {
            "faces": len(training.manifest),
            "photographs": len(np.unique(training.manifest.photo)),
            "groups": len(np.unique(training.manifest.group)),
            "cameras": len(set(training.manifest.camera.tolist()) - {""}),
            "start": init.name if init else "random",
        },
        "validation": validate(
            task, validation, next(task.parameters()).device, config.batch_size
        ),
        "config": config.model_dump(mode="json"),
        "versions": versions(),
    }
    description = EncoderDescription(
        config.architecture, ARCHITECTURES[config.architecture].features, preprocessing, provenance
    )
    export(task.encoder, description, run)
