"""What pages are made with: their templates, and pictures that stand in the page itself."""

import base64
import io

import numpy as np
from jinja2 import Environment, PackageLoader, Template
from numpy.typing import NDArray
from PIL import Image


def template(package: str, name: str) -> Template:
    """A template by the name of its file in a package's `templates`.

    What HTML shows is text, never markup; the filters `share` and `figure` write numbers, and
    nothing for None.
    """
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=not name.endswith(".md"),  # noqa: S701 - Markdown shows no markup
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=name.endswith(".md"),
    )
    environment.filters["share"] = lambda value: "" if value is None else f"{100 * value:.1f} %"
    # + 0.0: no "-0.00"
    environment.filters["figure"] = lambda value: (
        "" if value is None else f"{round(value, 2) + 0.0:.2f}"
    )
    return environment.get_template(name)


def data_uri(pixels: NDArray[np.uint8], *, longest: int | None = None, quality: int = 85) -> str:
    """Pixels (h, w, 3) as a JPEG within a URI for `src`, so that a page needs no other file.

    A picture is shrunk where its longer side has more than `longest` pixels; None = it stays.
    """
    image = Image.fromarray(pixels)
    if longest is not None:
        image.thumbnail((longest, longest))
    content = io.BytesIO()
    image.save(content, "JPEG", quality=quality)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()
