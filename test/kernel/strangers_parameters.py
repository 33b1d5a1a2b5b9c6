"""Reads notebooks with parameters, for strangers-parameters.test.ts: a JSON line in, {path, parameters}, and one out."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "kernel"))
from notebook_file import WrongInput, check_tags, Failure, code_cells, load  # noqa: E402

for line in sys.stdin:
    case = json.loads(line)
    try:
        notebook = load(Path(case["path"]), case["parameters"])
        check_tags(notebook)
        answer = {"cells": [cell.source for cell in code_cells(notebook)]}
    except (WrongInput, Failure) as error:
        answer = {"refused": str(error)}
    except Exception as error:  # noqa: BLE001 -- what is looked for
        answer = {"crashed": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
