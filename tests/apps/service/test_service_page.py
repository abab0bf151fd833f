"""What the page does with pictures: verdicts, details, explanations, files to keep."""

import hashlib
import json
from pathlib import Path

import numpy as np
from made import write_photo
from made_service import encoded, heading, serving
from made_signed import signed

from exiface.detector.results import SAID


def chosen(page, name):
    """Open the details of a picture among several."""
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_function(
        "name => document.querySelector('article h2')?.textContent === name", arg=name
    )
    return page.locator("article")


def test_one_picture_comes_back_with_its_verdict_first(opened, pictures, portrait, settled):
    page = opened(viewport={"width": 1280, "height": 900})
    page.wait_for_selector("#notice:not([hidden])")
    before = page.locator("#drop").bounding_box()["height"]
    page.set_input_files("#files", pictures["one"])
    settled(page, 1)
    article = page.locator("article")
    assert heading(portrait) in article.inner_text()
    assert "f/2.8, 1/200 s, 50 mm, ISO 100" in article.inner_text()
    assert article.locator(".picture .box").count() == 1
    assert article.locator(".chart").count() == 1
    assert not page.locator("#table").is_visible()
    # The place to drop pictures has become a bar, and the verdict is in sight.
    assert page.locator("#drop").bounding_box()["height"] < min(80, before / 2)
    verdict = article.locator("h3").first.bounding_box()
    assert 0 < verdict["y"] < 450
    assert page.locator(".zoom").evaluate("each => each.width === each.height && !each.hidden")
    assert verdict["y"] < page.locator(".chart").bounding_box()["y"]
    the_chart_says_where_the_face_stands(page, portrait.verdict)


def test_several_pictures_come_back_in_a_table(opened, pictures, portrait):
    page = opened(viewport={"width": 1280, "height": 900}, files=list(pictures.values()))
    rows = {row.locator(".name").inner_text(): row for row in page.locator("tbody tr").all()}
    assert rows["portrait.jpg"].locator(".told").inner_text() == heading(portrait)
    assert rows["portrait.jpg"].locator(".sure").inner_text() == portrait.how_sure
    assert rows["coffee.png"].locator(".sure").inner_text() == "no face found"
    assert rows["portrait.jpg"].locator("img").evaluate("each => each.naturalWidth") == 112
    assert rows["notes.txt"].locator("img").count() == 0
    assert page.inner_text("#status") == "4 of 4 pictures done, none look AI-generated."
    table = page.locator("#table").bounding_box()
    details = page.locator("#details").bounding_box()
    assert details["x"] > table["x"] + table["width"]  # beside it
    article = chosen(page, "two.jpg")
    assert article.locator(".face").count() == 2
    assert article.locator(".picture .number").all_text_contents() == ["1", "2"]
    assert article.get_by_role("img", name="Face 2, enlarged").is_visible()
    assert article.locator(".chart").count() == 1  # of the detector, with a mark for each face
    assert sorted(article.locator(".chart .here").all_text_contents()) == ["1", "2"]
    assert "No face found" in chosen(page, "coffee.png").inner_text()
    assert "Not an image of a known format" in chosen(page, "notes.txt").inner_text()


def the_chart_says_where_the_face_stands(page, verdict):
    chart = page.locator(".chart svg")
    words = chart.locator("text").all_text_contents()
    for word in ("this face", "photographic", "AI-generated", "Photographs", "100"):
        assert word in words
    # The mark stands in the part that is called what the face is called.
    mark = float(chart.locator(".mark").get_attribute("x1"))
    zone = chart.locator(f".zone.{verdict.value}")
    start, width = (float(zone.get_attribute(name)) for name in ("x", "width"))
    assert start <= mark <= start + width
    label = chart.get_attribute("aria-label")
    assert label.startswith(f"This face: {SAID[verdict]}. ")


def test_a_picture_without_a_face_is_judged_as_a_whole_if_asked(opened, pictures):
    page = opened(files=pictures["none"])
    page.get_by_role("button", name="Judge the picture as a whole").click()
    page.wait_for_selector("article figure")
    said = page.locator("article").inner_text()
    assert "Judged as a whole" in said
    assert "this image" in page.locator(".chart .here").all_text_contents()
    assert page.locator(".picture .box").count() == 0
    page.get_by_role("button", name="Why this verdict?").click()
    page.wait_for_selector(".why table")
    assert "What the detector saw" in page.inner_text(".why")


def test_another_detector_judges_again(opened, pictures, settled, judge, photographs_only):
    page = opened(files=[pictures["one"], pictures["none"]])
    assert judge.parts.id in page.inner_text("#made")
    before = chosen(page, "portrait.jpg").inner_text()
    page.get_by_label("Detector").select_option("photographs-only")
    page.wait_for_function(
        "id => document.querySelector('#made').textContent.includes(id)",
        arg=photographs_only.parts.id,
    )
    assert page.inner_text("#learnt") == "has learnt from photographs only"
    settled(page, 2)
    after = page.locator("article").inner_text()
    page.reload()  # and the choice survives
    settled(page, 2)
    assert page.get_by_label("Detector").input_value() == "photographs-only"
    assert chosen(page, "portrait.jpg").inner_text() == after
    assert after != before


