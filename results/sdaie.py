"""SDAIE's encoder, taught by two cores: how it ranks tags, and what a density over it finds.

    make sdaie DATA=<folder that holds camera_native/, bench_scenes/ and faces_of_both/>

needs runs/sdaie/ of the settings sdaie-small and writes results/sdaie.csv: the Spearman correlation
of predicted and true tag on photographs of groups that training never saw, with a 95 % interval
over groups; and the AUC of a one-class detector (five Gaussians, as published, fitted on camera
files alone) on bench_scenes, against its photographs, and on bench_dev_native.
"""

import sys
from pathlib import Path

import numpy as np
from common import GENERATED, folder_of, write
from tags import correlation, interval

from exiface.datasets import Manifest, scan
from exiface.detector.encoding import encode_images
from exiface.detector.fitting import Fitting, fit
from exiface.encoders import Encoder, EncoderFolder
from exiface.evaluation.metrics import measure
from exiface.photos import RANKED_TAGS

ENCODER = Path("runs/sdaie")
DATA = Path("runs/data")
COMPONENTS = 5


def main(data: Path, output: Path) -> None:
    encoder = EncoderFolder.read(ENCODER).open()
    photographs = Manifest.read(DATA / "whole_camera_native.parquet")
    rows = ranked(encoder, photographs.of_split("fit", "calibration"))
    parts = fit(
        ENCODER, photographs, name="sdaie", fitting=Fitting(components=COMPONENTS, per_photo=4)
    )

    def scores(manifest: Manifest) -> np.ndarray:
        return parts.scorer.score(encode_images(encoder, manifest))

    scenes = Manifest.read(DATA / "whole_bench_scenes.parquet")
    found = {str(name): scores(scenes.select(scenes.source == name)) for name in set(scenes.source)}
    for name in sorted(set(found) - {"scenes"}):
        rows.append({"what": f"one-class, {name}", "images": len(found[name])})
        rows[-1]["auc"] = measure(found["scenes"], found[name]).auc
    bench = {
        folder: scores(
            scan(data / "bench_dev_native" / folder, subject="image", fractions={"train": 1.0})[0]
        )
        for folder in {*GENERATED.values(), *map(folder_of, GENERATED)}
    }
    for name, real in GENERATED.items():
        generated = bench[folder_of(name)]
        rows.append({"what": f"one-class, bench_dev_native {name}", "images": len(generated)})
        rows[-1]["auc"] = measure(bench[real], generated).auc
    write(rows, output)


def ranked(encoder: Encoder, manifest: Manifest) -> list[dict[str, object]]:
    """A row a tag that the encoder has a head for, and that enough photographs have."""
    features = encode_images(encoder, manifest)
    groups = np.asarray(manifest.group_or_photo(), dtype=str)
    rows = []
    for tag, weights in EncoderFolder.read(ENCODER).heads.items():
        if tag not in RANKED_TAGS:
            continue
        pair = features @ weights, manifest.tags[:, RANKED_TAGS.index(tag)]
        if np.isfinite(pair[1]).sum() < 30:
            continue
        low, high = interval(*pair, groups)
        rows.append(
            {
                "what": f"Spearman, {tag}",
                "images": int(np.isfinite(pair[1]).sum()),
                "groups": len(np.unique(groups)),
                "spearman": correlation(*pair),
                "low": low,
                "high": high,
            }
        )
    return rows


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
