"""The published training on a miniature of the published data, from the published checkpoint."""

import json
import runpy

import numpy as np
import pytest
import torch
from made_layouts import write_fdf
from safetensors.torch import load_file
from torch import nn
from torchvision.models import resnet50

from exiface.papers.checkpoints import read_checkpoint
from exiface.photos import Preprocessing, read_photo

pytestmark = pytest.mark.long


def test_prepare_train_and_what_came_of_it(tmp_path, exiface):
    root, manifest, run = tmp_path / "data", tmp_path / "fdf.parquet", tmp_path / "run"
    write_fdf(root, 8)
    torch.manual_seed(0)
    network = resnet50(weights=None)
    network.fc = nn.Linear(2048, 768)
    tensors = {f"model.visual.{key}": value for key, value in network.state_dict().items()}
    torch.save({"model": tensors}, tmp_path / "wrapper_75_new.pth")

    exiface("prepare", "--layout", "fdf", root, "-o", manifest, "--splits", _HALVES, status=0)
    exiface(
        *("train", "--config", "published", "--data", manifest, "-o", run),
        *("--init", tmp_path / "wrapper_75_new.pth"),
        *("--set", "epochs=1", "--set", "batch_size=4", "--set", "precision=float32"),
        status=0,
    )
    description = json.loads((run / "encoder.json").read_text())
    assert description["provenance"]["training"]["start"] == "wrapper_75_new.pth"
    assert description["features"] == 768
    trained = load_file(run / "checkpoint.safetensors")
    # A step at a rate of 1e-5: all weights have moved, and none has moved far from the start.
    moved = (trained["task.encoder.fc.weight"] - network.fc.weight).abs().max()
    assert 1e-7 < moved < 1e-4


_HALVES = "train=0.5,validation=0.5"


IMAGE = "blades_image_260x300.png"


def checkpoint(reference, kind, path):
    """A file of the published names and shapes, each tensor filled by its name."""
    recipe = runpy.run_path(str(reference / "blades_recipe.py"))
    shapes = json.loads((reference / f"blades_{kind}_keys.json").read_text())
    tensors = {}
    for key, shape in shapes.items():
        name = key if kind == "oc" else key.removeprefix("model.")
        tensors[key] = torch.from_numpy(recipe["tensor"](name, tuple(shape)))
    torch.save({"model": tensors}, path)
    return path


def test_features_and_logits_are_the_published_ones(shared_reference, tmp_path):
    of_one_class = read_checkpoint(checkpoint(shared_reference, "oc", tmp_path / "OC.pth"))
    binary = read_checkpoint(checkpoint(shared_reference, "bc", tmp_path / "BC.pth"))
    numbers = np.load(shared_reference / "blades_networks.npz")
    photo = read_photo(shared_reference / IMAGE).pixels
    height, width = photo.shape[:2]
    for resize, name in (("plain", "no_antialias"), ("antialiased", "antialias")):
        takes = Preprocessing(224, released=resize)
        crop = takes.normalise(takes.crop(photo, (0, 0, width, height))[None])
        with torch.inference_mode():
            [vector] = of_one_class.network(torch.from_numpy(crop)).numpy()
        expected = numbers[f"feature_unit_{name}"]
        assert np.abs(vector - expected).max() < 1e-5
        hidden = torch.from_numpy(expected) @ binary.classifier["0.weight"].T
        hidden = (hidden + binary.classifier["0.bias"]).relu()
        odds = hidden @ binary.classifier["1.weight"].T + binary.classifier["1.bias"]
        expected = numbers[f"bc_prob_{name}"][1]
        assert odds.sigmoid().item() == pytest.approx(expected, abs=1e-5)
