"""The task of whole images: fourteen tags of patches, and nearness to another encoder."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from exiface.papers.sdaie.network import LENGTH, PatchEncoder
from exiface.photos import RANKED_TAGS
from exiface.photos.camera_settings import CLASSES
from exiface.photos.patches import Patches
from exiface.training.losses import Ranking, class_loss, ranking_loss
from exiface.training.task import NEAR, PretextTask, Shares

TOLD = ("make", "series", "flash", "metering_mode", "exposure_mode", "white_balance")
SDAIE = Ranking(1.0, "cross-entropy", "halves", "greater")


def task_of(**how):
    torch.manual_seed(0)
    return PretextTask(PatchEncoder(), LENGTH, ranked=RANKED_TAGS, classes=TOLD, families=(), **how)


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (4, 2, 64, 64, 3), np.uint8)
    tags = torch.from_numpy(rng.uniform(1, 9, (4, len(RANKED_TAGS))))
    tags[1, 0] = torch.nan
    classes = torch.tensor([[rng.integers(len(each)) for each in CLASSES.values()]] * 4)
    classes[2, 0] = -1
    nothing = torch.zeros(4, dtype=torch.long)
    return pixels, tags, nothing, nothing.bool(), classes


def test_losses_are_those_of_each_tag(batch):
    task = task_of(ranking=SDAIE, shares=Shares(ranking=0.5, classes=2.0))
    pixels, tags, manipulated, generated, classes = batch
    patches = task.crops(pixels, Patches())
    assert patches.shape == (4, 2, 3, 64, 64)
    losses, outputs = task(patches, tags, manipulated, generated, classes), task.outputs(patches)
    assert outputs.shape[1] == len(RANKED_TAGS) + sum(len(CLASSES[name]) for name in TOLD)
    total = 0.0
    for column, name in enumerate(RANKED_TAGS):
        expected = ranking_loss(outputs[:, column], tags[:, column], SDAIE)
        assert losses[name].item() == pytest.approx(expected.item(), abs=1e-6)
        total += 0.5 * expected.item()
    for name in TOLD:  # of the first of each pair alone, as published
        logits = outputs[:2, task.columns[name]]
        expected = class_loss(logits, classes[:2, list(CLASSES).index(name)])
        assert losses[name].item() == pytest.approx(expected.item(), abs=1e-6)
        total += 2.0 * expected.item()
    assert task.total(losses).item() == pytest.approx(total, rel=1e-5)


def test_nearness_is_the_distance_of_five_maps_and_teaches_no_one_else(batch):
    torch.manual_seed(1)
    other = PatchEncoder()
    task = task_of(near=other, shares=Shares(ranking=0, classes=0, near=0.05))
    patches = task.crops(batch[0], Patches())
    losses = task(patches, *batch[1:])
    with torch.inference_mode():
        pairs = zip(
            task.encoder.maps(patches.flatten(0, 1)), other.maps(patches.flatten(0, 1)), strict=True
        )
        expected = sum((one - two).square().mean().item() for one, two in pairs)
    assert losses[NEAR].item() == pytest.approx(expected, rel=1e-4)
    assert task.total(losses).item() == pytest.approx(0.05 * expected, rel=1e-4)
    task.total(losses).backward()
    assert task.encoder.group2[0].weight.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in other.parameters())
    assert not any("near" in name for name in task.state_dict())


def test_the_authors_losses(shared_reference):
    """Ranked: cross-entropy of Phi(a - b), 1 where a >= b; classes: cross-entropy of image a."""
    tensors = load_file(shared_reference / "sdaie_backbone.safetensors")
    network = PatchEncoder(pooling="first").eval()
    of_encoder = {key: value for key, value in tensors.items() if ".backbone." in key}
    network.load_state_dict(
        {key.removeprefix("module.backbone."): value for key, value in of_encoder.items()}
    )
    described = json.loads((shared_reference / "sdaie_losses.json").read_text("utf-8"))
    with np.load(shared_reference / "sdaie_losses.npz") as expected, torch.inference_mode():
        patches = torch.from_numpy(expected["patches"])
        features = network(patches.transpose(0, 1).flatten(0, 1))  # five firsts, five seconds
        found = []
        for place in range(14):
            head = f"module.fc{place + 1}"
            outputs = features @ tensors[f"{head}.weight"].T + tensors[f"{head}.bias"]
            label = torch.from_numpy(expected["labels"][:, place])
            if place in described["ranked_items"]:
                # What the first has more of, or as much of, is 1 against 0.
                tag = torch.cat([label, torch.zeros(5)])
                tag[:5], tag[5:] = (
                    torch.where(label > 0, 1.0, 0.0),
                    torch.where(label > 0, 1.0, 0.5),
                )
                found.append(ranking_loss(outputs[:, 0], tag, SDAIE).item())
            else:
                found.append(class_loss(outputs[:5], label).item())
        assert np.allclose(found, expected["losses"], rtol=1e-5)
    assert sum(found) == pytest.approx(15.746671, rel=1e-6)
