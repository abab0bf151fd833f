"""The site: pages by kind of reader, a reference made from the code, executed examples.

make docs      writes build/docs/index.html
"""

import json
import re
import sys
from datetime import date
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import SphinxError

sys.path.insert(0, str(Path(__file__).parents[1]))

import exiface
from docs.makers import reference

HERE = Path(__file__).parent

project = "exiface"
copyright = f"{date.today():%Y}, the developers of exiface"  # noqa: A001 - Sphinx's name
version = release = exiface.__version__

# Parts of pages, scripts of examples, and what an earlier version left behind.
exclude_patterns = ["made/*.md", "gallery", "makers", "api"]
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
]

smartquotes_action = "qe"  # two hyphens begin an option, and are no dash
default_role = "code"  # docstrings write code as `code`
myst_heading_anchors = 3

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "examples",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "min_reported_time": 1_000,
    "write_computation_times": False,
}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # else dataclasses list every attribute twice
napoleon_attr_annotations = False

html_theme = "furo"
html_title = f"exiface {version}"
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["scroll.js"]

# Files that lie outside this folder, and the pages that include them.
OUTSIDE = {"README": "start", "CONTRIBUTING": "contributing", "CHANGELOG": "changes"}


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


def make_pages(_: Sphinx) -> None:
    """Write what is made from the code, before pages are read."""
    reference.write(HERE / "made")


# What people search for, and the page that they shall find first: the only one with such an entry
# in the index, which counts more than words and names.
FIRST_HITS = {"calibrate": "calibrate", "drift": "calibrate"}


def check_search(app: Sphinx, failed: Exception | None) -> None:
    """Stop where a word that people search for leads elsewhere first."""
    path = Path(app.outdir) / "searchindex.js"
    if failed is not None or not path.exists():
        return
    index = json.loads(path.read_text("utf-8").removeprefix("Search.setIndex(").removesuffix(")"))
    for word, page in FIRST_HITS.items():
        entries = index["indexentries"].get(word, [])
        found = {index["docnames"][place] for place, _, main in entries if main}
        if found != {page}:
            raise SphinxError(f"a search for {word!r} must find {page} first, not {found or None}")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("builder-inited", make_pages)
    app.connect("build-finished", check_search)
    app.connect("source-read", on_read)
    app.connect("include-read", on_read)
