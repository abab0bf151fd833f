"""BLADES in miniature: photographs with EXIF -> prepare -> train -> fit -> detect."""

import json

import numpy as np
import pytest
import torch
from made_training import small
from safetensors.numpy import load_file
from torch import nn

from exiface.datasets import assign_splits
from exiface.datasets.batches import FaceBatches
from exiface.encoders import EncoderFolder
from exiface.encoders.architectures import ARCHITECTURES
from exiface.photos import MANIPULATIONS, TAG_NAMES, Preprocessing
from exiface.training.config import ConfigError, read_config
from exiface.training.heads import MANIPULATED_REGIONS
from exiface.training.losses import Ranking, region_loss
from exiface.training.task import PretextTask


@pytest.mark.long
def test_from_photographs_to_verdicts(scanned, exiface, tmp_path, monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "compact", small())
    manifest, run, detector = (tmp_path / name for name in ("m.parquet", "run", "detector"))
    faces = scanned[0]
    splits = {"train": 0.4, "validation": 0.1, "fit": 0.1, "calibration": 0.4}
    faces.with_split(assign_splits(faces.photo, faces.group, splits)).write(manifest)
    exiface(
        *("train", "--data", manifest, "--config", "blades-small", "-o", run),
        *("--set", "batch_size=8", "--set", "epochs=2", "--set", "validate_epochs=1"),
        *("--set", "learnt_weights.held_out=0.3"),
        status=0,
    )
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert {"weight_regions", "weight_iso_speed", "weight_white_balance"} < set(lines[0])
    measured = [line for line in lines if "manipulation_auc" in line][-1]
    assert -1 <= measured["spearman_iso_speed"] <= 1
    # Heads as directions: the vector of the highest level less that of the lowest.
    directions = load_file(run / "heads.safetensors")
    assert set(directions) == {*TAG_NAMES, "manipulation"}
    encoder = EncoderFolder.read(run).open()
    crops = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    assert np.linalg.norm(encoder.encode(list(crops)), axis=1) == pytest.approx(1, abs=1e-5)
    learnt = encoder.description.provenance["loss_weights"].keys()
    assert learnt > directions.keys() | {"make", "exposure_program", MANIPULATED_REGIONS}
    exiface("fit", "--encoder", run, "--photos", manifest, "-o", detector, status=0)
    assert "loss weights" in exiface("info", detector).out


@pytest.mark.parametrize("kind", ["linear", "class-vectors"])
def test_levels_and_sides_become_one_number(kind):
    torch.manual_seed(0)
    task = PretextTask(
        nn.Flatten(),
        12,
        ranked=("iso_speed",),
        classes=("white_balance",),
        ranking=Ranking(levels=3),
        regions=True,
        heads=kind,
    )
    features = nn.functional.normalize(torch.randn(6, 12))
    outputs = task.outputs(features.reshape(6, 3, 2, 2))
    level = outputs[:, :3].softmax(1) @ torch.tensor([1.0, 2.0, 3.0])
    assert torch.allclose(task.score(outputs, "iso_speed"), level)
    sides = outputs[:, task.columns["manipulation"]]
    expected = sides[:, 0] if kind == "linear" else sides[:, 1] - sides[:, 0]
    assert torch.equal(task.score(outputs, "manipulation"), expected)
    directions = task.directions(15)
    assert directions.keys() == {"iso_speed", "manipulation"}
    assert all(each.shape == (15,) and not each[12:].any() for each in directions.values())
    along = features @ directions["manipulation"][:12]
    assert np.corrcoef(along.numpy(), expected.detach().numpy())[0, 1] > 0.999


def test_regions_are_learnt_from_the_published_manipulations_and_untouched_faces():
    torch.manual_seed(0)
    task = PretextTask(
        nn.Flatten(), 12, families=("manipulation", "smoothing"), ranked=(), regions=True
    )
    ways = torch.tensor([-1, 0, 1, 2, 3, -1, -1])
    manipulated = torch.tensor([0, 1, 1, 1, 1, 2, 0])
    generated = torch.tensor([False] * 6 + [True])
    crops = torch.randn(7, 3, 2, 2)
    losses = task(crops, torch.full((7, 4), torch.nan), manipulated, generated, manipulation=ways)
    # Neither a smoothed face, which is changed everywhere and nowhere, nor a generated one.
    changed = torch.tensor([[0, 0], [1, 0], [1, 0], [0, 1], [1, 1]])
    logits = task.outputs(crops)[:5, task.columns[MANIPULATED_REGIONS]]
    assert losses[MANIPULATED_REGIONS].item() == pytest.approx(
        region_loss(logits, changed).mean().item()
    )


def test_what_was_done_to_a_face_is_told(scanned):
    manifest = scanned[0].select(np.arange(20))
    drawn = FaceBatches(manifest, Preprocessing(32), families=("manipulation", "smoothing"))
    batches = [part for step in drawn.training(0, 12, 8) for part in step]
    ways = np.concatenate([batch.manipulation for batch in batches])
    manipulated = np.concatenate([batch.manipulated for batch in batches])
    assert ((ways >= 0) == (manipulated == 1)).all()
    assert set(ways) == {-1, *range(len(MANIPULATIONS))}
    manifest.landmarks[:] = np.nan  # of this copy; then only the whole face can be warped
    [batch] = next(drawn.training(0, 1, 16))
    assert set(batch.manipulation) == {-1, len(MANIPULATIONS) - 1}


@pytest.mark.parametrize(
    ("config", "settings", "said"),
    [
        ("blades", ("learnt_weights.held_out=0.3", "batch_size=8"), "--text"),
        ("blades-small", ("learnt_weights.held_out=0.02", "batch_size=8"), "raise learnt_weights"),
        ("blades-small", ("batch_size=512",), "lower batch_size"),
    ],
)
def test_what_a_training_lacks_is_said(prepared, exiface, tmp_path, config, settings, said):
    run = ("train", "--data", prepared, "-o", tmp_path / "run", "--config", config)
    changes = (part for setting in settings for part in ("--set", setting))
    assert said in exiface(*run, *changes, status=2).err


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (["regions=true", "families=[smoothing]"], "regions are of the family manipulation"),
        (["heads=class-vectors", "architecture=mirrored"], "features are all read"),
        (
            ["heads=sentences", "shares.generated=1", "sampling.generated=0.5"],
            "without shares.generated",
        ),
        (["learnt_weights.primary=sharpness"], "primary must be one of aperture"),
        (["learnt_weights.held_out=1"], "held_out must be >= 0 and < 1"),
        (["learnt_weights.learning_rate=0"], "learning_rate must be > 0"),
        (["ranking.levels=1"], "levels must be at least 2"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, reason):
    with pytest.raises(ConfigError, match=reason):
        read_config(None, settings)
