import io
from dataclasses import replace

import numpy as np
import pytest
from made_service import encoded
from PIL import Image

from exiface.evaluation.audit import CUES, FORMS, audit, read_traits, reliance


def test_traits_are_those_of_the_file(astronaut, photos):
    content = encoded(astronaut, "JPEG", quality=90, subsampling="4:4:4")
    traits = read_traits(content, astronaut)
    assert (traits.file_format, traits.subsampling, traits.exif) == ("JPEG", "4:4:4", False)
    assert (traits.width, traits.height) == (512, 512)
    assert traits.bytes_per_pixel == len(content) / 512**2
    assert read_traits(encoded(astronaut, "JPEG"), astronaut).subsampling == "4:2:0"
    with_exif = (photos / "0/00.jpg").read_bytes()
    assert read_traits(with_exif, np.asarray(Image.open(io.BytesIO(with_exif)))).exif
    lossless = read_traits(encoded(astronaut, "PNG"), astronaut)
    assert (lossless.file_format, lossless.quality, lossless.subsampling) == ("PNG", None, "")


@pytest.fixture(scope="module")
def variations(astronaut):
    rng = np.random.default_rng(0)
    windows = [astronaut[top : top + 300, top : top + 300] for top in rng.integers(0, 200, 40)]
    return [np.clip(window * rng.uniform(0.7, 1.2), 0, 255).astype(np.uint8) for window in windows]


def traits_of(pictures, file_format, **options):
    return [read_traits(encoded(each, file_format, **options), each) for each in pictures]


def test_alike_classes_raise_no_suspicion(variations):
    each = (traits_of(variations[first::2], "JPEG", quality=80) for first in (0, 1))
    findings = audit("x", "y", *each)
    assert [finding.trait for finding in findings] == [*CUES, *FORMS]
    forms = [finding for finding in findings if finding.trait in (*FORMS, "JPEG quality", "pixels")]
    assert [finding.separation for finding in forms] == [0.5] * len(forms)
    assert not any(finding.suspicious for finding in forms)


def test_formats_that_separate_are_seen(variations):
    jpeg = traits_of(variations[::2], "JPEG", quality=80)
    found = audit("x", "y", jpeg, traits_of(variations[1::2], "PNG"))
    findings = {finding.trait: finding for finding in found}
    for trait in ("format", "chroma subsampling", "JPEG quality", "bytes per pixel"):
        assert findings[trait].separation == 1
        assert findings[trait].suspicious
    assert findings["format"].detail == "20 JPEG against 20 PNG"
    assert findings["EXIF"].separation == 0.5


def test_scores_that_follow_a_cue_are_told(astronaut):
    plain = read_traits(encoded(astronaut, "JPEG", quality=90), astronaut)
    traits = [replace(plain, sharpness=float(number)) for number in range(20)]
    scores = np.array([float(number) ** 2 for number in range(20)])
    scores[3] = np.nan
    rows = {row.trait: row for row in reliance("D1", scores, traits)}
    assert set(rows) == {"sharpness"}  # all others are the same in every file
    assert rows["sharpness"].correlation == pytest.approx(1)
    assert rows["sharpness"].images == 19
    assert rows["sharpness"].suspicious
    [turned] = reliance("D1", -scores, traits)
    assert turned.correlation == pytest.approx(-1)
    assert turned.suspicious
    assert reliance("D1", np.full(20, 1.0), traits) == []
