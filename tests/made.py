"""Photographs as a camera would write them."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import IFDRational
from torch import nn

from exiface.datasets import Manifest
from exiface.photos import RANKED_TAGS, CameraTags
from exiface.photos.camera_settings import CLASSES

# (aperture, exposure time, focal length, ISO speed) as rationals, cycled through the variations.
EXPOSURES = [
    ((28, 10), (1, 200), (50, 1), 100),
    ((56, 10), (1, 60), (35, 1), 400),
    ((18, 10), (1, 1000), (85, 1), 200),
    ((11, 1), (1, 30), (24, 1), 1600),
]


def tags_of(manifest: Manifest, row: int) -> CameraTags:
    """The tags of one row of a manifest."""
    ranked = zip(RANKED_TAGS, manifest.tags[row].tolist(), strict=True)
    places = zip(CLASSES.items(), manifest.classes[row].tolist(), strict=True)
    return CameraTags(
        **{name: None if np.isnan(value) else value for name, value in ranked},
        **{name: classes[place] for (name, classes), place in places if place >= 0},
    )


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


def with_statistics(network: nn.Module, example: torch.Tensor) -> nn.Module:
    """A network whose batch normalisation has seen an example, in evaluation mode."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(example)
    return network.eval()
