"""What the service answers, for OpenAPI and for clients."""

from typing import Any

from pydantic import BaseModel, Field


class FaceAnswer(BaseModel):
    """The verdict on one face."""

    box: tuple[float, float, float, float] = Field(
        description="x0, y0, x1, y1 in pixels of the upright image"
    )
    score: float = Field(description="higher = more unusual among photographs")
    log_likelihood: float | None = Field(None, description="of detectors with a density")
    probability: float | None = Field(None, description="of detectors that classify")
    side: int = Field(description="of the square crop that was judged, in pixels")
    p_value: float = Field(
        gt=0,
        le=1,
        description="share of calibration photographs at least as unusual; the largest among "
        "their sources",
    )
    p_value_low: float = Field(gt=0, le=1, description="the smallest among their sources")
    verdict: str = Field(description='"photographic", "unsure" or "ai-generated"')


class ImageAnswer(BaseModel):
    """What is said of one image, as `exiface detect --json` says it."""

    path: str = Field(description="name that the file was sent with")
    faces: list[FaceAnswer] = Field(description="largest first; empty where there is a reason")
    tags: dict[str, float] = Field(description="what the camera recorded; easily forged")
    detector: str
    small_faces: int | None = Field(None, description="faces too small to be judged")
    reason: str | None = Field(None, description="why there is no verdict")


class DetectAnswer(BaseModel):
    """One result an image, in the order of the files."""

    results: list[ImageAnswer]


class Bar(BaseModel):
    """One bar of the calibration distribution, in units of the plot."""

    x: float
    width: float
    height: float
    band: str


class Distribution(BaseModel):
    """The scores of the calibration photographs, for a plot."""

    above_side: int = Field(
        description="faces are compared with the last of them that their `side` is above"
    )
    low: float = Field(description="score at the left edge")
    high: float = Field(description="score at the right edge")
    width: float
    height: float
    bars: list[Bar]


class Limits(BaseModel):
    """What a request may hold."""

    body_bytes: int
    files: int
    pixels: int


class Choice(BaseModel):
    """A detector that a request can name."""

    name: str = Field(description="for the parameter `detector`")
    learnt_from: str = Field(description='"photographs only" or "photographs and generated faces"')


class DetectorAnswer(BaseModel):
    """Which detector judges, and what it promises."""

    id: str
    choices: list[Choice] = Field(description="the first judges where a request names none")
    notice: str = Field(description="what everyone who reads a verdict must know of it")
    alpha: float = Field(description="promised false-alarm rate")
    beta: float = Field(description='p-value from which on the verdict is "photographic"')
    photographs: int = Field(description="that it was calibrated on")
    distributions: list[Distribution]
    limits: Limits
    model_card: str


class Problem(BaseModel):
    """Why a request was refused."""

    code: str
    detail: str


FACE_EXAMPLE: dict[str, Any] = {
    "box": [212.4, 130.9, 301.2, 247.8],
    "score": 1.806,
    "p_value": 0.241379,
    "p_value_low": 0.068966,
    "verdict": "photographic",
}
RESULT_EXAMPLE: dict[str, Any] = {
    "path": "portrait.jpg",
    "faces": [FACE_EXAMPLE],
    "tags": {"aperture": 2.8, "exposure_time": 0.005, "focal_length": 85.0, "iso_speed": 200.0},
    "detector": "exiface-default@2b01e31680b7",
}
REASON_EXAMPLE: dict[str, Any] = {
    "path": "landscape.png",
    "faces": [],
    "tags": {},
    "detector": "exiface-default@2b01e31680b7",
    "reason": "no face found",
}
