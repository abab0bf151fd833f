"""The networks of the detectors inside the package, and models whose weights are halved."""

import copy

import numpy as np
import onnx
import pytest
import torch
from made import with_statistics

from exiface.encoders import EncoderDescription, EncoderFolder
from exiface.encoders.mirrored import MirroredEncoder, symmetry
from exiface.encoders.own_pixels import OwnPixelsEncoder, WindowEncoder
from exiface.encoders.to_onnx import export_encoder
from exiface.photos import Preprocessing
from exiface.photos.patches import Patches

# ---- of a face and its mirror image -------------------------------------------------------------


@pytest.fixture(scope="module")
def mirrored():
    torch.manual_seed(0)
    return MirroredEncoder().eval()


@pytest.fixture(scope="module")
def crops(astronaut, face):
    preprocessing = Preprocessing(224)
    seen = preprocessing.crop(astronaut, face.box)
    symmetric = np.maximum(seen, seen[:, ::-1])
    return torch.from_numpy(preprocessing.normalise(np.stack([seen, seen[:, ::-1], symmetric])))


def test_left_and_right_do_not_matter(mirrored, crops):
    with torch.inference_mode():
        seen, flipped, symmetric = mirrored(crops)
    assert seen.shape == (MirroredEncoder.LENGTH,) == (1756,)
    assert torch.allclose(seen, flipped, atol=1e-4)
    assert not torch.allclose(seen, symmetric, atol=1e-2)


def test_the_direction_of_symmetry_rises_with_it(mirrored, crops):
    direction = symmetry()["symmetry"]
    with torch.inference_mode():
        seen, _, symmetric = mirrored(crops) @ direction
    assert symmetric > seen + 5


def test_statistics_are_those_of_the_maps(mirrored, crops):
    """A slow twin of the first depth: means and deviations of both images, averaged."""
    with torch.inference_mode():
        raw = (mirrored(crops) * (mirrored.scale.running_var + mirrored.scale.eps).sqrt())[
            0
        ].numpy()
        maps = [mirrored.features[:2](crops[:1]), mirrored.features[:2](crops[:1].flip(3))]
    means = np.mean([each.numpy().mean((2, 3))[0] for each in maps], axis=0)
    deviations = np.mean([each.numpy().std((2, 3))[0] for each in maps], axis=0)
    assert np.allclose(raw[:16], means, atol=1e-4)
    assert np.allclose(raw[16:32], deviations, atol=2e-3)
    distance = np.log(((maps[0] - maps[1]).numpy() ** 2).mean() + 1e-6)
    assert raw[MirroredEncoder.TEXTURES] == pytest.approx(distance, abs=1e-4)


# ---- at the own pixels of a face ----------------------------------------------------------------


@pytest.fixture(scope="module")
def own_pixels():
    torch.manual_seed(0)
    return with_statistics(OwnPixelsEncoder(), torch.randn(8, 3, 64, 64))


def test_left_and_right_do_not_matter_at_own_pixels(own_pixels):
    torch.manual_seed(2)
    crops = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        assert torch.allclose(own_pixels(crops), own_pixels(crops.flip(3)), atol=1e-5)
        assert not torch.allclose(own_pixels(crops)[:1], own_pixels(crops)[1:], atol=1e-2)


# ---- over windows of an image -------------------------------------------------------------------


@pytest.fixture(scope="module")
def windowed():
    torch.manual_seed(0)
    return with_statistics(WindowEncoder(), torch.randn(4, 2, 3, 64, 64))


def test_the_feature_is_the_mean_of_the_windows(windowed):
    windows = torch.randn(2, 3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        features = windowed(windows)
        each = torch.stack([windowed.tokens(of_image) for of_image in windows])
        assert torch.allclose(features, each.mean(1), atol=1e-5)
        *maps, tokens = windowed.maps(windows[0])
    assert torch.allclose(tokens, each[0], atol=1e-5)
    assert [each.shape[-1] for each in maps] == [32, 16, 8, 4]


def test_exported_in_halves_it_says_nearly_the_same(windowed, tmp_path):
    network = copy.deepcopy(windowed)
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
