"""What a refused request is told, and with which status."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from exiface.apps.service.guard import API, LOGGER
from exiface.apps.service.schemas import Problem
from exiface.apps.service.uploads import RefusedError
from exiface.errors import UserError

_DESCRIPTIONS = {
    400: "Not a well-formed multipart form.",
    401: "No valid API key, where keys are asked for.",
    408: "The request did not arrive in time.",
    413: "Too large, too many files, or too many pixels.",
    415: "Not multipart/form-data.",
    422: "No files in the form, or a parameter out of range.",
    503: "More images than can be judged; Retry-After-Ms says when to come back.",
    504: "The images were not judged in time.",
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text} for status, text in _DESCRIPTIONS.items()
}


def add_errors(app: FastAPI, *, unknown: Path) -> None:
    """Answer every error in one form, `Problem`; people see the HTML file at unknown addresses."""

    def problem(
        status: int, code: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> JSONResponse:
        return JSONResponse({"code": code, "detail": detail}, status, headers)

    @app.exception_handler(RefusedError)
    async def refused(_: Request, error: RefusedError) -> JSONResponse:
        return problem(error.status, error.code, error.detail, error.headers)

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
    async def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404 and not request.url.path.startswith(API):
            return FileResponse(unknown, 404)
        return problem(error.status_code, "http", str(error.detail), error.headers)

    @app.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> JSONResponse:
        LOGGER.error("failed", exc_info=error)
        return problem(500, "failed", "an error of the service; its log says more")
