#!/usr/bin/env bash
# Downloads the wheels that accelerator.sh needs on a machine without a network:
#   PYTHON=python3.12 bash experiments/benchmark/gather_wheels.sh FOLDER
# PYTHON: an interpreter of the same version and platform as on that machine.
# ASSUMED: packages that the machine has. The default is JAX 0.11 with its requirements, and packages
# of tables and figures. MOST: largest size of the wheels in MiB (40).
set -euo pipefail
folder=${1:?error: give the folder of the wheels}
root=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-python3.12}
assumed=${ASSUMED:-jax jaxlib numpy scipy ml_dtypes opt_einsum pandas matplotlib pillow contourpy fonttools kiwisolver}
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" "$root/experiments/benchmark/wheel_list.py" requirements "$root/setup.cfg" >"$work/all.txt"
"$python" -m pip install --quiet --dry-run --ignore-installed --only-binary=:all: --report "$work/report.json" -r "$work/all.txt" 'jax==0.11.2'
"$python" "$root/experiments/benchmark/wheel_list.py" missing "$work/report.json" $assumed >"$work/missing.txt"
"$python" -m pip download --quiet --no-deps --only-binary=:all: --dest "$folder" -r "$work/missing.txt"
mib=$(($(cat "$folder"/*.whl | wc -c) / 1048576))
echo "$(ls "$folder"/*.whl | wc -l) wheels, $mib MiB in $folder"
[ "$mib" -le "${MOST:-40}" ] || { echo "error: the wheels have $mib MiB: allowed is ${MOST:-40}; add packages that the machine has to ASSUMED" >&2; exit 1; }
