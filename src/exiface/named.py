"""Parts that are named in settings: `package.module:function`."""

from pkgutil import resolve_name
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
    if not all(name.partition(":")):
        raise UserError(f"{name!r} must be package.module:function")
    try:
        return resolve_name(name)
    except ModuleNotFoundError as error:
        raise UserError(
            f"{name}: {error}; install the package, or put its folder on PYTHONPATH"
        ) from None
    except (AttributeError, ValueError) as error:
        raise UserError(f"{name}: {error}") from None
