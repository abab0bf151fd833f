"""The loop as a whole, in processes of its own: killed and resumed, and two at once."""

import json
import random
import time
from dataclasses import replace

import made_training
import numpy as np
import pytest
import torch
import yaml
from made_processes import forked, run_in_two
from made_training import small
from safetensors.torch import load_file, save_file

from exiface.datasets import Manifest
from exiface.detector.fitting import read_classifier
from exiface.encoders import EncoderFolder
from exiface.encoders.architectures import ARCHITECTURES
from exiface.scoring import Classifier
from exiface.training import ConfigError, read_config
from exiface.training import train as train_here
from exiface.training.checkpoint import CheckpointError
from exiface.training.distributed import Process

ALONE = Process(0, 1, torch.device("cpu"))
SETTINGS = [
    "epochs=4",
    "batch_size=8",
    "warmup_epochs=1",
    "learning_rate=0.01",
    "checkpoint_steps=2",
    "augmentation.jpeg=0.5",
    "workers=1",
    "precision=float32",  # two processes and one differ by more where there is bfloat16
]


@pytest.fixture(scope="module")
def manifest(prepared):
    return prepared


def start(manifest, run):
    """A process that trains, to be killed or waited for."""
    return forked(made_training.run, manifest, run, "batch", SETTINGS)


def train(manifest, run):
    process = start(manifest, run)
    process.join()
    assert process.exitcode == 0
    return run


def weights(run):
    return load_file(run / "checkpoint.safetensors")


@pytest.fixture(scope="module")
def uninterrupted(manifest, tmp_path_factory):
    return train(manifest, tmp_path_factory.mktemp("run") / "whole")


def test_the_run_folder_is_complete(uninterrupted, manifest):
    names = {path.name for path in uninterrupted.iterdir()}
    assert names == {
        *("config.yaml", "run.json", "metrics.jsonl", "checkpoint.safetensors", "tensorboard"),
        *("encoder.onnx", "encoder.json", "heads.safetensors", "photographs.txt"),
    }
    assert yaml.safe_load((uninterrupted / "config.yaml").read_text())["epochs"] == 4
    assert list((uninterrupted / "tensorboard").iterdir())
    run = json.loads((uninterrupted / "run.json").read_text())
    assert run["versions"]["torch"] == torch.__version__.split("+")[0]
    assert run["training"]["faces"] > run["validation"]["faces"] > 0
    lines = [
        json.loads(line) for line in (uninterrupted / "metrics.jsonl").read_text().splitlines()
    ]
    measured = [line for line in lines if "manipulation_auc" in line]
    assert [line["epoch"] for line in measured] == [1, 2, 3, 4]
    assert all(-1 <= line["spearman_iso_speed"] <= 1 for line in measured)
    assert any("loss_manipulation" in line for line in lines)
    files = EncoderFolder.read(uninterrupted)
    assert files.open().features == 16
    faces = Manifest.read(manifest)  # those kept from training are not listed
    assert files.seen == set(faces.of_split("train", "validation").sha256.tolist())
    assert files.seen.isdisjoint(faces.of_split("fit", "calibration").sha256.tolist())
    training = files.description.provenance["training"]
    assert training["start"] == "random"
    assert training["faces"] > 8


def test_killed_and_resumed_is_never_killed(uninterrupted, manifest, tmp_path):
    run = tmp_path / "killed"
    patience = random.Random(0)
    kills = 0
    while kills < 2:
        process = start(manifest, run)
        # Let it get to another checkpoint, then kill it at any moment.
        checkpoint = run / "checkpoint.safetensors"
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        while process.is_alive():
            if checkpoint.exists() and checkpoint.stat().st_mtime_ns != before:
                time.sleep(patience.uniform(0, 0.1))
                process.kill()
                break
            time.sleep(0.005)
        process.join()
        if process.exitcode == 0:
            break  # it was faster than the killing
        kills += 1
    assert kills > 0
    train(manifest, run)
    expected = weights(uninterrupted)
    resumed = weights(run)
    assert resumed.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(resumed[name], tensor), name
    steps = [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]
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


def weights_of_losses(run):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if "weight_manipulation" in line]


def test_learnt_weights_killed_and_resumed_are_those_of_a_run_never_killed(
    manifest, tmp_path, monkeypatch
):
    monkeypatch.setitem(ARCHITECTURES, "compact", small())
    faces = Manifest.read(manifest)
    config = read_config(None, [*SETTINGS, *LEARNT, "epochs=3"])
    whole = tmp_path / "whole"
    train_here(config, faces, whole, ALONE)
    logged = weights_of_losses(whole)
    total = logged[-1]["step"]
    assert [line["step"] for line in logged] == list(range(1, total + 1))
    names = {name for name in logged[0] if name != "step"}
    assert names == {f"weight_{name}" for name in config.losses}
    moved = {name for name in names if logged[0][name] != logged[-1][name]}
    assert names - moved == {"weight_white_balance"}  # which no photograph here has
    assert (whole / "weights.png").stat().st_size > 5000
    for kept in ("weights.values", "weights.exp_avg", "weights.exp_avg_sq"):
        assert weights(whole)[kept].shape == (len(names),)

    killed = tmp_path / "killed"

    def kill(step, *_):
        if step == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_here(config, faces, killed, ALONE, report=kill)
    train_here(config, faces, killed, ALONE)
    expected, resumed = weights(whole), weights(killed)
    assert resumed.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(resumed[name], tensor), name
    assert weights_of_losses(killed) == logged
    seen = set((whole / "photographs.txt").read_text().split())
    assert set(faces.of_split("train", "validation").sha256) == seen  # those held out as well


