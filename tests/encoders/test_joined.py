import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from torch import nn

from exiface.encoders import EncoderDescription, EncoderError, OnnxEncoder, read_encoder
from exiface.encoders.export import export
from exiface.encoders.joined import join
from exiface.photos import Preprocessing
from exiface.photos.crops import resize

OWN = Preprocessing(64, largest=96)


class Pooled(nn.Module):
    """Features (n, 8) of crops of any side."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 64, 3, 2), nn.ReLU(), nn.Conv2d(64, 8, 3, 2), nn.AdaptiveAvgPool2d(1)
        )

    def forward(self, crops):
        return self.layers(crops).flatten(1)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    torch.manual_seed(0)
    export(Pooled(), EncoderDescription("own", 8, OWN, {"training": {"faces": 3}}), folder)
    heads = {name: np.full(8, 2, np.float32) for name in ("generated", "aperture")}
    save_file(heads, folder / "heads.safetensors")
    (folder / "photographs.txt").write_text("b\na\n")
    return folder


@pytest.fixture(scope="module", params=[Preprocessing(48), OWN], ids=["resized", "own pixels"])
def second(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("second")
    torch.manual_seed(1)
    export(Pooled(), EncoderDescription("other", 8, request.param), folder)
    save_file({"aperture": np.full(8, 3, np.float32)}, folder / "heads.safetensors")
    (folder / "photographs.txt").write_text("c\nb\n")
    return folder


@pytest.fixture(scope="module")
def crops(astronaut, face):
    x0, y0 = face.box[:2]
    return [OWN.crop(astronaut, (x0, y0, x0 + s, y0 + s)) for s in (40, 60, 66, 90, 60)]


def test_features_are_those_of_both(first, second, crops, tmp_path):
    join(first, second, tmp_path / "joint")
    model, description = read_encoder(tmp_path / "joint")
    features = OnnxEncoder(model, description).encode(crops)
    own = OnnxEncoder(*read_encoder(first)).encode(crops)
    encoder = OnnxEncoder(*read_encoder(second))
    preprocessing = encoder.description.preprocessing
    sides = [preprocessing.side(len(crop)) for crop in crops]
    other = encoder.encode(
        [
            resize(crop, (0, 0, len(crop), len(crop)), side)
            for crop, side in zip(crops, sides, strict=True)
        ]
    )
    assert np.allclose(features[:, :8], own, atol=2e-3)  # weights are stored in half precision
    # Pillow rounds to whole grey levels between both directions and in the end.
    assert np.allclose(features[:, 8:], other, atol=1e-2)
    assert not np.allclose(features[:, :8], features[:, 8:], atol=0.1)
    assert description.architecture == "own + other"
    assert description.preprocessing == OWN
    assert description.provenance["training"] == {"faces": 3}
    assert description.provenance["joined"]["architecture"] == "other"


def test_heads_and_photographs_are_those_of_both(first, second, tmp_path):
    join(first, second, tmp_path)
    heads = load_file(tmp_path / "heads.safetensors")
    assert heads["generated"].tolist() == [2] * 8 + [0] * 8
    assert heads["aperture"].tolist() == [0] * 8 + [3] * 8
    assert (tmp_path / "photographs.txt").read_text().split() == ["a", "b", "c"]


def test_damaged_heads_are_named_and_a_former_classifier_goes(first, second, tmp_path):
    (tmp_path / "classifier.safetensors").write_bytes(b"of another encoder")
    join(first, second, tmp_path)
    assert not (tmp_path / "classifier.safetensors").exists()
    (tmp_path / "heads.safetensors").write_bytes(b"damaged")
    with pytest.raises(EncoderError, match="heads"):
        join(tmp_path, second, tmp_path / "again")


def test_large_weights_take_half_the_space(first, second, tmp_path):
    join(first, second, tmp_path)
    joint, apart = (
        sum(len((folder / "encoder.onnx").read_bytes()) for folder in folders)
        for folders in ([tmp_path], [first, second])
    )
    assert joint < 0.8 * apart


def test_encoders_that_frame_faces_differently_are_refused(first, tmp_path):
    torch.manual_seed(1)
    other = EncoderDescription("other", 8, Preprocessing(48, crop_scale=2.0))
    export(Pooled(), other, tmp_path / "other")
    with pytest.raises(EncoderError, match=r"crop_scale=1\.3"):
        join(first, tmp_path / "other", tmp_path / "joint")
    assert not (tmp_path / "joint").exists()


def test_the_command_says_what_it_made(first, second, tmp_path, exiface):
    finished = exiface("join", first, second, "-o", tmp_path / "joint")
    assert finished.status == 0
    assert "own + other: 16 features" in finished.out
    missing = exiface("join", first, tmp_path / "none", "-o", tmp_path / "other")
    assert missing.status == 2 and "holds no encoder" in missing.err
