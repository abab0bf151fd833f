import re
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exiface.apps.explanation_page import sign_sentence, tag_sentence
from exiface.apps.page import standing
from exiface.calibration import Calibration, GeneratedFaces, Judge, Verdict, promise
from exiface.detector import Judgement
from exiface.detector.cross_check import TagCheck


def test_the_page_and_the_text(exiface, photos, tmp_path):
    by_signs = ("--detector", "photographs-only")
    done = exiface("explain", photos / "0/00.jpg", "-o", tmp_path / "why.html", *by_signs, status=0)
    for text in (
        *("known photographs", "screenshot", "symmetry: more than in", "easily forged"),
        *("look of a low ISO speed: more than in", "focal length: judged by the look of the face,"),
    ):
        assert text in done.out
    page = (tmp_path / "why.html").read_text()
    for text in (
        *("Which signs it shows", "Symmetry: more than in", "How stable it is", "never changes"),
        *("only several signs together make a face suspicious", "The photographs"),
    ):
        assert text in page
    assert page.count("data:image/jpeg;base64,") == 2
    assert not re.search(r"(?:src|href)\s*=\s*[\"'](?!data:|#)", page)
    assert "<script" not in page


def test_an_image_without_a_face_is_wrong_usage(exiface, photos):
    done = exiface("explain", photos / "landscape.png", status=2)
    assert "no face found; --subject image explains the image as a whole" in done.err
    assert "--subject" not in exiface("explain", photos / "broken.jpg", status=2).err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("https://example.org/a.jpg",), "https://example.org/a.jpg: pictures are not fetched"),
        (("a.jpg", "-o", "why.pdf"), "--output why.pdf is to be a page: name it NAME.html"),
        (("a.jpg", "--subject", "both"), "choose --subject faces or image"),
    ],
)
def test_what_cannot_be_explained_is_refused_before_it_is_looked_at(exiface, arguments, reason):
    assert reason in exiface("explain", *arguments, status=2).err


def test_of_several_faces_it_says_which_and_where_that_stands(exiface, explained, judge):
    """Faces are counted from one, and what is said agrees with `detect`."""
    two = explained / "two.jpg"
    said = (explained / "said.txt").read_text("utf-8")
    page = (explained / "why.html").read_text("utf-8")
    assert "two.jpg, face 2 of 2, the largest first: " in said
    assert "two.jpg, face 2 of 2, the largest first</p>" in page
    [result] = judge.detect(two)
    for text in (" ".join(printed.split()) for printed in (said, page)):
        assert text.count(judge.parts.calibration.counted) == 1
        assert text.count(promise(result.faces[1].p_value)) == 1
        assert result.faces[1].likelihood_ratio.words in text
        assert "less unusual" not in text
        assert result.declared.line in text
    assert "made by Adobe Firefly" in result.declared.line
    wrong = exiface("explain", two, "--face", "3", status=2)
    assert "has 2 faces, the largest first; the one that you ask for is not" in wrong.err
    assert exiface("explain", two, "--face", "0").status == 2


def test_signs_and_claims_in_words():
    look = "look of a low aperture: more than in 50 % of known photographs"
    assert sign_sentence("-aperture", 0.5) == look
    assert sign_sentence("symmetry", 0).endswith("more than in 1 % of known photographs")
    assert tag_sentence(TagCheck("exposure_time", 0.9, 0.005, 0.05, 0.02)) == (
        "exposure time: judged by the look of the face, higher than in 90 % of known photographs; "
        "the file records 1/200 s, lower than in 95 % of known photographs. They disagree more "
        "than for all but 2.0 % of known photographs."
    )


def parts(calibration, generated=None):
    return SimpleNamespace(judge=Judge(calibration, generated))


@given(st.integers(-(10**6), 10**6), st.sampled_from([0, 50]), st.booleans())
def test_the_marker_stays_in_the_plot(score, spread, with_generated):
    rng = np.random.default_rng(0)
    calibration = Calibration.of(rng.standard_t(2, 99) * spread)
    generated = GeneratedFaces.of(rng.uniform(0.01, 1, 50), ["a"] * 50)
    p_value = float(calibration.p_value(score))
    shown = parts(calibration, generated if with_generated else None)
    face = Judgement((0, 0, 1, 1), score, p_value, shown.judge.verdict_at(p_value))
    plot = standing(shown, face)
    assert 0 <= plot["marker"] <= plot["width"]
    assert bool(plot["generated"]) == with_generated
    # Each kind is a share of its own: the one does not make the other's bars small.
    for bars in filter(None, (plot["bars"], plot["generated"])):
        assert max(bar["height"] for bar in bars) == plot["height"]
    for bar in plot["bars"] + plot["generated"]:
        assert 0 < bar["height"] <= plot["height"]
        assert bar["x"] + bar["width"] <= plot["width"]
        assert bar["band"] in set(Verdict)
