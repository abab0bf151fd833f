"""The published training on a miniature of the published data, from the published checkpoint."""

import json

import torch
from made_layouts import write_fdf
from safetensors.torch import load_file
from torch import nn
from torchvision.models import resnet50


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
