"""Debian's chromium, driven by Playwright, which `make test` brings where it can be had."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

# The first has no windows, and starts a page in less than half of the time.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
_QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync")


def found_at() -> str | None:
    """The path of the browser; None where there is none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser, which asks no other host for anything by itself."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=found_at(),
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", *_QUIET],
        )
        yield browser
        browser.close()
