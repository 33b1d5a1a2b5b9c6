"""Parameters of TypeScript notebooks for papermill: `papermill -p preset smoke in.ipynb out.ipynb`."""

import json
import re

from papermill.engines import NBClientEngine
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

__all__ = ["NBClientEngine", "TypeScriptTranslator"]

DECLARATION = re.compile(
    r"^(?:const|let|var)\s+(?P<name>[A-Za-z_$][\w$]*)\s*(?::\s*(?P<type>[^=]+?)\s*)?="
    r"\s*(?P<value>.*?)\s*;?\s*(?://\s*(?P<help>.*))?$"
)


class TypeScriptTranslator(Translator):
    """Writes parameters as constants, with JSON as values and with the types that the notebook gives them."""

    # By name, of the notebook whose parameters were inspected last: papermill does so before it writes them.
    types = {}

    @classmethod
    def translate(cls, val):
        """A list or an object that was given as text, as papermill's `-p` does, is written as one."""
        if isinstance(val, str) and val[:1] in ("[", "{"):
            try:
                val = json.loads(val)
            except (json.JSONDecodeError, RecursionError):
                pass  # it stays text
        return json.dumps(val, default=str)

    @classmethod
    def comment(cls, cmt_str):
        return f"// {cmt_str}"

    @classmethod
    def assign(cls, name, str_val):
        # any: a bare "smoke" has the literal type "smoke", and a later `preset === "quick"` would not compile.
        return f"const {name}: {cls.types.get(name, 'any')} = {str_val};"

    @classmethod
    def inspect(cls, parameters_cell):
        lines = (DECLARATION.match(line.strip()) for line in parameters_cell.source.splitlines())
        found = [match for match in lines if match]
        cls.types = {match["name"]: match["type"] for match in found if match["type"]}
        return [Parameter(match["name"], match["type"] or "None", match["value"], match["help"] or "") for match in found]


papermill_translators.register("typescript", TypeScriptTranslator)
