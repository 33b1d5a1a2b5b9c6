"""A notebook on disk: reading it with parameters, checking it before it runs, writing what was executed."""

import os

import nbformat
from papermill.parameterize import parameterize_notebook
from papermill.utils import find_first_tagged_cell_index
from papermill_typescript import TypeScriptTranslator

KERNEL = "moco-kit"
# Tags that make nbclient pass over a failure or a cell.
FORBIDDEN_TAGS = ("raises-exception", "skip-execution")


class WrongInput(Exception):
    """What was asked for cannot be run. The message is for the user."""


class Failure(Exception):
    """Why a notebook is red: the cell and line where known, and the message."""

    def __init__(self, message, cell=None, line=None):
        super().__init__(message)
        self.message, self.cell, self.line = message, cell, line


def load(path, parameters):
    """Reads a notebook and puts the parameters in, as papermill does."""
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        nbformat.validate(notebook)
    except (OSError, nbformat.reader.NotJSONError) as error:
        raise WrongInput(f"Cannot read the notebook {path}: {error}") from None
    except nbformat.ValidationError as error:
        raise WrongInput(f"Cannot read the notebook {path}: it is no valid notebook: {str(error).splitlines()[0]}") from None
    # nbformat has no error of its own for JSON that is another thing than a notebook, for bytes that are no text, and for deep
    # nesting: it fails wherever it stumbles.
    except Exception:  # noqa: BLE001
        raise WrongInput(f"Cannot read the notebook {path}: it is no notebook of version 4, or damaged") from None
    if not isinstance(parameters, dict):
        raise WrongInput(f"Cannot set parameters of {path.name}: they must be a JSON object of names and values")
    if not code_cells(notebook):
        raise WrongInput(f"Cannot run {path.name}: it has no code")
    if parameters:
        for cell in notebook.cells:
            cell.metadata.setdefault("tags", [])  # papermill expects it in every cell
        index = find_first_tagged_cell_index(notebook, "parameters")
        known = [p.name for p in TypeScriptTranslator.inspect(notebook.cells[index])] if index >= 0 else []
        for name in parameters:
            if name not in known:
                raise WrongInput(
                    f"Cannot set {name} in {path.name}: its parameters are {', '.join(known) or '(none)'}"
                )
        notebook.metadata.setdefault("papermill", {})
        notebook = parameterize_notebook(notebook, parameters, kernel_name=KERNEL, language="typescript")
    return notebook


def check_tags(notebook):
    for number, cell in enumerate(code_cells(notebook), 1):
        for tag in cell.metadata.get("tags", []):
            if tag in FORBIDDEN_TAGS:
                message = f"the tag {tag} hides failures; remove it, and show an expected error with try/catch"
                raise Failure(message, number, 1)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def check_output(path, output):
    if output.resolve().parent == path.resolve().parent:
        raise WrongInput(f"Cannot write the executed notebook beside its source: choose another folder than {path.parent}")


def write_atomically(notebook, output):
    """Writes the executed notebook, whole or not at all. Raises Failure if the system refuses."""
    partial = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "w", encoding="utf-8") as file:
            nbformat.write(notebook, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, output)
    except OSError as error:
        try:
            partial.unlink(missing_ok=True)
        except OSError:
            pass  # The error that led here says more.
        raise Failure(
            f"Cannot write the executed notebook {output}: {error.strerror}. What it has trained is kept. "
            "Free space there, or choose another place by --output, then run the same again"
        ) from None
