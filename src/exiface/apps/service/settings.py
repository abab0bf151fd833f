"""How the service is set up: flags, then environment (EXIFACE_...), then a TOML file."""

import os
import tomllib
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from exiface.detector.folder import BUILTIN
from exiface.errors import UserError

CONFIG_VARIABLE = "EXIFACE_CONFIG"


class ServiceSettings(BaseSettings):
    """The settings of the service; each is also an environment variable, EXIFACE_ before it."""

    model_config = SettingsConfigDict(env_prefix="EXIFACE_", extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="address that it listens on: this machine alone")
    port: int = Field(8000, ge=0, le=65535, description="that it listens on; 0 = a free one")
    workers: int = Field(1, ge=1, description="processes, each with a detector of its own")
    detectors: list[str] = Field(
        [*BUILTIN],
        min_length=1,
        description="names or folders to choose from; the first where a request names none",
    )
    threads: int | None = Field(None, ge=1, description="of a worker; absent: one a core")

    batch_size: int = Field(32, ge=1, description="faces that the encoder takes at a time")
    batch_wait_ms: float = Field(3.0, ge=0, description="how long a batch waits to be filled")
    queue: int = Field(256, ge=1, description="images waiting or under way, then 503")
    uploads: int = Field(128, ge=1, description="requests being received at a time, then 503")

    max_body_mb: float = Field(64.0, gt=0, description="of a request")
    max_files: int = Field(32, ge=1, description="of a request")
    max_pixels: int = Field(50_000_000, ge=1, description="of an image")
    upload_seconds: float = Field(30.0, gt=0, description="for a request to arrive")
    answer_seconds: float = Field(60.0, gt=0, description="for its images to be judged")

    api_keys: list[SecretStr] = Field([], description="absent: anybody may ask")
    cors_origins: list[str] = Field([], description="origins whose pages may ask")

    @property
    def max_body(self) -> int:
        """How many bytes a request may hold."""
        return int(self.max_body_mb * 1e6)


def read_settings() -> ServiceSettings:
    """Resolve the settings of the environment, where the flags stand too, and of the file.

    Raises:
        UserError: unknown key, wrong value, no such file.
    """
    file = os.environ.get(CONFIG_VARIABLE)
    if file and not Path(file).is_file():
        raise UserError(f"{file}: no such file of settings")
    try:
        told = tomllib.loads(Path(file).read_text("utf-8")) if file else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{file} is not TOML: {error}") from None
    # The environment outranks the file.
    variables = {name.lower(): name for name in os.environ}
    written = {key.lower(): value for key, value in told.items()}  # as variables have any case
    given = {key: value for key, value in written.items() if f"exiface_{key}" not in variables}
    try:
        return ServiceSettings(**given)
    except SettingsError as error:  # a list that is not JSON; only its text says which
        key = next(each for each in ServiceSettings.model_fields if f'"{each}"' in str(error))
        name = variables[f"exiface_{key}"]
        raise UserError(f"""{name} must be a list in JSON, such as {name}='["..."]'""") from None
    except ValidationError as error:
        unknown = f"unknown key; known are {', '.join(ServiceSettings.model_fields)}"
        problems = []
        for problem in error.errors():
            key, *place = map(str, problem["loc"])
            where = f"{file}: {key}" if key in given else variables[f"exiface_{key}"]
            said = unknown if problem["type"] == "extra_forbidden" else problem["msg"]
            problems.append(f"{'.'.join((where, *place))}: {said}")
        raise UserError("; ".join(problems)) from None
