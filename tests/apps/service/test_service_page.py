"""The page in a real browser. EXIFACE_SCREENSHOTS=DIR keeps what it looks like."""

import hashlib
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from made import EXPOSURES, write_photo
from made_service import encoded, serving
from made_signed import signed
from skimage import data

WAIT = 20_000  # ms


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
def opened(browser, service):
    """A page that fails its test on any console error and on any request to another host."""
    made = []

    def open_page(address=service, **options):
        context = browser.new_context(**options)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        troubles = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "console",
            lambda message: (
                troubles.append(message.text)
                # A refused or failed request shows there too: tests make them on purpose.
                if message.type == "error" and "Failed to load" not in message.text
                else None
            ),
        )

        def watch(request):
            if not request.url.startswith((address, "data:", "blob:")):
                troubles.append(f"request to {request.url}")

        page.on("request", watch)
        page.goto(address)
        made.append((context, troubles))
        return page

    yield open_page
    for context, troubles in made:
        context.close()
        assert troubles == []


CONTRAST = """() => {
  const channel = (v) => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim());
    if (!own || node.closest("svg, noscript") || !node.getClientRects().length) continue;
    if (node.disabled) continue;
    const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const what = `${node.tagName} ${node.className}: ${node.textContent.slice(0, 40)}`;
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${what}`);
  }
  return found;
}"""


