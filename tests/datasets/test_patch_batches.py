import numpy as np
import pytest
from PIL import Image

from exiface.datasets import Manifest, scan
from exiface.datasets.augmentation import Augmentation
from exiface.datasets.batches import PatchBatches
from exiface.datasets.manifest import ManifestError
from exiface.photos.patches import Patches


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Pictures whose every pixel tells its place: red = row, green = column, blue = which."""
    folder = tmp_path_factory.mktemp("pictures")
    for number, (height, width) in enumerate([(100, 180), (70, 64), (200, 90)]):
        y, x = np.mgrid[:height, :width]
        pixels = np.stack([y, x, np.full_like(y, number)], axis=2).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    Image.fromarray(np.zeros((30, 300, 3), np.uint8)).save(folder / "small.png")
    return folder


@pytest.fixture(scope="module")
def images(pictures):
    return scan(pictures, subject="image")[0]


def drawn(batches, first, last, **how):
    return [batch for step in batches.training(first, last, 2, **how) for batch in step]


def test_a_scan_takes_photographs_as_they_are(pictures, tmp_path):
    manifest, summary = scan(pictures, subject="image")
    assert manifest.subject == summary.subject == "image"
    assert manifest.box.tolist() == [[0, 0, 180, 100], [0, 0, 64, 70], [0, 0, 90, 200]]
    assert summary.left_out == {"a side below 64 px": ["small.png"]}
    assert manifest.counts()["images"] == 3
    manifest.write(tmp_path / "m.parquet")
    again = Manifest.read(tmp_path / "m.parquet")
    assert again.subject == "image"
    assert again.classes.tolist() == manifest.classes.tolist()


def test_faces_and_images_dont_mix(images, scanned):
    with pytest.raises(ManifestError, match="one kind"):
        Manifest.joined([images, scanned[0]])


def test_patches_are_the_images_own_pixels_wherever_they_lie(images):
    places = set()
    for batch in drawn(PatchBatches(images, Patches(), number=3, seed=1), 0, 8):
        assert batch.crops.shape == (2, 3, 64, 64, 3)
        assert (np.diff(batch.crops[..., 0].astype(int), axis=2) == 1).all()
        assert (np.diff(batch.crops[..., 1].astype(int), axis=3) == 1).all()
        assert not batch.manipulated.any()
        places |= {tuple(patch[0, 0].tolist()) for patch in batch.crops.reshape(-1, 64, 64, 3)}
    assert len(places) > 20
    assert max(y for y, _, number in places if number == 2) > 100


def test_patches_lie_within_a_window(images):
    for batch in drawn(PatchBatches(images, Patches(), number=8, window=70, seed=1), 0, 8):
        corners = batch.crops[:, :, 0, 0, :2].astype(int)
        assert (np.ptp(corners, axis=1) <= 70 - 64).all()


def test_a_step_depends_on_its_number_alone(images):
    batches = PatchBatches(
        images, Patches(), number=2, augmentation=Augmentation(flip=0.5, jpeg=0.5), seed=3
    )
    straight, resumed = drawn(batches, 0, 4), drawn(batches, 2, 4)
    assert all(
        np.array_equal(one.crops, other.crops)
        for one, other in zip(straight[2:], resumed, strict=True)
    )
    halves = [drawn(batches, 3, 4, rank=rank, world_size=2)[0].crops for rank in (0, 1)]
    assert np.array_equal(np.concatenate(halves), straight[3].crops)


def test_validation_sees_each_image_once_and_evenly(images):
    [(batch,), (rest,)] = PatchBatches(images, Patches(), number=2).validation(2)
    assert batch.crops.shape[:2] == (2, 16)
    assert rest.crops[0, -1, 0, 0].tolist() == [132, 13, 2]  # the last of the grid, centred
