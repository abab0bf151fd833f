"""The service on loopback, a real browser, and pictures to send."""

import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import uvicorn
from PIL import Image

from exiface import Detector
from exiface.apps.service.detectors import load_detectors
from exiface.apps.service.server import create_app
from exiface.apps.service.settings import ServiceSettings
from exiface.detector.results import SAID


@contextmanager
def serving(
    detector: Detector, *, photographs_only: Detector | None = None, **settings: object
) -> Iterator[str]:
    """The service in a thread of its own; its address."""
    detectors = {"default": detector} | (
        {"photographs-only": photographs_only} if photographs_only else {}
    )
    app = create_app(ServiceSettings(**settings), detectors)
    server = uvicorn.Server(
        uvicorn.Config(
            app, host="127.0.0.1", port=0, log_level="error", access_log=False, server_header=False
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the service did not start"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=30)


def encoded(pixels: np.ndarray, file_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, file_format, **options)
    return stream.getvalue()


@pytest.fixture(scope="session")
def judge() -> Detector:
    return load_detectors(["default"], None)["default"]


@pytest.fixture(scope="session")
def photographs_only() -> Detector:
    return load_detectors(["photographs-only"], None)["photographs-only"]


@pytest.fixture(scope="session")
def service(judge: Detector, photographs_only: Detector) -> Iterator[str]:
    with serving(
        judge, photographs_only=photographs_only, max_body_mb=8, max_pixels=20_000_000
    ) as address:
        yield address


@pytest.fixture(scope="module")  # its event loop must not outlive the module
def browser():
    """Debian's chromium, driven by Playwright."""
    pytest.importorskip("playwright.sync_api")
    from docs import chromium

    if chromium.found_at() is None:
        pytest.skip("browser tests need chromium: apt-get install chromium-headless-shell")
    with chromium.chromium() as running:
        yield running


@pytest.fixture(scope="session")
def jpeg(astronaut: np.ndarray) -> bytes:
    """A real photograph with one face."""
    return encoded(astronaut, "JPEG", quality=92)


def heading(face):
    """The verdict as the page heads it."""
    says = SAID[face.verdict]
    return says[0].upper() + says[1:]
