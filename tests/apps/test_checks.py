import json
from importlib import metadata

import pytest

from exiface import __version__
from exiface.apps import checks
from exiface.calibration import Verdict
from exiface.detector.folder import BUILTIN


def test_this_installation_works(exiface):
    done = exiface("checks", "--json")
    assert done.status == 0
    found = json.loads(done.out)
    assert found["works"]
    assert found["problem"] is None
    assert set(found["detectors"]) == set(BUILTIN)
    assert found["versions"]["exiface"] == __version__
    assert "CPUExecutionProvider" in found["providers"]
    assert found["threads"] >= 1
    assert found["face"]["verdict"] in list(Verdict)
    assert found["pictures_per_second"] > 0
    assert set(found["extras"]) == {
        *("fit", "evaluate", "bulk", "train", "serve", "provenance", "ray"),
    }


def test_people_are_told_the_same(exiface, monkeypatch):
    monkeypatch.setattr(checks, "missing", lambda extras: {"serve": [], "ray": ["ray"]})
    done = exiface("checks")
    assert done.status == 0
    text = " ".join(done.out.split())
    assert "exiface works here" in text
    assert "pictures of one face a second" in text
    assert "extra serve there" in text
    assert "extra ray lacks ray: pip install" in text
    assert "[ray]" in text  # not taken for markup


def test_a_damaged_picture_is_said_and_fails(exiface, monkeypatch, photos):
    monkeypatch.setattr(checks, "_PICTURE", photos / "broken.jpg")
    done = exiface("checks")
    assert done.status == 1
    assert "exiface doesn't work here: no verdict on" in " ".join(done.out.split())


@pytest.mark.parametrize("absent", [True, False])
def test_what_an_extra_lacks(monkeypatch, tmp_path, absent):
    (tmp_path / "METADATA").write_text(
        "Name: made\nVersion: 1\nRequires-Dist: absent-always>=1\n"
        "Requires-Dist: numpy>=1; extra == 'more'\n"
        'Requires-Dist: absent-package[some]>=2,<3; extra == "more"\n'
    )
    made = metadata.Distribution.at(tmp_path)
    known = metadata.distribution
    monkeypatch.setattr(
        metadata, "distribution", lambda name: made if name == "made" else known(name)
    )
    if absent:
        assert checks.missing(("more",), "not-installed") == {}
    else:
        assert checks.missing(("more", "other"), "made") == {
            "more": ["absent-package"],
            "other": [],
        }
