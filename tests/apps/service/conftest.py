"""The page in a real browser."""

import numpy as np
import pytest
from made import EXPOSURES, write_photo
from skimage import data

WAIT = 40_000  # ms, on machines that do other things as well


@pytest.fixture
def pictures(tmp_path, astronaut):
    """One face with tags, two faces, no face, and no picture at all."""
    folder = tmp_path / "pictures"
    one = write_photo(folder / "portrait.jpg", astronaut, EXPOSURES[0], quality=92)
    face = astronaut[0:300, 100:400]
    two = write_photo(folder / "two.jpg", np.hstack([face, face[:, ::-1]]), None, quality=92)
    none = write_photo(folder / "coffee.png", data.coffee(), None)
    wrong = folder / "notes.txt"
    wrong.write_text("not a picture")
    return {"one": one, "two": two, "none": none, "wrong": wrong}


@pytest.fixture
def portrait(judge, pictures):
    """What the detector says of the face with tags."""
    [face] = next(judge.detect(pictures["one"])).faces
    return face


@pytest.fixture
def opened(browser, service, settled):
    """A page that fails its test on any console error and on any request to another host.

    Where files are given, it has judged them.
    """
    made = []

    def open_page(address=service, *, path="", files=(), **options):
        context = browser.new_context(**options)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        troubles = []
        page.on("pageerror", lambda error: troubles.append(str(error)))

        def listen(message):
            # A refused or failed request shows there too: tests make them on purpose.
            if message.type == "error" and "Failed to load" not in message.text:
                troubles.append(message.text)

        def watch(request):
            if not request.url.startswith((address, "data:", "blob:")):
                troubles.append(f"request to {request.url}")

        page.on("console", listen)
        page.on("request", watch)
        page.goto(address + path)
        made.append((context, troubles))
        if files:
            page.set_input_files("#files", files)
            settled(page, len(files) if isinstance(files, list) else 1)
        return page

    yield open_page
    for context, troubles in made:
        context.close()
        assert troubles == []


@pytest.fixture
def settled():
    """Waits until so many pictures have come back."""

    def wait(page, number):
        page.wait_for_function(
            "n => document.querySelectorAll('#table tbody tr').length === n &&"
            " !document.querySelector('#results [aria-busy=true]')",
            arg=number,
        )

    return wait
