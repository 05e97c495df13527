#!/usr/bin/env bash
# Measures all that needs an accelerator, in under nine minutes:
#   [WHEELS=FOLDER] [OUT=FOLDER] bash experiments/benchmark/accelerator.sh [--parts=device,lanes] [--smoke]
# WHEELS: wheels of missing packages, from gather_wheels.sh; nothing is downloaded.
# OUT: one CSV per part and summary.md (default runs/accelerator). PYTHON: the interpreter (python3).
set -euo pipefail
python=${PYTHON:-python3}
limit=530
if [ -n "${WHEELS:-}" ]; then
    compgen -G "$WHEELS/*.whl" >/dev/null || { echo "error: WHEELS is $WHEELS: allowed is a folder of wheels" >&2; exit 1; }
    wheels=$(cd "$WHEELS" && pwd)
fi
mkdir -p "${OUT:=runs/accelerator}"
out=$(cd "$OUT" && pwd)
cd "$(dirname "$0")/../.."
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
# the packages read their version from this metadata, also where the project is not installed
version=$(sed -n 's/^version = //p' setup.cfg)
mkdir "$site/misalign-$version.dist-info"
printf 'Metadata-Version: 2.1\nName: misalign\nVersion: %s\n' "$version" >"$site/misalign-$version.dist-info/METADATA"
if [ -n "${wheels:-}" ]; then
    "$python" -m pip install --quiet --no-index --no-deps --no-compile --no-cache-dir --target "$site" "$wheels"/*.whl
fi
export PYTHONPATH="$site${PYTHONPATH:+:$PYTHONPATH}"
"$python" -m experiments.benchmark.accelerator --out="$out" --seconds=$((limit - SECONDS)) "$@"
