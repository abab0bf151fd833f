"""Tensors of a TorchScript archive, such as CLIP's RN50.pt, without running anything from it.

torch itself would compile the archive's code. Here its pickle is read by an unpickler that knows
tensors, numbers and lists; modules become plain dictionaries of what they hold.
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_DTYPES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "DoubleStorage": torch.float64,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "BoolStorage": torch.bool,
    "ByteStorage": torch.uint8,
}


def is_archive(path: Path) -> bool:
    """Whether a file is a TorchScript archive."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def read_archive(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a TorchScript archive, by the names that `state_dict` gives them.

    What holds anything but tensors, numbers and lists is a pickle.UnpicklingError; what is damaged
    an OSError or ValueError.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            [name] = [each for each in archive.namelist() if each.endswith("/data.pkl")]
            root = _Unpickler(archive, name.removesuffix("data.pkl")).load()
    except (zipfile.BadZipFile, KeyError, IndexError, AttributeError, TypeError) as error:
        raise ValueError(str(error)) from None
    return dict(_tensors(root, ""))


class _Module:
    """A module of the archive, of which only what it holds is kept."""

    held: dict[str, Any]

    def __setstate__(self, state: object) -> None:
        self.held = state if isinstance(state, dict) else {}


class _Unpickler(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(io.BytesIO(archive.read(folder + "data.pkl")))
        self._archive = archive
        self._folder = folder

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if module == "__torch__" or module.startswith("__torch__."):
            return _Module
        known: dict[tuple[str, str], Callable[..., Any]] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
            ("torch.jit._pickle", "restore_type_tag"): lambda value, _: value,
        }
        if module == "torch.jit._pickle" and name.startswith("build_"):
            return list
        try:
            return known[module, name]
        except KeyError:
            # The words of torch's own unpickler, which `read_tensors` looks for.
            raise pickle.UnpicklingError(f"Unsupported GLOBAL {module}.{name}") from None

    def persistent_load(self, which: Any) -> Tensor:
        _, dtype, key, *_ = which
        content = bytearray(self._archive.read(f"{self._folder}data/{key}"))
        return torch.frombuffer(content, dtype=dtype) if content else torch.empty(0, dtype=dtype)


def _rebuild(
    storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> Tensor:
    return storage.as_strided(size, stride, offset).clone()


def _tensors(value: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, _Module):
        for key, held in value.held.items():
            yield from _tensors(held, f"{name}.{key}" if name else str(key))
