import numpy as np
import pytest
import torch
from made_training import small
from safetensors.torch import save_file

from exiface.datasets.sampling import Batch
from exiface.encoders.architectures import ARCHITECTURES
from exiface.photos import Preprocessing
from exiface.training import ConfigError, TrainConfig
from exiface.training.bilevel import LearntWeights
from exiface.training.distributed import Process
from exiface.training.train_step import TrainStep, multiplies_bfloat16


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    path = tmp_path_factory.mktemp("start") / "start.safetensors"
    torch.manual_seed(1)
    save_file(ARCHITECTURES["compact"].build().state_dict(), path)
    return path


def train_step(init, **settings):
    process = Process(0, 1, torch.device("cpu"))
    return TrainStep(TrainConfig(**settings), Preprocessing(128), process, init)


@pytest.mark.parametrize("averaging", [0.0, 0.5])
def test_the_encoder_exported_lies_between_start_and_end(start, averaging):
    learning = train_step(start, start_share=0.25, averaging=averaging)
    begun = {name: each.clone() for name, each in learning.task.encoder.state_dict().items()}
    for copy in (learning.task, *([learning.average.module] if averaging else [])):
        for each in copy.encoder.state_dict().values():
            each.add_(1)
    learnt = learning.learnt.encoder.state_dict()
    for name, tensor in begun.items():
        expected = tensor + (0.75 if tensor.is_floating_point() else 1)
        assert torch.allclose(learnt[name], expected, atol=1e-5), name
    for name, tensor in learning.task.encoder.state_dict().items():
        assert torch.equal(tensor, begun[name] + 1), name  # training goes on with its own


@pytest.mark.parametrize(
    ("known", "expected"), [({}, False), ({"avx512_bf16": True}, True), ({"amx_bf16": True}, True)]
)
def test_bfloat16_is_for_processors_that_multiply_it(monkeypatch, known, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known, raising=False)
    assert multiplies_bfloat16(torch.device("cpu")) is expected
    assert multiplies_bfloat16(torch.device("cuda"))


def faces(number, seed=0):
    rng = np.random.default_rng(seed)
    return Batch(
        rng.integers(0, 256, (number, 32, 32, 3), np.uint8),
        rng.random((number, 7)),
        rng.integers(0, 2, (number, 8)).astype(np.int8),
        np.arange(number) % 2,
        np.zeros(number, bool),
        np.where(np.arange(number) % 2, 2, -1),
    )


def learns_weights(normalisation, monkeypatch, **settings):
    monkeypatch.setitem(ARCHITECTURES, "compact", small(normalisation))
    process = Process(0, 1, torch.device("cpu"))
    config = TrainConfig(**{"precision": "float32", "optimizer": "adamw", **settings})
    return TrainStep(config, Preprocessing(32), process)


def test_batch_statistics_move_only_in_the_real_step(monkeypatch):
    plain = learns_weights("batch", monkeypatch)
    learnt = learns_weights("batch", monkeypatch, learnt_weights=LearntWeights())
    plain.step(1, 1e-3, [faces(8)])
    learnt.step(1, 1e-3, [faces(8)], [faces(8, seed=1)])
    norm, expected = learnt.task.encoder[1], plain.task.encoder[1]
    assert norm.num_batches_tracked == 1
    assert torch.equal(norm.running_mean, expected.running_mean)
    assert torch.equal(norm.running_var, expected.running_var)


@pytest.mark.parametrize("derivative", ["exact", "difference"])
def test_parts_that_are_equal_are_one_part(monkeypatch, derivative):
    settings = LearntWeights(derivative=derivative, learning_rate=0.01)
    whole = learns_weights("group", monkeypatch, learnt_weights=settings)
    halves = learns_weights("group", monkeypatch, learnt_weights=settings)
    for number in range(1, 4):
        batch, others = faces(8, seed=number), faces(4, seed=9 + number)
        losses = whole.step(number, 1e-3, [batch], [others])
        assert halves.step(number, 1e-3, [batch] * 2, [others] * 2) == pytest.approx(losses)
    assert whole.weights.named() == pytest.approx(halves.weights.named(), abs=1e-4)
    assert np.std(list(whole.weights.named().values())) > 0.005
    for one, other in zip(whole.task.parameters(), halves.task.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_gradients_of_parts_are_averaged(monkeypatch):
    whole = learns_weights("group", monkeypatch)
    parts = learns_weights("group", monkeypatch)
    batch, other = faces(8), faces(8, seed=1)
    gradients = []
    for each in (batch, other):
        whole.step(1, 0.0, [each])
        gradients.append([parameter.grad.clone() for parameter in whole.task.parameters()])
    parts.step(1, 0.0, [batch, other])
    for one, two, both in zip(*gradients, parts.task.parameters(), strict=True):
        assert torch.allclose(both.grad, (one + two) / 2, atol=1e-6)
    assert any(each.abs().max() > 1e-3 for each in gradients[0])


def test_a_share_of_no_weights_is_refused():
    with pytest.raises(ConfigError, match="--init"):
        train_step(None, start_share=0.1)
