"""The settings of a training run: a YAML file, then `key=value` flags; unknown keys are errors."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from exiface.choices import Family
from exiface.datasets.augmentation import Augmentation
from exiface.datasets.sampling import Sampling
from exiface.encoders.description import GENERATED_HEAD
from exiface.encoders.elsewhere import find_architecture
from exiface.errors import UserError
from exiface.photos import RANKED_TAGS
from exiface.photos.camera_settings import CLASSES
from exiface.training.bilevel import LearntWeights
from exiface.training.heads import MANIPULATED_REGIONS, HeadKind
from exiface.training.losses import ClassLoss, Ranking
from exiface.training.task import Shares

_FILES = (Path(__file__).parent / "configs").glob("*.yaml")
# Settings that come with the package: name -> file.
CONFIGS = dict(sorted((path.stem, path) for path in _FILES))


def _one_of(known: Iterable[str]) -> Callable[[str], str]:
    def checked(value: str) -> str:
        if value not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return value

    return checked


def _architecture(name: str) -> str:
    find_architecture(name)  # its error is a ValueError, as pydantic wants it
    return name


class ConfigError(UserError):
    """Settings that can't be used; the text names each key and what is wrong with it."""


class TrainConfig(BaseModel):
    """The settings of a training run (see `CONFIGS` for commented examples)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: Annotated[str, AfterValidator(_architecture)] = Field(
        "compact",
        description="one of ours, or torchvision:NAME, timm:NAME, package.module:function",
    )
    frozen: bool = Field(
        False, description="leave the backbone as it starts; its last layer and the heads learn"
    )
    ranked: tuple[Annotated[str, AfterValidator(_one_of(RANKED_TAGS))], ...] = Field(
        ("aperture", "exposure_time", "focal_length", "iso_speed"),
        description="camera tags to be ranked",
    )
    classes: tuple[Annotated[str, AfterValidator(_one_of(CLASSES))], ...] = Field(
        (), description="camera tags to be told by class"
    )
    families: tuple[Family, ...] = Field(
        ("manipulation",), description="of manipulations of faces, with a head each"
    )
    regions: bool = Field(
        False, description="tell where a face was manipulated (mouth, eye), beside whether"
    )
    heads: HeadKind = Field(
        "linear",
        description="what reads the features; sentences need the weights of a text encoder: --text",
    )
    crop_scale: float = Field(1.3, gt=0, description="side of the crop in longer box sides")
    largest: int | None = Field(
        None,
        ge=1,
        description="side to which larger crops are shrunk, for an architecture at own pixels; "
        "absent: the architecture's",
    )
    ranking: Ranking = Field(Ranking(), description="how tags are learnt from their order")
    class_loss: ClassLoss = Field("cross-entropy", description="how classes are learnt")
    shares: Shares = Field(Shares(), description="what each part of the task weighs in the loss")
    learnt_weights: LearntWeights | None = Field(
        None, description="shares are where the weights start that an outer step learns"
    )
    window: int = Field(
        160,
        ge=32,
        description="side of random windows, for an architecture at own pixels; of patches, the "
        "side of the region that an image's patches lie in",
    )
    patches: int = Field(
        16, ge=1, description="of a whole image in training, within a window of it"
    )
    most_patches: int = Field(
        20_000, ge=1, description="of a whole image in use, spread evenly over it"
    )
    exported: Literal["float32", "float16"] = Field(
        "float32", description="weights of the model that is written: half of them is half a file"
    )
    leave_out: tuple[str, ...] = Field(
        (), description="sources that play no part, by patterns such as stylegan*"
    )

    epochs: int = Field(20, ge=1, description="how often every row is drawn")
    batch_size: int = Field(64, ge=2, description="faces of a step, over all processes")
    micro_batches: int = Field(
        1, ge=1, description="parts of a step's batch, one after another; pairs stay within a part"
    )
    optimizer: Literal["adam", "adamw"] = Field(
        "adam", description="Adam or AdamW, as torch has them"
    )
    learning_rate: float = Field(3e-4, gt=0, description="of the encoder, after the warm-up")
    head_learning_rate: float = Field(1.0, gt=0, description="of the heads, times the encoder's")
    final_learning_rate: float = Field(
        0.0, ge=0, description="to which it falls, along a cosine, when training ends"
    )
    warmup_epochs: float = Field(1.0, ge=0, description="in which it rises from zero")
    betas: tuple[float, float] = Field((0.9, 0.98), description="of the optimiser")
    epsilon: float = Field(1e-6, gt=0, description="of the optimiser")
    weight_decay: float = Field(1e-4, ge=0, description="of the optimiser")
    averaging: float = Field(
        0.0, ge=0, lt=1, description="decay of a moving average of the weights, which is exported"
    )
    from_scratch: bool = Field(
        False,
        description="begin with random weights; those of --init are only what shares.near keeps "
        "the encoder near to",
    )
    start_share: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="of the weights that it started from, in the encoder exported",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="auto: bfloat16 on GPUs and on CPUs that have instructions for it, else "
        "float32. On such CPUs it trains all but the compact encoder faster (benchmarks/)",
    )

    sampling: Sampling = Field(Sampling(), description="which faces are drawn, and how often")
    max_faces_per_photo: int | None = Field(None, ge=1, description="in training; absent: all")
    max_faces_per_camera: int | None = Field(None, ge=1, description="in training; absent: all")
    augmentation: Augmentation = Field(
        Augmentation(), description="how faces are changed, alike for both classes"
    )

    seed: int = Field(42, ge=0, description="of all that is drawn")
    workers: int | None = Field(None, ge=1, description="decoding threads; absent: one a core")
    validate_epochs: int = Field(1, ge=1, description="epochs between validations")
    checkpoint_steps: int = Field(100, ge=1, description="steps between checkpoints")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.final_learning_rate > self.learning_rate:
            raise ValueError("final_learning_rate must not exceed learning_rate")
        if self.warmup_epochs >= self.epochs:
            raise ValueError(
                "warmup_epochs must be fewer than epochs: lower it as well (--set warmup_epochs=0)"
            )
        for name in ("families", "ranked", "classes"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"{name} must differ")
        whole_images = find_architecture(self.architecture).subject == "image"
        if whole_images and self.families:
            raise ValueError(f"families are of faces: {self.architecture} needs families=[]")
        if not whole_images and (self.shares.near or self.from_scratch):
            raise ValueError("shares.near and from_scratch are for encoders of whole images")
        if not (self.ranked or self.classes or self.families or self.shares.generated):
            raise ValueError("nothing to learn: name tags in ranked or classes")
        if self.regions and "manipulation" not in self.families:
            raise ValueError("regions are of the family manipulation: name it in families")
        of_faces = not whole_images and find_architecture(self.architecture).read is None
        if self.heads != "linear" and (self.shares.generated or not of_faces):
            raise ValueError(
                f"heads={self.heads} is for photographs alone and an encoder whose features are "
                "all read: resnet50, compact or own-pixels, without shares.generated"
            )
        if self.learnt_weights is not None and self.learnt_weights.primary not in self.losses:
            raise ValueError(
                f"learnt_weights.primary must be one of {', '.join(self.losses)}, got "
                f"{self.learnt_weights.primary!r}"
            )
        if bool(self.shares.generated) != bool(self.sampling.generated):
            raise ValueError("shares.generated and sampling.generated must be given together")
        if self.batch_size % self.micro_batches:
            raise ValueError("batch_size must be a multiple of micro_batches")
        return self

    @model_validator(mode="after")
    def _fits_the_architecture(self) -> Self:
        looks = find_architecture(self.architecture)
        if self.largest and not looks.largest:
            raise ValueError("largest is for an architecture at own pixels, such as own-pixels")
        if self.largest and self.largest < looks.size:
            raise ValueError(
                f"largest must reach the smallest crop of {self.architecture}, {looks.size} px"
            )
        return self

    @property
    def losses(self) -> tuple[str, ...]:
        """The names of the heads, each of which has a loss."""
        regions = (MANIPULATED_REGIONS,) if self.regions else ()
        generated = (GENERATED_HEAD,) if self.shares.generated else ()
        return (*self.ranked, *self.classes, *self.families, *regions, *generated)

    def as_yaml(self) -> str:
        """The resolved settings, as a config file."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


