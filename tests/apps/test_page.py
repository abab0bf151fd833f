import re
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import write_photo

from exiface.apps.page import standing, write_page
from exiface.calibration import Calibration, GeneratedFaces, Judge, Verdict
from exiface.detector import Detector, Judgement


@pytest.fixture
def page(tmp_path, astronaut, photos):
    path = write_photo(tmp_path / "<script>alert(1)</script>&.jpg", astronaut)
    two = np.concatenate([astronaut, astronaut], 1)
    both = write_photo(tmp_path / "two.jpg", two)
    detector = Detector.load()
    results = list(detector.detect([path, both, photos / "broken.jpg", astronaut]))
    write_page(results, detector, tmp_path / "out" / "page.html")
    return (tmp_path / "out" / "page.html").read_text("utf-8"), results


class Balance(HTMLParser):
    VOID = frozenset({"meta", "img", "br"})

    def __init__(self):
        super().__init__()
        self.open, self.sources = [], []

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        self.sources += [
            value for name, value in attributes if name in ("src", "href", "xlink:href")
        ]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing(page):
    text, _ = page
    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    assert parser.sources
    assert all(source.startswith("data:image/jpeg;base64,") for source in parser.sources)
    assert "default-src 'none'" in text
    assert "http://" not in text
    assert "https://" not in text


def test_file_names_are_text_not_markup(page):
    text, _ = page
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_every_face_and_reason_is_shown(page):
    text, results = page
    faces = sum(len(result.faces) for result in results)
    assert faces == 4
    assert text.count("<figure>") == faces
    assert text.count('class="picture"') == 2  # an array has no path to read a picture from
    assert "damaged or cut short" in text
    for result in results:
        for face in result.faces:
            assert f"p = {face.p_value:.3f}" in text
    assert "f/2.8, 1/200 s, 50 mm, ISO 100" in text
    assert (
        len(
            re.findall(
                r'<rect x="[^"]*" y="[^"]*" width="[^"]*" height="[^"]*"\s+fill="none"', text
            )
        )
        == 6
    )


def parts(calibration, generated=None):
    return SimpleNamespace(judge=Judge(calibration, generated))


@given(st.integers(-(10**6), 10**6), st.integers(0, 3), st.booleans())
def test_the_marker_stays_in_the_plot(score, seed, with_generated):
    rng = np.random.default_rng(seed)
    calibration = Calibration.of(rng.standard_t(2, 99) * 50)
    generated = GeneratedFaces.of(rng.uniform(0.01, 1, 50), ["a"] * 50)
    p_value = float(calibration.p_value(score))
    shown = parts(calibration, generated if with_generated else None)
    face = Judgement((0, 0, 1, 1), score, p_value, shown.judge.verdict_at(p_value))
    plot = standing(shown, face)
    assert 0 <= plot["marker"] <= plot["width"]
    assert bool(plot["generated"]) == with_generated
    for bar in plot["bars"] + plot["generated"]:
        assert 0 < bar["height"] <= plot["height"]
        assert bar["x"] + bar["width"] <= plot["width"]
        assert bar["band"] in set(Verdict)


def test_equal_scores_are_drawn_too():
    calibration = Calibration.of(np.zeros(30))
    face = Judgement((0, 0, 1, 1), 0.0, 1.0, Verdict.PHOTOGRAPHIC)
    assert len(standing(parts(calibration), face)["bars"]) == 1
