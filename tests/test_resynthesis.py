import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "results"))

from resynthesis import Autoencoder, _decoder, _encoder


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory):
    """Of the published shape, with random weights."""
    folder = tmp_path_factory.mktemp("autoencoder")
    torch.manual_seed(0)
    for network, name in ((_encoder(), "encoder"), (_decoder(), "decoder")):
        half = {key: value.half() for key, value in network.state_dict().items()}
        torch.save(half, folder / f"taef2_{name}.pth")
    return Autoencoder(folder)


def test_sides_are_cut_to_whole_latents(autoencoder):
    face = np.random.default_rng(0).integers(0, 256, (45, 64, 3), np.uint8)
    made = autoencoder(face)
    assert made.shape == (40, 64, 3)
    assert made.dtype == np.uint8
    assert np.array_equal(made, autoencoder(face[:40]))


def test_the_published_weights_give_the_photograph_back(shared_data, astronaut):
    face = astronaut[60:220, 160:320]
    made = Autoencoder(shared_data / "resynthesis")(face).astype(float)
    assert np.abs(made - face).mean() < 8
    assert np.abs(made - face).max() > 10
