"""BLADES with weights by recipe: what the authors' program computes under either torchvision."""

import json
import runpy

import numpy as np
import pytest
import torch

from exiface.papers.checkpoints import read_checkpoint
from exiface.photos import Preprocessing, read_photo

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
