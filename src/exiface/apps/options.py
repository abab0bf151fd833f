"""Options that several commands have."""

from typing import Annotated

import typer

DetectorOption = Annotated[
    str | None,
    typer.Option(
        help="`default`, `binary` (which has seen generated faces in training), or a detector "
        "folder; without it, `default`."
    ),
]
