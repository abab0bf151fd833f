import numpy as np
import pytest
import torch
from scipy.special import expit
from torch import nn

from exiface.scoring import Classifier, DensityError


def made(seed=0):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 2))
    first, last = (
        (layer.weight.detach().numpy(), layer.bias.detach().numpy())
        for layer in (network[0], network[2])
    )
    log_odds = (last[0][1:] - last[0][:1], last[1][1:] - last[1][:1])
    return network, Classifier([first, log_odds])


def test_its_probability_is_that_of_the_softmax():
    network, classifier = made()
    features = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    expected = network(torch.from_numpy(features)).softmax(1)[:, 1].detach().numpy()
    scores = classifier.score(features)
    assert np.allclose(expit(scores), expected, atol=1e-6)
    assert classifier.features == 6


@pytest.mark.parametrize(
    "layers",
    [
        [(np.zeros((1, 3)), np.zeros(2))],
        [(np.zeros((4, 3)), np.zeros(4)), (np.zeros((1, 5)), np.zeros(1))],
        [(np.zeros(3), np.zeros(1))],
    ],
)
def test_layers_that_do_not_fit_are_refused(layers):
    with pytest.raises(DensityError, match="must follow from one another"):
        Classifier(layers)


def test_one_layer_is_a_direction():
    weights = np.array([[1.0, -2.0]])
    classifier = Classifier([(weights, np.array([0.5]))])
    assert classifier.direction.tolist() == [1, -2]
    with pytest.raises(DensityError, match="of 2 layers"):
        _ = Classifier([(np.eye(2), np.zeros(2)), (weights, np.zeros(1))]).direction
