"""What tests share: real photographs from packages, made variations with EXIF, the command line."""

import gc
import os

if "PYTEST_XDIST_WORKER" in os.environ:  # the workers share the cores
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    gc.disable()  # until all is imported, which would be looked through again and again

import contextlib
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from filelock import FileLock
from hypothesis import HealthCheck, settings
from made import EXPOSURES, write_photo
from made_matrix import group_photos, judged_folder, other_groups, tiny_encoders  # noqa: F401
from made_service import browser, encoded, jpeg, judge, photographs_only, service  # noqa: F401
from made_sets import report, report_folder, report_sets  # noqa: F401
from made_signed import signed
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from skimage import data
from torch import nn

from exiface.datasets import Manifest, scan
from exiface.encoders import EncoderDescription
from exiface.encoders.description import PATCHES
from exiface.encoders.to_onnx import export_encoder
from exiface.papers.sdaie.network import LENGTH, PatchEncoder
from exiface.photos import Face, FaceDetector, Preprocessing
from exiface.photos.patches import Patches

_quiet = [HealthCheck.too_slow]
settings.register_profile(
    "exiface", deadline=None, suppress_health_check=_quiet, derandomize=True, max_examples=50
)
settings.load_profile("exiface")


with contextlib.suppress(ImportError, AttributeError):  # a private place of torch's
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    # Each export would parse torch's library of operators anew, which takes half of its time.
    ONNXRegistry.from_torchlib = staticmethod(functools.cache(ONNXRegistry.from_torchlib))
    # And would look up the same thousand operators twice.
    torch._export.utils._materialize_cpp_cia_ops = functools.cache(
        torch._export.utils._materialize_cpp_cia_ops
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with tests that take long, lest one worker waits for the other at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """What was imported stays, and isn't looked through for garbage."""
    gc.enable()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Folders that one of the workers makes, by name, and all of them read."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = base / name, base / f"{name}.made"
        with FileLock(base / f"{name}.lock"):
            if not done.exists():
                folder.mkdir(exist_ok=True)
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """A real photograph (512 x 512) with one face; NASA, public domain."""
    return data.astronaut()


@pytest.fixture(scope="session")
def face(astronaut: NDArray[np.uint8]) -> Face:
    return FaceDetector().detect(astronaut)[0]


@pytest.fixture(scope="session")
def photos(made_once: Callable[..., Path], astronaut: NDArray[np.uint8]) -> Path:
    """Sixty variations of the astronaut's photograph with EXIF, and a few troublemakers."""

    def make(folder: Path) -> None:
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

    return made_once("photos", make)


@pytest.fixture(scope="session")
def scanned(photos: Path) -> tuple[Manifest, object]:
    """The manifest of the sixty, and the summary of its scan; both are left as they are."""
    return scan(photos)


@pytest.fixture(scope="session")
def prepared(scanned: tuple[Manifest, object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as `exiface prepare` writes it."""
    path = tmp_path_factory.mktemp("prepared") / "m.parquet"
    scanned[0].write(path)
    return path


@pytest.fixture(scope="session")
def encoder_folder(made_once: Callable[..., Path]) -> Path:
    """A small random encoder: colour and coarse shape of a face."""

    def make(folder: Path) -> None:
        torch.manual_seed(0)
        layers = (nn.Conv2d(3, 8, 5, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
        network = nn.Sequential(*layers, nn.Linear(32, 8))
        export_encoder(network, EncoderDescription("small", 8, Preprocessing(32)), folder)

    return made_once("encoder", make)


@pytest.fixture(scope="session")
def patch_folder(made_once: Callable[..., Path]) -> Path:
    """An encoder of whole images with random weights, whose norms are not 1 and 0."""

    def make(folder: Path) -> None:
        torch.manual_seed(0)
        network = PatchEncoder().eval()
        for name, parameter in network.named_parameters():
            if parameter.ndim != 4:
                nn.init.normal_(parameter, std=0.05 if "fn" in name else 0.2)
        export_encoder(network, EncoderDescription(PATCHES, LENGTH, Patches()), folder)
        torch.save(network.state_dict(), folder / "network.pt")

    return made_once("patches", make)


class Finished(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def exiface(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Finished]:
    """Run the command line in this process; where a status is given, it must end with that."""
    from exiface.apps.main import main

    def run(*arguments: object, status: int | None = None) -> Finished:
        monkeypatch.setattr(sys, "argv", ["exiface", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        capfd.readouterr()
        ended = 0
        try:
            main()
        except SystemExit as exit_:
            ended = int(exit_.code or 0)
        out, err = capfd.readouterr()
        assert status in (None, ended), out + err
        return Finished(ended, out, err)

    return run


@pytest.fixture
def explained(
    made_once: Callable[..., Path], exiface: Callable[..., Finished], astronaut: NDArray[np.uint8]
) -> Path:
    """A signed picture, the page that explains its second face, and what the command said."""

    def make(folder: Path) -> None:
        face = astronaut[0:300, 100:400]
        two = folder / "two.jpg"
        two.write_bytes(signed(encoded(np.hstack([face, face[:, ::-1]]), "JPEG")))
        done = exiface("explain", two, "--face", "2", "-o", folder / "why.html", status=0)
        (folder / "said.txt").write_text(done.out, "utf-8")

    return made_once("explained", make)


def _beside(name: str, variable: str, holds: str, what: str) -> Path:
    """A folder beside the checkout, or where a variable says; without what it holds, a skip."""
    folder = Path(os.environ.get(variable, Path(__file__).parents[2] / "shared" / name))
    if not (folder / holds).exists():
        pytest.skip(f"{what} are not here (set {variable} to their folder)")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Photographs of real people to develop on; absent in most checkouts."""
    return _beside("data", "EXIFACE_DATA", "camera_faces", "development photographs")


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """What the authors' programs computed, too large to be kept here; absent in most checkouts."""
    weights = "sdaie_backbone.safetensors"
    return _beside("reference", "EXIFACE_REFERENCE", weights, "the authors' numbers")
