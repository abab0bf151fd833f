"""The tables that README, docs and model cards quote, written from results/*.csv.

    python results/quote.py

fills what stands between `<!-- NAME -->` and `<!-- end -->` in each of `TEXTS`; a test checks that
there is nothing to fill.

    python results/quote.py notice

prints what the default detector says with every verdict; `whole-image` in its place, what that of
whole images says.
"""

import re
import sys
from collections.abc import Callable

from quote_images import (
    whole_faces,
    whole_generators,
    whole_image_notice,
    whole_photographs,
)
from quote_papers import bilevel, learnt_values, learnt_weights, sdaie_found, sdaie_tags
from quoted import ROOT, auc, interval, rows, share, table

from exiface.evaluation.audit import FOLLOWED, SUSPICIOUS

TEXTS = (
    *("README.md", "docs/default-detector.md", "docs/figures.md", "docs/photographs-only.md"),
    *("configs/default-detector.card.md", "configs/photographs-only.card.md"),
    *("docs/whole-images.md", "configs/whole-image.card.md", "docs/reproducing-the-paper.md"),
)
SWEEP = ("original", "JPEG 75", "resize 0.5", "messenger", "screenshot")
SETS = {
    "D1": "D1: FFHQ, 256 px",
    "D2": "D2: FFHQ, 1024 px",
    "D3": "D3: FFHQ and Unsplash",
    "D4": "D4: Unsplash",
    "R1": "R1: UTKFace",
}
FEW = 40  # photographs of a source that say something of it
FLAGGED = ("flagged", "flagged_low", "flagged_high")


def families() -> str:
    by_size = {size: {} for size in ("same", "native")}
    for row in rows("leave-one-out"):
        name = "mean of six" if row["family"].startswith("mean") else row["family"]
        by_size[row["size"]][name] = row
    lines = []
    for name, row in by_size["same"].items():
        native = by_size["native"].get(name) or {"auc": "", "flagged": ""}
        lines.append(
            [
                *(name, row["faces"], auc(row), share(row, "flagged")),
                *(auc(native), share(native, "flagged")),
            ]
        )
    head = "never seen | faces | AUC | flagged | native: AUC | native: flagged"
    return table(head, lines, numbers=5)


def sources() -> str:
    lines = [
        [
            row["source"].replace("_native", ", native"),
            "no" if row["others of it fitted"] == "no" else "yes",
            row["photographs"],
            row["turns"],
            share(row, "flagged"),
            interval(row, ("worst", "worst_low", "worst_high"), ".1%"),
        ]
        for row in rows("leave-one-out-photographs")
    ]
    head = "photographs | others of it known | photographs | turns | flagged | in the worst turn"
    return table(head, lines, numbers=4)


def notice() -> str:
    """One sentence: what is found of families never seen, what is flagged of photographs."""
    found = {
        row["size"]: float(row["flagged"])
        for row in rows("leave-one-out")
        if row["family"].startswith("mean")
    }
    flagged = [
        float(row["flagged"])
        for row in rows("leave-one-out-photographs")
        if row["others of it fitted"] == "no" and int(row["photographs"]) >= FEW
    ]
    return (
        f"Of generated faces from families that it has never seen it finds {found['same']:.0%} "
        f"({found['native']:.0%} where pixels were never resized), and of photographs from sources "
        f"that it has never seen it flags {sum(flagged) / len(flagged):.0%}, at worst "
        f"{max(flagged):.0%}. A face that is not flagged may still be generated."
    )


def sweep() -> str:
    found = {
        row["condition"]: row for row in rows("default-detector-sweep") if row["kind"] == "mean"
    }
    lines = [
        [name, auc(found[name]), share(found[name], "recall"), share(found[name], "false_alarms")]
        for name in SWEEP
    ]
    return table("after | AUC | generated found | false alarms", lines, numbers=3)


def audit() -> str:
    lines = [
        [row["trait"], f"{row['fake']} from its photographs", auc(row, "separation")]
        for row in rows("default-detector-audit")
        if float(row["separation"]) >= SUSPICIOUS
    ]
    lines.sort(key=lambda line: -float(line[2]))
    return table("this alone | separates | by", lines, numbers=1)


def reliance() -> str:
    traits = ("sharpness", "pixels", "bytes per pixel", "brightness", "saturation")
    names = list(dict.fromkeys(row["name"] for row in rows("default-detector-reliance")))
    lines = []
    for trait in traits:
        of_trait = {
            row["name"]: float(row["correlation"])
            for row in rows("default-detector-reliance")
            if row["trait"] == trait
        }
        marks = [
            "" if name not in of_trait
            else f"**{of_trait[name]:+.2f}**" if abs(of_trait[name]) > FOLLOWED
            else f"{of_trait[name]:+.2f}"
            for name in names
        ]  # fmt: skip
        lines.append([trait, *marks])
    return table(" | ".join(["scores of photographs and", *names]), lines, numbers=len(names))


def shares() -> str:
    lines = [
        [
            *(row["what"], auc(row, "mean"), auc(row, "left out"), share(row, "flagged")),
            *(auc(row, "native mean"), share(row, "highest false alarms")),
        ]
        for row in rows("shares")
    ]
    head = "training | AUC | of the two left out | flagged | native: AUC | most false alarms"
    return table(head, lines, numbers=5)


def false_alarms() -> str:
    found = {row["name"]: row for row in rows("photographs-only")}
    lines = [[title, interval(found[name], FLAGGED, ".1%")] for name, title in SETS.items()]
    return table("photographs | called AI-generated (95 % interval)", lines, numbers=0)


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
    "families": families,
    "sources": sources,
    "whole images": whole_generators,
    "photographs as whole images": whole_photographs,
    "faces as whole images": whole_faces,
    "bilevel": bilevel,
    "learnt weights": learnt_weights,
    "values of learnt weights": learnt_values,
    "tags by SDAIE": sdaie_tags,
    "found by SDAIE": sdaie_found,
    "sweep": sweep,
    "audit": audit,
    "reliance": reliance,
    "shares": shares,
    "false alarms": false_alarms,
    "generators of default-detector": lambda: generators("default-detector"),
    "generators of photographs-only": lambda: generators("photographs-only"),
    "speed": speed,
    "ablation": ablation,
    "comparison": comparison,
    "tags": tags,
    "fairness of default-detector": lambda: fairness("default-detector"),
    "fairness of photographs-only": lambda: fairness("photographs-only"),
}


def filled(text: str) -> str:
    """A text with its tables as the results have them."""

    def fill(match: re.Match[str]) -> str:
        return f"{match[1]}{TABLES[match[2]]()}{match[3]}"

    names = "|".join(map(re.escape, TABLES))
    return re.sub(rf"(<!-- ({names}) -->\n).*?(<!-- end -->)", fill, text, flags=re.S)


if __name__ == "__main__":
    if sys.argv[1:] == ["notice"]:
        sys.exit(print(notice()))
    if sys.argv[1:] == ["whole-image"]:
        sys.exit(print(whole_image_notice()))
    for name in TEXTS:
        path = ROOT / name
        path.write_text(filled(path.read_text("utf-8")), "utf-8")
