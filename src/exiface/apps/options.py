"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

DetectorOption = Annotated[
    Path | None,
    typer.Option(
        help="`default`, `binary` (which has seen generated faces in training), or a detector "
        "folder; without it, `default`."
    ),
]
