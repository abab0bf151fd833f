"""What is quoted of the detectors that know generators: the tables of `make left-out`, notices."""

from quoted import Row, auc, interval, rows, share, table

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


def of_all(subject: str) -> dict[str, Row]:
    """What is said of all pictures, as handed over."""
    found = left_out()
    return {what: found[subject, "as handed over", what, "all"] for what in WHAT}


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
                for what in (
                    *("photographs", "photographs without bench_scenes"),
                    *("further collection", "never seen"),
                )
            ]
            lines.append([size, *cells])
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
    found = large_enough() if subject == "pictures" else of_all(subject)
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
