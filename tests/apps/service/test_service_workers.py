"""Several worker processes: one that is killed loses its own requests and is replaced."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")


def children(pid):
    """The worker processes of a supervisor."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [
        int(child)
        for child in found
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def wait_for(condition, seconds=150):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.1)


def alive(address):
    try:
        return httpx.get(address + "/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def ready(log):
    """How often a worker has said that it is ready."""
    return log.read_text().count('"event": "ready"')


@pytest.fixture
def supervisor(tmp_path):
    port = 20_000 + os.getpid() % 20_000
    log = tmp_path / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "exiface", "serve", "--workers", "2", "--port", str(port)],
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        yield process, f"http://127.0.0.1:{port}", log
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) in (0, -signal.SIGTERM)


def test_a_killed_worker_loses_only_its_requests(supervisor, jpeg):
    process, address, log = supervisor
    wait_for(lambda: alive(address) and ready(log) == 2)
    before = set(children(process.pid))
    assert len(before) == 2

    def send(number):
        try:
            answer = httpx.post(
                address + "/v1/detect", files={"files": (f"{number}.jpg", jpeg)}, timeout=60
            )
        except httpx.TransportError:
            return "lost"
        assert answer.json()["results"][0]["path"] == f"{number}.jpg"
        return answer.status_code

    with ThreadPoolExecutor(4) as pool:
        under_way = [pool.submit(send, number) for number in range(60)]
        time.sleep(0.3)
        os.kill(min(before), signal.SIGKILL)
        outcomes = [each.result() for each in under_way]
    # Those that it held, four at most at a time, and such as met its closing socket.
    assert outcomes.count("lost") <= 8
    assert outcomes.count(200) == 60 - outcomes.count("lost")
    wait_for(lambda: len(set(children(process.pid)) - before) == 1)
    # The other one answers while the new one still loads: three were ready in all.
    wait_for(lambda: ready(log) == 3)
    assert send(99) == 200
    # Metrics are those of all workers together, the killed one's included.
    text = httpx.get(address + "/metrics").text
    [line] = [line for line in text.splitlines() if 'images_total{outcome="judged"}' in line]
    assert float(line.split()[-1]) >= outcomes.count(200)
