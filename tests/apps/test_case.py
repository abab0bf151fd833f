"""The case file: as a page, as JSON, printed, and verified."""

import json
import re
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from made import write_photo
from made_signed import signed

from exiface.apps.case import Case, Heading, write_case

NAME = "<script>alert(1)</script>&.jpg"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, astronaut, photos):
    """One face under a bad name, two faces, a signed one, a broken file."""
    made = tmp_path_factory.mktemp("case")
    one = write_photo(made / NAME.replace("/", "-"), astronaut)
    face = astronaut[0:300, 100:400]
    write_photo(made / "two.jpg", np.hstack([face, face[:, ::-1]]), None)
    camera = signed(one.read_bytes(), source_type="digitalCapture", generator="Camera")
    (made / "signed.jpg").write_bytes(signed(one.read_bytes(), parent=camera))
    (made / "broken.jpg").write_bytes((photos / "broken.jpg").read_bytes())
    return made


@pytest.fixture(scope="module")
def case(folder, judge):
    names = (NAME.replace("/", "-"), "two.jpg", "signed.jpg", "broken.jpg")
    results = list(judge.detect([str(folder / name) for name in names]))
    heading = Heading("The <b>astronaut</b>", "2026/117", "A. Examiner")
    return Case(results, judge, heading=heading)


@pytest.fixture(scope="module")
def written(case, folder):
    paths = write_case(case, [each.path for each in case.results], folder / "out" / "case.html")
    assert [path.name for path in paths] == ["case.html", "case.json"]
    return paths[0].read_text("utf-8"), json.loads(paths[1].read_text("utf-8"))


def test_the_page_is_whole_and_loads_nothing(written):
    text, _ = written
    sources = re.findall(r"<[^>]+?(?:src|xlink:href)=(.{24})", text)
    assert set(sources) == {'"data:image/jpeg;base64,'}
    assert set(re.findall(r'<[^>]+? href="(.{9})', text)) == {"#picture-", "data:appl"}
    assert "default-src 'none'" in text
    assert "http://" not in re.sub(r"<code>.*?</code>", "", text)  # what files say
    # What people and files say is text, not markup.
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "The &lt;b&gt;astronaut&lt;/b&gt;" in text


def test_it_says_who_when_and_with_what(written, case):
    text, told = written
    for part in ("2026/117", "A. Examiner", case.detector.parts.digest, "exiface verify case.json"):
        assert part in text
    assert datetime.fromisoformat(told["made"]).utcoffset() is not None
    assert case.time in text
    assert (told["format"], told["version"]) == ("exiface case", 1)
    assert (told["reference"], told["examiner"]) == ("2026/117", "A. Examiner")
    assert told["detector"]["judged_by"][0]["sha256"] == case.detector.parts.digest
    assert all(sentence.replace("'", "&#39;") in text for sentence in told["limits"])


def test_the_index_and_the_pictures_count_from_one(written, case):
    text, told = written
    index = text.split("<h2>Limits</h2>")[0]
    assert [each["number"] for each in told["pictures"]] == [1, 2, 3, 4]
    for number in range(1, 5):
        assert f'href="#picture-{number}"' in index
        assert f'id="picture-{number}"' in text
    assert "face 1" in index
    assert "face 2" in index
    assert 'alt="Face 2 of picture 2"' in text
    faces = sum(len(result.faces) for result in case.results)
    assert text.count('alt="Face ') == text.count('<figure class="standing">') == faces == 4
    assert "damaged or cut short" in index
    for result in case.results:
        for face in result.faces:
            assert f"p = {face.p_value:.3f}" in text


def test_every_field_the_chain_and_the_digest_are_there(written, folder):
    text, told = written
    one, _, marked, broken = told["pictures"]
    assert {each["name"]: each["value"] for each in one["exif"]}["ISOSpeedRatings"] == "100"
    assert "<td>ISOSpeedRatings</td><td>100</td>" in text
    assert [link["relation"] for link in marked["credentials"]] == ["this file", "made from"]
    assert "→ made from: other.jpg" in text
    for each in told["pictures"]:
        content = (folder / each["name"]).read_bytes()
        assert (each["sha256"], each["bytes"]) == (sha256(content).hexdigest(), len(content))
        assert each["sha256"] in text
    assert broken["judged"] == []
    assert one["result"]["faces"][0]["verdict"] == "photographic"
    assert one["judged"][0]["sentence"] in text


