"""Micro-batching: images of many requests, decoded in threads, judged by one session together."""

import asyncio
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from exiface.apps.service.guard import BATCH_FACES, WAITING
from exiface.apps.service.uploads import RefusedError
from exiface.choices import Scope
from exiface.detector import Detector, ImageResult
from exiface.detector.detector import Prepared

_SHORTEST_RETRY, _LONGEST_RETRY = 0.05, 30.0  # seconds


def overloaded(seconds: float) -> RefusedError:
    """Make the refusal of images beyond the queue; so many seconds from now it should have room."""
    headers = {
        "retry-after": str(max(1, round(seconds))),  # whole seconds
        "retry-after-ms": str(round(1000 * seconds)),
    }
    detail = "more images than can be judged now; try again shortly"
    return RefusedError(503, "busy", detail, headers)


@dataclass(frozen=True, slots=True)
class _Job:
    prepared: Prepared
    future: "Future[ImageResult]"
    arrived: float  # monotonic seconds


class Batcher:
    """Judges images of concurrent requests; at most `capacity` of them wait or are under way.

    The encoder takes `batch_size` faces at a time, and a batch waits `wait` seconds to be filled.
    """

    def __init__(self, detector: Detector, *, capacity: int, batch_size: int, wait: float) -> None:
        self.detector = detector
        self.capacity = capacity
        self._batch_size = batch_size
        self._wait = wait
        self._decoders = ThreadPoolExecutor(detector.threads, thread_name_prefix="decode")
        self._prepared: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._rate = 10.0  # images a second, as lately seen
        self._finished = 0.0  # when the last batch was, in monotonic seconds
        self._thread = threading.Thread(target=self._judge_all, name="judge", daemon=True)
        self._thread.start()

    def check(self, images: int = 1) -> None:
        """Make sure that there is room for so many images, or raise what `overloaded` says."""
        missing = self._waiting + images - self.capacity
        if missing > 0:
            # Until half of the queue is empty: at the first free place everybody would meet.
            seconds = (missing + self.capacity / 2) / self._rate
            raise overloaded(min(max(seconds, _SHORTEST_RETRY), _LONGEST_RETRY))

    async def detect(
        self, contents: Sequence[bytes], subject: Scope | None = None
    ) -> list[ImageResult]:
        """Judge the bytes of image files, in order, together with those of other requests.

        Raises:
            RefusedError: they don't fit into the queue.
        """
        with self._lock:
            self.check(len(contents))
            self._waiting += len(contents)
            WAITING.inc(len(contents))
        futures: list[Future[ImageResult]] = []
        for content in contents:
            future: Future[ImageResult] = Future()
            future.add_done_callback(self._release)
            futures.append(future)
            self._decoders.submit(self._decode, content, subject, future, time.monotonic())
        try:
            return list(await asyncio.gather(*map(asyncio.wrap_future, futures)))
        except BaseException:  # a client that left, a time limit: what waits is not begun
            for future in futures:
                future.cancel()
            raise

    def close(self) -> None:
        """Finish what was taken, then stop."""
        self._decoders.shutdown(wait=True)
        self._prepared.put(None)
        self._thread.join()

    def _release(self, _: "Future[ImageResult]") -> None:
        with self._lock:
            self._waiting -= 1
            WAITING.dec()

    def _decode(
        self,
        content: bytes,
        subject: Scope | None,
        future: "Future[ImageResult]",
        arrived: float,
    ) -> None:
        if future.cancelled():
            return
        try:
            prepared = self.detector.prepare(content, subject=subject)
            self._prepared.put(_Job(prepared, future, arrived))
        except Exception as error:  # nothing may leave a request waiting for ever
            if future.set_running_or_notify_cancel():
                future.set_exception(error)

    def _judge_all(self) -> None:
        while (job := self._prepared.get()) is not None:
            batch = [job]
            until = time.monotonic() + self._wait
            faces = len(job.prepared.faces)
            while faces < self._batch_size and len(batch) < self._batch_size:
                try:
                    following = self._prepared.get(timeout=max(0.0, until - time.monotonic()))
                except queue.Empty:
                    break
                if following is None:
                    self._prepared.put(None)  # the end comes after this batch
                    break
                batch.append(following)
                faces += len(following.prepared.faces)
            self._judge(batch)

    def _judge(self, batch: list[_Job]) -> None:
        batch = [job for job in batch if job.future.set_running_or_notify_cancel()]
        if not batch:
            return
        try:
            results = list(
                self.detector.judge((job.prepared for job in batch), batch_size=self._batch_size)
            )
        except Exception as error:
            for job in batch:
                job.future.set_exception(error)
            return
        BATCH_FACES.observe(sum(len(job.prepared.faces) for job in batch))
        for job, result in zip(batch, results, strict=True):
            job.future.set_result(result)
        now = time.monotonic()
        rate = len(batch) / max(now - max(self._finished, batch[0].arrived), 1e-3)
        self._rate += 0.1 * (rate - self._rate)
        self._finished = now
