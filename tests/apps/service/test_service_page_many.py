"""Many pictures: the table of a thousand, sorted and filtered; what a reload brings back."""

# What the browser keeps (static/kept.js): pictures with given answers, as if judged before.
GIVEN = """async ([number, by]) => {
  const canvas = new OffscreenCanvas(112, 80);
  canvas.getContext("2d").fillRect(0, 0, 112, 80);
  const file = await canvas.convertToBlob({ type: "image/jpeg" });
  const opening = indexedDB.open("exiface", 1);
  const done = (request) => new Promise((go) => { request.onsuccess = () => go(request.result); });
  const store = (await done(opening)).transaction("pictures", "readwrite").objectStore("pictures");
  const verdicts = ["photographic", "unsure", "ai-generated", "nothing-found"];
  for (let at = 0; at < number; at += 1) {
    const p = ((at * 37) % 1000 + 1) / 1001;
    const verdict = verdicts[at % 4];
    const said = { p_value: p, verdict, says: verdict, sentence: `${p}.` };
    const none = at % 50 === 7;
    const answer = {
      path: `picture-${at}.jpg`, faces: none ? [] : [{ ...said, box: [10, 10, 40, 40], score: 1 }],
      tags: {}, declared: [], declares: "The file says nothing.", declares_generated: at === 12,
      ...(none
        ? { reason: "no face found" }
        : { verdict, p_value: p, summary: verdict, how_sure: `sure ${at}` }),
    };
    store.put({ id: at + 1, file, name: answer.path, thumbnail: file, answer, by });
  }
  await new Promise((go) => { store.transaction.oncomplete = go; });
}"""


def names(page):
    return page.locator("tbody .name").all_text_contents()


def test_a_thousand_rows_sort_and_filter_quickly(opened, judge):
    page = opened(viewport={"width": 1280, "height": 900})
    page.wait_for_selector("#notice:not([hidden])")
    page.evaluate(GIVEN, [1000, judge.parts.id])
    page.reload()
    page.wait_for_function("() => document.querySelectorAll('#table tbody tr').length === 1000")
    told = page.locator("tbody .told").all_text_contents()
    assert told[0] == "Ai-generated"  # flagged first
    assert told == sorted(
        told, key=["Ai-generated", "Unsure", "Nothing-found", "Photographic", "No verdict"].index
    )
    # From the click to the next picture on the screen; rows out of sight are not laid out.
    sort = """name => new Promise((go) => {
        const start = performance.now();
        document.querySelector(`[data-column=${name}] button`).click();
        requestAnimationFrame(() => requestAnimationFrame(() => go(performance.now() - start)));
    })"""
    for column in ("name", "sure", "declared", "verdict"):
        assert page.evaluate(sort, column) < 1500  # ms, on a machine that does other things as well
        head = page.locator(f"[data-column={column}]")
        assert head.get_attribute("aria-sort") == "ascending"
    assert page.locator("[aria-sort]").count() == 1
    page.evaluate(sort, "name")
    assert names(page) == [f"picture-{number}.jpg" for number in range(1000)]
    page.click("tbody tr:nth-child(3) .open")  # its details, beside the table
    assert (
        page.inner_text("article h2") == page.inner_text("[aria-current=true]") == "picture-2.jpg"
    )
    assert page.evaluate("document.activeElement.tagName") == "ARTICLE"
    page.evaluate(sort, "name")
    assert names(page) == [f"picture-{number}.jpg" for number in reversed(range(1000))]
    page.evaluate(sort, "declared")
    assert names(page)[0] == "picture-12.jpg"
    assert (
        page.locator("tbody tr").first.locator(".badge").inner_text() == "The file says: generated"
    )
    chips = page.locator("#filter button")
    assert chips.all_inner_texts() == [
        *("All 1000", "AI-generated 250", "Unsure 240", "Nothing found 240"),
        *("Photographic 250", "No verdict 20"),
    ]
    chips.nth(5).click()
    assert page.locator("tbody tr").count() == 20
    chips.nth(1).click()
    assert set(page.locator("tbody .told").all_text_contents()) == {"Ai-generated"}
    chips.nth(0).click()
    out_of_sight = page.locator("tbody tr").last.locator(".open")
    assert not out_of_sight.evaluate("each => each.checkVisibility({contentVisibilityAuto: true})")


def test_a_reload_loses_nothing_and_one_button_clears_all(opened, pictures, settled):
    page = opened(files=[pictures["one"], pictures["none"]])
    page.get_by_role("button", name="portrait.jpg", exact=True).click()
    before = page.inner_text("article")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    settled(page, 2)
    page.get_by_role("button", name="portrait.jpg", exact=True).click()
    assert page.inner_text("article") == before
    assert page.locator("tbody img").count() == 2
    assert not [url for url in asked if "v1/detect?" in url]  # nothing was judged again
    page.wait_for_selector(".picture .box")  # the picture is still at hand
    assert page.locator(".picture img").evaluate("each => each.naturalWidth") == 512
    page.click("#clear")
    page.get_by_text("This browser keeps none of the pictures any more.").wait_for()
    page.reload()
    page.wait_for_selector("#notice:not([hidden])")
    assert page.locator("tbody tr, article").count() == 0


def test_what_another_detector_judged_is_judged_again(opened, settled):
    page = opened()
    page.wait_for_selector("#notice:not([hidden])")
    page.evaluate(GIVEN, [1, "another@1"])
    page.reload()
    settled(page, 1)
    assert "No face found" in page.inner_text("article")  # the picture is black
