"""
Does the promise still hold?
============================

Photographs change: new cameras, new messengers. ``exiface drift`` compares the p-values of recent
photographs with what the calibration promises. Here the recent ones are half of the sources that
calibrate a detector of the package, once as they are and once as if their scores had drifted.
"""

# %%
# The detector's calibration, cut in two by source: one half calibrates, the other is new to it.
import matplotlib.pyplot as plt
import numpy as np

from exiface.calibration import Calibration
from exiface.detector.folder import detector_folder, read_folder
from exiface.evaluation.drift import measure_drift

given = read_folder(detector_folder("default")).calibration
random = np.random.default_rng(0)
calibrates = np.isin(given.sources, random.permutation(np.unique(given.sources))[::2])
calibration = Calibration.of(given.scores[calibrates], sources=given.sources[calibrates])
recent = given.scores[~calibrates]

# %%
# Scores that have risen by half of their standard deviation stand for photographs that have
# changed.
several = calibration.by_source or len(calibration.references) > 1
units = min(reference.units for reference in calibration.references)
found = {}
for name, scores in (
    ("as they are", recent),
    ("drifted", recent + recent.std() / 2),
):
    p_values = calibration.p_value(scores)
    found[name] = p_values
    drift = measure_drift(p_values, units, calibration.alpha, worst_of_several=several)
    print(f"{name}: {drift.flagged:.1%} flagged. {drift.sentence()}")

# %%
# Were the photographs exchangeable with those of the calibration, the p-values would lie on the
# diagonal, or below it, where the promise is kept with something to spare. Above it more are
# flagged than promised.
figure, axes = plt.subplots(figsize=(6, 5), layout="constrained")
axes.plot([0, 1], [0, 1], color="#999", linestyle=":", label="as promised")
for (name, p_values), style in zip(found.items(), ("-", "--")):
    shares = np.arange(1, len(p_values) + 1) / len(p_values)
    axes.step(np.sort(p_values), shares, style, where="post", label=name, linewidth=1.8)
axes.axvline(calibration.alpha, color="#D55E00", linewidth=0.8)
axes.set(xlabel="p-value", ylabel="share of photographs with as small a p-value", xlim=(0, 1))
axes.legend(frameon=False)
plt.show()
