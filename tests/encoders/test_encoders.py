"""Architectures, export and runtime, which only mean something together."""

import json

import numpy as np
import pytest
import torch
from made import with_statistics
from safetensors.torch import save_file

from exiface.encoders import EncoderDescription, EncoderError, EncoderFolder, OnnxEncoder
from exiface.encoders.architectures import ARCHITECTURES
from exiface.encoders.to_onnx import export_encoder
from exiface.encoders.weights import load_backbone
from exiface.photos import Preprocessing, read_photo
from exiface.photos.faces import FaceDetector


def description_of(name: str) -> EncoderDescription:
    architecture = ARCHITECTURES[name]
    return EncoderDescription(name, architecture.features, Preprocessing(architecture.size))


def seeded(name: str) -> torch.nn.Module:
    """An encoder whose batch normalisation has seen something, as after training."""
    torch.manual_seed(0)
    side = ARCHITECTURES[name].size
    return with_statistics(ARCHITECTURES[name].build(), torch.randn(4, 3, side, side))


# Those at a crop's own pixels take any size: test_own_pixels; of resnet50: papers/test_checkpoints.
OF_ONE_SIZE = [
    name
    for name, each in ARCHITECTURES.items()
    if each.subject == "face" and each.largest is None and name != "resnet50"
]


@pytest.fixture(scope="module", params=OF_ONE_SIZE)
def exported(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    network = seeded(request.param)
    export_encoder(network, description_of(request.param), folder)
    return network, folder


@pytest.fixture(scope="module")
def crops(photos):
    detector = FaceDetector()
    faces = []
    for path in sorted((photos / "0").glob("*.jpg"))[:6]:
        pixels = read_photo(path).pixels
        faces.append((pixels, detector.detect(pixels)[0].box))
    return faces


def test_torch_and_onnx_runtime_agree_on_real_crops(exported, crops):
    network, folder = exported
    files = EncoderFolder.read(folder)
    model, description = files.model, files.description
    preprocessing = description.preprocessing
    batch = np.stack([preprocessing.crop(pixels, box) for pixels, box in crops])
    with torch.inference_mode():
        expected = network(torch.from_numpy(preprocessing.normalise(batch))).numpy()
    encoder = OnnxEncoder(model, description)
    features = encoder.encode(batch)
    assert features.shape == (6, description.features)
    assert np.abs(features - expected).max() < 1e-4
    assert np.abs(expected).max() > 1e-2  # or the line above says nothing
    one_by_one = np.concatenate([encoder.encode(crop[None]) for crop in batch])
    assert np.abs(features - one_by_one).max() < 1e-4
    assert encoder.encode(batch[:0]).shape == (0, description.features)
    assert b"stack_trace" not in model  # nothing says where its source lay


def test_the_published_encoder_is_resnet50_with_768_features():
    network = ARCHITECTURES["resnet50"].build()
    assert network.fc.weight.shape == (768, 2048)
    assert sum(parameter.numel() for parameter in network.parameters()) == 25_081_664
    assert description_of("resnet50").preprocessing.size == 224


def test_a_backbone_starts_from_weights_with_another_last_layer(tmp_path):
    from torchvision.models import mobilenet_v2

    torch.manual_seed(1)
    source = mobilenet_v2(weights=None).state_dict()
    torch.save(source, tmp_path / "weights.pth")
    save_file(source, tmp_path / "weights.safetensors")
    # As a run's checkpoint has them: the average comes first.
    of_run = {f"average.module.encoder.{key}": tensor for key, tensor in source.items()}
    of_run |= {f"task.encoder.{key}": torch.zeros_like(tensor) for key, tensor in source.items()}
    save_file(of_run, tmp_path / "checkpoint.safetensors")
    for name in ("weights.pth", "weights.safetensors", "checkpoint.safetensors"):
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


class Malicious:
    def __reduce__(self):
        return (print, ("executed",))


def test_weights_that_want_to_execute_are_refused(tmp_path, capsys):
    torch.save({"features": Malicious()}, tmp_path / "bad.pth")
    network = ARCHITECTURES["compact"].build()
    with pytest.raises(EncoderError, match="nothing else is loaded"):
        load_backbone(network, tmp_path / "bad.pth", last_layer="classifier.")
    assert "executed" not in capsys.readouterr().out


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
