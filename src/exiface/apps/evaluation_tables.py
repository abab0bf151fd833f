"""The tables of `exiface evaluate` on a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from exiface.evaluation.evidence_metrics import EvidenceRow
from exiface.evaluation.report import Report, representative
from exiface.evaluation.tables import SweepRow

_WIDE = 100  # characters


def print_report(report: Report) -> None:
    """Print the main table, then whatever else was measured, then what casts doubt on it."""
    console = Console()
    if report.published:
        _print_published(report, console)
    _print_table(report, console)
    if report.evidence:
        _print_evidence(report.evidence, console)
    if report.sweep:
        _print_sweep(report.sweep, console)
    _print_comparisons(report, console)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _table(title: str, columns: list[str]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(title, overflow="fold", min_width=14)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _print_table(report: Report, console: Console) -> None:
    real = _table("photographs", ["images", "no face", "flagged", "95 % interval", "unsure"])
    # Average precision, which a narrow terminal has no room for, is in the CSV and the report too.
    wide = console.width >= _WIDE
    columns = ["images", "AUC", "95 % interval", "at 5 %", "at 1 %", "flagged"]
    columns += ["AP gen", "AP photo"] if wide else []
    fake = _table("generated", columns)
    for row in report.rows:
        if row.kind == "real":
            low, high = _share(row.flagged_low), _share(row.flagged_high)
            interval = "" if row.flagged is None else f"{low} to {high}"
            counts = (str(row.images), str(row.no_verdict))
            real.add_row(row.name, *counts, _share(row.flagged), interval, _share(row.unsure))
            continue
        auc, *precisions = (
            "" if value is None else f"{value:.3f}"
            for value in (row.auc, row.ap_generated, row.ap_photographic)
        )
        interval = "" if row.auc_low is None else f"{row.auc_low:.2f} to {row.auc_high:.2f}"
        fake.add_row(
            f"mean {row.name}" if row.kind == "mean" else row.name,
            *(str(row.images), auc, interval),
            *(_share(value) for value in (row.recall_at_5, row.recall_at_1, row.flagged)),
            *(precisions if wide else ()),
            style="bold" if row.kind == "mean" else "",
        )
    if report.alarms:
        console.print(f"False alarms: promised at most {report.promised:.0%}, measured:\n")
    console.print(real)
    if fake.row_count:
        console.print("\nGenerated faces (at 5 %, at 1 %: recall at that many false alarms):\n")
        console.print(fake)


def _print_evidence(rows: list[EvidenceRow], console: Console) -> None:
    table = _table("set", ["images", "Cllr", "Cllr_min", "mean odds", "misleading"])
    for row in rows:
        figures = ("" if value is None else f"{value:.2f}" for value in (row.cllr, row.cllr_min))
        name = f"{row.kind}: {row.name}"
        table.add_row(
            name, str(row.images), *figures, f"{row.mean_odds:.2f}", _share(row.misleading)
        )
    console.print(
        "\nLikelihood ratios as evidence (Cllr in bits: 1 says nothing, 0 is perfect; mean odds: 1 "
        "where calibrated, above it misleading):\n"
    )
    console.print(table)


def _print_published(report: Report, console: Console) -> None:
    columns = ["images", "accuracy", "published", "AUC", "published"]
    table = _table("generator", [*columns, "AP photographs", "AP generated"])
    for row in report.published:
        figures = (
            *(row.accuracy, row.published_accuracy, row.auc, row.published_auc),
            *(row.ap_photographic, row.ap_generated),
        )
        table.add_row(
            row.generator,
            str(row.images),
            *(_share(figure) for figure in figures),
            style="bold" if row.generator == "mean" else "",
        )
    console.print("The published protocol (threshold from the fit set itself):\n")
    console.print(table)
    for remark in report.remarks:
        console.print(f"[dim]{escape(remark)}[/]")
    console.print("\n[bold]The honest protocol[/] (p-values from photographs left out):\n")


def _print_sweep(rows: list[SweepRow], console: Console) -> None:
    compared = representative(rows)
    title = "mean over the sets"
    if not compared:
        title = "photographs only"
    elif compared[0].kind != "mean":
        title = compared[0].name
    table = _table("altered alike", ["AUC", "AUC lost", "generated found", "false alarms"])
    for row in compared or rows:
        figures = ["", ""]
        if row.auc is not None and row.auc_lost is not None:
            figures = [f"{row.auc:.3f}", f"{round(row.auc_lost, 3) + 0.0:+.3f}"]
        name = row.condition if compared else f"{row.condition}: {row.name}"
        table.add_row(name, *figures, _share(row.recall), _share(row.false_alarms))
    console.print(f"\nRobustness ({escape(title)}):\n")
    console.print(table)


def _print_comparisons(report: Report, console: Console) -> None:
    if report.against:
        table = _table("set", ["images", "AUC", "other", "difference", "95 % interval", "p"])
        for row in report.against:
            table.add_row(
                row.name,
                *(str(row.images), f"{row.auc:.3f}", f"{row.auc_other:.3f}"),
                *(f"{row.difference:+.3f}", f"{row.low:+.3f} to {row.high:+.3f}"),
                f"{row.p_value:.2g}",
            )
        console.print(f"\nAgainst {escape(report.other)}, same images (DeLong):\n")
        console.print(table)
    if report.leaks:
        console.print("\nWarning: the form of the files alone tells these sets apart:")
    for leak in report.leaks:
        console.print(
            f"[bold red]{escape(leak.fake)}: {leak.trait} alone reaches {leak.separation:.2f} "
            f"against {escape(leak.against)}[/] ({escape(leak.detail)})"
        )
