"""Page: `report.html`, one file with all cells and figures that needs no network."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.report.figure_files import read_caption
from experiments.report.tables import setting_labels
from lvm.files.atomic import write_atomically

COLUMNS = [
    "study", "setting", "label", "law", "modality", "probe", "target", "metric",
    "environment", "mean", "sd", "low", "high", "seeds", "attainable", "error", "paper",
]  # fmt: skip


def save_page(
    path: Path,
    cells: pd.DataFrame,
    *,
    about: str,
    notes: Sequence[str],
    distance: str,
    figures: Mapping[str, Path],
) -> None:
    """Writes the page: interactive heat maps of the cells, notes, the distance table, figures."""
    cells = cells.assign(label=setting_labels(cells), error=cells["mean"] - cells.attainable)
    cells = cells.reindex(columns=COLUMNS)
    rows = cells.round(5).astype(object).replace({np.nan: None, np.inf: None, -np.inf: None})
    data = {
        "about": about,
        "notes": list(notes),
        "distance": distance,
        "columns": COLUMNS,
        "rows": rows.to_numpy().tolist(),
        "paper": bool(cells.paper.notna().any()),
        "figures": [
            {"title": title, "image": _inline(path), "caption": read_caption(path)}
            for title, path in figures.items()
        ],
    }
    template = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    write_atomically(path, template.replace("DATA</script>", text + "</script>"))


def _inline(image: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(image.read_bytes()).decode()
