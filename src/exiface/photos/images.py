"""From a file, bytes, an array or a Pillow image to upright RGB pixels and camera tags."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from exiface.errors import UserError
from exiface.photos.declared import Declared, read_declared
from exiface.photos.quality import jpeg_quality
from exiface.photos.tags import CameraTags, camera_name, read_exif

IMAGE_SUFFIXES = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".png",
        ".webp",
        ".tif",
        ".tiff",
        ".heic",
        ".heif",
        ".hif",
        ".avif",
        ".bmp",
    ]
)
# Three bytes a pixel: half a gigabyte. Above it stand panoramas and decompression bombs.
MAX_PIXELS = 178_000_000

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

ImageSource = str | Path | bytes | NDArray[np.uint8] | Image.Image


class UnreadableImageError(UserError):
    """An image that can't be read; its text names the reason and, where there is one, the file."""


class TooManyPixelsError(UnreadableImageError):
    """An image whose header declares more pixels than are ever decoded."""


@dataclass(frozen=True, slots=True)
class Photo:
    """One decoded image."""

    pixels: NDArray[np.uint8]  #: (height, width, 3) uint8, RGB, upright.
    tags: CameraTags  #: what the camera recorded.
    camera: str | None = None  #: maker and model, where they are known.
    declared: Declared = field(default_factory=Declared)  #: what the file says of its origin.
    jpeg_quality: int | None = None  #: of the file, estimated, 1 to 100; None of other formats.


def read_photo(source: ImageSource) -> Photo:
    """Decode an image, turn it upright, and read what the camera recorded.

    Of an animated image the first frame is taken; 16-bit greys are scaled to 8 bits; transparency
    is laid on white.

    Args:
        source: path, the bytes of a file, a uint8 array (h, w[, 3], RGB or grey), or a Pillow
            image.

    Raises:
        UnreadableImageError: missing, damaged, empty, too large, or not an image.
    """
    if isinstance(source, np.ndarray):
        return Photo(_pixels_of_array(source), CameraTags())
    if isinstance(source, Image.Image):
        return _decode(source)
    try:
        content = source if isinstance(source, bytes) else Path(source).read_bytes()
    except FileNotFoundError:
        raise UnreadableImageError("no such file") from None
    except IsADirectoryError:
        raise UnreadableImageError("is a folder, not an image") from None
    except OSError as error:
        raise UnreadableImageError(f"can't be opened: {error.strerror or error}") from None
    return decode(content)


def decode(content: bytes) -> Photo:
    """Decode the bytes of an image file (see `read_photo`)."""
    with opened(content) as image:
        return _decode(image, content)


def declared_size(content: bytes) -> tuple[int, int] | None:
    """Width and height that the header of an image file declares, before any rotation.

    No pixel is decoded. It is None where the file can't be read; where the header declares so many
    pixels that Pillow won't even say, a TooManyPixelsError is raised.
    """
    try:
        with opened(content) as image:
            return image.size
    except TooManyPixelsError:
        raise
    except UnreadableImageError:
        return None


def opened(content: bytes) -> Image.Image:
    """Open the bytes of an image file by Pillow; of its pixels nothing is decoded yet.

    Bytes that are empty, damaged, too large, or not an image raise an UnreadableImageError.
    """
    if not content:
        raise UnreadableImageError("the file is empty")
    if content[4:8] == b"ftyp":  # ISO media container: HEIC, AVIF
        from pillow_heif import register_heif_opener

        register_heif_opener()
    try:
        return Image.open(io.BytesIO(content))
    except UnidentifiedImageError:
        raise UnreadableImageError(
            "not an image of a known format (JPEG, PNG, WebP, TIFF, HEIC, AVIF, BMP)"
        ) from None
    except Image.DecompressionBombError:
        raise TooManyPixelsError(_too_large()) from None
    except Exception as error:
        raise UnreadableImageError(f"damaged or cut short: {error}") from None


def _decode(image: Image.Image, content: bytes | None = None) -> Photo:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise UnreadableImageError(_too_large())
    if min(width, height) < 1:
        raise UnreadableImageError("the image has no pixels")
    exif = read_exif(image)
    try:
        upright = _UPRIGHT.get(exif.get(ExifTags.Base.Orientation, 1))
    except TypeError:  # an unhashable orientation in garbled EXIF
        upright = None
    try:
        image.load()
        rgb = _to_rgb(image)
    except MemoryError:
        raise UnreadableImageError(_too_large()) from None
    except Exception as error:
        raise UnreadableImageError(f"damaged or cut short: {error}") from None
    if upright is not None:
        rgb = rgb.transpose(upright)
    declared = read_declared(image, exif, content)
    return Photo(
        pixels=np.asarray(rgb),
        tags=CameraTags.from_exif(exif),
        camera=camera_name(exif),
        declared=declared,
        jpeg_quality=jpeg_quality(getattr(image, "quantization", None)),
    )


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float64)
        # Pillow's own conversion clips at 255: a 16-bit picture would turn white.
        scale = 1.0 if values.max(initial=0) <= 255 else 255 / 65535
        return Image.fromarray(np.clip(values * scale, 0, 255).astype(np.uint8)).convert("RGB")
    if "A" in image.mode or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _pixels_of_array(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.size == 0:
        raise UnreadableImageError(
            f"expected a uint8 array (h, w) or (h, w, 3), got {array.dtype} {array.shape}; "
            "scale floats to 0..255 and convert them first"
        )
    if array.ndim == 2:
        array = np.repeat(array[:, :, None], 3, axis=2)
    if array.shape[2] != 3:
        raise UnreadableImageError(f"expected 3 channels (RGB), got {array.shape[2]}")
    return np.ascontiguousarray(array)


def _too_large() -> str:
    return f"larger than {MAX_PIXELS // 1_000_000} megapixels; resize it or cut the face out first"
