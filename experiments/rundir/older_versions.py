"""Older versions: run directories of formats 1 and 2, read as if this version had written them.

Format 2 renamed some fields and misalignments, and made the kind of misalignment and the law of the
exogenous noise columns; in format 1 both were parts of names. Format 3 added the column
`attainable_by`, before which every attainable score was that of the probe, and the columns
HYPERPARAMETERS, before which all lanes had those of the recipe, and `world_seed`, before which the
seed of a lane was that of its world.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.rundir.lane_identity import HYPERPARAMETERS, PAPER_MISALIGNMENT, steps_of
from experiments.runtime.text_lines import complete_lines
from lvm.files.atomic import write_atomically

FIELDS = {"own_steps": "steps_by_setting", "least_encoding_size": "min_encoding_size"}
WORLD_FIELDS = {"may_agree": "may_equal_truth"}
NEW_RECIPE_FIELDS = {
    "image_encoder": "mlp",  # of latents; recipes for images always had the field
    "text_encoder": "mlp",
    "alignment_weight": 1.0,
    "uniformity_weight": 1.0,
    "estimate_size": False,
    "shared_correlation": 0.95,
    "weight_decay": 0.0,
}
KINDS = {
    "omitted": "mcar",
    "omitted_marked": "mcar_indicator",
    "omitted_by_another": "mar",
    "omitted_by_another_marked": "mar_indicator",
    "omitted_by_itself": "mnar",
    "omitted_by_itself_marked": "mnar_indicator",
    **{kind: kind for kind in ("strength", "shuffled", "propagating", "propagating_in_text")},
}
RECALLS = ("recall_at_1", "recall_at_5", "recall_at_10")
PAIR_METRICS = (*RECALLS, "gallery_size", "modality_gap", "alignment", "uniformity")
ADDED_METRICS = ("r2_beyond", "partial_r2", "count", *PAIR_METRICS)  # that some versions lack
NOISE_LAWS = ("uniform", "laplace", "heavy_tailed")  # suffixes of `dependence`


def upgrade_run(content: dict[str, Any]) -> dict[str, Any]:
    """Returns the content of a `config.json` of any format in that of this version."""
    config = dict(content["config"])
    recipe = dict(config.get("recipe", {}))
    if recipe.pop("select", 0.0):  # of an unreleased version, another way to find the size
        recipe["estimate_size"] = True
    config["recipe"] = recipe | {
        name: value for name, value in NEW_RECIPE_FIELDS.items() if name not in recipe
    }
    config.setdefault("world_seed", None)
    content = content | {"config": config}
    if content["format"] == 1:
        content = _upgrade_names(content)
    lanes = [_with_hyperparameters(content, lane) for lane in content["lanes"]]
    return content | {"lanes": [_with_world_seed(lane) for lane in lanes]}


def _upgrade_names(content: dict[str, Any]) -> dict[str, Any]:
    """Returns the content of a `config.json` of format 1 with the names of format 2."""
    config = _renamed(content["config"], FIELDS)
    config["world"] = _renamed(config["world"], WORLD_FIELDS)
    config["settings"] = [_upgrade_setting(setting) for setting in config["settings"]]
    config["only"] = [_setting_name(name) for name in config.get("only", [])]
    config["steps_by_setting"] = [
        [_setting_name(name), steps] for name, steps in config.get("steps_by_setting", [])
    ]
    lanes = [
        _upgrade_setting(lane) | {"setting": _setting_name(lane["setting"])}
        for lane in content["lanes"]
    ]
    return content | {"config": config, "lanes": lanes}


def upgrade_row(row: Mapping[str, Any], lanes: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Returns a row of `results.csv` or `history.csv` with the columns of this version.

    lanes: of the upgraded `config.json`, by number; hyperparameters of others are empty.
    """
    if "attainable" in row and "attainable_by" not in row:
        row = _with_attainable_by(row)
    if "noise_law" not in row:
        row = _with_noise_law(row)
    row = _with_world_seed(row)
    if HYPERPARAMETERS[0] in row:
        return dict(row)
    number = int(row.get("lane", len(lanes)))
    lane = lanes[number] if number < len(lanes) else dict.fromkeys(HYPERPARAMETERS, "")
    added = {"noise_probability": {name: lane[name] for name in HYPERPARAMETERS}}
    return _with_columns_after(row, added)


