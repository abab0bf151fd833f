"""What supervision buys: the detector `binary`, its head trained on some generators only.

    make leave-one-out DATA=<folder that holds bench_dev/ and bench_dev_native/>

needs runs/default/ of `make default-detector` and writes results/binary-detector.csv; three minutes
on two cores. The benchmark's sets are left out whole, photographs included; `family` leaves out the
GANs, or the diffusion models, together. Symmetry, which needs no training, stands beside the head,
as in the package. The detector `binary` in the package has seen all of them:
nothing here measures it on what it has seen.
"""

import sys
from pathlib import Path

import numpy as np
from common import (
    BENCHMARKS,
    GENERATED,
    REAL,
    Features,
    benchmark_faces,
    folder_of,
    of_camera,
    write,
)
from sklearn.metrics import roc_auc_score

from exiface.datasets import Manifest, cap
from exiface.density import Calibration, Evidence
from exiface.density.evidence import directions_of
from exiface.detector.cross_check import read_heads
from exiface.detector.fitting import encode_faces
from exiface.detector.supervised import drawn_views, learn
from exiface.encoders import OnnxEncoder, read_encoder

VIEWS = 2
STRENGTH = 0.01
SETS = REAL[:4]
LEFT_OUT = {
    "set": [(name,) for name in SETS],
    "family": [SETS[:2], SETS[2:]],
}


def main(data: Path, output: Path) -> None:
    manifest = Manifest.read(Path("runs/default/manifest.parquet"))
    encoder = OnnxEncoder(*read_encoder(Path("runs/default/encoder")))

    def views(faces: Manifest, manipulated: int = 0) -> Features:
        crops = drawn_views(encoder, faces, manipulated, views=VIEWS, seed=0)
        return np.concatenate([encoder.encode(batch) for batch in crops])

    faces = {name: benchmark_faces(data, name) for name in BENCHMARKS}
    clean = {
        f"{benchmark}/{folder}": encode_faces(encoder, found)
        for benchmark, folders in faces.items()
        for folder, found in folders.items()
    }
    seen = {folder: views(found) for folder, found in faces[BENCHMARKS[0]].items()}
    camera = manifest.of_split("train")
    camera = camera.select(cap(camera.photo, camera.camera, per_photo=4, per_camera=80, seed=0))
    untouched, smoothed = views(camera), views(camera, 1)
    fit = of_camera(encoder, manifest, "fit", per_photo=4)
    calibration = of_camera(encoder, manifest, "calibration", per_photo=1)
    heads = read_heads(Path("runs/default/encoder"))

    rows = []
    for how, choices in LEFT_OUT.items():
        for left_out in choices:
            known = [folder for folder in seen if folder.split("/")[0] in set(SETS) - set(left_out)]
            photographs = [seen[folder] for folder in known if folder.endswith("/real")]
            generated = [seen[folder] for folder in known if not folder.endswith("/real")]
            classifier = learn(
                np.concatenate([*photographs, untouched]),
                np.concatenate([*generated, smoothed]),
                strength=STRENGTH,
            )
            # As configs/binary-detector.sh has it.
            directions = directions_of(
                heads | {"generated": classifier.direction}, ("generated", "symmetry")
            )
            evidence = Evidence(directions).fit(fit)
            calibrated = Calibration.of(evidence.score(calibration))
            for name, real in GENERATED.items():
                if real.split("/")[0] not in left_out:
                    continue
                row: dict[str, float | str] = {"left out": how, "generator": name}
                for benchmark in BENCHMARKS:
                    prefix = "" if benchmark == BENCHMARKS[0] else "native "
                    scores = [
                        evidence.score(clean[f"{benchmark}/{folder}"])
                        for folder in (real, folder_of(name))
                    ]
                    flagged = [float((calibrated.p_value(part) <= 0.05).mean()) for part in scores]
                    labels = np.repeat([0, 1], [len(part) for part in scores])
                    auc = float(roc_auc_score(labels, np.concatenate(scores)))
                    row |= {
                        f"{prefix}auc": auc,
                        f"{prefix}false alarms": flagged[0],
                        f"{prefix}flagged": flagged[1],
                    }
                rows.append(row)
        mine = [row for row in rows if row["left out"] == how]
        means = {key: float(np.mean([row[key] for row in mine])) for key in list(mine[0])[2:]}
        rows.append({"left out": how, "generator": "mean"} | means)
    write(rows, output)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
