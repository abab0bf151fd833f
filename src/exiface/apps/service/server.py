"""The service: routes, errors, life cycle.

exiface serve                                   # http://127.0.0.1:8000
curl -F files=@portrait.jpg http://127.0.0.1:8000/v1/detect
"""

import asyncio
import json
import logging
import sys
import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from exiface import __version__
from exiface.apps.page import PLOT, page, standing_bars
from exiface.apps.service.batcher import Batcher, OverloadedError
from exiface.apps.service.explanations import explanation_answer
from exiface.apps.service.guard import LOGGER, Guard
from exiface.apps.service.metrics import FACES, IMAGES, exposition
from exiface.apps.service.schemas import (
    REASON_EXAMPLE,
    RESULT_EXAMPLE,
    DetectAnswer,
    DetectorAnswer,
    Problem,
)
from exiface.apps.service.settings import ServiceSettings, read_settings
from exiface.apps.service.uploads import Picture, RefusedError, read_pictures
from exiface.detector import Detector, ImageResult
from exiface.errors import UserError

_STATIC = Path(__file__).parent / "static"
_FILES = {
    "app.js": "text/javascript",
    "ask.js": "text/javascript",
    "drawing.js": "text/javascript",
    "style.css": "text/css",
}
_JSON_LINES = "application/x-ndjson"
_MULTIPART: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "additionalProperties": False,
                    "properties": {
                        "files": {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                        }
                    },
                }
            }
        },
    }
}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in {
        400: "Not a well-formed multipart form.",
        401: "No valid API key, where keys are asked for.",
        408: "The request did not arrive in time.",
        413: "Too large, too many files, or too many pixels.",
        415: "Not multipart/form-data.",
        422: "No files in the form, or a parameter out of range.",
        503: "More images than can be judged; Retry-After-Ms says when to come back.",
        504: "The images were not judged in time.",
    }.items()
}


def create_app(
    settings: ServiceSettings | None = None, detector: Detector | None = None
) -> FastAPI:
    """Build the service.

    Args:
        settings: None = from environment and file, as a worker process does.
        detector: None = loaded as the settings say.

    Returns:
        The ASGI application.

    Raises:
        UserError: settings or detector can't be used.
    """
    warnings.filterwarnings("ignore", module="PIL")  # of damaged metadata and large images
    # Refusals must not wait for threads that decode: they hand over the interpreter sooner.
    sys.setswitchinterval(0.001)
    settings = settings or read_settings()
    judge = detector or Detector.load(settings.detector, threads=settings.threads)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.batcher = Batcher(
            judge,
            capacity=settings.queue,
            batch_size=settings.batch_size,
            wait=settings.batch_wait_ms / 1000,
        )
        app.state.ready = True
        LOGGER.info("ready", extra={"fields": {"detector": judge.id}})
        yield
        app.state.ready = False
        await asyncio.to_thread(app.state.batcher.close)
        LOGGER.info("stopped")

    app = FastAPI(
        title="exiface",
        version=__version__,
        summary="Tells camera photographs of faces from AI-generated ones.",
        description="Pictures are judged in memory and never stored. A verdict compares a face "
        "with photographs that the detector was calibrated on; it is a hint, not a proof.",
        license_info={"name": "Apache-2.0"},
        lifespan=lifespan,
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
    )
    app.state.ready = False
    app.state.receiving = 0
    app.state.explaining = asyncio.Semaphore(1)
    _add_routes(app, settings, judge)
    _add_errors(app)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "x-api-key"],
            expose_headers=["retry-after-ms", "x-request-id"],
        )
    app.add_middleware(Guard, settings=settings)
    return app


