"""Tables of the page on papers: BLADES' outer step, SDAIE's encoder."""

from quoted import auc, interval, rows, share, table


def bilevel() -> str:
    """One line a network and way: time and memory of a step."""
    found: dict[str, dict[str, str]] = {}
    for row in rows("bilevel"):
        found.setdefault(row["what"], {})[row["unit"]] = row["value"]
    lines = [
        [what, *(f"{of_way[unit]} x" for unit in ("times a plain step", "times its memory"))]
        for what, of_way in found.items()
    ]
    return table("network, derivative | time | memory", lines, numbers=2)


def learnt_weights() -> str:
    """One line a network and way to weigh its losses."""
    lines = [
        [
            *(row["network"], row["weights"]),
            *(f"{auc(row, key)} ± {auc(row, f'{key} spread')}" for key in ("auc", "native auc")),
            share(row, "flagged"),
        ]
        for row in rows("learnt-weights")
    ]
    return table("network | weights | AUC | native: AUC | flagged", lines, numbers=3)


def learnt_values() -> str:
    """One line a loss: where its weight went from 1."""
    lines = [
        [
            *(row["network"], row["loss"].replace("_", " ")),
            interval(row, ("weight", "lowest", "highest"), ".2f"),
        ]
        for row in rows("learnt-weights-values")
    ]
    return table("network | loss | weight at the end (over three seeds)", lines, numbers=1)


def sdaie_tags() -> str:
    """One line a tag: how well the encoder ranks it on groups never seen."""
    lines = [
        [
            row["what"].removeprefix("Spearman, ").replace("_", " "),
            f"{row['images']}, {row['groups']}",
            interval(row, ("spearman", "low", "high"), ".2f"),
        ]
        for row in rows("sdaie")
        if row["spearman"]
    ]
    head = "tag | photographs, groups | Spearman (95 % interval)"
    return table(head, lines, numbers=1)


def sdaie_found() -> str:
    """One line a set: what five Gaussians over the encoder find."""
    lines = [
        [row["what"].removeprefix("one-class, "), row["images"], auc(row)]
        for row in rows("sdaie")
        if row["auc"]
    ]
    return table("generated | images | AUC", lines, numbers=2)
