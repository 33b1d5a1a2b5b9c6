#!/bin/sh
# Makes every fixture again in a temporary folder, and compares with those in the repository:
#
#   sh test/golden/run.sh            # a virtual environment of the pinned versions in build/golden: Python 3.11 or newer, gigabytes
#   sh test/golden/run.sh python     # with the packages that this python has
#
# Exit code 1 and a list if anything differs. A script belongs to it if its first line begins with "Writes".
set -eu
cd "$(dirname "$0")/../.."

if [ $# -gt 0 ]; then
  python=$1
else
  python=build/golden/bin/python
  stamp=build/golden/requirements.txt
  if ! cmp -s test/golden/requirements.txt "$stamp"; then
    python3 -m venv --clear build/golden
    "$python" -m pip install --quiet --disable-pip-version-check -r test/golden/requirements.txt
    cp test/golden/requirements.txt "$stamp"
  fi
fi

again=$(mktemp -d)
trap 'rm -rf "$again"' EXIT
# The scripts write beside the folder that they stand in.
for fixtures in test/*/fixtures; do mkdir -p "$again/$fixtures"; done
cp -r test/golden "$again/test/golden"
for script in "$again"/test/golden/*.py; do
  case $(head -n 1 "$script") in
    '"""Writes '*)
      echo "golden: $(basename "$script")"
      # One thread: sums come in the same order.
      OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1 "$python" "$script"
      ;;
  esac
done
"$python" test/golden/compare.py "$again/test" test
