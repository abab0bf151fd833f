from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from exiface.datasets import Manifest, scan
from exiface.datasets.augmentation import Augmentation
from exiface.datasets.batches import FAMILIES, FaceBatches, PatchBatches
from exiface.datasets.sampling import Sampling
from exiface.errors import UserError
from exiface.photos import Preprocessing, UnreadableImageError, read_photo
from exiface.photos.patches import Patches


@pytest.fixture(scope="module")
def faces(scanned):
    augmentation = Augmentation(flip=0.5, jpeg=0.5, box_shift=0.05)
    return FaceBatches(scanned[0], Preprocessing(48), augmentation=augmentation, seed=7)


def drawn(faces, first, last, batch_size=8, **how):
    return [part for step in faces.training(first, last, batch_size, **how) for part in step]


def test_a_resumed_run_sees_what_an_uninterrupted_one_does(faces):
    whole = drawn(faces, 0, 10)
    how = {"augmentation": faces.augmentation, "seed": 7, "workers": 1}  # nor do threads matter
    alone = FaceBatches(faces.manifest, faces.preprocessing, **how)
    resumed = drawn(faces, 0, 4) + drawn(alone, 4, 10)
    for first, second in zip(whole, resumed, strict=True):
        assert np.array_equal(first.crops, second.crops)
        assert np.array_equal(first.manipulated, second.manipulated)


def test_processes_and_micro_batches_share_out_one_batch(faces):
    [whole] = drawn(faces, 2, 3)
    parts = [
        part
        for rank in range(2)
        for part in drawn(faces, 2, 3, rank=rank, world_size=2, micro_batches=2)
    ]
    assert [len(part.crops) for part in parts] == [2, 2, 2, 2]

    def fingerprints(crops):
        return sorted(crop.tobytes() for crop in crops)

    shared = np.concatenate([part.crops for part in parts])
    assert fingerprints(shared) == fingerprints(whole.crops)


def test_an_epoch_draws_each_face_once_and_another_one_anew(faces):
    steps = faces.steps_per_epoch(8)
    plain = FaceBatches(faces.manifest, faces.preprocessing, seed=7)
    first = np.concatenate([batch.tags for batch in drawn(plain, 0, steps)])
    assert len(first) == steps * 8 <= len(faces.manifest)
    one = {batch.crops.tobytes() for batch in drawn(plain, 0, steps)}
    two = {batch.crops.tobytes() for batch in drawn(plain, steps, 2 * steps)}
    assert one.isdisjoint(two)


def test_untouched_validation_faces_are_cut_as_the_detector_cuts_them(faces):
    untouched, _ = next(faces.validation(4))
    pixels = read_photo(faces.manifest.file(0)).pixels
    expected = faces.preprocessing.crop(pixels, tuple(map(float, faces.manifest.box[0])))
    assert np.array_equal(untouched.crops[0], expected)


def test_too_few_faces_and_lost_files_are_named(faces, tmp_path):
    with pytest.raises(ValueError, match="batch_size"):
        faces.steps_per_epoch(10_000)
    lost = FaceBatches(replace(faces.manifest, root=tmp_path), faces.preprocessing)
    with pytest.raises(UnreadableImageError, match="prepare again"):
        drawn(lost, 0, 1)


def test_families_are_drawn_alike_and_shown_in_their_order(faces):
    several = FaceBatches(faces.manifest, faces.preprocessing, families=FAMILIES, seed=7)
    drawn_families = np.concatenate([batch.manipulated for batch in drawn(several, 0, 60)])
    shares = np.bincount(drawn_families) / len(drawn_families)
    assert shares == pytest.approx([1 / 2, 1 / 6, 1 / 6, 1 / 6], abs=0.09)  # five deviations
    untouched, local, smoothed, averaged = next(several.validation(8))
    assert [form.manipulated[0] for form in (untouched, local, smoothed, averaged)] == [0, 1, 2, 3]

    def roughness(batch):
        return np.abs(np.diff(batch.crops.astype(float), axis=2)).mean()

    assert roughness(smoothed) < roughness(untouched)
    assert roughness(averaged) < roughness(untouched)


def test_views_are_the_same_at_every_call_and_differ_from_one_another(faces):
    views = [np.concatenate(list(faces.views(number))) for number in (0, 1, 2, 1)]
    assert all(view.shape == (len(faces.manifest), 48, 48, 3) for view in views)
    assert np.array_equal(views[1], views[3])
    assert not np.array_equal(views[1], views[2])
    untouched = np.concatenate([forms[0].crops for forms in faces.validation(16)])
    assert np.array_equal(views[0], untouched)
    manipulated = np.concatenate(list(faces.views(0, 1)))
    assert (np.abs(manipulated.astype(int) - untouched).max((1, 2, 3)) > 10).all()


@pytest.fixture(scope="module")
def of_both(faces):
    """The same faces, twelve of them called generated, the photographs of two sources."""
    number = len(faces.manifest)
    source = np.where(np.arange(number) < 10, "few", "many")
    return replace(faces.manifest, generated=np.arange(number) >= number - 12, source=source)


