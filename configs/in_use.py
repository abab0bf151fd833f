"""The network of a run, made into two encoders as it is used: of faces, and of whole images.

    python configs/in_use.py RUN

The network learns from windows of faces and of whole pictures alike, at about half to one and a
half times their own size. RUN/faces shrinks larger crops to 192 px, a side chosen on the first
turn of results/turns.py (results/sides.py); the features of RUN/windows are the means over windows
of 256 px at an image's own pixels, the size of the windows that the data hold.
"""

import sys
from dataclasses import replace
from pathlib import Path

from exiface.encoders import EncoderFolder
from exiface.encoders.architectures import ARCHITECTURES
from exiface.encoders.description import EncoderDescription
from exiface.encoders.own_pixels import WindowEncoder
from exiface.encoders.to_onnx import export_encoder
from exiface.encoders.weights import load_backbone
from exiface.photos.patches import Patches

LARGEST_FACE = 192  # px, the side of a face's crop
MOST_WINDOWS = 36  # of an image, spread over it


def of_faces(run: Path, files: EncoderFolder) -> None:
    """Write RUN/faces: the network, heads and classifier of a run, for crops of a side in use."""
    takes = replace(files.description.preprocessing, largest=LARGEST_FACE)
    replace(files, description=replace(files.description, takes=takes)).write(run / "faces")


def of_images(run: Path, files: EncoderFolder) -> None:
    """Write RUN/windows: the same over windows of whole images."""
    architecture = ARCHITECTURES["windows"]
    network = WindowEncoder()
    load_backbone(network, run / "checkpoint.safetensors", last_layer=architecture.last_layer)
    description = EncoderDescription(
        "windows",
        architecture.features,
        Patches(architecture.size, MOST_WINDOWS, "evenly"),
        files.description.provenance,
    )
    output = run / "windows"
    export_encoder(network, description, output, half=True)
    replace(
        EncoderFolder.read(output),
        heads=files.heads,
        classifier=files.classifier,
        seen=files.seen,
    ).write(output)


if __name__ == "__main__":
    trained = Path(sys.argv[1])
    encoder = EncoderFolder.read(trained)
    of_faces(trained, encoder)
    of_images(trained, encoder)
