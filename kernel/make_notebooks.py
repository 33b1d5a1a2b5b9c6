"""Makes the notebooks out of their sources, which are text: notebooks/sources/*.ts, in jupytext's format ts:percent.

Each is run as it stands, which shows what was recorded and trains next to nothing, and is written with its outputs to
notebooks/. Cells have the same ids each time. `--check` writes nothing: it fails where a notebook differs from what
its source gives. A cell tagged "varies" shows times or what was trained just now: of it only the kinds of outputs are
compared.

Exit codes: 0 made or equal, 1 failed or different, 2 wrong input.
"""

import argparse
import asyncio
import sys
from pathlib import Path

import jupytext
import nbformat

sys.dont_write_bytecode = True
from notebook_file import KERNEL, Failure, WrongInput, check_tags, write_atomically
from run_notebook import report, run

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
VARIES = "varies"
METADATA = {
    "kernelspec": {"display_name": "MoCo kit (TypeScript)", "language": "typescript", "name": KERNEL},
    "language_info": {"file_extension": ".ts", "mimetype": "text/typescript", "name": "typescript"},
}


def notebook_of(source):
    """The notebook of a source, without outputs."""
    notebook = jupytext.reads(source.read_text(encoding="utf8"), fmt="ts:percent")
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for index, cell in enumerate(notebook.cells):
        cell.id = f"cell-{index:02d}"
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
    return notebook


def execute(notebook):
    """Runs it, and takes out what differs from run to run in every cell."""
    check_tags(notebook)
    asyncio.run(run(notebook, str(FOLDER), timeout=None))
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)


def joined(outputs):
    """What was written in one go came in pieces, cut by the clock."""
    kept = []
    for output in outputs:
        if kept and output.output_type == "stream" == kept[-1].output_type and output.name == kept[-1].name:
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def differences(made, found, with_outputs):
    """What differs, in words; cells are counted from 1, text and code."""
    if found is None:
        return ["there is no notebook of it"]
    if len(made.cells) != len(found.cells):
        return [f"the source has {len(made.cells)} cells, the notebook {len(found.cells)}"]
    if made.metadata != found.metadata:
        return ["the metadata differ"]
    told = []
    for number, (one, other) in enumerate(zip(made.cells, found.cells), 1):
        for part in ("id", "cell_type", "source", "metadata"):
            if one[part] != other[part]:
                told.append(f"cell {number}: another {part}")
        if with_outputs and one.cell_type == "code" and shown(one) != shown(other):
            told.append(f"cell {number}: other outputs")
    return told


def shown(cell):
    if VARIES in cell.metadata.get("tags", []):
        return [(output.output_type, sorted(output.get("data", {}))) for output in cell.outputs if output.output_type != "stream"]
    return cell.outputs


def main():
    parser = argparse.ArgumentParser(description="Make the notebooks out of their sources, or check them.")
    parser.add_argument("numbers", nargs="*", help="which, for example 03; by default all")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where notebooks differ")
    parser.add_argument("--sources", action="store_true", help="with --check: the cells alone, nothing is run")
    options = parser.parse_args()
    sources = [path for path in sorted((FOLDER / "sources").glob("*.ts")) if chosen(path, options.numbers)]
    if not sources:
        print(f"Cannot make notebooks: {FOLDER / 'sources'} has none of {', '.join(options.numbers)}", file=sys.stderr)
        return 2
    code = 0
    for source in sources:
        path = FOLDER / f"{source.stem}.ipynb"
        notebook = notebook_of(source)
        try:
            if not options.sources:
                print(f"{path.name} ...", flush=True)
                execute(notebook)
        except Failure as failure:
            report(failure, path, notebook)
            code = 1
            continue
        except WrongInput as error:
            print(error, file=sys.stderr)
            return 2
        if options.check:
            found = nbformat.read(path, as_version=4) if path.exists() else None
            for difference in differences(notebook, found, not options.sources):
                print(f"{path.name}: {difference}. Make it anew: npm run notebooks -- {source.stem[:2]}", file=sys.stderr)
                code = 1
        else:
            write_atomically(notebook, path)
    return code


def chosen(path, numbers):
    return not numbers or any(path.stem == number or path.stem[:2] == number.zfill(2) for number in numbers)


if __name__ == "__main__":
    sys.exit(main())
