import numpy as np
import pytest

from exiface.datasets.augmentation import Augmentation, lit


@pytest.fixture
def crop(astronaut):
    return np.ascontiguousarray(astronaut[60:188, 160:288])


def rng():
    return np.random.default_rng(0)


def test_the_default_changes_nothing_and_a_flip_mirrors(crop):
    assert np.array_equal(Augmentation()(crop, rng()), crop)
    assert np.array_equal(Augmentation(flip=1)(crop, rng()), crop[:, ::-1])
    assert Augmentation().shift_box((1.0, 2.0, 3.0, 4.0), rng()) == (1, 2, 3, 4)


def test_light_is_darker_brighter_and_coloured(crop):
    assert np.array_equal(lit(crop, 1.0, None, 1.0), crop)
    assert lit(crop, 2.0, None, 1.0).mean() < crop.mean() < lit(crop, 0.6, None, 1.0).mean()
    grey = lit(crop, 1.0, None, 0.0)
    assert (grey[..., 0] == grey[..., 1]).all()
    red = lit(crop, 1.0, np.array([1.0, 0.5, 0.5]), 1.0)
    assert np.abs(red[..., 0].astype(int) - crop[..., 0]).max() <= 1
    assert red[..., 1].mean() == pytest.approx(crop[..., 1].mean() / 2, rel=0.02)
    changed = Augmentation(light=1.0)(crop, rng())
    assert changed.shape == crop.shape
    assert not np.array_equal(changed, crop)


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


@pytest.mark.parametrize(
    "settings", ["sharpen", "noise", "colour", "grey", "rescale", "blur", "jpeg", "jpeg webp"]
)
def test_each_change_changes(crop, settings):
    changed = Augmentation(**dict.fromkeys(settings.split(), 1))(crop, rng())
    assert (changed.shape, changed.dtype) == (crop.shape, np.uint8)
    difference = np.abs(changed.astype(int) - crop).mean()
    assert difference > 0
    if settings == "grey":
        assert (changed[..., 0] == changed[..., 2]).all()
    if settings in ("rescale", "blur", "jpeg", "jpeg webp"):  # details are lost, the picture stays
        assert difference < 10


def test_colours_keep_their_resolution_in_the_share_asked_for(crop):
    thin, full = (Augmentation(jpeg=1, full_chroma=share)(crop, rng()) for share in (0, 1))
    error = [np.abs(each.astype(float) - crop).mean() for each in (full, thin)]
    assert error[0] < error[1]


def test_windows_are_cut_at_the_scales_asked_for(crop):
    plain = Augmentation().window(crop, 16, rng(), generated=False)
    windows = np.lib.stride_tricks.sliding_window_view(crop, (16, 16, 3)).reshape(-1, 16, 16, 3)
    assert (windows == plain).all((1, 2, 3)).any()
    scaled = Augmentation(scale=1, scale_range=(0.5, 0.6))
    assert scaled.window(crop, 16, rng(), generated=False).shape == (16, 16, 3)
    # A crop smaller than the window is taken whole and enlarged.
    small = crop[:12, :12]
    grown = Augmentation().window(small, 16, rng(), generated=False)
    assert grown.shape == (16, 16, 3)
    assert abs(grown.astype(float).mean() - small.mean()) < 2


def test_photographs_alone_are_retouched_if_so_asked(crop):
    augmentation = Augmentation(retouch=1)
    plain = Augmentation().window(crop, 32, rng(), generated=False)
    assert np.array_equal(augmentation.window(crop, 32, rng(), generated=True), plain)
    assert not np.array_equal(augmentation.window(crop, 32, rng(), generated=False), plain)
