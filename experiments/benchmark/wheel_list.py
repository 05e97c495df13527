"""Wheel list: the packages to bring to a machine without a network; uses no other package.

python wheel_list.py requirements SETUP.CFG      # requirements, one per line
python wheel_list.py missing REPORT.JSON NAME... # what pip would install, without these names
"""

import configparser
import json
import re
import sys
from collections.abc import Collection
from pathlib import Path

TESTS = "beartype", "hypothesis", "pytest"  # of the extra `test`, for the tests of accelerator.sh


def requirements(setup: Path) -> list[str]:
    """Returns the requirements in a setup.cfg, and those of TESTS."""
    config = configparser.ConfigParser()
    config.read(setup)
    lines = lambda section, name: config[section][name].strip().splitlines()
    tests = [line for line in lines("options.extras_require", "test") if name_of(line) in TESTS]
    return [*lines("options", "install_requires"), *tests]


def name_of(requirement: str) -> str:
    """Returns the name of a package as PyPI writes it: "ml_collections >=1.0" is ml-collections."""
    name = re.split(r"[ <>=~!\[;]", requirement.strip())[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def missing(report: dict, assumed: Collection[str]) -> list[str]:
    """Returns NAME==VERSION of the packages in a report of pip, without those that are assumed."""
    present = set(map(name_of, assumed))
    packages = [entry["metadata"] for entry in report["install"]]
    return [
        f"{package['name']}=={package['version']}"
        for package in packages
        if name_of(package["name"]) not in present
    ]


if __name__ == "__main__":
    command, path, *names = sys.argv[1:]
    if command == "requirements":
        print("\n".join(requirements(Path(path))))
    else:
        print("\n".join(missing(json.loads(Path(path).read_text()), names)))
