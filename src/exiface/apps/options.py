"""Options that several commands have."""

from typing import Annotated

import typer

DetectorOption = Annotated[
    str | None,
    typer.Option(
        help="`default`, `photographs-only` (which has seen no generated face), or a detector "
        "folder; without it, `default`."
    ),
]