def batches(manifest, **how):
    return FaceBatches(manifest, Preprocessing(16), seed=3, **how)


def test_classes_and_sources_are_drawn_as_asked(of_both):
    sampling = Sampling(manipulated=0, generated=0.25, source_power=0.0)
    weights = sampling.probabilities(of_both)
    assert weights.sum() == pytest.approx(1)
    assert weights[of_both.generated].sum() == pytest.approx(0.25)
    few = of_both.source == "few"
    assert weights[few].sum() == pytest.approx(0.375)
    evenly = Sampling(generated=0.5, source_power=1.0).probabilities(of_both)
    assert np.allclose(evenly[~of_both.generated], evenly[0])
    assert Sampling().probabilities(of_both) is None

    drawn_faces = drawn(batches(of_both, sampling=sampling), 0, 40)
    share = np.concatenate([batch.generated for batch in drawn_faces]).mean()
    assert share == pytest.approx(0.25, abs=0.08)


@pytest.mark.parametrize(("family_power", "of_large"), [(0.0, 1 / 2), (1.0, 5 / 6), (0.5, 0.691)])
def test_families_are_drawn_as_asked_and_sources_evenly_within(of_both, family_power, of_large):
    """One family of 20 rows in two sources, 15 and 5; another of 4 rows."""
    rows = of_both.select(np.flatnonzero(of_both.generated).repeat(24)[:24])
    source = np.repeat(["large/a", "large/b", "small/c"], [15, 5, 4])
    faces = replace(rows, source=source)
    sampling = Sampling(generated=1.0, source_power=0.0, family_power=family_power)
    weights = sampling.probabilities(faces)
    large = weights[:20].sum()
    assert weights.sum() == pytest.approx(1)
    assert large == pytest.approx(of_large, abs=1e-3)
    assert weights[:15].sum() == pytest.approx(large / 2)


def test_generated_faces_are_never_manipulated(of_both):
    sampling = Sampling(manipulated=1.0, generated=0.5)
    for batch in drawn(batches(of_both, sampling=sampling), 0, 6):
        assert np.array_equal(batch.manipulated > 0, ~batch.generated)


def test_a_class_that_is_missing_is_named(faces):
    with pytest.raises(UserError, match="no generated image"):
        Sampling(generated=0.5).probabilities(faces.manifest)


def test_windows_at_own_pixels_have_one_size(of_both):
    own = FaceBatches(of_both, Preprocessing(32, largest=200), window=40, seed=3)
    [batch] = drawn(own, 0, 1)
    assert batch.crops.shape == (8, 40, 40, 3)
    forms = next(own.validation(5))
    assert {form.crops.shape for form in forms} == {(5, 40, 40, 3)}
    sides = {len(crop) for crops in own.views(0) for crop in crops}
    assert len(sides) > 1
    assert max(sides) <= 200


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


def drawn_in_pairs(batches, first, last, **how):
    return drawn(batches, first, last, 2, **how)


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


def test_patches_are_the_images_own_pixels_wherever_they_lie(images):
    places = set()
    for batch in drawn_in_pairs(PatchBatches(images, Patches(), number=3, seed=1), 0, 8):
        assert batch.crops.shape == (2, 3, 64, 64, 3)
        assert (np.diff(batch.crops[..., 0].astype(int), axis=2) == 1).all()
        assert (np.diff(batch.crops[..., 1].astype(int), axis=3) == 1).all()
        assert not batch.manipulated.any()
        places |= {tuple(patch[0, 0].tolist()) for patch in batch.crops.reshape(-1, 64, 64, 3)}
    assert len(places) > 20
    assert max(y for y, _, number in places if number == 2) > 100


def test_patches_lie_within_a_window(images):
    for batch in drawn_in_pairs(PatchBatches(images, Patches(), number=8, window=70, seed=1), 0, 8):
        corners = batch.crops[:, :, 0, 0, :2].astype(int)
        assert (np.ptp(corners, axis=1) <= 70 - 64).all()


def test_a_step_depends_on_its_number_alone(images):
    batches = PatchBatches(
        images, Patches(), number=2, augmentation=Augmentation(flip=0.5, jpeg=0.5), seed=3
    )
    straight, resumed = drawn_in_pairs(batches, 0, 4), drawn_in_pairs(batches, 2, 4)
    assert all(
        np.array_equal(one.crops, other.crops)
        for one, other in zip(straight[2:], resumed, strict=True)
    )
    halves = [drawn_in_pairs(batches, 3, 4, rank=rank, world_size=2)[0].crops for rank in (0, 1)]
    assert np.array_equal(np.concatenate(halves), straight[3].crops)


def test_validation_sees_each_image_once_and_evenly(images):
    [(batch,), (rest,)] = PatchBatches(images, Patches(), number=2).validation(2)
    assert batch.crops.shape[:2] == (2, 16)
    assert rest.crops[0, -1, 0, 0].tolist() == [132, 13, 2]  # the last of the grid, centred
