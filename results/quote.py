"""The tables that README, docs and model cards quote, written from results/*.csv.

    python results/quote.py

fills what stands between `<!-- NAME -->` and `<!-- end -->` in each of `TEXTS`; a test checks that
there is nothing to fill.

    python results/quote.py notice

prints what the default detector says with every verdict; `whole-image` or `photographs-only` in its
place, what that detector says.
"""

import re
import sys
from collections.abc import Callable

from quote_left_out import (
    FLAGGED,
    calibrations,
    collections,
    compared,
    covered,
    families,
    notice,
    overall,
    shrunk_photographs,
    sizes,
    sources,
)
from quote_papers import bilevel, learnt_values, learnt_weights, sdaie_found, sdaie_tags
from quoted import ROOT, auc, interval, rows, share, table

TEXTS = (
    *("README.md", "docs/default-detector.md", "docs/figures.md", "docs/photographs-only.md"),
    *("configs/default-detector.card.md", "configs/photographs-only.card.md"),
    *("docs/whole-images.md", "configs/whole-image.card.md", "docs/reproducing-the-paper.md"),
    *("docs/blades.md", "docs/sdaie.md"),
)
SETS = {
    "D1": "D1: FFHQ, 256 px",
    "D2": "D2: FFHQ, 1024 px",
    "D3": "D3: FFHQ and Unsplash",
    "D4": "D4: Unsplash",
    "R1": "R1: UTKFace",
}


def false_alarms() -> str:
    found = {row["name"]: row for row in rows("photographs-only")}
    lines = [[title, interval(found[name], FLAGGED, ".1%")] for name, title in SETS.items()]
    return table("photographs | called AI-generated (95 % interval)", lines, numbers=0)


def unseen(*, in_all: bool = False) -> str:
    """What photographs-only flags and finds of sources and families that it has never seen."""
    lines = [
        [row[name] for name in ("what", "name", "groups", "pictures")]
        + [auc(row) if row["auc"] else "", interval(row, FLAGGED, ".1%"), share(row, "unsure")]
        for row in rows("photographs-only-unseen")
        if row["name"] == "all" or not in_all
    ]
    head = "what | kind or family | sources or families | faces | AUC | flagged (95 % interval)"
    return table(f"{head} | unsure", lines, numbers=5)


def flagged_unseen(form: str) -> dict[str, str]:
    """What photographs-only flags of all "generated" faces, and of all "photographs"."""
    found = (row for row in rows("photographs-only-unseen") if row["name"] == "all")
    return {row["what"]: interval(row, FLAGGED, form) for row in found}


def photographs_only_notice() -> str:
    """What readers must know of photographs-only."""
    flagged = flagged_unseen(".1%")
    return (
        f"It has never seen a generated face. It finds {flagged['generated']} of "
        "them and misses the others; of photographs from sources that it has never seen, it "
        f"wrongly calls {flagged['photographs']} AI-generated (95 % intervals). "
        "Symmetric, smooth portraits without noise come closest to being flagged wrongly."
    )


def generators(detector: str) -> str:
    native = {row["name"]: row for row in rows(f"{detector}-native")}
    lines = []
    for row in rows(detector):
        if row["auc"]:
            name = "mean" if row["name"].startswith("of ") else row["name"]
            pair = (row, native[row["name"]])
            lines.append([name, *(each for of in pair for each in (auc(of), share(of, "flagged")))])
    head = "against its own photographs | AUC | flagged | native: AUC | native: flagged"
    return table(head, lines, numbers=4)


def speed() -> str:
    lines = [
        [row["what"], f"{row['ours']} {row['unit']}", f"{row['ratio']} x", row["against"]]
        for row in rows("speed")
    ]
    return table("what | exiface | ratio | against", lines, numbers=0).replace(
        "| --- | --- | --- | --- |", "| --- | ---: | ---: | --- |"
    )


def ablation() -> str:
    lines = [
        [row["group"], row["what"]]
        + [f"{auc(row, key)} ± {auc(row, f'{key} spread')}" for key in ("mean", "native mean")]
        + [share(row, "flagged"), share(row, "highest false alarms")]
        for row in rows("photographs-only-ablation")
    ]
    return table("group | what | AUC | native | flagged | false alarms", lines, numbers=4)


def comparison() -> str:
    found = rows("comparison")
    keys = [key for key in found[0] if key.startswith("D")] + ["mean", "native mean"]
    lines = [[row["what"], *(auc(row, key) for key in keys)] for row in found]
    head = "what | D1 | D2, StyleGAN2 | D2, StyleGAN3 | D3 | D4 | mean | native"
    return table(head, lines, numbers=7)


def tags() -> str:
    found = rows("photographs-only-tags")
    lines = []
    for name in dict.fromkeys(row["faces of"] for row in found):
        mine = [row for row in found if row["faces of"] == name]
        lines.append([name, f"{mine[0]['faces']}, {mine[0]['groups']}"])
        lines[-1] += [interval(row, ("spearman", "low", "high"), ".2f") for row in mine]
    head = "faces of | faces, groups | aperture | exposure time | focal length | ISO speed"
    return table(head, lines, numbers=5)


def fairness(detector: str) -> str:
    lines = [
        [row["what"], row["third"], row["photographs"], interval(row, FLAGGED, ".1%")]
        for row in rows(f"{detector}-fairness")
    ]
    head = "what | third | photographs | called AI-generated (95 % interval)"
    return table(head, lines, numbers=2)


TABLES: dict[str, Callable[[], str]] = {
    "left out": overall,
    "found": lambda: overall(of_any_size=False),
    "families": families,
    "sides": lambda: compared("sides", "side", "px", numbers=5),
    "rounds": lambda: compared("rounds", "last round", "the last round", numbers=4),
    "collections": collections,
    "sources": sources,
    "sizes": sizes,
    "shrunk photographs": lambda: shrunk_photographs("whole photographs"),
    "shrunk faces": lambda: shrunk_photographs("photographed faces"),
    "covered": covered,
    "calibrations": calibrations,
    "bilevel": bilevel,
    "learnt weights": learnt_weights,
    "values of learnt weights": learnt_values,
    "tags by SDAIE": sdaie_tags,
    "found by SDAIE": sdaie_found,
    "false alarms": false_alarms,
    "unseen by photographs-only": unseen,
    "unseen in all": lambda: unseen(in_all=True),
    "generators of photographs-only": lambda: generators("photographs-only"),
    "speed": speed,
    "ablation": ablation,
    "comparison": comparison,
    "tags": tags,
    "fairness of photographs-only": lambda: fairness("photographs-only"),
}


def filled(text: str) -> str:
    """A text with its tables as the results have them."""

    def fill(match: re.Match[str]) -> str:
        return f"{match[1]}{TABLES[match[2]]()}{match[3]}"

    names = "|".join(map(re.escape, TABLES))
    return re.sub(rf"(<!-- ({names}) -->\n).*?(<!-- end -->)", fill, text, flags=re.S)


NOTICES: dict[str, Callable[[], str]] = {
    "notice": notice,
    "whole-image": lambda: notice("pictures"),
    "photographs-only": photographs_only_notice,
}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(print(NOTICES[sys.argv[1]]()))
    for name in TEXTS:
        path = ROOT / name
        path.write_text(filled(path.read_text("utf-8")), "utf-8")
