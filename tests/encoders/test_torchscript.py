"""Archives of TorchScript: their tensors are read, and nothing from them is run."""

import copy
import os
import pickle
import warnings
import zipfile

import pytest
import torch
from torch import nn

from exiface.encoders.description import EncoderError
from exiface.encoders.torchscript import is_archive, read_archive
from exiface.encoders.weights import read_tensors


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Conv2d(4, 2, 1), nn.PReLU())
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), inner).eval()


@pytest.fixture(scope="module", params=["script", "trace", "half"])
def archive(request, network, tmp_path_factory):
    path = tmp_path_factory.mktemp("archive") / "RN50.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated; the files remain
        if request.param == "trace":
            torch.jit.trace(network, torch.zeros(1, 3, 8, 8)).save(path)
        else:
            # A scripted module shares its parameters with its original: half would halve both.
            scripted = torch.jit.script(copy.deepcopy(network))
            (scripted.half() if request.param == "half" else scripted).save(path)
    return path


def test_tensors_are_those_of_the_state_dictionary(archive, network):
    assert is_archive(archive)
    found, expected = read_archive(archive), network.state_dict()
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor.to(found[name].dtype)), name
    assert {name: each.shape for name, each in read_tensors(archive).items()} == {
        name: each.shape for name, each in expected.items()
    }


class _Evil:
    def __reduce__(self):
        return os.system, ("touch executed",)


@pytest.mark.parametrize("content", [pickle.dumps(_Evil()), b"\x80\x02garbage", b""])
def test_nothing_is_executed(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil.pt"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("evil/data.pkl", content)
        file.writestr("evil/constants.pkl", b"")
    with pytest.raises(EncoderError, match=r"evil\.pt is not a plain file of tensors"):
        read_tensors(path)
    assert not (tmp_path / "executed").exists()


def test_a_cut_archive_is_refused(archive, tmp_path):
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(tmp_path / "cut.pt", "w") as cut:
        for name in whole.namelist():
            if not name.endswith("data/0"):
                cut.writestr(name, whole.read(name))
    with pytest.raises(EncoderError, match="not a plain file of tensors"):
        read_tensors(tmp_path / "cut.pt")
