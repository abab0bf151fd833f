import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from exiface.datasets.augmentation import Augmentation


@pytest.fixture
def crop(astronaut):
    return np.ascontiguousarray(astronaut[60:188, 160:288])


def rng():
    return np.random.default_rng(0)


def test_the_default_changes_nothing(crop):
    assert np.array_equal(Augmentation()(crop, rng()), crop)
    assert Augmentation().shift_box((1.0, 2.0, 3.0, 4.0), rng()) == (1, 2, 3, 4)


def test_flip_mirrors(crop):
    assert np.array_equal(Augmentation(flip=1)(crop, rng()), crop[:, ::-1])


@pytest.mark.parametrize(
    "change", [{"jpeg": 1}, {"jpeg": 1, "webp": 1}, {"rescale": 1}, {"blur": 1}]
)
def test_quality_changes_lose_detail_and_keep_the_picture(crop, change):
    changed = Augmentation(**change)(crop, rng())
    assert changed.shape == crop.shape
    difference = np.abs(changed.astype(int) - crop)
    assert 0 < difference.mean() < 10


def test_boxes_move_by_their_share():
    boxes = np.array(
        [
            Augmentation(box_shift=0.1).shift_box((10, 10, 110, 60), np.random.default_rng(seed))
            for seed in range(200)
        ]
    )
    shifts = np.abs(boxes - (10, 10, 110, 60)).max(0)
    assert (shifts <= (10, 5, 10, 5)).all()
    assert (shifts > (9, 4.5, 9, 4.5)).all()


def test_one_setting_does_not_shift_the_draws_of_another(crop):
    with_flip = Augmentation(jpeg=1, flip=1)(crop, rng())
    assert np.array_equal(with_flip[:, ::-1], Augmentation(jpeg=1)(crop, rng()))


def test_webp_takes_its_share_of_what_is_saved(crop):
    assert np.array_equal(Augmentation(webp=1)(crop, rng()), crop)
    as_webp, as_jpeg = (Augmentation(jpeg=1, webp=share)(crop, rng()) for share in (1, 0))
    assert not np.array_equal(as_webp, as_jpeg)


def test_unknown_settings_are_refused():
    with pytest.raises(ValidationError):
        TypeAdapter(Augmentation).validate_python({"sharpen": 1})
