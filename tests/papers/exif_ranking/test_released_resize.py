"""BLADES with weights by recipe: what the authors' program computes under either torchvision."""

import json
import runpy
from dataclasses import replace

import numpy as np
import pytest
import torch
from pyarrow import parquet

from exiface.encoders import EncoderFolder
from exiface.papers.checkpoints import read_checkpoint

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


def test_features_and_logits_are_the_published_ones(shared_reference, exiface, tmp_path):
    of_one_class = checkpoint(shared_reference, "oc", tmp_path / "OC.pth")
    encoder = tmp_path / "encoder"
    exiface("import", of_one_class, "-o", encoder, status=0)
    binary = read_checkpoint(checkpoint(shared_reference, "bc", tmp_path / "BC.pth"))
    files = EncoderFolder.read(encoder)
    description = files.description
    assert description.preprocessing.released == "plain"
    numbers = np.load(shared_reference / "blades_networks.npz")
    for resize, name in (("plain", "no_antialias"), ("antialiased", "antialias")):
        takes = replace(description.preprocessing, released=resize)
        replace(files, description=replace(description, takes=takes)).write(encoder)
        file = tmp_path / f"{resize}.parquet"
        sources = (shared_reference / IMAGE, "--cropped", "--encoder", encoder)
        exiface("features", *sources, "-o", file, status=0)
        [vector] = parquet.read_table(file).column("vector").to_pylist()
        expected = numbers[f"feature_unit_{name}"]
        assert np.abs(np.array(vector) - expected).max() < 1e-5
        hidden = torch.from_numpy(expected) @ binary.classifier["0.weight"].T
        hidden = (hidden + binary.classifier["0.bias"]).relu()
        odds = hidden @ binary.classifier["1.weight"].T + binary.classifier["1.bias"]
        expected = numbers[f"bc_prob_{name}"][1]
        assert odds.sigmoid().item() == pytest.approx(expected, abs=1e-5)
