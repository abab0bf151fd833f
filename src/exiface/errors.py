"""The error that people are shown without a traceback, and how they get what is missing."""

# Which extra brings a module that the base installation does without.
EXTRAS = {
    "scipy": "fit",
    "sklearn": "fit",
    "threadpoolctl": "fit",
    "matplotlib": "evaluate",
    "pyarrow": "bulk",
    "torch": "train",
    "torchvision": "train",
    "tensorboard": "train",
    "onnx": "train",
    "onnxscript": "train",
    "pydantic": "train",
    "yaml": "train",
    "fastapi": "serve",
    "fastapi_swagger": "serve",
    "multipart": "serve",
    "prometheus_client": "serve",
    "pydantic_settings": "serve",
    "uvicorn": "serve",
    "ray": "ray",
    "c2pa": "provenance",
    "openpeople": "demo",
    "skimage": "demo",
}


class UserError(ValueError):
    """Something that the user can mend; the text names it and says the next step."""


def missing(error: ModuleNotFoundError, extra: str | None = None) -> UserError | None:
    """What to say of a package that isn't installed; None of one that no extra brings.

    `extra` is what all of the work at hand needs; None = the first that brings the package.
    """
    module = (error.name or "").split(".")[0]
    if module not in EXTRAS:
        return None
    command = install(extra or EXTRAS[module])
    return UserError(f"this needs {module}, which is not installed: {command}")


def install(extra: str) -> str:
    """The command that installs an extra such as "serve", from where exiface was installed."""
    # Needed where something is missing alone; both would slow every start down.
    import json
    from importlib import metadata

    try:
        # PEP 610: where pip took the package from, if not from an index.
        text = metadata.distribution("exiface").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        text = None
    origin = json.loads(text) if text else {}
    url = origin.get("url", "")
    if origin.get("dir_info", {}).get("editable"):
        return f"pip install -e '{url.removeprefix('file://')}[{extra}]'"
    return f"pip install 'exiface[{extra}]{f' @ {url}' if url else ''}'"
