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

from quote_papers import bilevel, learnt_values, learnt_weights, sdaie_found, sdaie_tags
from quoted import ROOT, Row, auc, interval, rows, share, table

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
FLAGGED = ("flagged", "flagged_low", "flagged_high")


WHAT = {
    "further collection": "generators that it knows, other collections",
    "never seen": "generators of kinds never seen",
    "photographs": "photographs of sources never seen",
}
# The rows of the first table, in its order.
TITLES = {
    "further collection": WHAT["further collection"],
    "never seen": WHAT["never seen"],
    "never seen, sample sheets": "the same, from one maker's sample sheets",
    "photographs": WHAT["photographs"],
}
SUBJECTS = ("faces", "faces, own pixels", "pictures")
# Whole pictures of any size are judged by one window each, and by their score alone.
OF_ANY_SIZE = "pictures of any size"


def left_out() -> dict[tuple[str, str, str, str], Row]:
    """(subject, chain, what, name) -> row."""
    return {
        (row["subject"], row["chain"], row["what"], row["name"]): row for row in rows("left-out")
    }


def overall(*, of_any_size: bool = True) -> str:
    """What is found and flagged, with whole pictures of any size beside those that are judged."""
    found = left_out()
    lines = []
    for subject in SUBJECTS if of_any_size else SUBJECTS[:-1]:
        for what, title in TITLES.items():
            row = found[subject, "as handed over", what, "all"]
            sent = found[subject, "messenger", what, "all"]
            pictures = f"{row['pictures']} of {row['groups']}"
            judged, unsure = subject, share(row, "unsure")
            if subject == "pictures":  # what is said of them stands in rows of its own
                judged, unsure = OF_ANY_SIZE, ""
            said = (interval(row, FLAGGED, ".0%"), unsure, share(sent, "flagged"))
            lines.append([judged, title, pictures, auc(row), *said])
    for what, row in large_enough().items():
        judged, pictures = "pictures as judged", f"{row['pictures']} of {row['groups']}"
        said = (interval(row, FLAGGED, ".0%"), share(row, "unsure"), "")
        lines.append([judged, WHAT[what], pictures, "", *said])
    head = "judged | what | pictures | AUC | flagged (95 % interval) | unsure | after a messenger"
    return table(head, lines, numbers=5)


def large_enough() -> dict[str, Row]:
    """What is said of whole pictures that are large enough to be judged."""
    found = {
        row["what"]: row
        for row in rows("small-pictures")
        if row["shorter side"] == "all that are judged"
    }
    return {what: found[what] for what in WHAT}


def by_name(what: str, title: str, columns: tuple[str, ...]) -> str:
    """Families of generators, or kinds of photographs, each a line."""
    found = left_out()
    names = sorted({name for _, _, of, name in found if of == what} - {"all"})
    lines = []
    for name in names:
        cells = []
        for subject in SUBJECTS:
            row = found.get((subject, "as handed over", what, name))
            cells += [row["pictures"] if row else ""] if "pictures" in columns else []
            cells += [auc(row) if row else ""] if "AUC" in columns else []
            cells += [share(row, "flagged") if row else ""]
        lines.append([name, *cells])
    heads = [f"{subject}: {column}" for subject in SUBJECTS for column in columns]
    return table(" | ".join([title, *heads]), lines, numbers=len(heads))


def families() -> str:
    return by_name("never seen", "never seen", ("AUC", "flagged"))


def collections() -> str:
    return by_name("further collection", "known, another collection", ("AUC", "flagged"))


def sources() -> str:
    return by_name("photographs", "photographs", ("pictures", "flagged"))


def sizes() -> str:
    """What is flagged of whole pictures of several sizes, and of all that are judged."""
    found: dict[str, dict[str, Row]] = {}
    for row in rows("small-pictures"):
        found.setdefault(row["shorter side"], {})[row["what"]] = row
    lines = []
    for size, of_what in found.items():
        if "photographs" in of_what:
            cells = [
                f"{share(of_what[what], 'flagged')} of {of_what[what]['pictures']}"
                for what in ("photographs", "photographs without bench_scenes", *WHAT)
            ]
            lines.append([size, *cells[:-1]])
    head = "shorter side, px | photographs: flagged | without bench_scenes"
    return table(f"{head} | known: flagged | never seen: flagged", lines, numbers=4)


def shrunk_photographs(what: str) -> str:
    """What is flagged of whole photographs, or photographed faces, that were shrunk to a side."""
    lines = [
        [row["shorter side"], interval(row, FLAGGED, ".0%")]
        for row in rows("small-pictures")
        if row["what"] == what
    ]
    return table("shrunk to a shorter side of, px | flagged (95 % interval)", lines, numbers=1)


def covered() -> str:
    keys = ("unsure", "unsure_low", "unsure_high")
    lines = []
    for row in rows("left-out-covered"):
        pictures = f"{row['pictures']} of {row['groups']}"
        lines.append([row["subject"], row["what"], pictures, interval(row, keys, ".1%")])
    head = "judged | what | pictures | unsure for their quality (95 % interval)"
    return table(head, lines, numbers=2)


def calibrations() -> str:
    shown = ("photographs flagged", "mean of sources", "sources above 10%", "never seen found")
    lines = [
        [row["subject"], row["calibration"], f"{float(row['promised']):.0%}"]
        + [share(row, key) for key in shown]
        for row in rows("left-out-calibrations")
    ]
    head = "judged | p-value | promised | photographs flagged | mean of sources"
    return table(f"{head} | sources above 10 % | found", lines, numbers=5)


def compared(name: str, by: str, title: str, *, numbers: int) -> str:
    """What is found and flagged of each turn, by one thing that was tried; a line a subject."""
    lines = [
        [
            row["turn"],
            row["subject"],
            row[by],
            auc(row, "never seen: AUC"),
            *(share(row, f"{what}: flagged") for what in WHAT),
        ]
        for row in rows(name)
    ]
    head = f"turn | judged | {title} | AUC, never seen | known: flagged | never seen: flagged"
    return table(f"{head} | photographs", lines, numbers=numbers)


def notice(subject: str = "faces") -> str:
    """What is found of known and of new generators, and what is flagged of photographs."""
    every = left_out()
    found = {what: every[subject, "as handed over", what, "all"] for what in WHAT}
    if subject == "pictures":
        found = large_enough()
    known, never, real = (interval(row, FLAGGED, ".0%") for row in found.values())
    photographs = found["photographs"]
    unsure = share(photographs, "unsure")
    if subject == "faces":
        of = "Of photographs from further sources they"
        says = f"called {real} AI-generated, wrongly, were unsure of {unsure}, and called "
        says += f"{share(photographs, 'photographic')} photographic"
        what = subject
    else:
        of = "Of photographs that it has not seen, each judged by other sources than its own, it"
        says = f"called {real} AI-generated, wrongly, and was unsure of {unsure}"
        what = "pictures of 768 px and more"
    return (
        f"How well {what} are judged (95 % intervals): networks trained in the same way were shown "
        f"{subject} that they hadn't seen. Of generated ones they found {known} where they knew "
        f"the generator, and {never} where they didn't. {of} {says}. What is not flagged may still "
        "be generated."
    )


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
