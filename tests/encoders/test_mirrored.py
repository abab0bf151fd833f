import numpy as np
import pytest
import torch

from exiface.encoders.mirrored import MirroredEncoder, symmetry
from exiface.photos import Preprocessing


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return MirroredEncoder().eval()


@pytest.fixture(scope="module")
def crops(astronaut, face):
    preprocessing = Preprocessing(224)
    seen = preprocessing.crop(astronaut, face.box)
    symmetric = np.maximum(seen, seen[:, ::-1])
    return torch.from_numpy(preprocessing.normalise(np.stack([seen, seen[:, ::-1], symmetric])))


def test_left_and_right_do_not_matter(encoder, crops):
    with torch.inference_mode():
        seen, mirrored, symmetric = encoder(crops)
    assert seen.shape == (MirroredEncoder.LENGTH,) == (1756,)
    assert torch.allclose(seen, mirrored, atol=1e-4)
    assert not torch.allclose(seen, symmetric, atol=1e-2)


def test_the_direction_of_symmetry_rises_with_it(encoder, crops):
    direction = symmetry()["symmetry"]
    with torch.inference_mode():
        seen, _, symmetric = encoder(crops) @ direction
    assert symmetric > seen + 5


def test_statistics_are_those_of_the_maps(encoder, crops):
    """A slow twin of the first depth: means and deviations of both images, averaged."""
    with torch.inference_mode():
        raw = (encoder(crops) * (encoder.scale.running_var + encoder.scale.eps).sqrt())[0].numpy()
        maps = [encoder.features[:2](crops[:1]), encoder.features[:2](crops[:1].flip(3))]
    means = np.mean([each.numpy().mean((2, 3))[0] for each in maps], axis=0)
    deviations = np.mean([each.numpy().std((2, 3))[0] for each in maps], axis=0)
    assert np.allclose(raw[:16], means, atol=1e-4)
    assert np.allclose(raw[16:32], deviations, atol=2e-3)
    distance = np.log(((maps[0] - maps[1]).numpy() ** 2).mean() + 1e-6)
    assert raw[MirroredEncoder.TEXTURES] == pytest.approx(distance, abs=1e-4)
