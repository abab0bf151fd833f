"""The service: routes, errors, life cycle.

exiface serve                                   # http://127.0.0.1:8000
curl -F files=@portrait.jpg http://127.0.0.1:8000/v1/detect
"""

import asyncio
import json
import sys
import warnings
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, Query, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from exiface import __version__
from exiface.apps.case import Case, Heading, case_page
from exiface.apps.explanation_page import sign_sentence, told
from exiface.apps.service.batcher import Batcher, overloaded
from exiface.apps.service.detectors import described, load_detectors
from exiface.apps.service.guard import FACES, IMAGES, LOGGER, Guard, exposition
from exiface.apps.service.problems import PROBLEMS, add_errors
from exiface.apps.service.schemas import (
    REASON_EXAMPLE,
    RESULT_EXAMPLE,
    DetectAnswer,
    DetectorAnswer,
    multipart,
)
from exiface.apps.service.settings import ServiceSettings, read_settings
from exiface.apps.service.uploads import Picture, RefusedError, read_form
from exiface.choices import Scope
from exiface.detector import Detector, ImageResult
from exiface.detector.explanation import explain as explain_bytes
from exiface.errors import UserError

_STATIC = Path(__file__).parent / "static"
_JSON_LINES = "application/x-ndjson"
_HEADING = tuple(field.name for field in fields(Heading))
Answer = TypeVar("Answer")
_EXPLAINED = 12  # verdicts of one case file, at most


def create_app(
    settings: ServiceSettings | None = None, detectors: Mapping[str, Detector] | None = None
) -> FastAPI:
    """Build the service.

    Settings that are not given come from the environment and the file, as in a worker process.
    Detectors are given by name, the one that judges unasked first, or loaded as the settings say.
    """
    warnings.filterwarnings("ignore", module="PIL")  # of damaged metadata and large images
    # Refusals must not wait for threads that decode: they hand over the interpreter sooner.
    sys.setswitchinterval(0.001)
    settings = settings or read_settings()
    judges = detectors or load_detectors(settings.detectors, settings.threads)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.batchers = {
            name: Batcher(
                judge,
                capacity=settings.queue,
                batch_size=settings.batch_size,
                wait=settings.batch_wait_ms / 1000,
            )
            for name, judge in judges.items()
        }
        app.state.ready = True
        LOGGER.info("ready", extra={"fields": {"detectors": [each.id for each in judges.values()]}})
        yield
        app.state.ready = False
        for batcher in app.state.batchers.values():
            await asyncio.to_thread(batcher.close)
        LOGGER.info("stopped")

    app = FastAPI(
        title="exiface",
        version=__version__,
        summary="Tells camera photographs of faces from AI-generated ones.",
        description="Pictures are judged in memory and never stored. A verdict compares a face "
        "with photographs that the detector was calibrated on; it is a hint, not a proof.",
        license_info={"name": "Apache-2.0"},
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own loads scripts from elsewhere; see `_add_pages`
        redoc_url=None,
    )
    app.state.ready = False
    app.state.receiving = 0
    _add_routes(app, settings, judges)
    _add_pages(app)
    add_errors(app, unknown=_STATIC / "unknown.html")
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


