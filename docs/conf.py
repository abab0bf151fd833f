"""The site: these pages and the API in one navigation, with search (`make docs`)."""

import re
from datetime import date
from pathlib import Path

from sphinx.application import Sphinx

import exiface

PACKAGE = Path(exiface.__file__).parent

project = "exiface"
copyright = f"{date.today():%Y}, the developers of exiface"  # noqa: A001 - Sphinx's name
version = release = exiface.__version__

exclude_patterns = ["api/modules.rst", "api/exiface.rst"]  # the index lists the packages
extensions = [
    "myst_parser",
    "sphinx.ext.apidoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]

default_role = "code"  # docstrings write code as `code`
myst_heading_anchors = 3

apidoc_modules = [
    {
        "path": str(PACKAGE),
        "destination": "api",
        "exclude_patterns": [str(PACKAGE / "apps"), str(PACKAGE / "__main__.py")],
        "max_depth": 2,
        "module_first": True,
    }
]
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
# What packages hand on is documented where it is defined, once.
autodoc_default_options = {"members": True, "ignore-module-all": True}
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # else dataclasses list every attribute twice
napoleon_attr_annotations = False

html_theme = "furo"
html_title = f"exiface {version}"
html_show_sourcelink = False
html_copy_source = False

# Files that lie outside this folder, and the pages that include them.
OUTSIDE = {"README": "index", "CONTRIBUTING": "contributing", "CHANGELOG": "changes"}


def lead_to_pages(text: str) -> str:
    """Let links to files outside this folder lead to the pages that include them."""
    return re.sub(
        rf"\]\((?:\.\./|docs/)?({'|'.join(OUTSIDE)})\.md",
        lambda match: f"]({OUTSIDE[match[1]]}.md",
        text,
    )


def on_read(*read: Sphinx | str | Path | list[str]) -> None:
    """Change the text of a page, or of a file that it includes, in place."""
    texts = read[-1]  # the last of what either event hands over
    texts[0] = lead_to_pages(texts[0])


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", on_read)
    app.connect("include-read", on_read)
