"""What the service is asked and answers, for OpenAPI and for clients."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

VERDICTS = '"ai-generated", "unsure", "photographic" or "nothing-found"'


class LikelihoodRatioAnswer(BaseModel):
    """How many times as common such a score is among generated ones as among photographs.

    The generated ones are of kinds that training never saw.
    """

    value: float = Field(gt=0, description="over 1 speaks for generated, under 1 for photographed")
    low: float = Field(gt=0, description="of the 95 % interval over families and sources")
    high: float = Field(gt=0, description="likewise")
    words: str = Field(description="the verbal scale of ENFSI's guideline (2015)")


class JudgedAnswer(BaseModel):
    """The verdict on a face, or on an image as a whole."""

    score: float = Field(description="higher = more unusual among photographs")
    log_likelihood: float | None = Field(None, description="of detectors with a density")
    p_value: float = Field(
        gt=0,
        le=1,
        description="share of photographs at least as unusual, each source weighing the same",
    )
    verdict: str = Field(description=VERDICTS)
    says: str = Field(description="the verdict in words")
    sentence: str = Field(description="p-value and likelihood ratio in words")
    likelihood_ratio: LikelihoodRatioAnswer | None = Field(
        None, description="where generated faces, or images, were measured"
    )
    unsure_because: str | None = Field(
        None, description="why the picture's quality rules out any other verdict"
    )


class FaceAnswer(JudgedAnswer):
    """The verdict on one face."""

    box: tuple[float, float, float, float] = Field(
        description="x0, y0, x1, y1 in pixels of the upright image"
    )
    side: int = Field(description="of the square crop that was judged, in pixels")


class WholeAnswer(JudgedAnswer):
    """The verdict on an image as a whole."""

    detector: str = Field(description="which judged it")


class MarkAnswer(BaseModel):
    """One thing that a file says of its origin; easily forged, unless a signature holds."""

    what: str = Field(description="such as generated, settings, composite, captured, credentials")
    says: str = Field(description='in words, as they follow on "The file says that"')
    by: str | None = Field(None, description="program, camera or signer that is named")
    where: str = Field(description="in which part of the file")
    verified: str | None = Field(
        None, description="of signed marks: valid, unknown signer, invalid"
    )
    raw: str = Field(description="the file's own value, shortened")


class ImageAnswer(BaseModel):
    """What is said of one image, as `exiface detect --json` says it."""

    schema_version: int = Field(alias="schema", description="of this object")
    path: str = Field(description="name that the file was sent with")
    verdict: str | None = Field(None, description=f"of the image: {VERDICTS}")
    p_value: float | None = Field(
        None, description="smallest of all that was judged, times its number; at most 1"
    )
    summary: str | None = Field(None, description="all that was judged, in a line")
    how_sure: str | None = Field(None, description="how strongly that speaks, in a few words")
    faces: list[FaceAnswer] = Field(description="largest first; empty where none was judged")
    image: WholeAnswer | None = Field(
        None, description="the image as a whole, where it was asked for"
    )
    tags: dict[str, float] = Field(description="what the camera recorded; easily forged")
    detector: str
    declares_generated: bool = Field(
        description="whether the file itself says that a generator made it"
    )
    declares: str = Field(description="what the file says of its origin, in words")
    declared: list[MarkAnswer] = Field(description="the same, mark by mark; never in the verdict")
    contradictions: list[str] | None = Field(None, description="what doesn't fit together")
    unread: list[str] | None = Field(None, description="what is there and could not be read")
    small_faces: int | None = Field(None, description="faces too small to be judged")
    reason: str | None = Field(None, description="why there is no verdict")


class DetectAnswer(BaseModel):
    """One result an image, in the order of the files."""

    results: list[ImageAnswer]


class Bar(BaseModel):
    """One bar of a distribution, in units of the plot."""

    x: float
    width: float
    height: float
    band: str = Field(description=VERDICTS)


class Zone(BaseModel):
    """The part of the plot in which a verdict is said."""

    x: float
    width: float
    verdict: str = Field(description=VERDICTS)


class Distribution(BaseModel):
    """Where photographs and generated faces stand, for a plot."""

    width: float
    height: float = Field(description="of either half")
    power: float = Field(description="a p-value stands at width * (1 - p ** power)")
    zones: list[Zone] = Field(description="of the verdicts, from usual to unusual")
    bars: list[Bar] = Field(description="photographs")
    generated: list[Bar] = Field(
        description="generated faces of families that training never saw; none where not measured"
    )
    tallest: float = Field(description="the share of photographs that the tallest bar stands for")
    tallest_generated: float | None = Field(description="likewise, of generated faces")


class Limits(BaseModel):
    """What a request may hold."""

    body_bytes: int
    files: int
    pixels: int


class Choice(BaseModel):
    """A detector that a request can name."""

    name: str = Field(description="for the parameter `detector`")
    learnt_from: str = Field(description='such as "photographs only"')


class Described(BaseModel):
    """What a detector promises."""

    id: str
    subject: str = Field(description='what it judges: "face" or "image"')
    notice: str = Field(description="what everyone who reads a verdict must know of it")
    alpha: float = Field(description="promised false-alarm rate")
    promised: str = Field(description='the same in words: "at most 5%", or "an estimated 1%"')
    true_rate: tuple[float, float] = Field(
        description="95 % interval of the true one, given how many photographs calibrate it"
    )
    photographs: int = Field(description="that it was calibrated on")
    distributions: list[Distribution]


class DetectorAnswer(Described):
    """Which detector judges, and what it promises."""

    choices: list[Choice] = Field(description="the first judges where a request names none")
    beta: float = Field(description='p-value from which on the verdict is "nothing-found"')
    whole: Described | None = Field(
        None, description="the detector that judges images as wholes; null where there is none"
    )
    limits: Limits
    model_card: str


class Problem(BaseModel):
    """Why a request was refused."""

    code: str
    detail: str


FACE_EXAMPLE: dict[str, Any] = {
    "box": [212.4, 130.9, 301.2, 247.8],
    "score": 1.806,
    "side": 224,
    "p_value": 0.241379,
    "verdict": "unsure",
    "says": "unsure",
    "sentence": "1 in 4 photographs looks this unusual. A score like this is about 1.6 times as "
    "common among generated faces of kinds it has never seen as among photographs (0.71 to 2.9): "
    "no support for either.",
    "likelihood_ratio": {
        "value": 1.62,
        "low": 0.71,
        "high": 2.85,
        "words": "no support for either",
    },
}
RESULT_EXAMPLE: dict[str, Any] = {
    "schema": 4,
    "path": "portrait.jpg",
    "verdict": "unsure",
    "p_value": 0.241379,
    "summary": "unsure",
    "how_sure": "no support for either",
    "faces": [FACE_EXAMPLE],
    "declares_generated": False,
    "tags": {"aperture": 2.8, "exposure_time": 0.005, "focal_length": 85.0, "iso_speed": 200.0},
    "detector": "exiface-default@2b01e31680b7",
    "declares": "The file says that a camera took it (EXIF: Canon EOS R6): easily forged.",
    "declared": [
        {
            "what": "captured",
            "says": "a camera took it",
            "by": "Canon EOS R6",
            "where": "EXIF",
            "verified": None,
            "raw": "Canon EOS R6",
        }
    ],
}
REASON_EXAMPLE: dict[str, Any] = {
    **{name: RESULT_EXAMPLE[name] for name in ("schema", "declares_generated", "detector")},
    "path": "landscape.png",
    "faces": [],
    "tags": {},
    "declares": "The file says nothing of its origin.",
    "declared": [],
    "reason": "no face found",
}


def multipart(most: int, texts: Sequence[str] = ()) -> dict[str, Any]:
    """How OpenAPI describes a form with up to so many files, and with texts beside them."""
    file = {"type": "string", "format": "binary"}
    files = {"type": "array", "minItems": 1, "maxItems": most, "items": file}
    schema = {
        "type": "object",
        "required": ["files"],
        "additionalProperties": False,
        "properties": {"files": files} | {name: {"type": "string"} for name in texts},
    }
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    }
