"""The loop as a whole, in processes of its own: killed and resumed, and two at once."""

import json
import random
import time
from dataclasses import replace
from types import SimpleNamespace

import made_training
import numpy as np
import pytest
import torch
import yaml
from made_processes import forked, run_in_two
from made_training import small
from safetensors.torch import load_file, save_file
from torch import nn

from exiface.datasets import Manifest
from exiface.detector.fitting import read_classifier
from exiface.encoders import EncoderFolder
from exiface.encoders.architectures import ARCHITECTURES
from exiface.scoring import Classifier
from exiface.training import ConfigError, read_config
from exiface.training import train as train_here
from exiface.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from exiface.training.distributed import Process

ALONE = Process(0, 1, torch.device("cpu"))
SETTINGS = [
    "epochs=2",
    "batch_size=8",
    "warmup_epochs=1",
    "learning_rate=0.01",
    "checkpoint_steps=2",
    "augmentation.jpeg=0.5",
    "workers=1",
    "precision=float32",  # two processes and one differ by more where there is bfloat16
]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As the processes that are started have, or sums would differ in their last digit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def train(manifest, run, settings=(), normalisation="batch", **how):
    """Train in this process."""
    faces = manifest if isinstance(manifest, Manifest) else Manifest.read(manifest)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ARCHITECTURES, "compact", small(normalisation))
        train_here(read_config(None, [*SETTINGS, *settings]), faces, run, ALONE, **how)
    return run


def weights(run):
    return load_file(run / "checkpoint.safetensors")


def assert_equal_weights(run, other):
    assert weights(run).keys() == weights(other).keys()
    for name, tensor in weights(other).items():
        assert torch.equal(weights(run)[name], tensor), name


