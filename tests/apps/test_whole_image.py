"""The whole way of whole images, in miniature: photographs with EXIF -> an encoder -> verdicts."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from exiface.datasets import Manifest, read_records, scan
from exiface.detector import Detector
from exiface.detector.folder import DetectorError, read_folder
from exiface.encoders.architectures import ARCHITECTURES
from exiface.encoders.own_pixels import WindowEncoder
from exiface.papers.sdaie.network import PatchEncoder
from exiface.photos import read_photo
from exiface.photos.patches import Patches
from exiface.training import ConfigError, read_config
from exiface.training.distributed import Process
from exiface.training.train_step import TrainStep

TINY = (
    *("--set", "epochs=1", "--set", "batch_size=4", "--set", "warmup_epochs=0"),
    *("--set", "workers=1", "--set", "families=[]", "--set", "precision=float32"),
    *("--set", "classes=[make, flash]", "--set", "exported=float16"),
)


@pytest.fixture(scope="module")
def both(tmp_path_factory, photos):
    """A folder of photographs and of pictures that stand for generated ones, with its records."""
    folder = tmp_path_factory.mktemp("both")
    rows = ["file,source,generated"]
    for path in sorted(photos.glob("[01]/*.jpg")):
        shutil.copy(path, folder)
        rows.append(f"{path.name},camera,0")
    for number in range(8):
        made = np.random.default_rng(number).integers(0, 256, (150, 180, 3), np.uint8)
        Image.fromarray(made).save(folder / f"made-{number}.png")
        rows.append(f"made-{number}.png,made,1")
    (folder / "records.csv").write_text("\n".join(rows) + "\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def prepared(both, tmp_path_factory):
    """Its manifest."""
    path = tmp_path_factory.mktemp("prepared") / "both.parquet"
    records = read_records(both / "records.csv")
    splits = {"train": 0.4, "validation": 0.3, "calibration": 0.3}
    scan(both, subject="image", records=records, fractions=splits)[0].write(path)
    return path


def shallow():
    """The first layers of the encoder of windows."""
    network = WindowEncoder()
    network.features = network.features[:5]
    return network


@pytest.mark.long
def test_from_photographs_to_verdicts(exiface, both, tmp_path, monkeypatch):
    windows = replace(ARCHITECTURES["windows"], build=shallow, features=32)
    monkeypatch.setitem(ARCHITECTURES, "windows", windows)
    manifest = tmp_path / "both.parquet"
    prepare = ("prepare", both, "-o", manifest, "--subject", "image", "--json", "--records")
    splits = ("--splits", "train=0.4,validation=0.3,calibration=0.3")
    summary = json.loads(exiface(*prepare, both / "records.csv", *splits, status=0).out)
    rows = Manifest.read(manifest)
    assert (summary["subject"], summary["rows"]) == ("image", len(rows))

    run = tmp_path / "run"
    train = ("train", "--data", manifest, "-o", run, "--set", "architecture=windows", *TINY)
    train += ("--set", "patches=1", "--set", "window=128", "--set", "most_patches=4")
    exiface(*train, "--set", "shares.generated=1", "--set", "sampling.generated=0.5", status=0)
    described = json.loads((run / "encoder.json").read_text("utf-8"))
    assert described["patches"]["most"] == 4
    assert described["patches"]["chosen"] == "evenly"

    fit = ("fit", "--encoder", run, "--photos", manifest, "--alpha", "0.3", "--beta", "0.5")
    exiface(*fit, "--as-sent", "-o", tmp_path / "detector", status=0)
    parts = read_folder(tmp_path / "detector")
    assert parts.attention is None
    calibrating = rows.of_split("calibration", "fit")
    assert len(parts.calibration.scores) == 3 * (~calibrating.generated).sum()

    detector = Detector.load(tmp_path / "detector")
    photo = both / str(rows.path[0])
    [result] = detector.detect(photo)
    assert result.image is not None
    assert result.verdict is result.image.verdict
    pixels = read_photo(photo).pixels
    tokens = detector.whole.encoder.tokens(pixels)
    assert np.allclose(detector.whole.encoder.encode([pixels])[0], tokens.mean(0), atol=1e-5)
    with pytest.raises(DetectorError, match="judges whole images, and one of faces is needed"):
        _ = detector.encoder


def test_an_encoder_learns_from_what_it_looks_at(exiface, prepared, tmp_path, encoder_folder):
    train = ("train", "--data", prepared, "-o", tmp_path / "run")
    assert "learns from faces, and the manifest is of images" in exiface(*train, status=2).err
    assert "families are of faces" in exiface(*train, "--set", "architecture=patches", status=2).err
    fit = ("fit", "--encoder", encoder_folder, "--photos", prepared, "-o", tmp_path / "d")
    assert "--subject face" in exiface(*fit, status=2).err


def test_the_published_encoder_begins_anew_and_stays_near_itself(tmp_path):
    torch.manual_seed(0)
    known = {f"task.encoder.{key}": each for key, each in PatchEncoder().state_dict().items()}
    save_file(known, tmp_path / "checkpoint.safetensors")
    settings = ["architecture=patches", "families=[]", "ranked=[]", "from_scratch=true"]
    settings += ["shares.generated=1", "sampling.generated=0.5", "shares.near=0.05"]
    config = read_config(None, settings)
    alone = Process(0, 1, torch.device("cpu"))
    task = TrainStep(config, Patches(), alone, tmp_path / "checkpoint.safetensors").task
    weight = known["task.encoder.group2.0.weight"]
    assert torch.equal(task._near[0].group2[0].weight, weight)
    assert not torch.equal(task.encoder.group2[0].weight, weight)
    with pytest.raises(ConfigError, match="--init"):
        TrainStep(config, Patches(), alone)
