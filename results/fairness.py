"""Whom the false alarms hit: photographs of real people, by what can be measured in their pixels.

    make results DATA=<folder that holds bench_dev/>

writes results/<detector>-fairness.csv. Nobody's age, sex or skin colour is known of these
photographs, and none is guessed. What is measured: the individual typology angle of the middle of
the face, which mixes skin colour with light and white balance; how far the head is turned (nose to
the middle of the eyes, in distances of the eyes); the size of the face. Thirds of each, over all
sets together.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from common import REAL, benchmark_faces, write

from exiface import Detector
from exiface.datasets import Manifest
from exiface.evaluation.metrics import clopper_pearson
from exiface.photos.crops import shorter_side

THIRDS = {
    "skin and light, typology angle": ("darker", "middle", "lighter"),
    "head turned": ("frontal", "middle", "turned"),
    "face, pixels": ("small", "middle", "large"),
}


def typology_angle(face: np.ndarray) -> float:
    """Individual typology angle in degrees of a face (h, w, 3), higher = lighter.

    Chardon et al., Int. J. Cosmetic Science 13 (1991): arctan((L - 50) / b).
    """
    lightness, _, blue_yellow = (
        float(np.median(channel))
        for channel in cv2.split(cv2.cvtColor(np.float32(face) / 255, cv2.COLOR_RGB2LAB))
    )
    return float(np.degrees(np.arctan2(lightness - 50, blue_yellow)))


def measured(faces: Manifest, row: int) -> tuple[float, float, float]:
    """Typology angle, turn of the head, and size of one face."""
    x0, y0, x1, y1 = faces.face_box(row)
    pixels = faces.read_pixels(row)
    # From the brows to the upper lip: no hair, no background.
    rows = slice(int(y0 + 0.35 * (y1 - y0)), int(y0 + 0.75 * (y1 - y0)))
    columns = slice(int(x0 + 0.25 * (x1 - x0)), int(x0 + 0.75 * (x1 - x0)))
    left, right, nose = faces.landmarks[row][:3]
    eyes = right - left
    along = float(np.dot(nose - (left + right) / 2, eyes) / np.dot(eyes, eyes))
    return typology_angle(pixels[rows, columns]), abs(along), shorter_side((x0, y0, x1, y1))


def main(data: Path, detector: str, output: Path) -> None:
    judge = Detector.load(detector)
    values: list[tuple[float, float, float]] = []
    p_values: list[float] = []
    every = benchmark_faces(data, "bench_dev")
    for name in REAL:
        faces = every[f"{name}/real"]
        crops = [
            judge.parts.encoder.preprocessing.crop(faces.read_pixels(row), faces.face_box(row))
            for row in range(len(faces))
        ]
        p_values += judge.parts.calibration.p_value(judge.score(crops)).tolist()
        values += [measured(faces, row) for row in range(len(faces))]
    rows = []
    for (what, thirds), column in zip(THIRDS.items(), np.array(values).T, strict=True):
        borders = np.quantile(column, [1 / 3, 2 / 3])
        for number, third in enumerate(thirds):
            mine = np.array(p_values)[np.searchsorted(borders, column) == number]
            flagged = int((mine <= judge.parts.calibration.alpha).sum())
            low, high = clopper_pearson(flagged, len(mine))
            rows.append(
                {
                    "what": what,
                    "third": third,
                    "photographs": len(mine),
                    "flagged": flagged / len(mine),
                    "flagged_low": low,
                    "flagged_high": high,
                    "median p": float(np.median(mine)),
                }
            )
    write(rows, output)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
