"""Paths of the repository and of the data that may be next to it."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"
