"""Every command, for both subjects and each kind of scorer, on pictures that hold several faces."""

import csv
import json

import httpx
import pytest
import yaml
from made_matrix import JUDGED, SCORERS, SUBJECTS, Case
from made_service import serving
from pyarrow import parquet

from exiface import Detector
from exiface.apps.service.schemas import ImageAnswer
from exiface.calibration import promise
from exiface.detector.rejudging import read_scored, rejudge

CASES = [(subject, scorer) for subject in SUBJECTS for scorer in SCORERS]
SCORED_BY = {
    "mixture": "Gaussian mixture, 1 component",
    "evidence": "evidence of manipulation (at least 0.05), -iso_speed (at least 0.05)",
    "classifier": "a classifier trained on generated faces",
}


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def case(request, tiny_encoders, group_photos, made_once):
    subject, scorer = request.param
    encoder = tiny_encoders[subject]
    made = made_once(
        "-".join(request.param),
        lambda folder: Case(subject, scorer, folder).make(encoder, group_photos),
    )
    return Case(subject, scorer, made)


@pytest.fixture(scope="module")
def expected(case, judged_folder):
    """What the library says of each picture, by name."""
    paths = sorted(judged_folder.iterdir())
    results = Detector.load(case.detector).detect(paths)
    return {path.name: result.as_dict() for path, result in zip(paths, results, strict=True)}


def by_name(rows):
    return {row["path"].rsplit("/", 1)[-1]: row for row in rows}


def findings(row):
    """Verdict and p-value of a picture, and of each thing judged in it."""
    judged = [*(row["faces"] or []), *([row["image"]] if row.get("image") else [])]
    return [(each.get("verdict"), each.get("p_value")) for each in (row, *judged)]


def test_fit_and_info(case, exiface):
    told = (case.folder / "told.txt").read_text()
    assert SCORED_BY[case.scorer] in " ".join(told.split())
    described = exiface("info", case.detector)
    assert (described.status, described.out) == (0, told)
    counted = json.loads(exiface("info", case.detector, "--json").out)["provenance"]
    calibrated = 20 if case.scorer == "classifier" else 10
    # Of a photograph one face calibrates, and up to two fit.
    assert counted["calibration"]["photographs"] == calibrated
    assert counted["calibration"][case.what] == calibrated
    assert f"calibrated on  {calibrated} photographs, {calibrated} {case.what}" in described.out
    if case.scorer != "classifier":
        rows = 20 if case.subject == "face" else 10
        assert (counted["fit"]["photographs"], counted["fit"][case.what]) == (10, rows)
    card = exiface("info", case.detector, "--card").out
    _, header, body = card.split("---\n", 2)
    described = yaml.safe_load(header)
    assert (described["license"], described["library_name"]) == ("mit", "exiface")
    assert {"face": "faces", "image": "whole-images"}[case.subject] in described["tags"]
    assert body.startswith(f"\n# {case.scorer}\n")
    assert f"photographs | {case.what} |" in card


