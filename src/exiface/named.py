"""Parts that are named in settings: `package.module:function`."""

from importlib import import_module
from typing import Any

from exiface.errors import UserError


def by_name(name: str) -> Any:
    """Import what a name such as `package.module:function` stands for.

    Raises:
        UserError: no such module, or nothing of that name in it; the text says which.

    Example:
        >>> by_name("pathlib:PurePath").__name__
        'PurePath'
    """
    module, separator, attribute = name.partition(":")
    if not (module and separator and attribute):
        raise UserError(f"{name!r} must be package.module:function")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise UserError(
            f"{name}: {error}; install the package, or put its folder on PYTHONPATH"
        ) from None
    except AttributeError as error:
        raise UserError(f"{name}: {error}") from None
