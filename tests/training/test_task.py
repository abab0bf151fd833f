import pytest
import torch
from torch import nn

from exiface.encoders.description import GENERATED_HEAD
from exiface.photos import TAG_NAMES
from exiface.training.losses import Ranking, fidelity_loss, ranking_loss
from exiface.training.task import PretextTask, Shares


@pytest.fixture
def task():
    torch.manual_seed(0)
    return PretextTask(
        nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 6)), 6, ranking=Ranking(scale=2.0)
    )


@pytest.fixture
def batch():
    torch.manual_seed(1)
    tags = torch.rand(5, 4)
    tags[2, 0] = tags[4, 3] = torch.nan
    return torch.randn(5, 3, 8, 8), tags, torch.tensor([0, 1, 1, 0, 1]), torch.zeros(5).bool()


def test_the_total_is_the_sum_of_five_losses(task, batch):
    crops, tags, manipulated, _ = batch
    losses = task(*batch)
    outputs = task.outputs(crops)
    for column, name in enumerate(TAG_NAMES):
        assert losses[name].item() == pytest.approx(
            ranking_loss(outputs[:, column], tags[:, column], Ranking(2.0)).item()
        )
    expected = fidelity_loss(torch.sigmoid(outputs[:, 4]), manipulated.float()).mean()
    assert losses["manipulation"].item() == pytest.approx(expected.item())
    parts = sum(losses[name].item() for name in task.names)
    assert task.total(losses).item() == pytest.approx(parts, rel=1e-5)


def test_a_familys_head_does_not_hear_of_other_families(batch):
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 6))
    task = PretextTask(encoder, 6, families=("manipulation", "smoothing"))
    crops, tags, _, generated = batch
    families = torch.tensor([0, 1, 2, 0, 2])
    losses, outputs = task(crops, tags, families, generated), task.outputs(crops)
    for column, number in ((4, 1), (5, 2)):
        rows = (families == 0) | (families == number)
        expected = fidelity_loss(
            torch.sigmoid(outputs[rows, column]), (families[rows] == number).float()
        ).mean()
        assert losses[task.names[column]].item() == pytest.approx(expected.item())


def test_a_frozen_backbone_keeps_its_statistics():
    encoder = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.BatchNorm1d(4 * 36, affine=False)
    )
    task = PretextTask(encoder, 4 * 36, frozen=True).train()
    before = [module.running_mean.clone() for module in (encoder[1], encoder[3])]
    task.outputs(torch.randn(5, 3, 8, 8))
    assert torch.equal(encoder[1].running_mean, before[0])
    assert not torch.equal(encoder[3].running_mean, before[1])


def test_heads_read_the_leading_features_only(batch):
    task = PretextTask(nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 6)), 4)
    features, outputs = task.encoder(batch[0]), task.outputs(batch[0])
    for column, direction in enumerate(task.directions(6).values()):
        assert direction.shape == (6,)
        assert direction[4:].tolist() == [0, 0]
        offset = outputs[:, column] - features @ direction
        assert torch.allclose(offset, offset[0].expand(5), atol=1e-5)


@pytest.fixture
def supervised():
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 6))
    return PretextTask(encoder, 6, shares=Shares(ranking=0.5, manipulation=0.25, generated=2.0))


def test_generated_faces_teach_their_own_head_alone(supervised, batch):
    crops, tags, manipulated, _ = batch
    generated = torch.tensor([False, False, False, True, True])
    manipulated = manipulated * ~generated
    losses, outputs = supervised(crops, tags, manipulated, generated), supervised.outputs(crops)
    of_photographs = supervised(crops[:3], tags[:3], manipulated[:3], generated[:3])
    for name in ("aperture", "iso_speed", "manipulation"):
        assert losses[name].item() == pytest.approx(of_photographs[name].item())
    rows = [0, 3, 4]  # the untouched photograph and the generated faces
    expected = nn.functional.binary_cross_entropy_with_logits(
        outputs[rows, -1], generated[rows].float()
    )
    assert supervised.names[-1] == GENERATED_HEAD
    assert losses[GENERATED_HEAD].item() == pytest.approx(expected.item())
    shares = {GENERATED_HEAD: 2.0, "manipulation": 0.25}
    total = sum(shares.get(name, 0.5) * losses[name].item() for name in supervised.names)
    assert supervised.total(losses).item() == pytest.approx(total, rel=1e-5)
