"""`exiface score` against the detector in a batch, and where the time of an image goes.

    python -m benchmarks.bulk results/bulk.csv      (make benchmarks; five minutes)

The table stands in docs/a-billion-images.md.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image
from skimage import data

from benchmarks.table import Row, write_table
from exiface import Detector
from exiface.apps.bulk.inputs import Block
from exiface.apps.bulk.scoring import score_blocks
from exiface.photos import read_photo
from exiface.threads import cores

IMAGES, ROUNDS = 1024, 3
_SINGLE = 64
# Not ru_maxrss, which a process has from the one that started it.
_MEASURED = """
import sys
from pathlib import Path
from exiface.apps.main import main
sys.argv[0] = "exiface"
try:
    main()
finally:
    lines = Path("/proc/self/status").read_text().splitlines()
    print([line.split()[1] for line in lines if line.startswith("VmHWM")][0])
"""


def write_images(folder: Path, side: int) -> list[str]:
    """JPEG files, hard links of 64 different ones."""
    paths = []
    for number in range(IMAGES):
        path = folder / f"{number}.jpg"
        if number < _SINGLE:
            pixels = np.roll(data.astronaut(), number, axis=1)
            Image.fromarray(pixels).resize((side, side)).save(path, quality=90)
        else:
            path.hardlink_to(folder / f"{number % _SINGLE}.jpg")
        paths.append(str(path))
    return paths


def seconds(work) -> float:  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def memory(folder: Path) -> list[tuple[str, str, str]]:
    """Peak memory over a hundred thousand small images, against a hundredth of them."""
    originals = [folder / f"small-{shade}.jpg" for shade in range(4)]  # file systems limit links
    for shade, original in enumerate(originals):
        Image.new("RGB", (64, 64), (120, 90 + shade, 60)).save(original)
    rows = []
    for number in (1_000, 100_000):
        images = folder / f"list-{number}"
        images.mkdir()
        for name in range(number):
            (images / f"{name}.jpg").hardlink_to(originals[name % 4])
        command = [sys.executable, "-c", _MEASURED, "score", str(images), "-o", str(folder / "run")]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        peak = int(said.split()[-1]) / 1024
        rows.append((f"{number:,} small images: peak memory", f"{peak:.0f}", "MB"))
        shutil.rmtree(folder / "run")
    return rows


def main(path: Path) -> None:
    detector = Detector.load()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for side in (512, 1024):
            root = Path(folder) / str(side)
            root.mkdir()
            paths = write_images(root, side)
            blocks = [
                Block(start // 256, tuple(paths[start : start + 256]))
                for start in range(0, IMAGES, 256)
            ]
            pairs = []
            for number in range(ROUNDS + 1):
                offline = seconds(lambda: sum(1 for _ in detector.detect(paths)))  # noqa: B023
                scored = seconds(lambda: score_blocks(detector, blocks, root))  # noqa: B023
                if number:  # the first round warms up
                    pairs.append((offline, scored))
            offline, scored = (median(side_) for side_ in zip(*pairs, strict=True))
            ratio = median(offline / scored for offline, scored in pairs)
            name = f"{side} px JPEG"
            rows += [
                (f"{name}: exiface score", f"{IMAGES / scored:.1f}", "images a second"),
                (f"{name}: Detector.detect", f"{IMAGES / offline:.1f}", "images a second"),
                (f"{name}: ratio", f"{ratio:.2f}", "x"),
                (f"{name}: a core", f"{IMAGES / scored / cores():.1f}", "images a second"),
            ]
            # One image after another on one core: what each step costs.
            single = Detector.load(threads=1)
            photos = [read_photo(each).pixels for each in paths[:_SINGLE]]
            crops = [single.prepare(photo).faces[0].crop for photo in photos]
            steps = {
                "decoding": lambda: [read_photo(each) for each in paths[:_SINGLE]],  # noqa: B023
                "finding faces": lambda: [
                    single.face_detector.detect(photo)  # noqa: B023
                    for photo in photos  # noqa: B023
                ],
                "encoding and density": lambda: single.score(crops),  # noqa: B023
            }
            rows += [
                (f"{name}: {step}", f"{1000 * seconds(work) / _SINGLE:.2f}", "ms")
                for step, work in steps.items()
            ]
        rows += memory(Path(folder))
    write_table(rows, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