def _add_routes(app: FastAPI, settings: ServiceSettings, judges: Mapping[str, Detector]) -> None:
    first = next(iter(judges))
    # One at a time: a thread can't be stopped, and works on where nobody waits for it any more.
    explaining = ThreadPoolExecutor(1, thread_name_prefix="explain")

    def chosen(
        detector: Annotated[
            str,
            Query(
                description="name of a detector (see /v1/detector)",
                json_schema_extra={"enum": [*judges]},
            ),
        ] = first,
    ) -> str:
        if detector not in judges:
            raise RefusedError(422, "no_detector", f"detectors here: {', '.join(judges)}")
        return detector

    Chosen = Annotated[str, Depends(chosen)]  # noqa: N806 - a type

    def asked(
        name: Chosen,
        subject: Annotated[
            Scope | None,
            Query(
                description="what is judged; auto: faces, and as wholes those images that hold "
                "none; without it what the detector looks at"
            ),
        ] = None,
    ) -> Scope | None:
        if subject is not None and not judges[name].judges(subject):
            able = [each for each, judge in judges.items() if judge.judges(subject)]
            raise RefusedError(
                422, "no_subject", f"{name} can't judge that; these can: {', '.join(able)}"
            )
        return subject

    Asked = Annotated[Scope | None, Depends(asked)]  # noqa: N806 - a type

    async def received(
        request: Request, name: str, texts: Sequence[str] = ()
    ) -> tuple[list[Picture], dict[str, str]]:
        """What a request brings; refused before a byte of it is read where there is no room."""
        # Those that are being received hold a picture each, at least.
        app.state.batchers[name].check(app.state.receiving + 1)
        if app.state.receiving >= settings.uploads:
            raise overloaded(1.0)
        app.state.receiving += 1
        try:
            return await read_form(request, settings, texts)
        finally:
            app.state.receiving -= 1

    async def judged(
        pictures: Sequence[Picture], name: str, subject: Scope | None
    ) -> list[ImageResult]:
        contents = [picture.content for picture in pictures]
        async with asyncio.timeout(settings.answer_seconds):
            results = await app.state.batchers[name].detect(contents, subject)
        _count(results)
        return [
            replace(result, path=picture.name)
            for result, picture in zip(results, pictures, strict=True)
        ]

    @app.post(
        "/v1/detect",
        openapi_extra=multipart(settings.max_files),
        response_model=DetectAnswer,
        responses=PROBLEMS
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
    async def detect(request: Request, name: Chosen, subject: Asked) -> Response:
        """Judge one or several images; `Accept: application/x-ndjson` for lines."""
        pictures, _ = await received(request, name)
        results = await judged(pictures, name, subject)
        if _JSON_LINES in request.headers.get("accept", ""):
            lines = "".join(json.dumps(result.as_dict()) + "\n" for result in results)
            return Response(lines, media_type=_JSON_LINES)
        return JSONResponse({"results": [result.as_dict() for result in results]})

    @app.post("/v1/explain", openapi_extra=multipart(1), responses=PROBLEMS)
    async def explain(
        request: Request,
        name: Chosen,
        subject: Asked,
        face: Annotated[int, Query(ge=0, le=10_000, description="which face; 0 = the largest")] = 0,
    ) -> dict[str, Any]:
        """Say why a face of one image, or the whole, got its verdict: regions, stability, tags."""
        pictures, _ = await received(request, name)
        if len(pictures) > 1:
            raise RefusedError(422, "one_file", "explanations are for one file at a time")
        work = partial(_explained, judges[name], pictures[0], face, subject)
        return await _in_time(settings.answer_seconds, explaining, work)

    @app.post(
        "/v1/report",
        openapi_extra=multipart(settings.max_files, _HEADING),
        response_class=Response,  # of no kind of its own: what is refused is answered in JSON
        responses=PROBLEMS
        | {
            200: {
                "description": "The case file.",
                "content": {"text/html": {"schema": {"type": "string"}}},
            }
        },
    )
    async def report(
        request: Request,
        name: Chosen,
        subject: Asked,
        pictures: bool = False,
        explain: bool = False,
    ) -> HTMLResponse:
        """Judge images and answer with the case file of `exiface detect --report`.

        It shows the images only where `pictures` is true, and their SHA-256 always. With `explain`
        it says why each verdict is what it is.
        """
        shown, texts = await received(request, name, _HEADING)
        results = await judged(shown, name, subject)
        # Explanations take seconds each.
        if explain and (number := sum(len(each.judged) for each in results)) > _EXPLAINED:
            raise RefusedError(
                422,
                "too_many_explained",
                f"a case file explains at most {_EXPLAINED} verdicts, these are {number}: ask for "
                "fewer pictures, or for no explanations",
            )
        contents = [picture.content for picture in shown]
        case = Case(results, judges[name], name, Heading(**texts), subject=subject)
        work = partial(case_page, case, contents, pictures=pictures, explained=explain)
        return HTMLResponse(
            await _in_time(settings.answer_seconds, explaining if explain else None, work)
        )

    @app.get(
        "/v1/detector",
        response_model=DetectorAnswer,
        responses={status: PROBLEMS[status] for status in (401, 422)},
    )
    async def describe(name: Chosen) -> dict[str, Any]:
        """Which detector judges, what it promises, and what a request may hold."""
        judge = judges[name]
        return {
            "choices": [
                {"name": choice, "learnt_from": each.parts.learnt_from}
                for choice, each in judges.items()
            ],
            "whole": None if judge.whole is None else described(judge.whole.parts),
            "beta": judge.parts.calibration.beta,
            **described(judge.parts),
            "limits": {
                "body_bytes": settings.max_body,
                "files": settings.max_files,
                "pixels": settings.max_pixels,
            },
            "model_card": judge.parts.card,
        }


def _add_pages(app: FastAPI) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        return Response("ok\n", media_type="text/plain")

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        text, status = ("ready\n", 200) if app.state.ready else ("no\n", 503)
        return Response(text, status, media_type="text/plain")

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    def page_at(path: str, name: str) -> None:
        @app.get(path, include_in_schema=False, name=name)
        async def answer() -> FileResponse:
            return FileResponse(_STATIC / name)

    page_at("/", "index.html")
    page_at("/docs", "docs.html")
    # The page's own files, and those of Swagger UI, which the package brings along.
    swagger = ("fastapi_swagger", "resources")
    app.mount("/static", StaticFiles(directory=_STATIC, packages=[swagger]), name="static")


async def _in_time(
    seconds: float, pool: ThreadPoolExecutor | None, work: Callable[[], Answer]
) -> Answer:
    """What work answers, from a thread of the pool."""
    async with asyncio.timeout(seconds):
        return await asyncio.get_running_loop().run_in_executor(pool, work)


def _explained(
    detector: Detector, picture: Picture, face: int, subject: Scope | None
) -> dict[str, Any]:
    """What `exiface explain --json` says, with pictures as URIs and sentences on signs and tags."""
    try:
        explanation = explain_bytes(detector, picture.content, face=face, subject=subject)
    except UserError as error:
        raise RefusedError(422, "no_explanation", str(error)) from None
    shown = told(explanation)
    return explanation.as_dict() | {
        "path": picture.name,
        "seen": shown["crop"],
        "spotlight": shown["spotlight"],
        "shares": explanation.judged.sentence,
        "kept": explanation.kept,
        "sign_sentences": [sign_sentence(*sign) for sign in explanation.signs.items()],
        "tag_sentences": shown["checks"],
    }


def _count(results: Sequence[ImageResult]) -> None:
    for result in results:
        IMAGES.labels("no verdict" if result.reason else "judged").inc()
        for face in result.judged:
            FACES.labels(face.verdict.value).inc()
