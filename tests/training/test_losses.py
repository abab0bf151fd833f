import itertools
import json
import math
from pathlib import Path
from statistics import NormalDist

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from exiface.training.losses import (
    Ranking,
    class_loss,
    expected_level,
    fidelity_loss,
    ranking_loss,
    region_loss,
)

SCORES = [-0.375, -1.125, 0, -1.5, 1.5, -0.75, 1.125, 0.375, 0.75]
TAG = [100, 200, 100, 400, 800, 50, 1600, 200, 3200]


def slow_fidelity(p, g):
    return 1 - math.sqrt(p * g + 1e-8) - math.sqrt((1 - p) * (1 - g) + 1e-8)


def slow_ranking(scores, tag, scale):
    """Pair after pair, as the formula stands."""
    losses = []
    for i in range(len(scores)):
        for j in range(i + 1, len(scores)):
            if math.isnan(tag[i]) or math.isnan(tag[j]):
                continue
            p = NormalDist().cdf(scale * (scores[i] - scores[j]))
            g = 1.0 if tag[i] > tag[j] else 0.5 if tag[i] == tag[j] else 0.0
            losses.append(slow_fidelity(p, g))
    return sum(losses) / len(losses) if losses else 0.0


def test_reference_values():
    loss = ranking_loss(torch.tensor(SCORES), torch.tensor(TAG, dtype=torch.float32), Ranking(2.0))
    assert loss.item() == pytest.approx(0.246750, abs=1e-6)
    p, g = torch.tensor([0.1, 0.9, 0.5, 0.7]), torch.tensor([0.0, 1.0, 1.0, 0.0])
    assert fidelity_loss(p, g).mean().item() == pytest.approx(0.211851, abs=1e-6)


tags = st.one_of(st.just(math.nan), st.sampled_from([50.0, 100.0, 200.0]))
batches = st.lists(st.tuples(st.floats(-3, 3, width=32), tags), min_size=0, max_size=9)


@given(batches, st.sampled_from([2**-0.5, 2.0]))
def test_the_slow_twin_agrees(batch, scale):
    scores, tag = [pair[0] for pair in batch], [pair[1] for pair in batch]
    fast = ranking_loss(
        torch.tensor(scores, dtype=torch.float64),
        torch.tensor(tag, dtype=torch.float64),
        Ranking(scale),
    )
    assert fast.item() == pytest.approx(slow_ranking(scores, tag, scale), abs=1e-6)


def test_absent_tags_have_no_gradient_and_no_pairs_are_no_loss():
    scores = torch.tensor([0.5, -0.5, 2.0], requires_grad=True)
    ranking_loss(scores, torch.tensor([1.0, 2.0, math.nan])).backward()
    assert scores.grad[2] == 0
    assert (scores.grad[:2] != 0).all()
    scores.grad = None
    loss = ranking_loss(scores, torch.tensor([math.nan, 2.0, math.nan]))
    loss.backward()
    assert loss.item() == 0
    assert (scores.grad == 0).all()


@given(batches, st.sampled_from(["all", "halves"]), st.sampled_from(["half", "greater"]))
def test_cross_entropy_is_the_one_written_out(batch, pairs, ties):
    scores, tag = [pair[0] for pair in batch], [pair[1] for pair in batch]
    ranking = Ranking(1.0, "cross-entropy", pairs, ties)
    fast = ranking_loss(
        torch.tensor(scores, dtype=torch.float64), torch.tensor(tag, dtype=torch.float64), ranking
    )
    half = len(batch) // 2
    chosen = (
        [(i, i + half) for i in range(half)]
        if pairs == "halves"
        else list(itertools.combinations(range(len(batch)), 2))
    )
    losses = []
    for i, j in chosen:
        if math.isnan(tag[i]) or math.isnan(tag[j]):
            continue
        wanted = 1.0 if tag[i] > tag[j] else 0.0 if tag[i] < tag[j] else None
        wanted = (0.5 if ties == "half" else 1.0) if wanted is None else wanted
        p = (1 + math.erf((scores[i] - scores[j]) / math.sqrt(2))) / 2
        losses.append(-wanted * math.log(p) - (1 - wanted) * math.log1p(-p))
    assert fast.item() == pytest.approx(sum(losses) / max(1, len(losses)), abs=1e-6)


def test_cross_entropy_of_scores_far_apart_is_finite_and_teaches():
    scores = torch.tensor([40.0, -40.0], requires_grad=True)
    loss = ranking_loss(scores, torch.tensor([1.0, 2.0]), Ranking(1.0, "cross-entropy"))
    loss.backward()
    assert math.isfinite(loss.item())
    assert scores.grad.tolist() == pytest.approx([80, -80], rel=0.01)


def test_blades_losses_are_the_published_ones():
    blades = json.loads((Path(__file__).parents[1] / "reference/blades_losses.json").read_text())

    def tensor(name):
        return torch.tensor(blades[name], dtype=torch.float64)

    level = expected_level(tensor("rank_logits"))
    assert level.numpy() == pytest.approx(blades["rank_expected_level"], abs=1e-6)
    found = {
        "rank": ranking_loss(level, tensor("rank_tag"), Ranking(2.0)),
        "cls": class_loss(tensor("cls_logits"), tensor("cls_label"), "focal-fidelity"),
        "coarse": fidelity_loss(
            tensor("coarse_logits").softmax(1)[:, 1], tensor("coarse_label")
        ).mean(),
        "fine": region_loss(tensor("fine_logits"), tensor("fine_label")).mean(),
    }
    for name, loss in found.items():
        assert loss.item() == pytest.approx(blades[f"{name}_loss"], abs=1e-6), name