def _with_noise_law(row: Mapping[str, Any]) -> dict[str, Any]:
    dependence, noise_law = split_law(row["dependence"])
    kind = KINDS.get(row["setting"].rpartition(" ")[2], PAPER_MISALIGNMENT)
    changes = {
        "setting": {"setting": _setting_name(row["setting"])},
        "dependence": {"dependence": dependence, "noise_law": noise_law},
        "noise_probability": {
            "misalignment": kind,
            "noise_probability": row["noise_probability"],
        },
    }
    upgraded: dict[str, Any] = {}
    for name, value in row.items():
        upgraded |= changes.get(name, {name: value})
    return upgraded


def upgrade_directory(directory: Path) -> None:
    """Rewrites a run directory of an older version, so that this version can add to it.

    If it is interrupted, a second call completes it.
    """
    path = directory / "config.json"
    content = json.loads(path.read_text())
    upgraded = upgrade_run(content) | {"format": 3}
    if upgraded == content:
        return
    for table in (directory / "results.csv", directory / "history.csv"):
        if table.exists():
            _upgrade_table(table, upgraded["lanes"])
    write_atomically(path, json.dumps(upgraded, indent=2) + "\n")


def split_law(name: str) -> tuple[str, str]:
    """Returns dependence and noise law of a name of format 1, such as "dependent_laplace"."""
    for noise_law in NOISE_LAWS:
        if name.endswith(f"_{noise_law}"):
            return name.removesuffix(f"_{noise_law}"), noise_law
    return name, "natural" if name == "natural" else "gaussian"


def _with_attainable_by(row: Mapping[str, Any]) -> dict[str, Any]:
    present = str(row["attainable"]) not in ("", "nan")
    return _with_columns_after(
        row, {"attainable": {"attainable_by": "probe" if present else "none"}}
    )


def _with_world_seed(row: Mapping[str, Any]) -> dict[str, Any]:
    """A lane or a row of a table with the seed of its world."""
    if "world_seed" in row or "seed" not in row:
        return dict(row)
    return _with_columns_after(row, {"seed": {"world_seed": row["seed"]}})


def _with_columns_after(
    row: Mapping[str, Any], added: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """A row with further columns after those that are the keys of `added`."""
    upgraded: dict[str, Any] = {}
    for name, value in row.items():
        upgraded |= {name: value, **added.get(name, {})}
    return upgraded


def _with_hyperparameters(content: Mapping[str, Any], lane: Mapping[str, Any]) -> dict[str, Any]:
    if HYPERPARAMETERS[0] in lane:
        return dict(lane)
    config = content["config"]
    of_recipe = {name: config["recipe"][name] for name in HYPERPARAMETERS}
    return {**lane, **of_recipe, "steps": steps_of(config, lane["setting"])}


def _upgrade_setting(setting: Mapping[str, Any]) -> dict[str, Any]:
    dependence, noise_law = split_law(setting["dependence"])
    kind = setting.get("misalignment", PAPER_MISALIGNMENT)
    changes = {
        "dependence": dependence,
        "noise_law": noise_law,
        "misalignment": KINDS.get(kind, kind),
    }
    return {**setting, **changes}


def _setting_name(name: str) -> str:
    words, _, kind = name.rpartition(" ")
    return f"{words} {KINDS[kind]}" if kind in KINDS else name


def _upgrade_table(path: Path, lanes: Sequence[Mapping[str, Any]]) -> None:
    rows = [upgrade_row(row, lanes) for row in csv.DictReader(complete_lines(path))]
    if rows:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(path, text.getvalue())


def _renamed(fields: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in fields.items()}