@pytest.fixture(scope="module")
def kept(folder, case):
    """A case, and a folder that holds its pictures."""
    path = folder / "kept.json"
    write_case(case, [each.path for each in case.results], path)
    return path


def test_the_same_files_are_found_the_same(exiface, kept, folder, tmp_path):
    for more in ((), ("--folder", folder)):
        done = exiface("verify", kept, *more, status=0)
        assert "4 of 4 pictures: the same file, the same scores, the same verdict, the" in done.out
    nowhere = exiface("verify", kept, "--folder", tmp_path / "gone", status=2)
    assert f"--folder {tmp_path / 'gone'}: no such folder" in nowhere.err
    elsewhere = exiface("verify", kept, "--folder", tmp_path, status=1)
    assert elsewhere.out.count("the file is missing") == 4


def test_what_differs_is_said(exiface, kept, folder, tmp_path):
    told = json.loads(kept.read_text("utf-8"))
    for each in told["pictures"]:  # as the page of the service has them: names without a folder
        each["name"] = each["result"]["path"] = each["name"].rpartition("/")[2]
    told["pictures"][0]["result"]["faces"][0]["score"] += 1
    told["pictures"][0]["result"]["faces"][0]["verdict"] = "ai-generated"
    (tmp_path / "case.json").write_text(json.dumps(told))
    first, two = NAME.replace("/", "-"), "two.jpg"
    (tmp_path / first).write_bytes((folder / first).read_bytes())
    (tmp_path / two).write_bytes((folder / two).read_bytes() + b"\0")
    (tmp_path / "broken.jpg").write_bytes((folder / "broken.jpg").read_bytes())
    done = exiface("verify", tmp_path / "case.json", status=1)
    assert re.search(r"face 1: verdict ai-generated, now photographic; score \S+, now", done.out)
    assert f"2. two.jpg: the file {tmp_path / two} is another (SHA-256 differs)." in done.out
    assert "3. signed.jpg: the file is missing; name its folder with --folder." in done.out
    assert "4. broken" not in done.out
    assert "1 of 4 pictures: the same" in done.out
    assert "3 differ or are missing." in done.out


def test_words_that_were_changed_are_said(exiface, kept, tmp_path):
    told = json.loads(kept.read_text("utf-8"))
    one, two, _, _ = told["pictures"]
    one["judged"][0]["words"] = "looks AI-generated"
    one["result"]["faces"][0]["sentence"] = "Surely generated."
    del two["judged"][1]
    (tmp_path / "case.json").write_text(json.dumps(told))
    done = exiface("verify", tmp_path / "case.json", status=1)
    assert 'judged[0].words is "looks AI-generated", and should be "' in done.out
    assert 'result.faces[0].sentence is "Surely generated.", and should be "' in done.out
    assert 'judged[1].which is missing, and should be "face 2".' in done.out
    assert "2 of 4 pictures: the same" in done.out


def test_words_count_where_numbers_were_rounded_and_not_of_another_version(exiface, kept, tmp_path):
    told = json.loads(kept.read_text("utf-8"))
    one, two, _, _ = told["pictures"]
    for picture in (one, two):
        picture["result"]["faces"][0]["p_value"] += 0.000_001
    numbers = re.sub("[0-9]+", "7", one["result"]["faces"][0]["sentence"])
    one["result"]["faces"][0]["sentence"] = numbers
    two["result"]["declares"] = "The file says that a camera took it."
    (tmp_path / "case.json").write_text(json.dumps(told))
    done = exiface("verify", tmp_path / "case.json", status=1)
    assert "3 of 4 pictures: the same file, the same scores, the same verdict, the" in done.out
    assert 'result.declares is "The file says that a camera took it.", and should be' in done.out
    told["exiface"] = "0.1"
    (tmp_path / "case.json").write_text(json.dumps(told))
    done = exiface("verify", tmp_path / "case.json", status=0)
    assert "exiface 0.1 made the case: its words are not compared." in done.out
    assert done.out.endswith("4 of 4 pictures: the same file, the same scores, the same verdict.\n")


