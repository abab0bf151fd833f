"""What stands around every request: keys, security headers, logs without content, metrics."""

import json
import logging
import os
import secrets
import time
import uuid
from datetime import UTC, datetime

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exiface.apps.service.settings import ServiceSettings

LOGGER = logging.getLogger("exiface.service")

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

# The page has scripts and styles in files of its own, and shows pictures from memory.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
API = "/v1/"  # the addresses of programs, which API keys protect


class Guard:
    """ASGI middleware around the whole service; the settings hold the API keys."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings) -> None:
        self.app = app
        self._keys = [key.get_secret_value().encode() for key in settings.api_keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method = scope["method"]
        if method == "HEAD":  # is answered as GET; the server leaves out the body
            scope = {**scope, "method": "GET"}
        start = time.perf_counter()
        request_id = uuid.uuid4().hex[:16]
        scope.setdefault("state", {})["request_id"] = request_id
        status = 500

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers["x-request-id"] = request_id
            await send(message)

        try:
            if self._allowed(scope):
                await self.app(scope, receive, send_on)
            else:
                refused = {"code": "unauthorized", "detail": "give an API key: X-API-Key"}
                answer = JSONResponse(refused, 401, {"www-authenticate": "Bearer"})
                await answer(scope, receive, send_on)
        finally:
            seconds = time.perf_counter() - start
            # The route, not the path: a path may hold anything that a client likes.
            route = getattr(scope.get("route"), "path", "other")
            REQUESTS.labels(route, str(status)).inc()
            SECONDS.labels(route).observe(seconds)
            fields = {"request": request_id, "method": method, "route": route}
            LOGGER.info(
                "request",
                extra={"fields": fields | {"status": status, "ms": round(1000 * seconds, 1)}},
            )

    def _allowed(self, scope: Scope) -> bool:
        if not self._keys or not scope["path"].startswith(API) or scope["method"] == "OPTIONS":
            return True
        headers = dict(scope["headers"])
        given = headers.get(b"x-api-key", b"")
        authorization = headers.get(b"authorization", b"")
        if authorization[:7].lower() == b"bearer ":
            given = authorization[7:].strip()
        # Every key is compared, in constant time: neither which one nor how much of it shows.
        return any([secrets.compare_digest(given, key) for key in self._keys])  # noqa: C419


def exposition() -> bytes:
    """Write the metrics of all workers in Prometheus' text format."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


class JsonLines(logging.Formatter):
    """Log records as JSON lines."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        fields = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            # Where, not what: the text of an error may quote a file.
            trace = record.exc_info[2]
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            fields["error"] = record.exc_info[0].__name__
            if trace is not None:
                fields["at"] = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        return json.dumps(fields)


def logging_config() -> dict[str, object]:
    """For `logging.config.dictConfig`: everything to standard output, as JSON lines."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "exiface.apps.service.guard.JsonLines"}},
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "formatter": "json",
                "stream": "ext://sys.stdout",
            }
        },
        "loggers": {
            "exiface": {"handlers": ["stdout"], "level": "INFO", "propagate": False},
            # Its access log names paths with their queries; the guard logs every request.
            "uvicorn": {"handlers": ["stdout"], "level": "WARNING", "propagate": False},
        },
    }
