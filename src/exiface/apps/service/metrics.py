"""What Prometheus is told."""

import os

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

REQUESTS = Counter("exiface_requests_total", "Requests answered.", ["route", "status"])
SECONDS = Histogram(
    "exiface_request_seconds",
    "From the first byte of a request to the last of its answer.",
    ["route"],
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100),
)
IMAGES = Counter("exiface_images_total", "Images judged.", ["outcome"])
FACES = Counter("exiface_faces_total", "Faces judged.", ["verdict"])
BATCH_FACES = Histogram(
    "exiface_batch_faces", "Faces of a batch.", buckets=(0, 1, 2, 4, 8, 16, 32, 64, 128)
)
WAITING = Gauge(
    "exiface_images_waiting", "Images waiting or under way.", multiprocess_mode="livesum"
)


def exposition() -> bytes:
    """The metrics in Prometheus' text format; of all workers, where there are several."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