def test_a_file_that_could_not_be_read_is_not_the_same(exiface, folder, tmp_path, judge):
    path = tmp_path / "photo.jpg"
    [result] = judge.detect(str(path))
    write_case(Case([result], judge), [str(path)], tmp_path / "case.json")
    still = exiface("verify", tmp_path / "case.json", status=1)
    assert "could not be read when the case was made, and is still missing." in still.out
    path.write_bytes((folder / "two.jpg").read_bytes())
    now = exiface("verify", tmp_path / "case.json", status=1)
    assert f"could not be read when the case was made; now {path} lies there." in now.out
    assert "no verdict (no such file) then, " in now.out


def test_another_detector_is_refused_unless_it_is_wanted(exiface, kept, photographs_only):
    refused = exiface("verify", kept, "--detector", "photographs-only", status=2)
    assert "--other-detector goes on" in refused.err
    assert photographs_only.parts.digest[:12] in refused.err
    gone_on = exiface(
        "verify", kept, "--detector", "photographs-only", "--other-detector", status=1
    )
    assert "face 1: " in gone_on.out
    assert "none are compared" in gone_on.out
    assert "the same words" not in gone_on.out


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        (b"{", "is no case file: name the NAME.json"),
        (b"[]", "is no case file"),
        (b'{"format": "exiface case", "version": 99, "exiface": "9.1"}', "install exiface 9.1"),
        (b'{"format": "exiface case", "version": 1}', "is damaged, or was changed"),
        (
            b'{"format": "exiface case", "version": 1, "exiface": "", "detector": {"asked": null,'
            b' "subject": null,'
            b' "cropped": false, "judged_by": []}, "pictures": [{"name": "a", "sha256": "", '
            b'"result": {"path": "a", "faces": [{"verdict": "unsure", "p_value": 0.1}]}}]}',
            "is damaged, or was changed ('score')",
        ),
    ],
)
def test_what_is_no_case_is_refused(exiface, tmp_path, content, reason):
    if content is not None:
        (tmp_path / "case.json").write_bytes(content)
    assert reason in exiface("verify", tmp_path / "case.json", status=2).err


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_it_fits_a_phone_and_a_screen(browser, written, folder, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.goto((folder / "out" / "case.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name="two.jpg").click()
    assert page.evaluate("location.hash") == "#picture-2"
    with page.expect_download() as download:
        page.get_by_role("link", name="case.json").click()
    assert json.loads(Path(download.value.path()).read_text("utf-8")) == written[1]
    page.close()


def test_it_prints_to_a4_uncut(browser, written, folder):
    page = browser.new_page()
    page.goto((folder / "out" / "case.html").as_uri())
    page.emulate_media(media="print")
    cut = page.evaluate(
        """[...document.querySelectorAll("img, tr, figure, .together")]
           .filter(each => !["avoid", "avoid-page"].includes(getComputedStyle(each).breakInside))
           .map(each => each.outerHTML.slice(0, 80))"""
    )
    assert cut == []
    heads = "[...document.querySelectorAll('thead')].map(each => getComputedStyle(each).display)"
    assert set(page.evaluate(heads)) == {"table-header-group"}
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    page.set_viewport_size({"width": 688, "height": 1000})  # A4 less its margins
    assert page.evaluate(wide) <= 0
    printed = page.pdf(prefer_css_page_size=True)
    page.close()
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
    sizes = {(round(float(width)), round(float(height))) for width, height in boxes}
    assert sizes <= {(594, 841), (595, 842), (596, 842)}
    assert 4 <= len(boxes) <= 8  # one for the index, one or two a picture
