import json


def test_a_detector_is_calibrated_on_own_photographs(exiface, photos, tmp_path):
    own = tmp_path / "own"
    few = photos / "0"
    exiface("calibrate", "default", "--photos", few, "-o", own, "--alpha", "0.1", status=0)
    described = json.loads((own / "detector.json").read_text())
    assert described["name"] == "own"
    assert described["bands"]["alpha"] == 0.1
    assert described["notice"].count("Recalibrated on own photographs") == 1
    judged = exiface("detect", photos / "0/00.jpg", "--detector", own, "--json")
    assert json.loads(judged.out)["detector"].startswith("own@")
    exiface("calibrate", own, "--photos", few, "-o", tmp_path / "again", status=0)
    described = json.loads((tmp_path / "again" / "detector.json").read_text())
    assert described["notice"].count("Recalibrated on own photographs") == 1


def test_another_rate_is_promised_of_the_same_photographs(exiface, photos, tmp_path):
    careful = tmp_path / "careful"
    done = exiface("calibrate", "default", "--alpha", "0.01", "-o", careful)
    assert done.status == 0, done.err
    described = json.loads((careful / "detector.json").read_text())
    assert described["bands"]["alpha"] == 0.01
    assert described["notice"].startswith(
        "Promises 0.01 in place of 0.05; what follows was measured"
    )
    assert "p <= 0.01" in done.out
    judged, before = (
        json.loads(exiface("detect", photos / "0/00.jpg", "--detector", name, "--json").out)
        for name in (careful, "default")
    )
    # The scale of the p-values is that of before; only what is flagged differs.
    assert judged["p_value"] == before["p_value"]


def test_nothing_to_calibrate_with_is_an_error_that_says_so(exiface, tmp_path):
    done = exiface("calibrate", "default", "-o", tmp_path / "own")
    assert done.status == 2
    assert "--photos" in done.err
    assert "--alpha" in done.err
