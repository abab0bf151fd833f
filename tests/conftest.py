"""What tests share: real photographs from packages, made variations with EXIF, the command line."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from PIL.TiffImagePlugin import IFDRational
from skimage import data

from exiface.photos import Face, FaceDetector

settings.register_profile(
    "exiface", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("exiface")

# (aperture, exposure time, focal length, ISO speed) as rationals, cycled through the variations.
EXPOSURES = [
    ((28, 10), (1, 200), (50, 1), 100),
    ((56, 10), (1, 60), (35, 1), 400),
    ((18, 10), (1, 1000), (85, 1), 200),
    ((11, 1), (1, 30), (24, 1), 1600),
]


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """A real photograph (512 x 512) with one face; NASA, public domain."""
    return data.astronaut()


@pytest.fixture(scope="session")
def face(astronaut: NDArray[np.uint8]) -> Face:
    return FaceDetector().detect(astronaut)[0]


def write_photo(
    path: Path, pixels: NDArray[np.uint8], exposure: tuple | None = EXPOSURES[0], **save: object
) -> Path:
    """Write an image with EXIF, as a camera would."""
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    if exposure is not None:
        aperture, time, focal_length, iso = exposure
        exif[0x010F], exif[0x0110] = "Maker", "Maker One"
        fields = {
            0x829D: IFDRational(*aperture),
            0x829A: IFDRational(*time),
            0x920A: IFDRational(*focal_length),
            0x8827: iso,
        }
        # Pillow writes the sub-IFD from the one in JPEG, from the other in TIFF.
        exif.get_ifd(0x8769).update(fields)
        exif[0x8769] = fields
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, exif=exif, **save)
    return path


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory, astronaut: NDArray[np.uint8]) -> Path:
    """Sixty variations of the astronaut's photograph with EXIF, and a few troublemakers."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for number in range(60):
        left, top = rng.integers(0, 120, 2)
        image = Image.fromarray(astronaut[top // 4 : top // 4 + 380, left : left + 380])
        image = ImageEnhance.Brightness(image).enhance(rng.uniform(0.6, 1.3))
        image = ImageEnhance.Color(image).enhance(rng.uniform(0.3, 1.6))
        image = image.rotate(rng.uniform(-8, 8), Image.Resampling.BICUBIC)
        side = int(rng.integers(260, 420))
        write_photo(
            folder / f"{number % 3}" / f"{number:02}.jpg",
            np.asarray(image.resize((side, side))),
            EXPOSURES[number % 4],
            quality=int(rng.integers(80, 96)),
        )
    write_photo(folder / "landscape.png", data.coffee(), None)
    (folder / "broken.jpg").write_bytes((folder / "0" / "00.jpg").read_bytes()[:3000])
    (folder / "notes.txt").write_text("not an image")
    return folder


@dataclass
class Finished:
    status: int
    out: str
    err: str


@pytest.fixture
def exiface(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Finished]:
    """Run the command line in this process."""
    from exiface.apps.main import main

    def run(*arguments: object) -> Finished:
        monkeypatch.setattr(sys, "argv", ["exiface", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        capfd.readouterr()
        status = 0
        try:
            main()
        except SystemExit as exit_:
            status = int(exit_.code or 0)
        out, err = capfd.readouterr()
        return Finished(status, out, err)

    return run


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Photographs of real people to develop on; absent in most checkouts."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("EXIFACE_DATA", beside))
    if not (folder / "camera_faces").is_dir():
        pytest.skip("development photographs are not here (set EXIFACE_DATA to their folder)")
    return folder