def shot(page, name):
    if folder := os.environ.get("EXIFACE_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def settled(page, number):
    """Wait until so many pictures have come back."""
    page.wait_for_function(
        "n => document.querySelectorAll('article:not([aria-busy])').length === n", arg=number
    )


def test_pictures_come_back_with_verdicts(opened, pictures):
    page = opened(viewport={"width": 1280, "height": 900})
    page.wait_for_selector("#notice:not([hidden])")
    shot(page, "start")
    page.set_input_files("#files", list(pictures.values()))
    settled(page, 4)
    articles = page.locator("article")
    assert "Looks photographic" in articles.nth(0).inner_text()
    assert "f/2.8, 1/200 s, 50 mm, ISO 100" in articles.nth(0).inner_text()
    assert articles.nth(0).locator(".picture .box").count() == 1
    assert articles.nth(0).locator("figure svg rect").count() > 10
    assert articles.nth(1).locator(".face").count() == 2
    assert articles.nth(1).locator(".picture .number").all_text_contents() == ["1", "2"]
    assert "No face found" in articles.nth(2).inner_text()
    assert "Not an image of a known format" in articles.nth(3).inner_text()
    assert re.search(r"\d photographic", page.inner_text("#status"))
    assert "2 no verdict" in page.inner_text("#status")
    shot(page, "results")


def test_a_verdict_can_be_explained(opened, pictures):
    page = opened()
    page.set_input_files("#files", pictures["one"])
    settled(page, 1)
    button = page.get_by_role("button", name="Why this verdict?")
    button.click()
    page.wait_for_selector(".why table")
    assert button.get_attribute("aria-expanded") == "true"
    assert "The verdict stays in" in page.inner_text(".why")
    assert page.locator(".why img").count() == 2
    assert page.evaluate("[...document.querySelectorAll('.why img')].every(i => i.naturalWidth)")
    assert "the file claims f/2.8" in page.inner_text(".why")
    shot(page, "why")
    button.click()
    assert not page.locator(".why").is_visible()


def test_a_picture_without_a_face_is_judged_as_a_whole_if_asked(opened, pictures):
    page = opened()
    page.set_input_files("#files", pictures["none"])
    settled(page, 1)
    page.get_by_role("button", name="Judge the picture as a whole").click()
    page.wait_for_selector("article figure")
    said = page.locator("article").inner_text()
    assert "Judged as a whole" in said
    assert "this image" in said
    assert "1 no verdict" not in page.inner_text("#status")
    assert page.locator(".picture .box").count() == 0
    page.get_by_role("button", name="Why this verdict?").click()
    page.wait_for_selector(".why table")
    assert "the image looks" in page.inner_text(".why")
    shot(page, "whole")


def test_another_detector_judges_again(opened, pictures, judge, photographs_only):
    page = opened()
    page.set_input_files("#files", [pictures["one"], pictures["none"]])
    settled(page, 2)
    assert judge.parts.id in page.inner_text("#made")
    before = page.locator("article").nth(0).inner_text()
    page.get_by_label("Detector").select_option("photographs-only")
    page.wait_for_function(
        "id => document.querySelector('#made').textContent.includes(id)",
        arg=photographs_only.parts.id,
    )
    assert page.inner_text("#learnt") == "has learnt from photographs only"
    settled(page, 2)
    after = page.locator("article").nth(0).inner_text()
    assert re.search(r"p = \d\.\d{3}", after)
    assert after != before
    assert page.locator("article .picture .box").count() == 1
    page.get_by_role("button", name="Why this verdict?").click()
    page.wait_for_selector(".why table")
    assert "symmetry: more than in" in page.inner_text(".why")
    shot(page, "photographs-only")


def test_keyboard_alone(opened, pictures):
    page = opened()
    # Listened for from the start: the browser learns of it in its own time.
    page.on("filechooser", lambda chooser: chooser.set_files(pictures["one"]))
    page.wait_for_selector("#notice:not([hidden])")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "files"
    shot(page, "focus")
    page.keyboard.press("Enter")
    settled(page, 1)
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Why this verdict?":
            break
    page.keyboard.press("Enter")
    page.wait_for_selector(".why table")
    assert page.evaluate("document.activeElement.textContent") == "Why this verdict?"


def test_keys_while_a_picture_has_the_focus(opened, pictures):
    page = opened()
    page.set_input_files("#files", [pictures["one"], pictures["two"]])
    settled(page, 2)
    focused = "document.activeElement.querySelector(':scope > header h2')?.textContent"
    page.keyboard.press("x")  # nothing has the focus: a key means nothing
    assert page.locator("article :checked").count() == 0
    page.focus("#results")
    for key, name in (("j", "portrait.jpg"), ("j", "two.jpg"), ("j", "two.jpg")):
        page.keyboard.press(key)
        assert page.evaluate(focused) == name
    page.keyboard.press("x")
    page.keyboard.press("k")
    page.keyboard.press("x")
    assert page.get_by_role("checkbox", name="Compare two.jpg").is_checked()
    page.keyboard.press("c")
    assert page.locator("#comparison").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#comparison").is_visible()
    assert page.evaluate(focused) == "portrait.jpg"
    page.keyboard.press("w")
    page.wait_for_selector(".why table")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_pictures_are_compared_side_by_side(opened, pictures, width, scheme):
    page = opened(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.set_input_files("#files", list(pictures.values()))
    settled(page, 4)
    button = page.get_by_role("button", name="side by side")
    assert button.is_disabled()
    for name in ("portrait.jpg", "two.jpg", "coffee.png"):
        page.get_by_role("checkbox", name=f"Compare {name}").check()
    button.click()
    columns = page.locator("#comparison section")
    assert columns.count() == 3
    page.wait_for_selector("#comparison section:nth-child(2) .box >> nth=1")
    said = [column.inner_text() for column in columns.all()]
    assert "Looks photographic p = " in said[0]
    assert "f/2.8, 1/200 s, 50 mm, ISO 100" in said[0]
    assert "face 2, p = " in said[1]
    assert "corrected for 2 faces" in said[1]
    assert "no face found" in said[2]
    # The same line of each at the same height, and none over another.
    tops = page.evaluate(
        "[...document.querySelectorAll('#comparison section')].map(column =>"
        " [...column.children].map(each => Math.round(each.getBoundingClientRect().top)))"
    )
    for row in (0, 2, 3, 4):
        assert len({column[row] for column in tops}) == 1
    assert tops[0] == sorted(tops[0])
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shot(page, f"comparison-{width}")
    page.get_by_role("button", name="Close").click()
    assert not page.locator("#comparison").is_visible()


def test_paste_and_drop(opened, jpeg):
    page = opened()
    for number, (event, holder) in enumerate(
        (("paste", "clipboardData"), ("drop", "dataTransfer")), start=1
    ):
        page.evaluate(
            """([bytes, event, holder]) => {
                const moved = new DataTransfer();
                const content = [new Uint8Array(bytes)];
                moved.items.add(new File(content, "moved.jpg", {type: "image/jpeg"}));
                const made = event === "paste"
                    ? new ClipboardEvent("paste", {clipboardData: moved, bubbles: true})
                    : new DragEvent("drop", {dataTransfer: moved, bubbles: true});
                document.dispatchEvent(made);
            }""",
            [list(jpeg), event, holder],
        )
        settled(page, number)
    assert page.locator("h3.photographic").count() == 2


def test_what_was_said_can_be_kept(opened, pictures):
    page = opened()
    page.set_input_files("#files", [pictures["one"], pictures["none"]])
    settled(page, 2)
    with page.expect_download() as download:
        page.click("#save-json")
    results = json.loads(Path(download.value.path()).read_text())["results"]
    assert [result["path"] for result in results] == ["portrait.jpg", "coffee.png"]
    assert results[0]["faces"][0]["verdict"] == "photographic"
    page.get_by_text("Case file", exact=True).click()
    page.get_by_label("Title").fill("Two pictures")
    page.get_by_label("Reference").fill("2026/117")
    shot(page, "case")
    for wanted, shown in ((False, 0), (True, 3)):
        page.get_by_label("with pictures").set_checked(wanted)
        with page.expect_download() as download:
            page.click("#save-report")
        text = Path(download.value.path()).read_text()
        assert "<h1>Two pictures</h1>" in text
        assert "2026/117" in text
        assert text.count("data:image") == shown
        for name in ("one", "none"):
            assert hashlib.sha256(pictures[name].read_bytes()).hexdigest() in text
    page.click("#clear")
    assert page.locator("article").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_and_a_large_screen(opened, pictures, scheme):
    for width, height in ((360, 740), (3840, 2160)):
        page = opened(viewport={"width": width, "height": height}, color_scheme=scheme)
        page.set_input_files("#files", [pictures["two"], pictures["one"]])
        settled(page, 2)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        shot(page, f"{width}-{scheme}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_and_pictures_have_names(opened, pictures, scheme):
    page = opened(color_scheme=scheme)
    page.set_input_files("#files", list(pictures.values()))
    settled(page, 4)
    assert page.evaluate(CONTRAST) == []
    unnamed = (
        "[...document.querySelectorAll('img:not([alt]), svg:not([aria-label]):not([aria-hidden])')]"
    )
    assert page.evaluate(f"{unnamed}.length") == 0
    assert page.evaluate(
        "[...document.querySelectorAll('article img')].every(i => i.alt || !i.isConnected)"
    )
    assert page.locator("[role=status]").count() >= 1


def test_too_large_and_a_server_that_is_gone(opened, pictures, tmp_path):
    page = opened()
    large = tmp_path / "large.jpg"
    large.write_bytes(pictures["one"].read_bytes() + b"\0" * 8_000_000)
    page.set_input_files("#files", large)
    settled(page, 1)
    assert "Too large: the server takes up to 8 MB." in page.inner_text("article")
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(encoded(np.zeros((5000, 5000), np.uint8), "PNG"))
    page.set_input_files("#files", bomb)
    settled(page, 2)
    assert "25 megapixels" not in page.inner_text("article >> nth=1")
    assert "at most 20 megapixels" in page.inner_text("article >> nth=1")
    assert page.get_by_role("button", name="Try again").count() == 0  # it would be the same
    page.route("**/v1/detect?*", lambda route: route.abort())
    page.set_input_files("#files", pictures["one"])
    settled(page, 3)
    assert "can't be reached" in page.inner_text("article >> nth=2")
    shot(page, "errors")
    page.unroute("**/v1/detect?*")
    page.locator("article >> nth=2").get_by_role("button", name="Try again").click()
    page.wait_for_selector("article:nth-child(3) h3.photographic")


def test_a_busy_server_is_asked_again(opened, pictures):
    page = opened()
    asked = []

    def answer(route):
        asked.append(1)
        if len(asked) < 3:
            headers = {"retry-after-ms": "20", "content-type": "application/json"}
            route.fulfill(status=503, headers=headers, body='{"code": "busy", "detail": "full"}')
        else:
            route.continue_()

    page.route("**/v1/detect?*", answer)
    page.set_input_files("#files", pictures["one"])
    settled(page, 1)
    assert len(asked) == 3
    assert "Looks photographic" in page.inner_text("article")


def test_a_server_with_keys_asks_for_one(opened, judge, pictures):
    with serving(judge, api_keys=["secret-1"]) as address:
        page = opened(address)
        page.wait_for_selector("#key:not([hidden])")
        page.set_input_files("#files", pictures["one"])
        settled(page, 1)
        assert "asks for an API key" in page.inner_text("article")
        page.fill("#key-value", "secret-1")
        page.keyboard.press("Enter")
        page.wait_for_selector("h3.photographic")


def test_what_a_file_declares_stands_beside_the_verdict(opened, pictures, tmp_path):
    marked = tmp_path / "marked.jpg"
    marked.write_bytes(signed(pictures["one"].read_bytes()))
    page = opened(viewport={"width": 360, "height": 740})
    page.set_input_files("#files", marked)
    settled(page, 1)
    said = page.locator(".declared")
    assert "made by Adobe Firefly 3 (Content Credentials" in said.inner_text()
    assert "a camera took it" in said.locator(".contradiction").first.inner_text()
    assert page.inner_text("article h2 .badge") == "The file says: generated"
    said.locator("summary").click()
    assert "signed it as Example Images" in said.locator("li").first.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shot(page, "declared")
