"""Micro-batching: many requests, one session, a bounded queue, nothing lost."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from made_service import encoded, serving

from exiface.apps.service.batcher import Batcher
from exiface.apps.service.guard import WAITING


@pytest.fixture
def batcher(judge):
    made = Batcher(judge, capacity=64, batch_size=16, wait=0.01)
    yield made
    made.close()


def test_results_are_those_of_the_detector_in_order(batcher, judge, astronaut):
    contents = [encoded(astronaut[:, shift:], "JPEG", quality=90) for shift in range(0, 60, 3)]
    contents.insert(4, b"nothing")

    async def all_at_once():
        return await asyncio.gather(*(batcher.detect([content]) for content in contents))

    answers = [result.as_dict() for [result] in asyncio.run(all_at_once())]
    assert answers == [result.as_dict() for result in judge.detect(contents)]


def test_images_of_concurrent_requests_share_batches(batcher, judge, jpeg, monkeypatch):
    sizes = []
    original = judge._faces.score

    def counting(crops):
        sizes.append(len(crops))
        return original(crops)

    monkeypatch.setattr(judge._faces, "score", counting)

    async def all_at_once():
        return await asyncio.gather(*(batcher.detect([jpeg]) for _ in range(32)))

    asyncio.run(all_at_once())
    assert sum(sizes) == 32
    assert len(sizes) < 20


def test_a_request_that_is_given_up_frees_its_place(judge, jpeg):
    batcher = Batcher(judge, capacity=8, batch_size=4, wait=0)

    async def give_up():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await batcher.detect([jpeg] * 8)

    asyncio.run(give_up())
    batcher.close()
    batcher.check(8)


def test_an_error_of_the_detector_reaches_the_request_and_no_other(judge, jpeg, monkeypatch):
    batcher = Batcher(judge, capacity=8, batch_size=1, wait=0)
    prepare = judge.prepare

    def fail(content, **how):
        if content == b"bad":
            raise RuntimeError("broken")
        return prepare(content, **how)

    monkeypatch.setattr(judge, "prepare", fail)
    with pytest.raises(RuntimeError, match="broken"):
        asyncio.run(batcher.detect([b"bad"]))
    assert asyncio.run(batcher.detect([jpeg]))[0].faces
    batcher.check(8)
    batcher.close()


def test_what_was_taken_is_finished_before_it_stops(judge, jpeg):
    """A request that is under way when the server is told to stop gets its answer."""
    answers = []
    with serving(judge) as address:
        sending = threading.Thread(
            target=lambda: answers.append(
                httpx.post(
                    address + "/v1/detect", files=[("files", ("a.jpg", jpeg))] * 16, timeout=60
                )
            )
        )
        sending.start()
        limit = time.monotonic() + 20
        while not WAITING._value.get():  # until the service has taken it
            assert time.monotonic() < limit
            time.sleep(0.001)
    sending.join()
    assert answers[0].status_code == 200
    assert len(answers[0].json()["results"]) == 16


def test_overload_is_answered_fast_and_within_the_queue_nobody_is_refused(judge, jpeg):
    with (
        serving(judge, queue=4) as address,
        httpx.Client(base_url=address, timeout=60) as client,
        ThreadPoolExecutor(12) as pool,
    ):

        def send(_):
            start = time.monotonic()
            answer = client.post("/v1/detect", files={"files": ("a.jpg", jpeg)})
            return answer, time.monotonic() - start

        sent = list(pool.map(send, range(36)))
        refused = [answer for answer, _ in sent if answer.status_code == 503]
        assert {answer.status_code for answer, _ in sent} == {200, 503}
        for answer in refused:
            assert answer.json()["code"] == "busy"
            assert int(answer.headers["retry-after"]) >= 1
            assert 0 < int(answer.headers["retry-after-ms"]) <= 30_000
        one_by_one = [send(0)[0].status_code for _ in range(5)]
        assert one_by_one == [200] * 5
