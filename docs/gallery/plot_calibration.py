"""
From a score to a p-value
=========================

What the calibration does: it holds the scores of photographs that neither encoder nor scorer saw,
and a new score becomes the share of photographs that score as high. At most 5 % of photographs get
a p-value of 0.05 or less; that is the promise.
"""

# %%
# The detector inside the package carries its calibration, source by source.
import matplotlib.pyplot as plt
import numpy as np

from exiface import Detector
from exiface.detector.folder import detector_folder, read_folder

parts = read_folder(detector_folder("default"))
calibration = parts.calibration
print(calibration.counted)

# %%
# A photograph (the astronaut Eileen Collins, NASA) and faces that a generator made (openpeople).
from tempfile import TemporaryDirectory
from pathlib import Path

from exiface.apps.demo import write_images

with TemporaryDirectory() as folder:
    results = list(Detector.load().detect(write_images(Path(folder))))
for result in results:
    for face in result.faces:
        print(f"{Path(result.path).name:26} p = {face.p_value:.3f}  {face.verdict}")

# %%
# The curve is the p-value of every score. Ticks below are the calibration photographs. Left of
# where the curve falls to 0.05, nothing is called AI-generated.
scores = np.linspace(calibration.scores.min(), calibration.scores.max() + 2, 500)
figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
axes.plot(scores, calibration.p_value(scores), color="#0072B2", label="p-value of a score")
axes.plot(calibration.scores, np.full(len(calibration.scores), -0.03), "|", color="#777", alpha=0.3)
axes.axhline(calibration.alpha, color="#D55E00", linestyle="--", label="promised: 5 %")
for result in results:
    photographed = "photograph" in result.path
    for face in result.faces:
        axes.plot(
            face.score,
            face.p_value,
            "o" if photographed else "^",
            color="#009E73" if photographed else "#D55E00",
            markersize=9,
        )
axes.plot([], [], "o", color="#009E73", label="the photograph, as it is and as sent")
axes.plot([], [], "^", color="#D55E00", label="generated faces")
axes.set(xlabel="score: usual to unusual", ylabel="p-value", title="Calibration of default")
axes.legend(frameon=False)
plt.show()
