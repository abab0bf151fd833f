"""The error that people are shown without a traceback, and how they get what is missing."""


class UserError(ValueError):
    """Something that the user can mend; the text names it and says the next step."""


def install(extra: str) -> str:
    """The command that installs an extra, from where exiface itself was installed.

    Args:
        extra: such as "serve".

    Returns:
        A command for the shell.
    """
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
