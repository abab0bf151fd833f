"""Index the published training data once, against reading each EXIF file at every start.

    python -m benchmarks.fdf results/fdf.csv      (make benchmarks; a minute)

A hundred thousand made faces, each with its own EXIF file and a 20 kB image (hard links of a few:
what is measured is files opened, read, hashed and parsed).
"""

import json
import os
import pickle
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.table import write_table
from exiface.datasets import Manifest
from exiface.papers.exif_ranking.fdf import read_fdf

FACES = 100_000
_DISTINCT = 50  # images
_RECORD = {
    "ISO Speed Ratings": "200",
    "Aperture Value": "F2.8",
    "Exposure Time": "1/200 sec",
    "Focal Length": "50.0 mm",
    **{f"Field {number}": "a value of some length" for number in range(40)},
}


def write_layout(root: Path, faces: int) -> None:
    images = root / "FDF" / "data" / "fdf" / "images" / "128"
    stored = root / "FDF" / "data" / "face_dataaug_neg"
    exif = root / "fdf_ccby2_exif_update_filtered_v2"
    for folder in (images, stored, exif):
        folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    originals = []
    for number in range(_DISTINCT):
        path = root / f"{number}.png"
        pixels = rng.integers(0, 255, (16, 16, 3), np.uint8)
        Image.fromarray(pixels).resize((128, 128), Image.Resampling.BICUBIC).save(path)
        originals.append(path)
    names = [str(number) for number in range(faces)]
    for number, name in enumerate(names):
        original = originals[number % _DISTINCT]
        os.link(original, images / f"{name}.png")
        (exif / f"9{name}.json").write_text(json.dumps({"EXIF": _RECORD}))
        for index in range(4):
            os.link(original, stored / f"{name}_{index}.png")
    box = {"bounding_box": [0.2, 0.2, 0.8, 0.9], "landmark": [[0.5, 0.5]] * 7}
    (images.parents[1] / "fdf_metainfo.json").write_text(json.dumps(dict.fromkeys(names, box)))
    ids = {name: f"9{name}" for name in names}
    (root / "FDF" / "data" / "id_vs_fdfName.pkl").write_bytes(pickle.dumps(ids))


def main(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "SSL_training_data"
        write_layout(root, FACES)
        manifest = Path(folder) / "fdf.parquet"

        def seconds(work) -> float:  # type: ignore[no-untyped-def]
            start = time.perf_counter()
            work()
            return time.perf_counter() - start

        index = seconds(lambda: read_fdf(root)[0].write(manifest))
        load = min(seconds(lambda: Manifest.read(manifest)) for _ in range(3))
        files = sorted((root / "fdf_ccby2_exif_update_filtered_v2").iterdir())
        each = min(
            seconds(lambda: [json.loads(file.read_bytes()) for file in files]) for _ in range(2)
        )
    rows = [
        (f"index {FACES:,} faces, once", f"{index:.1f}", "seconds"),
        ("load them afterwards", f"{load:.2f}", "seconds"),
        ("read each EXIF file, files in memory", f"{each:.2f}", "seconds"),
        ("ratio at every start", f"{each / load:.0f}", "x"),
    ]
    write_table(rows, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
