"""BLADES with weights by recipe: what the authors' program computes under either torchvision."""

import json
import runpy

import numpy as np
import pytest
import torch
from pyarrow import parquet

from exiface.encoders.checkpoints import read_checkpoint

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


@pytest.mark.parametrize("resize", ["plain", "antialiased"])
def test_features_and_logits_are_the_published_ones(shared_reference, exiface, tmp_path, resize):
    name = {"plain": "no_antialias", "antialiased": "antialias"}[resize]
    with np.load(shared_reference / "blades_networks.npz") as file:
        expected = {key: file[f"{key}_{name}"] for key in ("feature_unit", "bc_prob")}
    of_one_class = checkpoint(shared_reference, "oc", tmp_path / "OC.pth")
    done = exiface("import", of_one_class, "-o", tmp_path / "encoder", "--resize", resize)
    assert done.status == 0, done.err
    sources = (shared_reference / IMAGE, "--cropped", "--encoder", tmp_path / "encoder")
    done = exiface("features", *sources, "-o", tmp_path / "f.parquet")
    assert done.status == 0, done.err
    [vector] = parquet.read_table(tmp_path / "f.parquet").column("vector").to_pylist()
    largest = np.abs(expected["feature_unit"]).max()
    assert np.abs(np.array(vector) - expected["feature_unit"]).max() < 1e-5 * max(1, 1 / largest)
    binary = read_checkpoint(checkpoint(shared_reference, "bc", tmp_path / "BC.pth"))
    hidden = torch.from_numpy(expected["feature_unit"]) @ binary.classifier["0.weight"].T
    hidden = (hidden + binary.classifier["0.bias"]).relu()
    odds = hidden @ binary.classifier["1.weight"].T + binary.classifier["1.bias"]
    assert odds.sigmoid().item() == pytest.approx(expected["bc_prob"][1], abs=1e-5)
