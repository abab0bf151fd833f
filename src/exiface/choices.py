"""Values that people choose from, on the command line, in settings and in Python: each once.

Nothing is imported here, so that the command line can name them without loading what uses them.
"""

from typing import Literal

# What an encoder looks at, and what a row of a manifest is: a face, or a photograph as a whole.
Subject = Literal["face", "image"]
# What a detector judges: faces; the image as a whole; both; or as wholes images without a face.
Scope = Literal["faces", "image", "both", "auto"]
# On which photographs a scorer is fitted: those set aside for it, or those that validated.
FitSplit = Literal["fit", "validation"]
# Families of manipulations that an encoder learns to spot.
Family = Literal["manipulation", "smoothing", "averaging"]
# How the published test data lie: of nine generators, BLADES' twelve, or whole images (SDAIE).
Layout = Literal["nine", "twelve", "sdaie"]
FacesLayout = Literal["nine", "twelve"]
# What SDAIE's released program does to images first.
Noise = Literal["jpg", "resize", "blur"]
# How the authors' released programs resize faces, under older and newer torchvision.
Released = Literal["plain", "antialiased"]
