import ts from "typescript";

/** A cell of a notebook's source. */
export interface SourceCell {
  readonly kind: "code" | "markdown";
  readonly tags: readonly string[];
  readonly text: string;
  /** Line of its text in the source, from 1. */
  readonly line: number;
}

/** Tag of cells that show times, or what was trained just now: their outputs are not those of recorded runs. */
const varies = "varies";

/** Takes the source of a notebook (jupytext's ts:percent, as kernel/make_notebooks.py reads it) apart. */
export function sourceCells(source: string): readonly SourceCell[] {
  const cells: { kind: SourceCell["kind"]; tags: readonly string[]; lines: string[]; line: number }[] = [];
  source.split("\n").forEach((text, index) => {
    const start = /^\/\/ %%(.*)$/.exec(text)?.[1];
    if (start === undefined) {
      cells.at(-1)?.lines.push(text);
      return;
    }
    const tags = /tags=(\[.*?\])/.exec(start)?.[1];
    cells.push({
      kind: start.includes("[markdown]") ? "markdown" : "code",
      tags: tags === undefined ? [] : (JSON.parse(tags) as string[]),
      lines: [],
      line: index + 2,
    });
  });
  return cells.map(({ lines, ...cell }) => ({
    ...cell,
    text: lines
      .map((text) => (cell.kind === "markdown" ? text.replace(/^\/\/ ?/, "") : text))
      .join("\n")
      .trimEnd(),
  }));
}

/** The prose of a notebook's source; each line has the number that it has there, and lines of code are empty. */
export function proseOf(source: string): string {
  const lines = source.split("\n").map(() => "");
  for (const { kind, text, line } of sourceCells(source)) {
    if (kind === "markdown") text.split("\n").forEach((prose, index) => (lines[line - 1 + index] = prose));
  }
  return lines.join("\n");
}

/** What of a notebook runs without training: JavaScript, and the cells that are in it. */
export interface RecordedPart {
  /** The body of an asynchronous function of `require`, `exports`, `console` and `beginCell(index)`. */
  readonly code: string;
  /** Indices of its cells among all. */
  readonly cells: ReadonlySet<number>;
}

/**
 * The cells that show what is recorded: all code but cells tagged "varies", and those that need what such a cell declares.
 * What a left out cell imports stays.
 */
export function recordedPart(source: string): RecordedPart {
  const missing = new Set<string>();
  const kept = new Set<number>();
  const parts = sourceCells(source).map(({ kind, tags, text }, index) => {
    if (kind === "markdown") return "";
    const parsed = ts.createSourceFile("cell.ts", text, ts.ScriptTarget.ES2022);
    const imports = parsed.statements.filter(ts.isImportDeclaration);
    if (!tags.includes(varies) && ![...identifiersOf(parsed)].some((name) => missing.has(name))) {
      kept.add(index);
      return `beginCell(${index});\n${text}`;
    }
    for (const name of declaredIn(parsed)) missing.add(name);
    return imports.map((statement) => statement.getText(parsed)).join("\n");
  });
  const { outputText: code } = ts.transpileModule(parts.join("\n"), {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true },
  });
  return { code, cells: kept };
}

/** Names that the statements of a cell declare; imports are not among them. */
function declaredIn({ statements }: ts.SourceFile): readonly string[] {
  const names = (name: ts.BindingName): readonly string[] =>
    ts.isIdentifier(name)
      ? [name.text]
      : name.elements.flatMap((element) => (ts.isBindingElement(element) ? names(element.name) : []));
  return statements.flatMap((statement) => {
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.flatMap(({ name }) => names(name));
    if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement))
      return statement.name === undefined ? [] : [statement.name.text];
    return [];
  });
}

/** Every identifier of a cell, but for names of properties. */
function identifiersOf(parsed: ts.SourceFile): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) return;
    if (ts.isIdentifier(node)) found.add(node.text);
    ts.forEachChild(node, (child) => {
      const isName = (ts.isPropertyAccessExpression(node) || ts.isPropertyAssignment(node)) && child === node.name;
      const isRenamed = ts.isBindingElement(node) && child === node.propertyName;
      if (!isName && !isRenamed) visit(child);
    });
  };
  visit(parsed);
  return found;
}
