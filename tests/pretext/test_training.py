"""The loop as a whole, in processes of its own: killed and resumed, and two at once."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from exiface.datasets import scan
from exiface.encoders import OnnxEncoder, read_encoder
from exiface.pretext.checkpoint import CheckpointError

WORKER = Path(__file__).with_name("worker.py")
SETTINGS = [
    "epochs=4",
    "batch_size=8",
    "warmup_epochs=1",
    "learning_rate=0.01",
    "checkpoint_steps=2",
    "augmentation.jpeg=0.5",
    "workers=1",
]


@pytest.fixture(scope="module")
def manifest(photos, tmp_path_factory):
    path = tmp_path_factory.mktemp("manifest") / "m.parquet"
    scan(photos)[0].write(path)
    return path


def command(manifest, run, *settings, normalise="batch", processes=1):
    start = [sys.executable]
    if processes > 1:
        start += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    return [*start, str(WORKER), str(manifest), str(run), normalise, *SETTINGS, *settings]


def train(manifest, run, *settings, **how):
    finished = subprocess.run(
        command(manifest, run, *settings, **how), capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
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
    model, description = read_encoder(uninterrupted)
    assert OnnxEncoder(model, description).description.features == 16
    training = description.provenance["training"]
    assert training["start"] == "random"
    assert training["faces"] > 8


def test_killed_and_resumed_is_never_killed(uninterrupted, manifest, tmp_path):
    run = tmp_path / "killed"
    patience = random.Random(0)
    kills = 0
    while kills < 3:
        process = subprocess.Popen(
            command(manifest, run), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        # Let it get to another checkpoint, then kill it at any moment.
        checkpoint = run / "checkpoint.safetensors"
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        while process.poll() is None:
            if checkpoint.exists() and checkpoint.stat().st_mtime_ns != before:
                time.sleep(patience.uniform(0, 0.1))
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.005)
        if process.wait() == 0:
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


def test_two_processes_learn_what_one_does(manifest, tmp_path):
    # Group normalisation: batch statistics would differ by design (each process its own).
    alone = train(manifest, tmp_path / "one", "epochs=2", normalise="group")
    together = train(manifest, tmp_path / "two", "epochs=2", normalise="group", processes=2)
    one, two = weights(alone), weights(together)
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        if name.startswith("task."):
            assert torch.allclose(two[name], tensor, atol=2e-4), name


def test_micro_batches_of_one_process_average_gradients(manifest, tmp_path):
    run = train(manifest, tmp_path / "run", "epochs=2", "micro_batches=2", normalise="group")
    losses = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert all(
        0 <= line["loss_manipulation"] <= 1 for line in losses if "loss_manipulation" in line
    )


def test_a_finished_run_is_left_alone_and_another_one_refused(uninterrupted, manifest, tmp_path):
    before = (uninterrupted / "encoder.onnx").stat().st_mtime_ns
    train(manifest, uninterrupted)
    assert (uninterrupted / "encoder.onnx").stat().st_mtime_ns == before
    other = subprocess.run(
        command(manifest, uninterrupted, "seed=1"), capture_output=True, text=True, check=False
    )
    assert other.returncode != 0
    assert CheckpointError.__name__ in other.stderr
    assert "other settings" in other.stderr


def test_photographs_kept_from_training_are_not_listed(uninterrupted, manifest):
    from exiface.datasets import Manifest

    faces = Manifest.read(manifest)
    seen = set((uninterrupted / "photographs.txt").read_text().split())
    assert seen == set(faces.of_split("train", "validation").sha256.tolist())
    assert seen.isdisjoint(faces.of_split("fit", "calibration").sha256.tolist())
