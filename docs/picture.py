"""The picture of the page in the README, of the demonstration's images.

    python -m docs.picture docs/page.png

Needs chromium (`apt-get install chromium-headless-shell`). The images are the demonstration's: a
photograph in the public domain (NASA) and generated faces under the MIT licence (openpeople).
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from benchmarks.service import PORT, Service
from docs.chromium import chromium
from exiface.apps.demo import write_images

SHOWN = ("photograph.png", "generated-1.jpg", "generated-2.jpg")
SIZE = {"width": 1240, "height": 1040}
COLOURS = 128  # of the file: a third of its size, and no difference to be seen


def take(target: Path) -> None:
    """Write the picture."""
    with TemporaryDirectory() as images, Service(), chromium() as browser:
        chosen = [path for path in write_images(Path(images)) if path.name in SHOWN]
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(f"http://127.0.0.1:{PORT}")
        page.set_input_files("#files", chosen)
        page.wait_for_function(
            "n => document.querySelectorAll('tbody tr:not([aria-busy])').length === n",
            arg=len(chosen),
        )
        for box in page.get_by_role("checkbox", name="Compare").all():
            box.check()
        page.get_by_role("button", name="side by side").click()
        page.wait_for_selector("dialog .picture svg")
        page.screenshot(path=target)
        Image.open(target).convert("RGB").quantize(COLOURS).save(target, optimize=True)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
