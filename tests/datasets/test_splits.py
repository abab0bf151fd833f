from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exiface.datasets import SPLITS, assign_splits, cap
from exiface.datasets.splits import unlike_asked

faces = st.lists(
    st.tuples(st.sampled_from("abcdefghij"), st.sampled_from(["", "x", "y", "z"])), max_size=40
)


@given(faces, st.integers(0, 5))
def test_no_photograph_and_no_group_stands_in_two_splits(faces, seed):
    photo, group = [face[0] for face in faces], [face[1] for face in faces]
    split = assign_splits(photo, group, seed=seed)
    for labels in (photo, group):
        of_label = defaultdict(set)
        for label, name in zip(labels, split, strict=True):
            if label:
                of_label[label].add(str(name))
        assert all(len(names) == 1 for names in of_label.values())
    assert set(split.tolist()) <= set(SPLITS)


def test_shares_are_met_where_units_are_small():
    photo = [f"{number}" for number in range(1000)]
    counts = Counter(assign_splits(photo, [""] * 1000).tolist())
    assert {name: count / 1000 for name, count in counts.items()} == pytest.approx(SPLITS, abs=0.01)


def test_an_empty_share_stays_empty():
    split = assign_splits(list("abcdef"), [""] * 6, {"fit": 0.5, "train": 0, "calibration": 0.5})
    assert Counter(split.tolist()) == {"fit": 3, "calibration": 3}


@given(faces, st.integers(1, 4), st.integers(1, 6))
def test_caps_hold_and_keep_as_many_as_they_can(faces, per_photo, per_camera):
    photo, camera = [face[0] for face in faces], [face[1] for face in faces]
    kept = cap(photo, camera, per_photo=per_photo)
    counts = Counter(photo)
    assert Counter(photo[index] for index in kept) == {
        name: min(count, per_photo) for name, count in counts.items()
    }
    both = cap(photo, camera, per_photo=per_photo, per_camera=per_camera)
    assert set(both) <= set(kept)
    of_kept = Counter(camera[index] for index in kept)
    assert Counter(camera[index] for index in both) == {
        name: count if name == "" else min(count, per_camera) for name, count in of_kept.items()
    }
    assert (np.diff(both) > 0).all()


@given(faces, st.integers(0, 5))
def test_small_units_are_never_far_from_what_was_asked(faces, seed):
    photo, group = [face[0] for face in faces], [""] * len(faces)
    fractions = {"train": 0.6, "validation": 0.4}
    split = assign_splits(photo, group, fractions, seed=seed)
    assert unlike_asked(split, photo, group, fractions) is None


def test_a_large_group_that_spoils_the_shares_is_told():
    photo = [f"{number}" for number in range(209)]
    group = ["fair"] * 116 + [f"g{number}" for number in range(93)]
    split = ["validation"] * 116 + ["train"] * 93
    told = unlike_asked(split, photo, group, {"train": 0.6, "validation": 0.1, "fit": 0.3})
    assert told == (
        "of 209 photographs, train has 93 where 125 were asked for, validation has 116 where 21 "
        "were asked for, fit has 0 where 63 were asked for; photographs of a group stay together, "
        "and the largest of 94 groups holds 116: give smaller groups, or other shares"
    )
