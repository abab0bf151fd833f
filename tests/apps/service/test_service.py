"""The service over HTTP: answers, limits, keys, headers."""

import base64
import hashlib
import json
import re
import socket
import time

import httpx
import numpy as np
import pytest
import schemathesis
from hypothesis import given, settings
from made_service import encoded, serving
from schemathesis.specs.openapi.checks import positive_data_acceptance

URL = "/v1/detect"
MULTIPART = {"content-type": "multipart/form-data; boundary=b"}


@pytest.fixture(scope="module")
def client(service):
    with httpx.Client(base_url=service, timeout=60) as made:
        yield made


def test_its_lines_are_those_of_the_command_line(client, exiface, tmp_path, monkeypatch, jpeg):
    monkeypatch.chdir(tmp_path)
    files = {"face.jpg": jpeg, "none.png": encoded(np.zeros((64, 64, 3), np.uint8), "PNG")}
    files |= {"broken.jpg": jpeg[:2000], "empty.jpg": b""}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    expected = exiface("detect", *files, "--json").out
    sent = [("files", (name, content)) for name, content in files.items()]
    answer = client.post(URL, files=sent, headers={"accept": "application/x-ndjson"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.text == expected
    whole = client.post(URL, files=sent).json()
    assert whole == {"results": [json.loads(line) for line in expected.splitlines()]}


def test_the_detector_is_described(client, judge):
    described = client.get("/v1/detector").json()
    assert described["id"] == judge.parts.id
    assert described["subject"] == "face"
    whole = judge.whole.parts
    assert described["whole"]["id"] == whole.id
    assert described["whole"]["photographs"] == whole.calibration.photographs
    assert described["photographs"] == judge.parts.calibration.photographs
    assert described["limits"] == {"body_bytes": 8_000_000, "files": 32, "pixels": 20_000_000}
    [drawn] = described["distributions"]
    verdicts = [zone["verdict"] for zone in drawn["zones"]]
    assert verdicts == ["photographic", "unsure", "ai-generated"]
    flagged_from = drawn["width"] * (1 - 0.05 ** drawn["power"])
    assert drawn["zones"][-1]["x"] == pytest.approx(flagged_from, abs=0.1)
    assert "# exiface-default\n" in described["model_card"]
    assert described["choices"] == [
        {"name": "default", "learnt_from": "photographs and generated faces"},
        {"name": "photographs-only", "learnt_from": "photographs only"},
    ]


def test_a_request_says_what_is_judged(client, jpeg):
    sent = {"files": ("face.jpg", jpeg)}
    for subject in ("faces", "image", "both", "auto"):
        [result] = client.post(f"{URL}?subject={subject}", files=sent).json()["results"]
        assert bool(result["faces"]) == (subject != "image")
        assert ("image" in result) == (subject in ("image", "both"))
    assert client.post(f"{URL}?subject=other", files=sent).status_code == 422
    for wrong in ("face=9", "face=-1"):
        problem = client.post(f"/v1/explain?{wrong}", files=sent)
        assert problem.status_code == 422
        assert problem.json()["detail"]
    two = [("files", ("a", jpeg)), ("files", ("b", jpeg))]
    assert client.post("/v1/explain", files=two).status_code == 422


def test_a_request_chooses_its_detector(client, judge, photographs_only, jpeg):
    assert (
        client.get("/v1/detector?detector=photographs-only").json()["id"]
        == photographs_only.parts.id
    )
    sent = {"files": ("face.jpg", jpeg)}
    other = "?detector=photographs-only"
    for parameter, detector in (("", judge), (other, photographs_only)):
        [result] = client.post(URL + parameter, files=sent).json()["results"]
        [expected] = detector.detect([jpeg])
        assert result == expected.as_dict() | {"path": "face.jpg"}
    assert photographs_only.id in client.post(f"/v1/report{other}", files=sent).text
    for path in (URL, "/v1/explain", "/v1/report"):
        refused = client.post(f"{path}?detector=other", files=sent)
        assert refused.status_code == 422
        assert refused.json() == {
            "code": "no_detector",
            "detail": "detectors here: default, photographs-only",
        }
    assert client.get("/v1/detector?detector=other").status_code == 422


def test_the_report_is_the_case_file_of_the_command_line(client, exiface, tmp_path, judge, jpeg):
    heading = {"title": "A <case>", "reference": "7/26", "examiner": "A. Examiner"}
    sent = [("files", ("face.jpg", jpeg))]
    text = client.post("/v1/report", files=sent, data=heading).text
    assert "<h1>A &lt;case&gt;</h1>" in text
    [held] = re.findall(r'href="data:application/json;base64,([^"]+)"', text)
    told = json.loads(base64.b64decode(held))
    assert {name: told[name] for name in heading} == heading
    assert told["pictures"][0]["sha256"] == hashlib.sha256(jpeg).hexdigest()
    (tmp_path / "case.json").write_text(json.dumps(told))
    (tmp_path / "face.jpg").write_bytes(jpeg)
    exiface("verify", tmp_path / "case.json", "--folder", tmp_path, status=0)
    whole = client.post("/v1/report?subject=image", files=sent).text
    [held] = re.findall(r'href="data:application/json;base64,([^"]+)"', whole)
    (tmp_path / "case.json").write_bytes(base64.b64decode(held))
    [judged_by] = json.loads(base64.b64decode(held))["detector"]["judged_by"]
    assert judged_by["sha256"] == judge.whole.parts.digest
    assert exiface("verify", tmp_path / "case.json").status == 0
    refused = client.post("/v1/report", files=sent, data={"other": "text"})
    assert refused.status_code == 422
    assert "`title`, `reference`, `examiner`" in refused.json()["detail"]
    assert client.post(URL, files=sent, data=heading).status_code == 422


def test_a_report_explains_if_asked_and_not_too_much(client, jpeg):
    address = "/v1/report?explain=true"
    text = client.post(address, files=[("files", ("face.jpg", jpeg))]).text
    [held] = re.findall(r'href="data:application/json;base64,([^"]+)"', text)
    [judged] = json.loads(base64.b64decode(held))["pictures"][0]["judged"]
    assert judged["explanation"]["stability"]
    many = [("files", (f"{n}.jpg", jpeg)) for n in range(13)]
    refused = client.post(address, files=many)
    assert refused.status_code == 422
    assert "at most 12 verdicts, these are 13" in refused.json()["detail"]


def test_every_answer_is_guarded(client):
    for path in ("/", "/static/app.js", "/docs", "/v1/detector", "/nothing"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert len(headers["x-request-id"]) == 16
        assert "server" not in headers or "uvicorn" not in headers["server"]


def test_an_unknown_address_answers_people_in_html_and_programs_in_json(client):
    for path in ("/nothing", "/static/nothing.js", "/v1"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")
        assert "Nothing at this address" in answer.text
    answer = client.get("/v1/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "http")
    assert client.get("/v1/detect").status_code == 405
    assert client.get("/static/../server.py").status_code == 404


def test_head_answers_as_get_without_the_body(client):
    for path in ("/", "/docs", "/static/app.js", "/healthz", "/v1/detector"):
        head, get = client.head(path), client.get(path)
        assert head.status_code == get.status_code == 200
        assert head.content == b""
        for name in ("content-length", "content-type", "cache-control", "content-security-policy"):
            assert head.headers[name] == get.headers[name]
    assert client.head("/nothing").status_code == 404


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"content": b"hello"}, 415, "not_multipart"),
        ({"json": {"url": "http://example.org/a.jpg"}}, 415, "not_multipart"),
        ({"content": b"hello", "headers": MULTIPART}, 400, "bad_multipart"),
        ({"data": {"a": "1"}, "files": {"files": ("a", b"")}}, 422, "no_files"),
        ({"files": {"pictures": ("a", b"1")}}, 422, "no_files"),
        ({"files": [("files", ("a", b"1"))] * 33}, 413, "too_many_files"),
        ({"files": {"files": ("a", b"0" * 8_000_000)}}, 413, "too_large"),
    ],
)
def test_what_is_not_answered_says_why(client, request_, status, code):
    answer = client.post(URL, **request_)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["detail"]


def test_an_endless_upload_is_cut_off(service):
    """Chunks without a declared length: the limit counts what arrives."""

    def chunks():
        yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
        while True:
            yield b"0" * 65536

    start = time.monotonic()
    try:
        answer = httpx.post(service + URL, content=chunks(), headers=MULTIPART, timeout=20)
        assert answer.status_code == 413
    except httpx.TransportError:  # the server answered and closed while we were still sending
        pass
    assert time.monotonic() - start < 10
    assert httpx.get(service + "/healthz").text == "ok\n"


def test_an_upload_that_dawdles_is_given_up(judge):
    with serving(judge, upload_seconds=0.5) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(
                b"POST /v1/detect HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
                b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
            )
            assert connection.recv(1000).startswith(b"HTTP/1.1 408")


def test_keys_are_asked_for_where_there_are_some(judge, jpeg):
    with (
        serving(judge, api_keys=["one", "two"]) as address,
        httpx.Client(base_url=address) as client,
    ):
        for headers, status in (
            ({}, 401),
            ({"x-api-key": "three"}, 401),
            ({"x-api-key": "two"}, 200),
            ({"authorization": "Bearer one"}, 200),
            ({"authorization": "Basic one"}, 401),
        ):
            answer = client.post(URL, files={"files": ("a.jpg", jpeg)}, headers=headers)
            assert answer.status_code == status
        assert client.get("/").status_code == 200
        assert client.get("/healthz").status_code == 200


def test_other_pages_may_ask_where_they_are_listed(judge):
    with (
        serving(judge, cors_origins=["https://news.example"]) as address,
        httpx.Client(base_url=address) as client,
    ):
        asked = {"access-control-request-method": "POST"}
        for origin, allowed in (("https://news.example", True), ("https://evil.example", False)):
            answer = client.options(URL, headers=asked | {"origin": origin})
            assert ("access-control-allow-origin" in answer.headers) == allowed


def test_logs_name_no_file_and_no_path(capsys, judge, jpeg):
    import logging.config

    from exiface.apps.service.guard import logging_config

    logging.config.dictConfig(logging_config())
    try:
        with serving(judge) as address:
            httpx.post(address + URL, files={"files": ("jane-doe.jpg", jpeg)})
            httpx.get(address + "/secret-path?token=1")
    finally:
        logging.getLogger("exiface").handlers.clear()
    text = capsys.readouterr().out
    lines = [json.loads(line) for line in text.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["route"], line["status"]) for line in requests] == [
        ("/v1/detect", 200),
        ("other", 404),
    ]
    assert "jane" not in text
    assert "secret" not in text


def check(operation):
    """Send whatever the description allows, and things that it doesn't."""
    # No schema says that there must be a face in a picture for its verdict to be explained.
    beyond = [positive_data_acceptance] if operation.path == "/v1/explain" else []

    @given(case=operation.as_strategy())
    @settings(max_examples=8 if operation.path == "/v1/explain" else 15)
    def answer_is_as_described(case):
        case.call_and_validate(excluded_checks=beyond)

    answer_is_as_described()


def test_answers_are_as_described(service):
    described = schemathesis.openapi.from_url(f"{service}/openapi.json")
    operations = [result.ok() for result in described.get_all_operations()]
    assert len(operations) == 4
    for operation in operations:
        check(operation)
