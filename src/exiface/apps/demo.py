"""The demonstration: judge real images that come inside packages of the extra `demo`.

    python -m exiface.apps.demo build/demo

A photograph (the astronaut Eileen Collins, NASA, public domain), the same as a messenger would send
it, and faces that a generator made (openpeople, MIT). Few images show how it works; they say
nothing about how good it is.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

from PIL import Image
from skimage import data

from exiface.apps import main


def write_images(folder: Path) -> list[Path]:
    """Write the demonstration's images into a folder, and list their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    photograph = Image.fromarray(data.astronaut())
    photograph.save(folder / "photograph.png")
    photograph.reduce(2).save(folder / "photograph-as-sent.jpg", quality=60)
    spec = find_spec("openpeople")
    assert spec is not None and spec.origin is not None  # noqa: S101
    generated = sorted(Path(spec.origin).parent.glob("data/curated/*/assets/studio_portrait.jpg"))
    for number, path in enumerate(generated[:6], start=1):
        (folder / f"generated-{number}.jpg").write_bytes(path.read_bytes())
    return sorted(path for path in folder.iterdir() if path.suffix in (".png", ".jpg"))


def run(folder: Path) -> None:
    """Write the images into a folder and have two detectors judge them."""
    images = [str(path) for path in write_images(folder)]
    for detector, heading, report in (
        ("default", "The default detector, which knows many generators:", "report.html"),
        (
            "photographs-only",
            "A second opinion, of the detector that has never seen a generated face:",
            "second-opinion.html",
        ),
    ):
        print(f"\n{heading}\n")
        asked = ["--detector", detector, "--report", str(folder / report)]
        sys.argv = ["exiface", "detect", *images, *asked]
        try:
            main.main()
        except SystemExit as ended:
            if ended.code:
                raise


if __name__ == "__main__":
    run(Path(sys.argv[1]))
