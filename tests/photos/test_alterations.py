import numpy as np
import pytest
from PIL import Image

from exiface.photos.alterations import (
    ALTERATIONS,
    altered,
    messenger,
)

RESHAPED = {"crop 90 %": (461, 461), "screenshot": (673, 673)}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_an_alteration_changes_a_picture_and_keeps_what_it_shows(name, astronaut):
    before = astronaut.copy()
    changed = altered(astronaut, name)
    assert (astronaut == before).all()
    assert (changed == altered(astronaut.copy(), name)).all()  # the same at every call
    assert changed.dtype == np.uint8
    assert changed.shape[:2] == RESHAPED.get(name, (512, 512))
    assert changed.shape != before.shape or (changed != before).any()
    small = [
        np.asarray(Image.fromarray(each).resize((16, 16), Image.Resampling.BOX), float).ravel()
        for each in (before, changed)
    ]
    assert np.corrcoef(small)[0, 1] > 0.75


@pytest.mark.parametrize("family", ["JPEG", "resize", "blur", "noise"])
def test_strengths_are_in_order(family, astronaut):
    names = [name for name in ALTERATIONS if name.startswith(family)]
    errors = [np.abs(altered(astronaut, name) - astronaut.astype(int)).mean() for name in names]
    assert len(names) > 1
    assert errors == sorted(errors)


def test_noise_has_the_strength_it_says():
    grey = np.full((200, 200, 3), 128, np.uint8)
    assert (altered(grey, "noise 5") - grey.astype(float)).std() == pytest.approx(5, rel=0.02)


def test_messengers_shrink_large_pictures_only(astronaut):
    assert messenger(astronaut).shape == astronaut.shape
    assert messenger(np.zeros((1000, 2560, 3), np.uint8)).shape == (500, 1280, 3)
