"""The page by keyboard, on a phone, on a large screen, in the dark, and as axe-core reads it."""

import pytest
from made_service import heading


def test_keyboard_alone(opened, pictures, settled):
    page = opened()
    # Listened for from the start: the browser learns of it in its own time.
    page.on("filechooser", lambda chooser: chooser.set_files(pictures["one"]))
    page.wait_for_selector("#notice:not([hidden])")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "files"
    page.keyboard.press("Enter")
    settled(page, 1)
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Why this verdict?":
            break
    page.keyboard.press("Enter")
    page.wait_for_selector(".why table")
    assert page.evaluate("document.activeElement.textContent") == "Why this verdict?"
    assert page.evaluate("document.activeElement.ariaExpanded") == "true"
    assert "The verdict stays in" in page.inner_text(".why")
    assert page.locator(".why img").count() == 2
    assert page.evaluate("[...document.querySelectorAll('.why img')].every(i => i.naturalWidth)")
    assert "speaks against a photograph" in page.inner_text(".why")
    page.keyboard.press("Enter")
    assert not page.locator(".why").is_visible()


def test_keys_while_the_results_have_the_focus(opened, pictures):
    page = opened(files=[pictures["one"], pictures["two"]])
    heading = "document.activeElement.querySelector('h2')?.textContent"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("x")  # nothing has the focus: a key means nothing
    assert page.locator("tbody :checked").count() == 0
    first, second = page.locator("tbody .name").all_inner_texts()
    page.focus("#results")
    for key, name in (("k", None), ("j", second), ("j", second), ("k", first), ("j", second)):
        page.keyboard.press(key)
        if name:
            assert page.evaluate(heading) == name
    page.keyboard.press("x")
    page.keyboard.press("k")
    page.keyboard.press("x")
    assert page.get_by_role("checkbox", name="Compare two.jpg").is_checked()
    page.keyboard.press("c")
    assert page.locator("#comparison").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#comparison").is_visible()
    assert page.evaluate(heading) == first
    page.keyboard.press("w")
    page.wait_for_selector(".why")


def test_pictures_are_compared_side_by_side(opened, pictures, portrait):
    page = opened(viewport={"width": 1280, "height": 800}, files=list(pictures.values()))
    button = page.locator("#compare")
    assert button.is_disabled()
    for name in ("portrait.jpg", "two.jpg", "coffee.png"):
        page.get_by_role("checkbox", name=f"Compare {name}").check()
    button.click()
    columns = page.locator("#comparison section")
    assert columns.count() == 3
    page.wait_for_selector("#comparison section:nth-child(2) .box >> nth=1")
    said = [column.inner_text() for column in columns.all()]
    assert f"{heading(portrait)} p = " in said[0]
    assert "f/2.8, 1/200 s, 50 mm, ISO 100" in said[0]
    assert "face 2, p = " in said[1]
    assert "corrected for 2 faces" in said[1]
    assert "no face found" in said[2]
    # The same line of each at the same height, and none over another.
    tops = page.evaluate(
        "[...document.querySelectorAll('#comparison section')].map(column =>"
        " [...column.children].map(each => Math.round(each.getBoundingClientRect().top)))"
    )
    for row in (0, 1, 3, 4):
        assert len({column[row] for column in tops}) == 1
    assert tops[0] == sorted(tops[0])
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Close").click()
    assert not page.locator("#comparison").is_visible()


def test_a_phone_and_a_large_screen(opened, pictures):
    for width, height in ((390, 844), (3840, 2160)):
        size = {"width": width, "height": height}
        page = opened(viewport=size, files=[pictures["two"], pictures["one"]])
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        phone = width < 1000
        assert page.locator("#keys").is_visible() != phone
        if phone:  # the table, then the details of the chosen row; nothing sticks to the screen
            table, details, bar = (
                page.locator(name).bounding_box() for name in ("#table", "#details", "#bar")
            )
            assert table["y"] + table["height"] <= details["y"]
            assert bar["height"] < 180
            assert page.evaluate(
                "[...document.querySelectorAll('body *')].every("
                "each => !['sticky', 'fixed'].includes(getComputedStyle(each).position))"
            )


@pytest.fixture(scope="module")
def violations():
    """What breaks WCAG 2 A or AA on a page, as axe-core says, which `make test` brings with npm."""
    pytest.importorskip("playwright.sync_api")
    from docs.axe import AXE, read

    if not AXE.is_file():
        pytest.skip("needs axe-core: npm install --prefix .venv/axe axe-core")
    return read


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_of_wcag(opened, pictures, settled, violations, scheme):
    page = opened(color_scheme=scheme)
    page.wait_for_selector("#notice:not([hidden])")
    assert violations(page) == []
    page.set_input_files("#files", pictures["two"])
    settled(page, 1)
    page.get_by_text("Look for this picture elsewhere").click()
    if scheme == "light":
        page.get_by_role("button", name="Why this verdict on face 1?").click()
        page.wait_for_selector(".why table")
    assert violations(page) == []
    page.set_input_files("#files", [pictures["none"], pictures["wrong"]])
    settled(page, 3)
    assert violations(page) == []
    for box in page.get_by_role("checkbox", name="Compare").all()[:2]:
        box.check()
    page.get_by_role("button", name="side by side").click()
    assert violations(page) == []
    assert violations(opened(path="/nothing", color_scheme=scheme)) == []


def test_what_programs_can_ask_needs_no_other_host_and_breaks_no_rule(opened, violations):
    page = opened(path="/docs")
    page.wait_for_selector(".opblock >> nth=3")
    assert "/v1/detect" in page.inner_text("#described")
    assert violations(page) == []
    page.locator(".opblock-summary-control").first.click()
    page.wait_for_selector(".try-out")
    assert violations(page) == []


def test_pages_that_are_files_break_no_rule_of_wcag(
    browser, violations, exiface, pictures, explained, report_folder, tmp_path
):
    case = tmp_path / "case.html"
    several = (str(pictures[name]) for name in ("two", "none", "wrong"))
    exiface("detect", *several, "--report", case)
    for width, scheme in ((1280, "light"), (390, "dark")):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        for file in (case, explained / "why.html", report_folder / "index.html"):
            page.goto(file.as_uri())
            assert violations(page) == [], file
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()
