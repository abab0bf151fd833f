"""`exiface serve`: the page and the HTTP service."""

import os
from pathlib import Path
from typing import Annotated

import typer

from exiface.errors import UserError


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; without it, this machine only.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Without it, 8000.")] = None,
    detector: Annotated[
        list[str] | None,
        typer.Option(
            help="`default`, `photographs-only`, or a detector folder; repeatable, the first "
            "judges where a request names none. Without it, all inside the package."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; one that dies is replaced.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file of settings; every one is an EXIFACE_... variable as well."),
    ] = None,
) -> None:
    """Serve a page to drop pictures on, and an HTTP service beside it.

    Pictures are judged in memory and never stored. Settings: flags, then environment, then file.
    """
    import json
    import tempfile

    import fastapi  # noqa: F401 - before anything is said
    import uvicorn

    from exiface.apps.service.settings import CONFIG_VARIABLE, read_settings
    from exiface.detector.folder import detector_folder, read_folder

    # Workers are processes of their own and read the environment.
    detectors = json.dumps(detector) if detector else None
    given = {"HOST": host, "PORT": port, "DETECTORS": detectors, "WORKERS": workers}
    os.environ.update(
        {f"EXIFACE_{name}": str(value) for name, value in given.items() if value is not None}
    )
    if config is not None:
        os.environ[CONFIG_VARIABLE] = str(config)
    settings = read_settings()
    for name in settings.detectors:
        read_folder(detector_folder(name))  # a mistake is said here, not by each worker
    _check_port(settings.host, settings.port)
    with tempfile.TemporaryDirectory(prefix="exiface-metrics-") as folder:
        if settings.workers > 1:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        from exiface.apps.service.guard import logging_config

        typer.echo(f"exiface: http://{settings.host}:{settings.port}", err=True)
        uvicorn.run(
            "exiface.apps.service.server:create_app",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            log_config=logging_config(),
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=int(settings.answer_seconds),
            timeout_keep_alive=15,
        )


def _check_port(host: str, port: int) -> None:
    """Raise a sentence where the service could not listen, before it says where it does."""
    import socket

    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            # As the service itself does: a port whose connections linger is free.
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        raise UserError(
            f"can't listen on {host}:{port} ({error.strerror}); name another: --port {port + 1}"
        ) from None
