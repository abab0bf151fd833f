import pytest
import torch
from safetensors.torch import save_file

from exiface.encoders.architectures import ARCHITECTURES
from exiface.photos import Preprocessing
from exiface.pretext import ConfigError, TrainConfig
from exiface.pretext.distributed import Process
from exiface.pretext.learner import Learner, multiplies_bfloat16


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    path = tmp_path_factory.mktemp("start") / "start.safetensors"
    torch.manual_seed(1)
    save_file(ARCHITECTURES["compact"].build().state_dict(), path)
    return path


def learner(init, **settings):
    process = Process(0, 1, torch.device("cpu"))
    return Learner(TrainConfig(**settings), Preprocessing(128), process, init)


@pytest.mark.parametrize("averaging", [0.0, 0.5])
def test_the_encoder_exported_lies_between_start_and_end(start, averaging):
    learning = learner(start, start_share=0.25, averaging=averaging)
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


def test_without_a_share_nothing_is_copied(start):
    learning = learner(start)
    assert learning.learnt is learning.task


@pytest.mark.parametrize(
    ("known", "expected"), [({}, False), ({"avx512_bf16": True}, True), ({"amx_bf16": True}, True)]
)
def test_bfloat16_is_for_processors_that_multiply_it(monkeypatch, known, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known, raising=False)
    assert multiplies_bfloat16(torch.device("cpu")) is expected
    assert multiplies_bfloat16(torch.device("cuda"))


def test_a_share_of_no_weights_is_refused():
    with pytest.raises(ConfigError, match="--init"):
        learner(None, start_share=0.1)
