"""The tables and the notice of the detector of whole images, of results/whole-image.csv."""

from quoted import Row, auc, rows, share, table

WAYS = ("as they are", "saved again", "shrunk")


def whole_rows() -> dict[str, dict[str, Row]]:
    """set -> way -> row; of photographs, which every turn has, the turn that flags most."""
    found: dict[str, dict[str, Row]] = {}
    for row in rows("whole-image"):
        of_set = found.setdefault(row["set"], {})
        known = of_set.get(row["way"])
        if known is None or float(row["ai-generated"]) > float(known["ai-generated"]):
            of_set[row["way"]] = row
    return found


def whole_image_notice() -> str:
    """One sentence: what is found of generators never seen, what is flagged of photographs."""
    found = whole_rows()
    scenes = [ways for name, ways in found.items() if name.endswith("_scenes")]
    mean = {
        way: sum(float(ways[way]["ai-generated"]) for ways in scenes) / len(scenes) for way in WAYS
    }
    worst = max(
        float(row["ai-generated"])
        for name, ways in found.items()
        if name.startswith("photographs: ") and "bench" not in name
        for row in ways.values()
        if int(row["images"]) >= 30
    )
    return (
        "The detector of whole images looks for traces at the level of pixels. Of images by "
        f"generators that it has never seen it finds {mean['as they are']:.0%} "
        f"({mean['shrunk']:.0%} where they were shrunk), and it flags at most {worst:.0%} of the "
        "photographs of a source. An image that is not flagged may still be generated."
    )


def whole_generators() -> str:
    lines = [
        [
            name.removesuffix("_scenes").replace("_native", ", faces"),
            ways["as they are"]["images"],
            *(each for way in WAYS for each in (auc(ways[way]), share(ways[way], "ai-generated"))),
        ]
        for name, ways in whole_rows().items()
        if ways["as they are"]["auc"] and not name.startswith("bench")
    ]
    scenes = [ways for name, ways in whole_rows().items() if name.endswith("_scenes")]
    means = []
    for way in WAYS:
        means.append(f"{sum(float(ways[way]['auc']) for ways in scenes) / len(scenes):.2f}")
        flagged = sum(float(ways[way]["ai-generated"]) for ways in scenes) / len(scenes)
        means.append(f"{flagged:.1%}")
    lines.append(["mean of the six of scenes", "", *means])
    head = (
        "never seen | images | AUC | flagged | saved again: AUC | flagged | shrunk: AUC | flagged"
    )
    return table(head, lines, numbers=7)


def whole_photographs() -> str:
    lines = [
        [
            name.removeprefix("photographs: "),
            ways["as they are"]["images"],
            *(share(ways[way], "ai-generated") for way in WAYS),
        ]
        for name, ways in whole_rows().items()
        if name.startswith("photographs: ")
    ]
    return table("photographs of | images | as they are | saved again | shrunk", lines, numbers=4)


def whole_faces() -> str:
    lines = [
        [
            name.removeprefix("bench_dev_native: "),
            *(each for way in WAYS for each in (auc(ways[way]), share(ways[way], "ai-generated"))),
        ]
        for name, ways in whole_rows().items()
        if name.startswith("bench_dev_native: ")
    ]
    head = "crops of faces | AUC | flagged | saved: AUC | flagged | shrunk: AUC | flagged"
    return table(head, lines, numbers=6)