def _add_routes(app: FastAPI, settings: ServiceSettings, judge: Detector) -> None:
    async def receive(request: Request) -> list[Picture]:
        """The pictures of a request; refused before a byte of it is read where there is no room."""
        # Those that are being received hold a picture each, at least.
        app.state.batcher.check(app.state.receiving + 1)
        if app.state.receiving >= settings.uploads:
            raise OverloadedError(1.0)
        app.state.receiving += 1
        try:
            return await read_pictures(request, settings)
        finally:
            app.state.receiving -= 1

    async def judged(pictures: Sequence[Picture]) -> list[ImageResult]:
        async with asyncio.timeout(settings.answer_seconds):
            results = await app.state.batcher.detect([picture.content for picture in pictures])
        _count(results)
        return [
            replace(result, path=picture.name)
            for result, picture in zip(results, pictures, strict=True)
        ]

    @app.post(
        "/v1/detect",
        openapi_extra=_MULTIPART,
        response_model=DetectAnswer,
        responses=_PROBLEMS
        | {
            200: {
                "description": "One result an image.",
                "content": {
                    "application/json": {"example": {"results": [RESULT_EXAMPLE, REASON_EXAMPLE]}},
                    _JSON_LINES: {"schema": {"type": "string"}},
                },
            }
        },
    )
    async def detect(request: Request) -> Response:
        """Judge the faces of one or several images; `Accept: application/x-ndjson` for lines."""
        results = await judged(await receive(request))
        if _JSON_LINES in request.headers.get("accept", ""):
            lines = "".join(json.dumps(result.as_dict()) + "\n" for result in results)
            return Response(lines, media_type=_JSON_LINES)
        return JSONResponse({"results": [result.as_dict() for result in results]})

    @app.post("/v1/explain", openapi_extra=_MULTIPART, responses=_PROBLEMS)
    async def explain(
        request: Request, face: Annotated[int, Query(ge=0, le=10_000)] = 0
    ) -> dict[str, Any]:
        """Say why a face of one image got its verdict: regions, stability, camera tags."""
        pictures = await receive(request)
        if len(pictures) > 1:
            raise RefusedError(422, "one_file", "explanations are for one file at a time")
        async with asyncio.timeout(settings.answer_seconds), app.state.explaining:
            return await asyncio.to_thread(explanation_answer, judge, pictures[0], face)

    @app.post(
        "/v1/report",
        openapi_extra=_MULTIPART,
        response_class=HTMLResponse,
        responses=_PROBLEMS,
    )
    async def report(request: Request) -> HTMLResponse:
        """Judge images and answer with the self-contained page of `exiface detect --html`."""
        pictures = await receive(request)
        results = await judged(pictures)
        contents = [picture.content for picture in pictures]
        text = await asyncio.to_thread(page, results, judge, contents)
        return HTMLResponse(text)

    @app.get("/v1/detector", response_model=DetectorAnswer, responses={401: _PROBLEMS[401]})
    async def describe() -> dict[str, Any]:
        """Which detector judges, what it promises, and what a request may hold."""
        calibration = judge.parts.calibration
        low, high, bars = standing_bars(calibration)
        return {
            "id": judge.id,
            "notice": judge.parts.notice,
            "alpha": calibration.alpha,
            "beta": calibration.beta,
            "photographs": len(calibration.scores),
            "distribution": {
                "low": low,
                "high": high,
                "width": PLOT[0],
                "height": PLOT[1],
                "bars": bars,
            },
            "limits": {
                "body_bytes": settings.max_body,
                "files": settings.max_files,
                "pixels": settings.max_pixels,
            },
            "model_card": judge.parts.card,
        }

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        return Response("ok\n", media_type="text/plain")

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        ready = app.state.ready
        return Response(
            "ready\n" if ready else "no\n", 200 if ready else 503, media_type="text/plain"
        )

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/", include_in_schema=False)
    async def index() -> FileResponse:
        return FileResponse(_STATIC / "index.html")

    for name, media_type in _FILES.items():
        app.add_api_route(
            f"/{name}",
            _file(_STATIC / name, media_type),
            include_in_schema=False,
            response_class=FileResponse,
        )


def _file(path: Path, media_type: str) -> Any:
    async def answer() -> FileResponse:
        return FileResponse(path, media_type=media_type)

    return answer


def _add_errors(app: FastAPI) -> None:
    def problem(status: int, code: str, detail: str, **headers: str) -> JSONResponse:
        return JSONResponse({"code": code, "detail": detail}, status, headers)

    @app.exception_handler(RefusedError)
    async def refused(_: Request, error: RefusedError) -> JSONResponse:
        headers = {"connection": "close"} if error.unread else {}
        return problem(error.status, error.code, error.detail, **headers)

    @app.exception_handler(OverloadedError)
    async def overloaded(_: Request, error: OverloadedError) -> JSONResponse:
        answer = problem(503, "busy", "more images than can be judged now; try again shortly")
        answer.headers["retry-after"] = str(max(1, round(error.retry_after)))  # whole seconds
        answer.headers["retry-after-ms"] = str(round(1000 * error.retry_after))
        return answer

    @app.exception_handler(TimeoutError)
    async def late(_: Request, __: TimeoutError) -> JSONResponse:
        return problem(504, "timeout", "the images were not judged in time; send fewer")

    @app.exception_handler(ClientDisconnect)
    async def gone(_: Request, __: ClientDisconnect) -> Response:
        return Response(status_code=400)  # nobody reads it

    @app.exception_handler(UserError)
    async def unusable(_: Request, error: UserError) -> JSONResponse:
        return problem(422, "unusable", str(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        return problem(422, "invalid", f"{first['loc'][-1]}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        answer = problem(error.status_code, "http", str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> JSONResponse:
        LOGGER.log(logging.ERROR, "failed", exc_info=error)
        return problem(500, "failed", "an error of the service; its log says more")


def _count(results: Sequence[ImageResult]) -> None:
    for result in results:
        IMAGES.labels("no verdict" if result.reason else "judged").inc()
        for face in result.faces:
            FACES.labels(face.verdict.value).inc()