def read_config(config: str | Path | None, settings: Iterable[str] = ()) -> TrainConfig:
    """Resolve a config file and `key=value` settings, which win over it.

    The config is a YAML file, or the name of one in `CONFIGS`; None = the defaults. Values of
    settings, such as "epochs=5" or "augmentation.jpeg=0.5", are read as YAML. An unknown key, a
    wrong value or a missing file is a ConfigError.

    Example:
        >>> read_config("published", ["epochs=5", "augmentation.jpeg=0.5"]).augmentation.jpeg
        0.5
    """
    path = None if config is None else _file(config)
    values: dict[str, Any] = {}
    try:
        if path is not None:
            values = yaml.safe_load(path.read_text("utf-8")) or {}
            if not isinstance(values, dict):
                raise ConfigError(f"{path} must hold `key: value` lines")
        for setting in settings:
            _set(values, setting)
        return TrainConfig(**values)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {error}") from None
    except ValidationError as error:
        raise ConfigError("; ".join(map(_said, error.errors()))) from None


def _said(problem: ErrorDetails) -> str:
    """What is wrong with a setting, or with several together, in one line."""
    said = problem["msg"].removeprefix("Value error, ")
    if problem["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        said = f"unknown key; known are {', '.join(TrainConfig.model_fields)}"
    elif problem["loc"]:
        said = f"{said}, got {problem['input']!r}"[:200]
    return f"{'.'.join(map(str, problem['loc'])) or 'settings'}: {said}"


def _file(config: str | Path) -> Path:
    """The file that a path or a name stands for; a file of that name comes first."""
    path = Path(config)
    path = path if path.is_file() else CONFIGS.get(str(config), path)
    if not path.exists():
        raise ConfigError(
            f"{config} is no file of settings, and no name of one that comes with exiface: "
            f"{', '.join(CONFIGS)}"
        )
    return path


def _set(values: dict[str, Any], setting: str) -> None:
    key, separator, text = setting.partition("=")
    if not separator:
        raise ConfigError(f"{setting!r} must be key=value")
    *parents, last = key.strip().split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise ConfigError(f"{key!r}: {parent!r} holds no further keys")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{setting!r}: the value is not YAML: {error}") from None
    values[last] = value
