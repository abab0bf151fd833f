"""Two hundred pictures that are none, or hardly: no 5xx, no lost worker, a row for each."""

from collections.abc import Iterator

import httpx
import numpy as np
import pillow_heif
import pytest
from made import EXPOSURES, write_photo
from made_service import encoded

pillow_heif.register_heif_opener()
FORMATS = {
    "jpg": ("JPEG", {"quality": 85}),
    "png": ("PNG", {}),
    "webp": ("WEBP", {"quality": 80}),
    "tif": ("TIFF", {"compression": "tiff_lzw"}),
    "heic": ("HEIF", {"quality": 70}),
    "avif": ("AVIF", {"quality": 60}),
}


def malformed(pixels: np.ndarray, garbage_exif: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and contents."""
    rng = np.random.default_rng(0)
    for suffix, (file_format, options) in FORMATS.items():
        whole = encoded(pixels, file_format, **options)
        for tenth in range(1, 10):
            yield f"cut-{tenth}.{suffix}", whole[: len(whole) * tenth // 10]
        for number in range(18):
            flipped = bytearray(whole)
            # Most of the damage in the headers, where it does the most.
            last = len(flipped) if number % 3 else min(200, len(flipped))
            for place in rng.integers(0, last, 1 + number):
                flipped[place] ^= 1 << int(rng.integers(8))
            yield f"flipped-{number}.{suffix}", bytes(flipped)
        yield f"disguised.{suffix}.txt", whole
        yield f"noise.{suffix}", whole[:12] + rng.bytes(4000)
    yield "empty.jpg", b""
    yield "one-byte.png", b"\x89"
    yield "text.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    yield "a-single-pixel.png", encoded(pixels[:1, :1], "PNG")
    yield "a-line.png", encoded(pixels[:1], "PNG")
    for number in range(24):
        damaged = bytearray(garbage_exif)
        start = damaged.index(b"Exif\0\0")
        for place in rng.integers(start + 6, start + 150, 4 + 2 * number):
            damaged[place] = int(rng.integers(256))
        yield f"exif-{number}.jpg", bytes(damaged)


@pytest.fixture(scope="module")
def pictures(astronaut, tmp_path_factory):
    path = tmp_path_factory.mktemp("malformed") / "photo.jpg"
    photo = write_photo(path, astronaut[:260, 90:350], EXPOSURES[0], quality=85)
    return list(malformed(astronaut[40:200, 150:310], photo.read_bytes()))


def test_none_of_them_harms(service, pictures):
    assert len(pictures) >= 200
    verdicts = reasons = 0
    with httpx.Client(base_url=service, timeout=120) as client:
        for start in range(0, len(pictures), 20):
            sent = pictures[start : start + 20]
            answer = client.post("/v1/detect", files=[("files", each) for each in sent])
            if answer.status_code == 413:  # a flipped bit declares very many pixels
                assert answer.json()["code"] == "too_many_pixels"
                continue
            assert answer.status_code == 200
            results = answer.json()["results"]
            assert [result["path"] for result in results] == [name for name, _ in sent]
            for result in results:
                assert bool(result["faces"]) != ("reason" in result)
            verdicts += sum(bool(result["faces"]) for result in results)
            reasons += sum("reason" in result for result in results)
        assert verdicts > 20
        assert reasons > 100
        assert client.get("/readyz").status_code == 200
