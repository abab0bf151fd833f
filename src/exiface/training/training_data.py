"""What a run learns from: which rows of a manifest train, validate, or teach the loss weights."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from exiface.datasets import Manifest, assign_splits, cap
from exiface.datasets.batches import FaceBatches, PatchBatches
from exiface.datasets.sampling import Batches
from exiface.encoders.description import PATCHES
from exiface.encoders.elsewhere import find_architecture
from exiface.photos import RANKED_TAGS, Preprocessing
from exiface.photos.camera_settings import CLASSES
from exiface.photos.patches import Patches
from exiface.training.config import ConfigError, TrainConfig

_OTHERS = 1  # added to the seed of photographs by which the weights of losses are learnt


@dataclass(frozen=True)
class Examples:
    """The rows of a run."""

    takes: Preprocessing | Patches  #: what makes the encoder's input of a photograph.
    training: Batches  #: what the network learns from.
    validation: Batches  #: what it is measured on.
    others: Batches | None  #: what the weights of losses are learnt by; None where they aren't.

    def manifests(self) -> list[Manifest]:
        """All that shapes the encoder."""
        parts = (self.training, self.validation, self.others)
        return [each.manifest for each in parts if each is not None]


def examples(config: TrainConfig, manifest: Manifest) -> Examples:
    """Choose the rows of the splits "train" and "validation" that a run learns from.

    Settings that don't fit the data are a ConfigError.
    """
    architecture = find_architecture(config.architecture)
    takes: Preprocessing | Patches = (
        Patches(architecture.size, config.most_patches, "evenly")
        if architecture.subject == "image"
        else architecture.preprocessing(config.crop_scale, config.largest)
    )
    manifest = _wanted(manifest, config)
    training = _rows(manifest, "train", config)
    others = None
    if (learnt := config.learnt_weights) is not None:
        held_out = training
        if learnt.held_out:
            shares = {"training": 1 - learnt.held_out, "others": learnt.held_out}
            dealt = assign_splits(
                training.photo, np.full(len(training), ""), shares, seed=config.seed
            )
            training, held_out = (training.select(dealt == part) for part in shares)
        others = _batches(held_out, config, takes, seed=config.seed + _OTHERS)
    validation = _rows(manifest, "validation", config)
    return Examples(
        takes,
        _batches(training, config, takes),
        _batches(validation, config, takes, augmented=False),
        others,
    )


def _wanted(manifest: Manifest, config: TrainConfig) -> Manifest:
    """The rows that play a part; with a picture left out go others of the same photograph."""
    subject = find_architecture(config.architecture).subject
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


def _rows(manifest: Manifest, split: str, config: TrainConfig) -> Manifest:
    """Those of a split, with no photograph or camera beyond its measure."""
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
    return rows


def _batches(
    rows: Manifest,
    config: TrainConfig,
    takes: Preprocessing | Patches,
    *,
    augmented: bool = True,
    seed: int | None = None,
) -> Batches:
    options: dict[str, Any] = {
        "augmentation": config.augmentation if augmented else None,
        "sampling": config.sampling,
        "seed": config.seed if seed is None else seed,
        "workers": config.workers,
    }
    if isinstance(takes, Patches):
        return PatchBatches(
            rows,
            takes,
            number=config.patches,
            side=None if config.architecture == PATCHES else config.window,
            window=config.window,
            **options,
        )
    window = None if takes.largest is None else config.window
    return FaceBatches(rows, takes, families=config.families, window=window, **options)


def _teaches(rows: Manifest, config: TrainConfig) -> bool:
    """Whether there is a tag to learn, where tags are learnt."""
    ranked = config.ranked if config.shares.ranking else ()
    classes = config.classes if config.shares.classes else ()
    if not (ranked or classes):
        return True
    values = rows.tags[:, [RANKED_TAGS.index(name) for name in ranked]]
    places = rows.classes[:, [list(CLASSES).index(name) for name in classes]]
    return bool(np.isfinite(values).any() or (places >= 0).any())
