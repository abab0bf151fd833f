import json

from exiface import __version__
from exiface.apps import checks
from exiface.calibration import Verdict
from exiface.detector.folder import BUILTIN


def test_this_installation_works(exiface):
    done = exiface("checks", "--json", status=0)
    found = json.loads(done.out)
    assert (found["works"], found["problem"]) == (True, None)
    assert set(found["detectors"]) == set(BUILTIN)
    assert found["versions"]["exiface"] == __version__
    assert "CPUExecutionProvider" in found["providers"]
    assert found["threads"] >= 1
    assert found["face"]["verdict"] in list(Verdict)
    assert found["pictures_per_second"] > 0
    assert set(found["extras"]) == {
        *("fit", "evaluate", "bulk", "train", "serve", "provenance", "ray")
    }


def test_people_are_told_the_same(exiface, monkeypatch):
    monkeypatch.setattr(checks, "_missing", lambda: {"serve": [], "ray": ["ray"]})
    done = exiface("checks", status=0)
    text = " ".join(done.out.split())
    for part in ("exiface works here", "face a second", "extra serve there", "extra ray lacks ray"):
        assert part in text
    [command] = [line for line in done.out.splitlines() if line.startswith("pip install")]
    assert "[ray]" in command  # in one line, however narrow the terminal; not taken for markup


def test_a_damaged_picture_is_said_and_fails(exiface, monkeypatch, photos):
    monkeypatch.setattr(checks, "_PICTURE", photos / "broken.jpg")
    done = exiface("checks", status=1)
    assert "exiface doesn't work here: no verdict on" in " ".join(done.out.split())
