"""Photographs that hold several faces, and a tiny detector of each subject and kind of scorer."""

import contextlib
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made import EXPOSURES, write_photo
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from skimage import data
from torch import Tensor, nn

from exiface.encoders import EncoderDescription, EncoderFolder
from exiface.encoders.image_encoder import ImageEncoder
from exiface.encoders.to_onnx import export_encoder
from exiface.photos import TAG_NAMES
from exiface.photos.patches import Patches, Pooling

_FACE = 120  # px, the side of what is cut out about a face
# Of the pictures that are judged: how many faces each holds; None = it can't be read.
JUDGED = {"broken.jpg": None, "scene.png": 0, "three.jpg": 3, "two.jpg": 2}
SUBJECTS = ("face", "image")
SCORERS = ("mixture", "evidence", "classifier")


def of_several_faces(
    astronaut: NDArray[np.uint8], faces: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """A picture (120, 120 times the faces, 3) of so many people, each in a light of its own."""
    people = []
    for place in range(faces):
        left, top = rng.integers(0, 30, 2)
        person = Image.fromarray(astronaut[top : top + 230, 110 + left : 340 + left])
        person = person.resize((_FACE, _FACE))
        person = ImageEnhance.Brightness(person).enhance(rng.uniform(0.7, 1.2))
        person = ImageEnhance.Color(person).enhance(rng.uniform(0.3, 1.6))
        people.append(np.asarray(person)[:, :: -1 if place % 2 else 1])
    return np.concatenate(people, axis=1)


def write_group_photos(
    folder: Path, astronaut: NDArray[np.uint8], number: int, *, seed: int
) -> Path:
    """A folder of so many photographs with EXIF, of two and of three faces in turn."""
    rng = np.random.default_rng(seed)
    for each in range(number):
        pixels = of_several_faces(astronaut, 2 + each % 2, rng)
        write_photo(folder / f"{each:02}.jpg", pixels, EXPOSURES[each % 4], quality=92)
    return folder


@pytest.fixture(scope="session")
def group_photos(tmp_path_factory: pytest.TempPathFactory, astronaut: NDArray[np.uint8]) -> Path:
    """Twenty photographs of two or three faces each."""
    return write_group_photos(tmp_path_factory.mktemp("groups"), astronaut, 20, seed=0)


@pytest.fixture(scope="session")
def other_groups(tmp_path_factory: pytest.TempPathFactory, astronaut: NDArray[np.uint8]) -> Path:
    """Ten further ones, which nothing was fitted or calibrated on."""
    return write_group_photos(tmp_path_factory.mktemp("others"), astronaut, 10, seed=1)


@pytest.fixture(scope="session")
def judged_folder(tmp_path_factory: pytest.TempPathFactory, astronaut: NDArray[np.uint8]) -> Path:
    """The pictures of `JUDGED`."""
    folder = tmp_path_factory.mktemp("judged")
    rng = np.random.default_rng(2)
    for name, faces in JUDGED.items():
        if faces:
            write_photo(folder / name, of_several_faces(astronaut, faces, rng), quality=92)
    write_photo(folder / "scene.png", data.coffee()[:200, :300], None)
    (folder / "broken.jpg").write_bytes((folder / "two.jpg").read_bytes()[:2000])
    return folder


class _TinyPatches(ImageEncoder):
    """Colour and coarse texture of patches."""

    pooling: Pooling = "mean"

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 8, stride=8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )

    def maps(self, patches: Tensor) -> list[Tensor]:
        return [self.tokens(patches)]

    def tokens(self, patches: Tensor) -> Tensor:
        return self.layers(patches)

    def feature(self, tokens: Tensor) -> Tensor:
        return tokens.mean(1)


@pytest.fixture(scope="session")
def tiny_encoders(made_once: Callable[..., Path], encoder_folder: Path) -> dict[str, EncoderFolder]:
    """An encoder of each subject; that of images has learnt to rank but one tag."""

    def make(folder: Path) -> None:
        torch.manual_seed(0)
        export_encoder(_TinyPatches(), EncoderDescription("tiny", 8, Patches(32)), folder)

    folder = made_once("tiny-patches", make)
    rng = np.random.default_rng(0)
    heads = {name: np.float32(rng.normal(size=8)) for name in ("manipulation", *TAG_NAMES)}
    two = {name: heads[name] for name in ("manipulation", "iso_speed")}
    return {
        "face": replace(EncoderFolder.read(encoder_folder), heads=heads),
        "image": replace(EncoderFolder.read(folder), heads=two),
    }


@dataclass(frozen=True)
class Case:
    """A subject and a kind of scorer, with a detector that the command line made in a folder."""

    subject: str
    scorer: str
    folder: Path

    @property
    def encoder(self) -> Path:
        return self.folder / "encoder"

    @property
    def detector(self) -> Path:
        return self.folder / self.scorer

    @property
    def what(self) -> str:
        """What it judges, in the plural."""
        return f"{self.subject}s"

    def judged(self, faces: int | None) -> int:
        """How many verdicts a picture of so many faces has."""
        if faces is None:
            return 0
        return faces if self.subject == "face" else 1

    def make(self, encoder: EncoderFolder, photos: Path) -> None:
        """Fit the detector by the command line, in this process; `told.txt` is what it printed."""
        from exiface.apps.main import main

        if self.scorer == "classifier":
            weights = np.float32(np.random.default_rng(1).normal(size=(1, 8)))
            bias = np.zeros(1, np.float32)
            encoder = replace(encoder, classifier={"0.weight": weights, "0.bias": bias})
        encoder.write(self.encoder)
        by = {"mixture": ["--components", "1"]}
        by["evidence"] = ["--evidence", "manipulation", "--evidence=-iso_speed"]
        command = [
            *("exiface", "fit", "--encoder", str(self.encoder), "--photos", str(photos)),
            *("-o", str(self.detector), "--alpha", "0.2", "--beta", "0.5", "--license", "mit"),
            *by.get(self.scorer, []),
        ]
        out = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
            patch.setattr(sys, "argv", command)
            patch.setenv("COLUMNS", "200")
            with contextlib.suppress(SystemExit):
                main()
        (self.folder / "told.txt").write_text(out.getvalue())
