"""
What a ranking has learnt
=========================

The encoders learn, among others, to rank photographs by what the camera recorded. The head that
ranks ISO speed has never been told what noise is; it sees that photographs at a high ISO speed
look different.
"""

# %%
# One photograph (Eileen Collins, NASA), with more and more noise such as sensors make, and another
# series that is blurred more and more, as at a wide aperture or a long exposure.
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageFilter
from skimage import data

from exiface.detector.folder import detector_folder, read_folder
from exiface.photos import TAG_NAMES, TAG_TITLES, FaceDetector

photograph = data.astronaut()
face = FaceDetector().detect(photograph)[0]
random = np.random.default_rng(0)
strengths = np.arange(0, 25, 4)
noisy = [
    np.clip(photograph + random.normal(0, strength, photograph.shape), 0, 255).astype(np.uint8)
    for strength in strengths
]
radii = np.arange(0, 3.5, 0.5)
blurred = [
    np.asarray(Image.fromarray(photograph).filter(ImageFilter.GaussianBlur(float(radius))))
    for radius in radii
]

# %%
# The detector `photographs-only` holds the heads, and what they say of its calibration photographs:
# what they say of a picture is a rank among those.
parts = read_folder(detector_folder("photographs-only"))
encoder, heads = parts.open_encoder(), parts.cross_check


def ranks(pictures):
    features = encoder.encode([encoder.inputs(each, face.box) for each in pictures])
    outputs = features @ heads.weights.T
    return (heads.expected < outputs[:, None]).mean(axis=1)


# %%
# Where the heads place each picture among photographs: 0 = less than all of them, 1 = more. Noise
# is what a high ISO speed adds, so that its rank should rise on the left. Ranks that move where
# nothing of the kind was changed say how far to trust them: they inform, and never decide.
figure, panels = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for panel, values, pictures, label in (
    (panels[0], strengths, noisy, "noise added (standard deviation, of 255)"),
    (panels[1], radii, blurred, "blur (radius in px)"),
):
    for column, (tag, style) in enumerate(zip(TAG_NAMES, ("o-", "s--", "D:", "^-."))):
        panel.plot(values, ranks(pictures)[:, column], style, label=TAG_TITLES[tag])
    panel.set(xlabel=label, ylim=(-0.02, 1.02))
panels[0].set_ylabel("expected rank among photographs")
panels[1].legend(frameon=False)
plt.show()