def test_detect(case, expected, judged_folder, exiface, tmp_path):
    detect = ("detect", judged_folder, "--detector", case.detector)
    done = exiface(*detect, "--json", "--csv", tmp_path / "rows.csv", status=1)  # one can't be read
    found = by_name(map(json.loads, done.out.splitlines()))
    assert list(found) == sorted(JUDGED)
    for name, faces in JUDGED.items():
        row = found[name]
        assert row | {"path": name} == expected[name] | {"path": name}
        answer = ImageAnswer.model_validate(row)
        assert answer.model_dump(by_alias=True, exclude_unset=True, mode="json") == row
        assert len(row["faces"]) == (case.judged(faces) if case.subject == "face" else 0)
        assert ("image" in row) == (case.subject == "image" and faces is not None)
        assert ("reason" in row) == (case.judged(faces) == 0)
        assert ("log_likelihood" in json.dumps(row)) == (
            case.scorer == "mixture" and "reason" not in row
        )
    with (tmp_path / "rows.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == sum(max(1, case.judged(faces)) for faces in JUDGED.values())
    for name, row in found.items():
        of_picture = [each for each in rows if each["path"].endswith(f"/{name}")]
        told = [(each["verdict"], each["p_value"]) for each in of_picture if each["p_value"]]
        assert told == [(verdict, str(p)) for verdict, p in findings(row)[1:]]
        said = {(each["image_verdict"], each["image_p_value"]) for each in of_picture}
        assert said == {(row.get("verdict", ""), str(row.get("p_value", "")))}


def test_the_table_and_the_page_count_pictures(case, expected, judged_folder, exiface, tmp_path):
    page = tmp_path / "page.html"
    detect = ("detect", judged_folder, "--detector", case.detector, "--fail-on", "never")
    done = exiface(*detect, "--report", page, "--explain", status=0)
    assert "4 pictures: " in done.out
    lines = done.out.splitlines()
    for name, row in expected.items():
        [line] = [line for line in lines if name in line]
        said = row.get("summary", row.get("reason")).replace("the image as a whole:", "whole:")
        assert said.removesuffix("; generated ones may pass")[:30] in line
    text = page.read_text("utf-8")
    for name, row in expected.items():
        assert name in text
        said = [promise(p_value) for _, p_value in findings(row)[1:]]
        assert all(sentence in text for sentence in (*said, row.get("reason", "")))
    judged = sum(map(case.judged, JUDGED.values()))
    assert text.count("What speaks against a photograph</figcaption>") == judged
    assert ("Why this verdict on the image as a whole" in text) == (case.subject == "image")


def test_score_and_another_promise(case, expected, judged_folder, other_groups, exiface, tmp_path):
    done = exiface(
        "score", judged_folder, "-o", tmp_path / "run", "--detector", case.detector, status=1
    )
    assert "4 images scored now" in done.out
    rows = by_name(read_scored(tmp_path / "run").to_pylist())
    assert list(rows) == sorted(JUDGED)
    for name, row in rows.items():
        assert findings(row) == findings(expected[name])
        assert row["reason"] == expected[name].get("reason")

    own = tmp_path / "own"
    made = exiface(
        *("calibrate", case.detector, "--photos", other_groups, "-o", own, "--alpha", 0.25),
        status=0,
    )
    assert f"calibrated on  10 photographs, 10 {case.what}" in made.out
    assert (own / "MODEL_CARD.md").read_text("utf-8").startswith("---\nlicense: mit\n")
    judged = Detector.load(own).detect(sorted(judged_folder.iterdir()))
    again = rejudge(tmp_path / "run", Detector.load(own)).to_pylist()
    for row, result in zip(again, judged, strict=True):
        assert findings(row) == findings(result.as_dict())


def test_drift_counts_photographs(case, group_photos, exiface, tmp_path):
    """One p-value a photograph, of its largest face or of the whole."""
    scored = exiface(
        "score", group_photos, "-o", tmp_path / "run", "--detector", case.detector, status=0
    )
    assert "20 images scored now" in scored.out
    exiface("detect", group_photos, "--csv", tmp_path / "rows.csv", "--detector", case.detector)
    told = [
        exiface("drift", tmp_path / name, "--detector", case.detector, "--json")
        for name in ("run", "rows.csv")
    ]
    assert told[0] == told[1]
    found = json.loads(told[0].out)
    assert found["photographs"] == 20
    assert told[0].status == int(found["drifted"])
    # To the default detector these are no scores of faces, or those of another detector.
    wrong = {"face": f"holds scores of {case.scorer}@", "image": "holds no verdict on a face"}
    assert wrong[case.subject] in exiface("drift", tmp_path / "rows.csv", status=2).err
    (tmp_path / "notes.csv").write_text("a,b\n")
    assert "no column `p_value`" in exiface("drift", tmp_path / "notes.csv", status=2).err
    drawn = exiface(
        "drift", tmp_path / "run", "--detector", case.detector, "--plot", tmp_path / "d.svg"
    )
    assert "20 recent photographs were compared with " in drawn.out
    assert (tmp_path / "d.svg").read_text().startswith("<svg")


def test_features(case, judged_folder, exiface, tmp_path):
    file = tmp_path / "features.parquet"
    done = exiface("features", judged_folder, "-o", file, "--encoder", case.encoder)
    vectors = sum(map(case.judged, JUDGED.values()))
    without = sum(case.judged(faces) == 0 for faces in JUDGED.values())
    assert done.status == 1
    assert f"{vectors} vectors, {without} images without" in done.out
    rows = parquet.read_table(file).to_pylist()
    assert sum(row["vector"] is not None for row in rows) == vectors
    for name, faces in JUDGED.items():
        of_picture = [row for row in rows if row["path"].endswith(f"/{name}")]
        assert len(of_picture) == max(1, case.judged(faces))


def test_evaluate(case, expected, judged_folder, other_groups, exiface, tmp_path):
    with_report = case.scorer == {"face": "evidence", "image": "mixture"}[case.subject]
    done = exiface(
        *("evaluate", "--real", f"groups={other_groups}", "--fake", f"made={judged_folder}"),
        *("--detector", case.detector, "--json"),
        *(["-o", tmp_path / "report", "--refit"] if with_report else []),
        status=0,
    )
    tables = [json.loads(line) for line in done.out.splitlines()]
    real, fake = (row for row in tables if row["table"] == "figures" and row["kind"] != "mean")
    judged = sum(case.judged(faces) > 0 for faces in JUDGED.values())
    assert (real["images"], real["no_verdict"]) == (10, 0)
    assert (fake["images"], fake["no_verdict"]) == (judged, 4 - judged)
    # The largest face stands for a picture.
    firsts = [findings(row)[1][0] for row in expected.values() if "reason" not in row]
    assert fake["flagged"] == pytest.approx(firsts.count("ai-generated") / judged, abs=1e-4)
    assert fake["unsure"] == pytest.approx(firsts.count("unsure") / judged, abs=1e-4)
    assert (tmp_path / "report" / "index.html").exists() == with_report


def test_the_service(case, expected, judged_folder, exiface):
    files = [("files", (name, (judged_folder / name).read_bytes())) for name in sorted(JUDGED)]
    picture = judged_folder / "three.jpg"
    explained = json.loads(exiface("explain", picture, "--detector", case.detector, "--json").out)
    with serving(Detector.load(case.detector)) as address:
        answer = httpx.post(f"{address}/v1/detect", files=files, timeout=60).json()["results"]
        why = httpx.post(f"{address}/v1/explain", files=files[2:3], timeout=60).json()
        report = httpx.post(f"{address}/v1/report", files=files, timeout=60)
    assert [row | {"path": None} for row in answer] == [
        expected[name] | {"path": None} for name in sorted(JUDGED)
    ]
    assert (explained["verdict"], explained["p_value"]) == findings(expected["three.jpg"])[1]
    assert (explained["subject"], explained["face"] is None) == (
        case.subject,
        case.subject == "image",
    )
    assert explained.keys() <= why.keys()
    assert {name: why[name] for name in explained} == explained | {"path": "three.jpg"}
    assert why["spotlight"].startswith("data:image/jpeg;base64,")
    assert report.status_code == 200
