"""Miniatures of the published folder layouts, from made images."""

import json
import pickle
from pathlib import Path

import numpy as np
from PIL import Image

# As Flickr reports them, in every form seen; all mean f/2.8, 1/200 s, 50 mm, ISO 200 or absent.
_KEYS = ("ISO Speed Ratings", "Aperture Value", "Exposure Time", "Focal Length")
FORMS = [
    dict(zip(_KEYS, ("200", "F2.8", "1/200 sec", "50.0 mm"), strict=True)),
    dict(zip(_KEYS, ("200", "28/10", "0.005 sec (1/200)", "500/10"), strict=True)),
    dict(zip(_KEYS, ("400", "F", "2 sec", "85 mm"), strict=True)),
    {"Make": "Canon", "Model": "Canon EOS 550D", "Exposure Time": "__import__('os').getcwd()"},
]
BOX = [0.2, 0.15, 0.8, 0.9]


def write_fdf(
    root: Path,
    faces: int,
    *,
    manipulated: str | None = "FDF/data/face_dataaug_neg",
    blades: bool = False,
    exposure: str | int = "1/200 sec",
    pixels: np.ndarray | None = None,
) -> list[str]:
    """Write SSL_training_data with so many faces, two to a photograph; returns their names."""
    data = root / "FDF" / "data"
    images = data / "fdf" / "images" / "128"
    images.mkdir(parents=True)
    names = [f"face.{number}_v2" for number in range(faces)]  # dots and underscores are allowed
    rng = np.random.default_rng(0)
    exif = root / "fdf_ccby2_exif_update_filtered_v2"
    for number, name in enumerate(names):
        noise = rng.integers(0, 255, (128, 128, 3), np.uint8)
        image = Image.fromarray(noise if pixels is None else pixels)
        if pixels is not None:
            image.putpixel((0, 0), (number % 256, number // 256, 0))  # no two are the same file
        image.save(images / f"{name}.png")
        if manipulated:
            (root / manipulated).mkdir(parents=True, exist_ok=True)
            for index in range(4):
                flat = Image.new("RGB", (128, 128), (10 * index, 0, 0))
                flat.save(root / manipulated / f"{name}_{index}.png")
    metainfo = {name: {"bounding_box": BOX, "landmark": [[0.5, 0.5]] * 7} for name in names}
    (data / "fdf" / "fdf_metainfo.json").write_text(json.dumps(metainfo))
    if blades:
        records = {
            name: {
                "path": f"images/{name}.png",
                "EXIF_ordinal": {
                    **{"ISO": 100 * (number + 1), "Aperture": "F2.8"},
                    **{"Focal Length": "50.0 mm", "Exposure Time": exposure},
                },
                "EXIF_categorical": {
                    **{"Make": {"cls_label": 3}, "Metering Mode": {"cls_label": number}},
                    "Exposure Mode": {"cls_label": 7},  # beyond the list
                    **{"White Balance Mode": {"cls_label": 1}, "Exposure Program": "damaged"},
                },
            }
            for number, name in enumerate(names)
        }
        (root / "fdf_ccby2_exif_ordinal_categorical.json").write_text(json.dumps(records))
        return names
    exif.mkdir()
    ids = {name: str(70_000 + number // 2) for number, name in enumerate(names)}
    for number, photo in enumerate(dict.fromkeys(ids.values())):
        (exif / f"{photo}.json").write_text(json.dumps({"EXIF": FORMS[number % len(FORMS)]}))
    (data / "id_vs_fdfName.pkl").write_bytes(pickle.dumps(ids))
    return names


def write_nine(
    root: Path, photographs: int, fakes: dict[str, int], *, lists_inside: bool = False
) -> None:
    """Write the test layout: photographs are noise about a grey of their own, fakes are flatter."""
    rng = np.random.default_rng(0)

    def write(path: Path, spread: float, offset: float) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        colour = rng.normal(offset, 20, 3)
        pixels = rng.normal(colour, spread, (48, 40, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(path)

    names = [f"{number:06}.png" for number in range(2 * photographs)]
    for name in names:
        write(root / "celeba-face" / name, 30, 128)
    lists = root / "celeba-face" if lists_inside else root
    for split, of_split in (("train", names[:photographs]), ("test", names[photographs:])):
        lines = "".join(f"celeba-face/{name}\n" for name in of_split)
        (lists / f"{split}.txt").write_text(lines)
    for folder, number in fakes.items():
        for index in range(number):
            write(root / folder / "some" / f"{index}.png", 8, 150)
