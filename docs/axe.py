"""Read each page of the built site with axe-core, as on a screen by day and on a phone by night.

    python -m docs.axe build/docs

Needs chromium and axe-core, which `make test` brings where they can be had.
"""

import os
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from playwright.sync_api import Page

from docs.chromium import chromium

_BROUGHT = ".venv/axe/node_modules/axe-core/axe.min.js"
AXE = Path(__file__).parents[1] / os.environ.get("EXIFACE_AXE", _BROUGHT)
SEEN = ((1280, "light"), (390, "dark"))
VIOLATIONS = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const found = await axe.run({runOnly: tags, resultTypes: ["violations"]});
  return found.violations.flatMap(each => each.nodes.map(
    node => `${each.id}: ${each.help}: ${node.html.slice(0, 160)}`));
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def read(page: Page) -> list[str]:
    """What breaks WCAG 2 A or AA on an open page, a line each."""
    # As a console has it: the policy of a page holds for its own scripts.
    page.evaluate(AXE.read_text("utf-8"))
    return list(page.evaluate(VIOLATIONS))


def main(site: Path) -> int:
    """Read all pages but those of source code, which are all alike: of these the first."""
    names = [str(path.relative_to(site)) for path in sorted(site.rglob("*.html"))]
    source = [name for name in names if name.startswith("_modules/")]
    pages = [name for name in names if name not in source[1:]]
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    Thread(target=server.serve_forever, daemon=True).start()
    found = 0
    with chromium() as browser:
        for width, scheme in SEEN:
            page = browser.new_page(
                viewport={"width": width, "height": 900},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            for name in pages:
                page.goto(f"http://127.0.0.1:{server.server_port}/{name}")
                for line in read(page):
                    print(f"{name} ({width} px, {scheme}): {line}", flush=True)
                    found += 1
    print(f"{len(pages)} pages of the site, {found} violations of WCAG 2 A or AA")
    return min(found, 1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