MOVED = """([event, type, content]) => {
    const moved = new DataTransfer();
    if (typeof content === "string") moved.setData(type, content);
    else moved.items.add(new File([new Uint8Array(content)], "moved.jpg", {type}));
    const made = event === "paste"
        ? new ClipboardEvent("paste", {clipboardData: moved, bubbles: true})
        : new DragEvent("drop", {dataTransfer: moved, bubbles: true});
    document.dispatchEvent(made);
}"""


def test_pictures_are_pasted_and_dropped_and_addresses_are_not_fetched(
    opened, judge, jpeg, settled
):
    page = opened()
    page.evaluate(MOVED, ["paste", "text/plain", "only words, no address"])
    assert not page.locator("#told").is_visible()
    for event, kind in (("paste", "text/plain"), ("drop", "text/uri-list")):
        page.evaluate(MOVED, [event, kind, "https://example.org/picture.jpg"])
        assert "Pictures are not fetched from addresses" in page.inner_text("#told")
        assert "so that nobody learns what you look into" in page.inner_text("#told")
        page.evaluate("document.querySelector('#told').hidden = true")
    for number, event in enumerate(("paste", "drop"), start=1):
        page.evaluate(MOVED, [event, "image/jpeg", list(jpeg)])
        settled(page, number)
    verdict = next(judge.detect(jpeg)).faces[0].verdict.value
    assert page.locator(f"#table .told.{verdict}").count() == 2


def test_what_was_said_can_be_kept(opened, pictures, portrait):
    page = opened(files=[pictures["one"], pictures["none"]])
    with page.expect_download() as download:
        page.click("#save-json")
    results = json.loads(Path(download.value.path()).read_text())["results"]
    assert [result["path"] for result in results] == ["portrait.jpg", "coffee.png"]
    assert results[0]["faces"][0]["verdict"] == portrait.verdict.value
    page.get_by_text("Case file", exact=True).click()
    page.get_by_label("Title").fill("Two pictures")
    page.get_by_label("Reference").fill("2026/117")
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
    assert page.locator("article, tbody tr").count() == 0
    assert page.locator(".lead").is_visible()


def test_what_a_reverse_search_needs_is_copied_and_nothing_is_sent(
    opened, settled, service, astronaut, tmp_path
):
    page = opened(viewport={"width": 1280, "height": 900})
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=service)
    # A small one: browsers make a PNG of a larger one when they have nothing else to do.
    picture = write_photo(tmp_path / "small.jpg", astronaut[::4, ::4], None)
    page.set_input_files("#files", picture)
    settled(page, 1)
    page.get_by_text("Look for this picture elsewhere").click()
    search = page.locator(".search")
    assert "the picture leaves this computer" in search.inner_text()
    digest = hashlib.sha256(picture.read_bytes()).hexdigest()
    page.wait_for_function(
        "d => document.querySelector('.search code').textContent === d", arg=digest
    )
    search.get_by_role("button", name="Copy the SHA-256").click()
    search.get_by_text("The SHA-256 is on the clipboard.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == digest
    search.get_by_role("button", name="Copy the picture").click()
    search.get_by_text("The picture is on the clipboard.").wait_for()
    copied = page.evaluate("""async () => {
        const [item] = await navigator.clipboard.read();
        const { width, height } = await createImageBitmap(await item.getType("image/png"));
        return [width, height];
    }""")
    assert copied == [128, 128]
    for name in ("TinEye", "Google Lens", "Yandex"):
        link = search.get_by_role("link", name=name)
        assert link.get_attribute("rel") == "noopener noreferrer"
        assert link.get_attribute("target") == "_blank"


def test_too_large_and_a_server_that_is_gone(opened, pictures, portrait, settled, tmp_path):
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
    assert "at most 20 megapixels" in chosen(page, "bomb.png").inner_text()
    assert page.get_by_role("button", name="Try again").count() == 0  # it would be the same
    page.route("**/v1/detect?*", lambda route: route.abort())
    page.set_input_files("#files", pictures["one"])
    settled(page, 3)
    assert "can't be reached" in chosen(page, "portrait.jpg").inner_text()
    page.unroute("**/v1/detect?*")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector(f"article h3.{portrait.verdict.value}")


def test_a_busy_server_is_asked_again(opened, pictures, portrait, settled):
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
    assert heading(portrait) in page.inner_text("article")


def test_a_server_with_keys_asks_for_one(opened, judge, pictures, portrait, settled):
    with serving(judge, api_keys=["secret-1"]) as address:
        page = opened(address)
        page.wait_for_selector("#key:not([hidden])")
        page.set_input_files("#files", pictures["one"])
        settled(page, 1)
        assert "asks for an API key" in page.inner_text("article")
        page.fill("#key-value", "secret-1")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"h3.{portrait.verdict.value}")


def test_what_a_file_declares_stands_beside_the_verdict(opened, pictures, tmp_path):
    marked = tmp_path / "marked.jpg"
    marked.write_bytes(signed(pictures["one"].read_bytes()))
    page = opened(viewport={"width": 360, "height": 740}, files=marked)
    said = page.locator("dd.declared")
    assert "made by Adobe Firefly 3 (Content Credentials" in said.inner_text()
    assert "a camera took it" in said.locator(".contradiction").first.inner_text()
    assert page.locator("article h3 .badge").all_inner_texts() == [
        "The file says: generated",
        "The file contradicts itself",
    ]
    said.locator("summary").click()
    assert "signed it as Example Images" in said.locator("li").first.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
