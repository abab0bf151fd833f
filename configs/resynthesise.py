"""Training photographs, decoded by the autoencoder of a text-to-image system.

    python configs/resynthesise.py DATA

after configs/prepare.sh; writes runs/data/resynthesis/ and runs/data/resynthesis.csv in five
minutes on two cores, and goes on where it stopped.
"""

import csv
import sys
from pathlib import Path

import torch

from exiface.apps.console import progress_bar
from exiface.datasets import Manifest, cap
from exiface.training.resynthesis import Autoencoder, resynthesise

WORK = Path("runs/data")
PER_SOURCE = 350
PER_CAMERA = 12


def main(data: Path) -> None:
    torch.set_num_threads(1)  # faces are resynthesised side by side
    manifests = ("camera_faces", "camera_faces_2", "faces_of_both")
    faces = Manifest.joined([Manifest.read(WORK / f"{name}.parquet") for name in manifests])
    faces = faces.of_split("train")
    faces = faces.select(~faces.generated)
    faces = faces.select(cap(faces.photo, faces.camera, per_photo=1, per_camera=PER_CAMERA))
    faces = faces.select(cap(faces.source, faces.source, per_photo=PER_SOURCE))
    with progress_bar("Resynthesising") as progress:
        records = resynthesise(
            faces, Autoencoder(data / "resynthesis"), WORK / "resynthesis", progress=progress
        )
    with (WORK / "resynthesis.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(records[0]))
        writer.writeheader()
        writer.writerows(records)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