def test_two_processes_learn_what_one_does(manifest, tmp_path, monkeypatch):
    # Group normalisation: batch statistics would differ by design (each process its own).
    monkeypatch.setitem(ARCHITECTURES, "compact", small("group"))
    settings = ["epochs=2", "learnt_weights={held_out: 0.25, learning_rate: 0.01}"]
    alone = tmp_path / "one"
    train_here(read_config(None, [*SETTINGS, *settings]), Manifest.read(manifest), alone, ALONE)
    together = tmp_path / "two"
    run_in_two(made_training.run, manifest, together, "group", [*SETTINGS, *settings])
    one, two = weights(alone), weights(together)
    assert one.keys() == two.keys()
    assert one["weights.values"].std() > 0.003
    for name, tensor in one.items():
        if name.startswith(("task.", "weights.")):
            assert torch.allclose(two[name], tensor, atol=1e-3), name


def test_a_finished_run_is_left_alone_and_another_one_refused(uninterrupted, manifest, monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "compact", small())
    faces = Manifest.read(manifest)
    before = (uninterrupted / "encoder.onnx").stat().st_mtime_ns
    train_here(read_config(None, SETTINGS), faces, uninterrupted, ALONE)
    assert (uninterrupted / "encoder.onnx").stat().st_mtime_ns == before
    with pytest.raises(CheckpointError, match="other settings"):
        train_here(read_config(None, [*SETTINGS, "seed=1"]), faces, uninterrupted, ALONE)


def test_another_share_of_the_start_is_exported_from_a_finished_run(
    manifest, tmp_path, monkeypatch
):
    monkeypatch.setitem(ARCHITECTURES, "compact", small())
    faces, run, init = Manifest.read(manifest), tmp_path / "run", tmp_path / "init.safetensors"
    torch.manual_seed(1)
    save_file(ARCHITECTURES["compact"].build().state_dict(), init)
    settings = [*SETTINGS, "epochs=1", "warmup_epochs=0"]
    exported = []
    for share in (0.0, 0.5):
        config = read_config(None, [*settings, f"start_share={share}"])
        train_here(config, faces, run, ALONE, init=init)
        made_with = EncoderFolder.read(run).description.provenance["config"]
        assert made_with["start_share"] == share
        exported.append((run / "encoder.onnx").read_bytes())
    assert exported[0] != exported[1]


SUPERVISED = [
    *SETTINGS,
    *("shares.generated=1.0", "sampling.generated=0.5", "averaging=0.9", "validate_epochs=1"),
    *("epochs=2", "window=40", "augmentation.scale=0.5", "leave_out=[scan*]"),
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
    class InterruptedTrainingError(Exception):
        pass

    def interrupt(step, total, _):
        if step < total:  # the figures of the first epoch
            raise InterruptedTrainingError

    missing = read_config(None, ["leave_out=[stylegan*]"])
    with pytest.raises(ConfigError, match=r"stylegan\*.*one, scanner, two"):
        train_here(missing, of_both, tmp_path, ALONE)
    config = read_config(None, SUPERVISED)
    with pytest.raises(InterruptedTrainingError):
        train_here(config, of_both, tmp_path / "twice", ALONE, report=interrupt)
    assert (tmp_path / "twice" / "checkpoint.safetensors").exists()
    for name in ("twice", "once"):
        train_here(config, of_both, tmp_path / name, ALONE)
    twice, once = weights(tmp_path / "twice"), weights(tmp_path / "once")
    assert twice.keys() == once.keys()
    for name, tensor in once.items():
        assert torch.equal(twice[name], tensor), name

    averages = {name: value for name, value in once.items() if name.startswith("average.module.")}
    assert any(
        not torch.equal(value, once["task." + name.removeprefix("average.module.")])
        for name, value in averages.items()
    )
    classifier = read_classifier(EncoderFolder.read(tmp_path / "once"))
    assert isinstance(classifier, Classifier)
    exported = once["average.module.heads.generated.weight"].numpy()
    assert np.array_equal(classifier.direction, exported[0])
    description = EncoderFolder.read(tmp_path / "once").description
    assert description.preprocessing.largest == 64
    assert description.provenance["supervised"]["sources"] == ["one", "two"]
    last = (tmp_path / "once" / "metrics.jsonl").read_text().splitlines()[-1]
    assert 0 <= json.loads(last)["generated_auc"] <= 1

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
