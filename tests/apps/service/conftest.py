"""A running service on loopback, and a real browser."""

import shutil
from collections.abc import Iterator

import numpy as np
import pytest
from made_service import encoded, serving

from exiface import Detector


@pytest.fixture(scope="session")
def judge() -> Detector:
    return Detector.load()


@pytest.fixture(scope="session")
def service(judge: Detector) -> Iterator[str]:
    with serving(judge, max_body_mb=8, max_pixels=20_000_000) as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    """Debian's chromium, driven by Playwright."""
    playwright = pytest.importorskip("playwright.sync_api")
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("browser tests need chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(
            executable_path=executable,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield running
        running.close()


@pytest.fixture(scope="session")
def jpeg(astronaut: np.ndarray) -> bytes:
    """A real photograph with one face."""
    return encoded(astronaut, "JPEG", quality=92)