def logged(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def uninterrupted(prepared, tmp_path_factory):
    return train(prepared, tmp_path_factory.mktemp("run") / "whole")


def test_the_run_folder_is_complete(uninterrupted, prepared):
    names = {path.name for path in uninterrupted.iterdir()}
    assert names == {
        *("config.yaml", "run.json", "metrics.jsonl", "checkpoint.safetensors", "tensorboard"),
        *("encoder.onnx", "encoder.json", "heads.safetensors", "photographs.txt"),
    }
    assert yaml.safe_load((uninterrupted / "config.yaml").read_text())["epochs"] == 2
    assert list((uninterrupted / "tensorboard").iterdir())
    run = json.loads((uninterrupted / "run.json").read_text())
    assert run["versions"]["torch"] == torch.__version__.split("+")[0]
    assert run["training"]["faces"] > run["validation"]["faces"] > 0
    measured = [line for line in logged(uninterrupted) if "manipulation_auc" in line]
    assert [line["epoch"] for line in measured] == [1, 2]
    assert all(-1 <= line["spearman_iso_speed"] <= 1 for line in measured)
    assert any("loss_manipulation" in line for line in logged(uninterrupted))
    files = EncoderFolder.read(uninterrupted)
    assert files.open().features == 16
    faces = Manifest.read(prepared)  # those kept from training are not listed
    assert files.seen == set(faces.of_split("train", "validation").sha256.tolist())
    assert files.seen.isdisjoint(faces.of_split("fit", "calibration").sha256.tolist())
    training = files.description.provenance["training"]
    assert training["start"] == "random"
    assert training["faces"] > 8


def test_killed_and_resumed_is_never_killed(uninterrupted, prepared, tmp_path):
    run = tmp_path / "killed"
    process = forked(made_training.run, prepared, run, "batch", SETTINGS)
    while process.is_alive() and not (run / "checkpoint.safetensors").exists():
        time.sleep(0.005)
    time.sleep(random.uniform(0, 0.1))
    process.kill()
    process.join()
    train(prepared, run)
    assert_equal_weights(run, uninterrupted)
    steps = [line["step"] for line in logged(run)]
    assert steps == sorted(steps)
    assert (run / "encoder.onnx").exists()


LEARNT = [
    "learnt_weights={held_out: 0.25, learning_rate: 0.01}",
    "classes=[make, white_balance]",
    "ranking={levels: 3}",
    "class_loss=focal-fidelity",
    "regions=true",
    "heads=class-vectors",
]


@pytest.fixture(scope="module")
def learnt(prepared, tmp_path_factory):
    """A run that learns the weights of its losses."""
    # Group normalisation: batch statistics would differ by design (each process its own).
    return train(prepared, tmp_path_factory.mktemp("run") / "learnt", LEARNT, "group")


def weights_of_losses(run):
    return [line for line in logged(run) if "weight_manipulation" in line]


def test_learnt_weights_interrupted_are_those_of_a_run_never_interrupted(
    learnt, prepared, tmp_path
):
    lines = weights_of_losses(learnt)
    total = lines[-1]["step"]
    assert [line["step"] for line in lines] == list(range(1, total + 1))
    names = {name for name in lines[0] if name != "step"}
    assert names == {f"weight_{name}" for name in read_config(None, LEARNT).losses}
    moved = {name for name in names if lines[0][name] != lines[-1][name]}
    assert names - moved == {"weight_white_balance"}  # which no photograph here has
    assert (learnt / "weights.png").stat().st_size > 5000
    for kept in ("weights.values", "weights.exp_avg", "weights.exp_avg_sq"):
        assert weights(learnt)[kept].shape == (len(names),)

    def interrupt(step, *_):
        if step < total:  # after the first epoch
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(prepared, tmp_path, LEARNT, "group", report=interrupt)
    train(prepared, tmp_path, LEARNT, "group")
    assert_equal_weights(tmp_path, learnt)
    assert weights_of_losses(tmp_path) == lines
    seen = set((learnt / "photographs.txt").read_text().split())
    faces = Manifest.read(prepared)
    assert set(faces.of_split("train", "validation").sha256) == seen  # those held out as well


def test_two_processes_learn_what_one_does(learnt, prepared, tmp_path):
    run_in_two(made_training.run, prepared, tmp_path, "group", [*SETTINGS, *LEARNT])
    one, two = weights(learnt), weights(tmp_path)
    assert one.keys() == two.keys()
    assert one["weights.values"].std() > 0.003
    for name, tensor in one.items():
        if name.startswith(("task.", "weights.")):
            assert torch.allclose(two[name], tensor, atol=1e-3), name


def test_a_finished_run_is_left_alone_and_another_one_refused(uninterrupted, prepared):
    before = (uninterrupted / "encoder.onnx").stat().st_mtime_ns
    train(prepared, uninterrupted)
    assert (uninterrupted / "encoder.onnx").stat().st_mtime_ns == before
    with pytest.raises(CheckpointError, match="other settings"):
        train(prepared, uninterrupted, ["seed=1"])


def test_another_share_of_the_start_is_exported_from_a_finished_run(prepared, tmp_path):
    run, init = tmp_path / "run", tmp_path / "init.safetensors"
    torch.manual_seed(1)
    save_file(small().build().state_dict(), init)
    exported = []
    for share in (0.0, 0.5):
        settings = ["epochs=1", "warmup_epochs=0", f"start_share={share}"]
        train(prepared, run, settings, init=init)
        made_with = EncoderFolder.read(run).description.provenance["config"]
        assert made_with["start_share"] == share
        exported.append((run / "encoder.onnx").read_bytes())
    assert exported[0] != exported[1]


SUPERVISED = [
    *SETTINGS,
    *("shares.generated=1.0", "sampling.generated=0.5", "averaging=0.9", "validate_epochs=1"),
    *("window=40", "largest=48", "augmentation.scale=0.5", "leave_out=[scan*]"),
]


@pytest.fixture
def of_both(scanned, monkeypatch):
    """A third of the faces called generated, of sources 0 and 1, and some of a source left out."""
    monkeypatch.setitem(ARCHITECTURES, "compact", small(largest=64))
    faces = scanned[0]
    row = np.arange(len(faces))
    columns = {
        "source": np.where(row % 10 == 9, "scanner", np.where(row % 2, "one", "two")),
        "generated": row % 3 == 0,
    }
    return replace(faces, **columns)


def test_an_interrupted_run_with_generated_faces_and_an_average_goes_on(of_both, tmp_path):
    def interrupt(step, total, _):
        if step < total:  # the figures of the first epoch
            raise KeyboardInterrupt

    missing = read_config(None, ["leave_out=[stylegan*]"])
    with pytest.raises(ConfigError, match=r"stylegan\*.*one, scanner, two"):
        train_here(missing, of_both, tmp_path, ALONE)
    config = read_config(None, SUPERVISED)
    with pytest.raises(KeyboardInterrupt):
        train_here(config, of_both, tmp_path / "twice", ALONE, report=interrupt)
    assert (tmp_path / "twice" / "checkpoint.safetensors").exists()
    for name in ("twice", "once"):
        train_here(config, of_both, tmp_path / name, ALONE)
    assert_equal_weights(tmp_path / "twice", tmp_path / "once")
    once = weights(tmp_path / "once")
    averages = {name: value for name, value in once.items() if name.startswith("average.module.")}
    assert any(
        not torch.equal(value, once["task." + name.removeprefix("average.module.")])
        for name, value in averages.items()
    )
    classifier = read_classifier(EncoderFolder.read(tmp_path / "once"))
    assert isinstance(classifier, Classifier)
    exported = once["average.module.heads.generated.weight"].numpy()
    assert np.array_equal(classifier.arrays()["0.weight"][0], exported[0])
    description = EncoderFolder.read(tmp_path / "once").description
    assert description.preprocessing.largest == 48  # in place of the architecture's 64
    assert description.provenance["supervised"]["sources"] == ["one", "two"]
    assert 0 <= logged(tmp_path / "once")[-1]["generated_auc"] <= 1

    listed = (tmp_path / "once" / "photographs.txt").read_text().split()
    left_out = of_both.sha256[of_both.source == "scanner"]
    assert not set(left_out.tolist()) & set(listed)


def test_without_its_share_no_generated_face_is_seen(of_both, tmp_path):
    config = read_config(
        None, [*SETTINGS, "epochs=1", "warmup_epochs=0", "window=40", "micro_batches=2"]
    )
    train_here(config, of_both, tmp_path, ALONE)
    files = EncoderFolder.read(tmp_path)
    assert not files.seen & set(of_both.sha256[of_both.generated].tolist())
    assert read_classifier(files) is None


def learning():
    """A frozen layer, and one that learns in another memory format."""
    torch.manual_seed(0)
    task = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 4, 3)).to(
        memory_format=torch.channels_last
    )
    task[0].requires_grad_(False)
    optimizer = torch.optim.AdamW(task[1].parameters())
    return SimpleNamespace(task=task, optimizer=optimizer, average=None, weights=None)


def test_the_state_of_what_learns_is_restored_in_its_own_memory_format(tmp_path):
    before, after = learning(), learning()
    before.task(torch.ones(2, 3, 8, 8)).square().mean().backward()
    before.optimizer.step()
    save_checkpoint(tmp_path, before, 1, "this run")
    assert load_checkpoint(tmp_path, after, "this run") == 1
    for own, restored in zip(before.task[1].parameters(), after.task[1].parameters(), strict=True):
        for name, tensor in before.optimizer.state[own].items():
            assert torch.equal(after.optimizer.state[restored][name], tensor)
            assert after.optimizer.state[restored][name].stride() == tensor.stride(), name
