"""The service under load, against the same detector in a batch.

    python -m benchmarks.service results/service.csv      (make benchmarks; two minutes)

64 clients on loopback for 60 seconds, each sending one picture after another and waiting for its
answer; then twice as many as the queue takes, which come back when they are told to. The clients
share the cores with the service.
"""

import asyncio
import io
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import quantiles

import numpy as np
from PIL import Image
from skimage import data

from benchmarks.table import write_table
from exiface import Detector

CLIENTS, SECONDS, IMAGES = 64, 60, 96
PORT = 18_765


def pictures() -> list[bytes]:
    """JPEG files of 1024 px, as `benchmarks.run` judges them."""
    made = []
    for number in range(IMAGES):
        stream = io.BytesIO()
        pixels = np.roll(data.astronaut(), number, axis=1)
        Image.fromarray(pixels).resize((1024, 1024)).save(stream, "JPEG", quality=90)
        made.append(stream.getvalue())
    return made


def request(picture: bytes) -> bytes:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
        + picture
        + b"\r\n--b--\r\n"
    )
    head = (
        "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; "
        f"boundary=b\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def client(requests: list[bytes], first: int, until: float) -> list[tuple[int, float]]:
    """Status and seconds of each request, on one connection."""
    answers = []
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    number = first
    while time.perf_counter() < until:
        start = time.perf_counter()
        writer.write(requests[number % len(requests)])
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        answers.append((int(head.split(b" ")[1]), time.perf_counter() - start))
        number += 1
        if b"retry-after-ms:" in head:  # as clients should
            pause = int(head.split(b"retry-after-ms:")[1].split(b"\r\n")[0])
            await asyncio.sleep(pause / 1000)
    writer.close()
    return answers


async def load(requests: list[bytes], clients: int, seconds: float) -> list[tuple[int, float]]:
    until = time.perf_counter() + seconds
    sent = await asyncio.gather(*(client(requests, 7 * each, until) for each in range(clients)))
    return [answer for of_client in sent for answer in of_client]


def memory(pid: int) -> float:
    """Resident MB of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Service:
    """`exiface serve` as a process of its own."""

    def __init__(self, **settings: object) -> None:
        environment = {f"EXIFACE_{name.upper()}": str(value) for name, value in settings.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "exiface", "serve", "--port", str(PORT)],
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> "Service":
        import httpx

        for _ in range(200):
            try:
                if httpx.get(f"http://127.0.0.1:{PORT}/readyz").status_code == 200:
                    return self
            except httpx.TransportError:
                time.sleep(0.1)
        raise RuntimeError("the service did not start")

    def __exit__(self, *exception: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def main(path: Path) -> None:
    made = pictures()
    requests = [request(picture) for picture in made]
    detector = Detector.load()
    list(detector.detect(made))

    def offline() -> float:
        start = time.perf_counter()
        for _ in range(5):
            assert all(result.faces for result in detector.detect(made))
        return 5 * IMAGES / (time.perf_counter() - start)

    before = offline()
    with Service() as service:
        asyncio.run(load(requests, CLIENTS, 5))
        early = memory(service.process.pid)
        start = time.perf_counter()
        answers = asyncio.run(load(requests, CLIENTS, SECONDS))
        rate = len(answers) / (time.perf_counter() - start)
        late = memory(service.process.pid)
    batch = (before + offline()) / 2
    statuses = Counter(status for status, _ in answers)
    with Service(queue=32) as service:
        crowded = asyncio.run(load(requests, 2 * 32, 10))
    refused = [1000 * seconds for status, seconds in crowded if status == 503]
    rows = [
        (f"{CLIENTS} clients for {SECONDS} s", f"{rate:.1f}", "images a second"),
        ("offline batch, before and after", f"{batch:.1f}", "images a second"),
        ("ratio", f"{rate / batch:.2f}", "x"),
        ("answers other than 200", str(len(answers) - statuses[200]), ""),
        ("memory after 5 s", f"{early:.0f}", "MB"),
        (f"memory after {SECONDS} s more", f"{late:.0f}", "MB"),
        ("queue of 32, 64 clients: refused", str(len(refused)), ""),
        ("refusals: median", f"{quantiles(refused, n=100)[49]:.0f}", "ms"),
        ("refusals: 99 of 100 within", f"{quantiles(refused, n=100)[98]:.0f}", "ms"),
    ]
    write_table(rows, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
