"""Device summary: all tables of an accelerator's parts as one Markdown page."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from experiments.benchmark.accelerator.part_process import PartOutcome

HIDDEN = "part", "variant", "size", "devices", "platform"  # columns that the cases contain
MEMORY = "peak_mib", "measured_mib"


def summary_page(out: Path, outcomes: Sequence[PartOutcome]) -> str:
    """Returns a Markdown page: parts, targets, memory, and then the table of every part."""
    tables = {
        outcome.name: pd.read_csv(out / f"{outcome.name}.csv")
        for outcome in outcomes
        if (out / f"{outcome.name}.csv").exists()
    }
    parts = pd.DataFrame(
        {
            "part": outcome.name,
            "status": outcome.status,
            "seconds": round(outcome.seconds, 1),
            "limit": round(outcome.limit, 1),
            "rows": len(tables.get(outcome.name, ())),
        }
        for outcome in outcomes
    )
    sections = ["# Measurements on an accelerator", markdown_table(parts)]
    for title, table in (("Targets", _targets(tables)), ("Memory in MiB", _memory(tables))):
        if not table.empty:
            sections += [f"## {title}", markdown_table(table)]
    for outcome in outcomes:
        sections.append(f"## {outcome.name}: {outcome.status}")
        if outcome.name in tables:
            table = tables[outcome.name]
            sections.append(markdown_table(table.drop(columns=[*HIDDEN], errors="ignore")))
        if outcome.output:
            sections.append(f"```\n{outcome.output}\n```")
    return "\n\n".join(sections) + "\n"


def markdown_table(table: pd.DataFrame) -> str:
    """Returns a table in Markdown, without empty columns; numbers have four digits."""
    table = table.dropna(axis=1, how="all")
    lines = [list(table), ["---"] * len(table.columns)]
    lines += [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _targets(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    columns = ["part", "case", "value", "target", "verdict"]
    rows = [
        table[table.target.notna()].assign(part=name)
        for name, table in tables.items()
        if "target" in table
    ]
    return pd.concat(rows)[columns] if rows else pd.DataFrame()


def _memory(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The predicted memory of programs beside the measured one."""
    rows = []
    for name, table in tables.items():
        if set(MEMORY) <= set(table):
            both = table[table[[*MEMORY]].notna().all(axis=1)]
            predicted, measured = (both[column] for column in MEMORY)
            columns = {"predicted": predicted, "measured": measured}
            rows.append(
                pd.DataFrame({"part": name, "case": both.case, **columns}).assign(
                    ratio=measured / predicted
                )
            )
    return pd.concat(rows) if rows else pd.DataFrame()


def _cell(value) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.4g}"
    return str(value).replace("|", "\\|").replace("\n", " ")
