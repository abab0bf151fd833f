"""Architectures, export and runtime, which only mean something together."""

import copy
import json
import os
import pickle
import warnings
import zipfile

import numpy as np
import pytest
import torch
from made import with_statistics
from safetensors.torch import save_file
from torch import nn

from exiface.encoders import EncoderDescription, EncoderError, EncoderFolder, OnnxEncoder
from exiface.encoders.architectures import ARCHITECTURES
from exiface.encoders.mirrored import MirroredEncoder
from exiface.encoders.own_pixels import OwnPixelsEncoder
from exiface.encoders.to_onnx import export_encoder
from exiface.encoders.torchscript import is_archive, read_archive
from exiface.encoders.weights import load_backbone, read_tensors
from exiface.photos import Preprocessing


class ShallowMirrored(MirroredEncoder):
    """Two of the six depths, which have every kind of layer and of feature."""

    DEPTHS, CHANNELS, TEXTURES, ASYMMETRIES, LENGTH = (1, 3), (16, 24), 32, 4, 60


@pytest.mark.parametrize(
    ("kind", "features", "takes"),
    [
        (ShallowMirrored, 60, Preprocessing(64)),
        (OwnPixelsEncoder, 24, Preprocessing(64, largest=96)),
    ],
)
def test_torch_and_onnx_runtime_agree_on_crops_of_any_size(
    kind, features, takes, astronaut, face, tmp_path
):
    torch.manual_seed(0)
    network = kind()
    network.features = network.features[:4]  # with every kind of layer
    with_statistics(network, torch.randn(4, 3, 64, 64))
    x0, y0 = face.box[:2]
    boxes = [(x0, y0, x0 + side, y0 + side) for side in (45.0, 60.0, 70.0, 60.0, 90.0)]
    crops = [takes.crop(astronaut, box) for box in boxes]
    sides = [64, 78, 91, 78, 96] if takes.largest else [64] * 5
    assert [len(crop) for crop in crops] == sides
    export_encoder(network, EncoderDescription("shallow", features, takes), tmp_path)
    files = EncoderFolder.read(tmp_path)
    encoder = files.open()
    found = encoder.encode(crops)
    assert found.shape == (5, features)
    for crop, vector in zip(crops, found, strict=True):
        with torch.inference_mode():
            expected = network(torch.from_numpy(takes.normalise([crop])))[0].numpy()
        assert np.abs(vector - expected).max() < 1e-4
        assert np.abs(expected).max() > 1e-2  # or the line above says nothing
        assert np.abs(vector - encoder.encode([crop])[0]).max() < 1e-4
    assert encoder.encode(crops[:0]).shape == (0, features)
    assert b"stack_trace" not in files.model  # nothing says where its source lay


def test_a_backbone_starts_from_weights_with_another_last_layer(tmp_path):
    from torchvision.models import mobilenet_v2

    torch.manual_seed(1)
    source = mobilenet_v2(weights=None).state_dict()
    torch.save(source, tmp_path / "weights.pth")
    # As a run's checkpoint has them: the average comes first.
    of_run = {f"average.module.encoder.{key}": tensor for key, tensor in source.items()}
    of_run |= {f"task.encoder.{key}": torch.zeros_like(tensor) for key, tensor in source.items()}
    save_file(of_run, tmp_path / "checkpoint.safetensors")
    for name in ("weights.pth", "checkpoint.safetensors"):
        network = ARCHITECTURES["compact"].build()
        before = network.classifier.weight.clone()
        taken = load_backbone(network, tmp_path / name, last_layer="classifier.")
        assert taken == len(source) - 2
        own = network.state_dict()
        assert all(
            torch.equal(own[key], tensor)
            for key, tensor in source.items()
            if not key.startswith("classifier")
        )
        assert torch.equal(network.classifier.weight, before)


def test_other_weights_are_refused(tmp_path):
    torch.save({"conv.weight": torch.zeros(3)}, tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("no")
    network = ARCHITECTURES["compact"].build()
    for name, reason in (("other", "lacks"), ("text", "not a plain"), ("absent", "no such")):
        with pytest.raises(EncoderError, match=reason):
            load_backbone(network, tmp_path / f"{name}.pth", last_layer="classifier.")


def test_incomplete_and_unknown_encoders_are_refused(encoder_folder, tmp_path):
    with pytest.raises(EncoderError, match=r"encoder\.onnx, encoder\.json missing"):
        EncoderFolder.read(tmp_path)
    (tmp_path / "encoder.onnx").write_bytes(b"no model")
    values = json.loads((encoder_folder / "encoder.json").read_text())
    for change, reason in (
        ({"version": 9}, "version 9"),
        ({"colour": 1}, "not complete"),
        ({"preprocessing": {}}, "not complete"),
    ):
        (tmp_path / "encoder.json").write_text(json.dumps(values | change))
        with pytest.raises(EncoderError, match=reason):
            EncoderFolder.read(tmp_path)
    (tmp_path / "encoder.json").write_text(json.dumps(values))
    files, right = EncoderFolder.read(tmp_path), EncoderFolder.read(encoder_folder).model
    with pytest.raises(EncoderError, match="not an ONNX model"):
        OnnxEncoder(files.model, files.description)
    wrong = EncoderDescription("small", 7, files.description.preprocessing)
    with pytest.raises(EncoderError, match="its description says 7"):
        OnnxEncoder(right, wrong)


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
