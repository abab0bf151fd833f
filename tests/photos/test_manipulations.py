import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exiface.photos import MANIPULATIONS, Preprocessing, manipulate, retouching
from exiface.photos.crops import to_crop
from exiface.photos.manipulations import _hat_functions, smoothed
from exiface.photos.retouching import retouched, sharpened


@pytest.fixture(scope="module")
def crop(astronaut, face):
    preprocessing = Preprocessing(224)
    square = preprocessing.square(astronaut, face.box)
    return preprocessing.crop(astronaut, face.box), to_crop(face.landmarks, square, 224)


def sixty_eight(five):
    """The iBUG points that matter, placed where the five landmarks are."""
    points = np.zeros((68, 2), np.float32)
    points[48], points[54] = five[3], five[4]
    half = (five[1] - five[0]) * 0.24
    points[42], points[45] = five[1] - half, five[1] + half
    return points


@pytest.mark.parametrize("name", MANIPULATIONS)
def test_the_same_generator_gives_the_same_face(crop, name):
    pixels, landmarks = crop
    before = pixels.copy()
    first = manipulate(pixels, landmarks, name, np.random.default_rng(3))
    second = manipulate(pixels, landmarks, name, np.random.default_rng(3))
    assert np.array_equal(first, second)
    assert np.array_equal(pixels, before)
    assert first.shape == pixels.shape
    assert first.dtype == np.uint8
    assert np.abs(first.astype(int) - pixels).max() > 20


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [
        ("mouth_turned", slice(0, 110), slice(None)),
        ("mouth_mirrored", slice(0, 110), slice(None)),
        ("eye_mirrored", slice(125, None), slice(None)),
        ("eye_mirrored", slice(None), slice(0, 90)),
    ],
)
def test_the_rest_of_the_face_is_untouched(crop, name, rows, columns):
    pixels, landmarks = crop
    changed = manipulate(pixels, landmarks, name, np.random.default_rng(0))
    assert np.array_equal(changed[rows, columns], pixels[rows, columns])


@pytest.mark.parametrize("name", ["mouth_turned", "mouth_mirrored", "eye_mirrored"])
def test_sixty_eight_landmarks_do_what_five_do(crop, name):
    pixels, landmarks = crop
    five = manipulate(pixels, landmarks, name, np.random.default_rng(1))
    more = manipulate(pixels, sixty_eight(landmarks), name, np.random.default_rng(1))
    assert np.array_equal(five, more)


def test_without_landmarks_the_warp_stands_in(crop):
    pixels, _ = crop
    for name in MANIPULATIONS:
        changed = manipulate(pixels, None, name, np.random.default_rng(5))
        assert np.array_equal(changed, manipulate(pixels, None, "warped", np.random.default_rng(5)))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(list(MANIPULATIONS)),
    st.lists(st.floats(-300, 500), min_size=10, max_size=10),
    st.integers(8, 80),
    st.integers(0, 2**32 - 1),
)
def test_landmarks_anywhere_break_nothing(name, points, side, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    landmarks = np.array(points, np.float32).reshape(5, 2)
    changed = manipulate(pixels, landmarks, name, np.random.default_rng(seed))
    assert changed.shape == pixels.shape
    assert changed.dtype == np.uint8


def test_the_warp_is_affine_in_each_triangle_of_the_grid():
    # Slow twin: barycentric coordinates in the triangle of each pixel.
    height, width = 13, 19
    weights = _hat_functions(height, width).reshape(height, width, 4, 4)
    assert np.allclose(weights.sum((2, 3)), 1, atol=1e-5)
    for y in range(height):
        for x in range(width):
            u, v = x * 3 / (width - 1), y * 3 / (height - 1)
            column, row = min(int(u), 2), min(int(v), 2)
            u, v = u - column, v - row
            expected = np.zeros((4, 4))
            expected[row, column] = 1 - max(u, v)
            expected[row + 1, column + 1] = min(u, v)
            if u >= v:
                expected[row, column + 1] += u - v
            else:
                expected[row + 1, column] += v - u
            assert np.allclose(weights[y, x], expected, atol=1e-5)


def roughness(pixels):
    return np.abs(np.diff(pixels.astype(float), axis=1)).mean()


@pytest.mark.parametrize("seed", [0, 1, 2, 3])  # both filters are drawn
def test_smoothing_keeps_the_face_and_takes_its_grain(crop, seed):
    face_crop, _ = crop
    grain = np.random.default_rng(9).normal(0, 4, face_crop.shape)
    grainy = np.clip(face_crop + grain, 0, 255).astype(np.uint8)
    before = grainy.copy()
    result = smoothed(grainy, np.random.default_rng(seed))
    assert np.array_equal(result, smoothed(grainy, np.random.default_rng(seed)))
    assert np.array_equal(grainy, before)
    assert result.shape == face_crop.shape
    assert roughness(result) < 0.8 * roughness(grainy)
    # Edges stay: it is nearer to the face without grain than the grainy one is.
    error = np.abs(result.astype(float) - face_crop).mean()
    assert error < np.abs(grainy.astype(float) - face_crop).mean()


@pytest.fixture
def picture(astronaut):
    return astronaut[80:208, 160:288]


def unevenness(pixels):
    """Mean square of what a pixel differs from its neighbours."""
    values = pixels.astype(float)
    return (np.diff(values, axis=0) ** 2).mean() + (np.diff(values, axis=1) ** 2).mean()


@pytest.mark.parametrize("number", range(5))
def test_each_filter_smooths_and_keeps_the_picture(picture, number):
    before = picture.copy()
    soft = retouching._FILTERS[number](picture, np.random.default_rng(0))
    assert soft.shape == picture.shape
    assert soft.dtype == np.uint8
    assert unevenness(soft) < 0.97 * unevenness(picture)
    assert np.abs(soft.astype(float) - picture).mean() < 12
    assert np.array_equal(picture, before)


def test_the_generator_decides(picture):
    first, again, other = (retouched(picture, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, picture)


def test_sharpening_makes_edges_steeper(picture):
    assert unevenness(sharpened(picture, 1.0, 0.8)) > 1.3 * unevenness(picture)
    assert np.array_equal(sharpened(picture, 1.0, 0.0), picture)
