"""MobileNetV2 over windows of whole images, and models whose weights are halved."""

import copy

import numpy as np
import onnx
import pytest
import torch
from made import with_statistics

from exiface.encoders import EncoderDescription, EncoderFolder
from exiface.encoders.own_pixels import OwnPixelsEncoder, WindowEncoder
from exiface.encoders.to_onnx import export_encoder
from exiface.photos.patches import Patches


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return with_statistics(WindowEncoder(), torch.randn(4, 2, 3, 64, 64))


def test_the_feature_is_the_mean_of_the_windows(network):
    windows = torch.randn(2, 3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        features = network(windows)
        each = torch.stack([network.tokens(of_image) for of_image in windows])
        assert torch.allclose(features, each.mean(1), atol=1e-5)
        *maps, tokens = network.maps(windows[0])
    assert torch.allclose(tokens, each[0], atol=1e-5)
    assert [each.shape[-1] for each in maps] == [32, 16, 8, 4]


def test_it_takes_the_weights_of_its_kin(network):
    kin = OwnPixelsEncoder()
    kin.load_state_dict(network.state_dict())
    windows = torch.randn(1, 1, 3, 64, 64)
    with torch.inference_mode():
        both = (kin.eval()(windows[:, 0]), network(windows))
        mirrored = network(windows.flip(4))
    assert torch.allclose(both[0], (both[1] + mirrored) / 2, atol=1e-3)


def test_exported_in_halves_it_says_nearly_the_same(network, tmp_path):
    network = copy.deepcopy(network)
    network.features = network.features[:8]
    description = EncoderDescription("windows", 64, Patches(64))
    path = export_encoder(network, description, tmp_path, half=True)
    parameters = sum(each.numel() for each in network.parameters())
    assert path.stat().st_size < 0.55 * 4 * parameters
    onnx.checker.check_model(onnx.load(path))
    assert not (tmp_path / "attention.safetensors").exists()
    pixels = np.random.default_rng(0).integers(0, 256, (150, 200, 3), np.uint8)
    half = EncoderFolder.read(tmp_path).open().encode([pixels])[0]
    with torch.inference_mode():
        patches = torch.from_numpy(Patches(64).normalise(Patches(64).cut(pixels)))
        expected = network(patches[None])[0].numpy()
    assert np.corrcoef(half, expected)[0, 1] > 0.999
