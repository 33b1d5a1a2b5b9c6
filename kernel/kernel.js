/** What the kernel answers to Jupyter's requests, by tslab's compiler and executor. */
"use strict";

const { createCells } = require("./cells.js");
const { createCellConverter } = require("./compiler.js");
const { answerHistory } = require("./history.js");
const { withShortModules } = require("./module-names.js");
const { PROTOCOL_VERSION } = require("./wire.js");

/** Time for the last messages to go out. */
const EXIT_MS = 100;
/** Time for a cell to write its checkpoint; Jupyter ends a kernel that takes longer than five seconds. */
const LAST_STEP_MS = 4000;
/** What the compiler says of a template literal that has no end. */
const UNTERMINATED_TEMPLATE = 1160;

/**
 * Must run after compiler.js and cell-positions.js are installed.
 *
 * @param typescript - the compiler that tslab loads
 * @param notebookFolder - where relative imports start, and what `__dirname` is
 * @param exit - ends the process
 */
function createKernel(typescript, notebookFolder, exit) {
  const cells = createCells(typescript, createCellConverter(typescript, notebookFolder), notebookFolder);
  const { executor } = cells;

  return {
    runCell: cells.runCell,
    exit: () => {
      const latest = performance.now() + LAST_STEP_MS;
      const exitWhenStopped = () =>
        cells.stopRunning() && performance.now() < latest ? setTimeout(exitWhenStopped, EXIT_MS) : exit();
      setTimeout(exitWhenStopped, EXIT_MS);
    },
    answers: {
      kernel_info: () => kernelInfo(typescript),
      is_complete: ({ code }) => isComplete(typescript, code),
      inspect: ({ code, cursor_pos: position }) => {
        const text = inspectAt(typescript, executor, code, offset(code, position));
        return { found: text !== undefined, data: text === undefined ? {} : { "text/plain": text }, metadata: {} };
      },
      complete: ({ code, cursor_pos: position }) => {
        const { start, end, candidates } = executor.complete(code, offset(code, position));
        return {
          matches: candidates,
          cursor_start: [...code.slice(0, start)].length,
          cursor_end: [...code.slice(0, end)].length,
          metadata: {},
        };
      },
      comm_info: () => ({ comms: {} }),
      history: (content) => answerHistory(cells.ran, content),
      shutdown: ({ restart }) => ({ restart }),
    },
  };
}

/** What is known of the name at a place; where there is none, of the function in whose parentheses the place is. */
function inspectAt(typescript, executor, code, position) {
  const at = (place) => {
    const info = executor.inspect(code, place);
    const text = info == null ? "" : describe(info);
    // The compiler's word for a name that there is not.
    return ["", "any"].includes(text) ? undefined : withShortModules(text, process.cwd());
  };
  return (
    at(position) ??
    calleesAround(typescript, code, position)
      .map(at)
      .find((text) => text !== undefined)
  );
}

/** Where the names of the functions stand in whose parentheses a place is, the innermost first. */
function calleesAround(typescript, code, position) {
  const found = [];
  const visit = (node) => {
    const calls = typescript.isCallExpression(node) || typescript.isNewExpression(node);
    // Without its `)` as yet, a call goes on to the end.
    if (calls && node.expression.end < position && (position < node.end || code[node.end - 1] !== ")")) {
      found.unshift(node.expression.end - 1);
    }
    node.forEachChild(visit);
  };
  visit(typescript.createSourceFile("cell.ts", code, typescript.ScriptTarget.Latest));
  return found;
}

/** tslab prints each part of a documentation on a line of its own, and a link in it as three or four parts. */
function describe(info) {
  const withoutLinks = (parts = []) =>
    parts
      .filter(({ kind }, at) => kind !== "link" && !(kind === "linkName" && parts[at + 1].kind === "linkText"))
      .map(({ kind, text }) => (kind === "linkText" ? text.trimEnd() : text))
      .join("");
  return require("tslab/dist/inspect").printQuickInfo({
    ...info,
    documentation: info.documentation?.length > 0 ? [{ text: withoutLinks(info.documentation) }] : [],
    tags: info.tags?.map((tag) => ({ ...tag, text: [{ text: tagText(tag, withoutLinks(tag.text)) }] })),
  });
}

/** tslab keeps the names of tags to itself, but that of parameters. */
function tagText({ name }, text) {
  return name === "param" || text === "" ? text : `@${name} ${text}`;
}

/** Jupyter counts characters, JavaScript counts code units: an emoji is two. */
function offset(code, position) {
  return [...code].slice(0, position).join("").length;
}

function kernelInfo(typescript) {
  const { version } = require("tslab/package.json");
  return {
    protocol_version: PROTOCOL_VERSION,
    implementation: "moco-kit",
    implementation_version: require("../package.json").version,
    banner: `MoCo kit ${require("../package.json").version}: TypeScript ${typescript.version} by tslab ${version}, Node ${process.versions.node}`,
    language_info: {
      name: "typescript",
      version: typescript.version,
      mimetype: "text/typescript",
      file_extension: ".ts",
      // What JupyterLab and the classic notebook color cells by.
      codemirror_mode: { mode: "typescript", name: "javascript", typescript: true },
    },
  };
}

function isComplete(typescript, code) {
  const { parseDiagnostics } = typescript.createSourceFile("cell.ts", code, typescript.ScriptTarget.Latest);
  if (parseDiagnostics.some((found) => found.code === UNTERMINATED_TEMPLATE)) {
    // What comes next is part of the text.
    return { status: "incomplete", indent: "" };
  }
  const { completed, indent } = require("tslab/dist/converter").isCompleteCode(code);
  if (!completed) {
    return { status: "incomplete", indent };
  }
  return { status: parseDiagnostics.length > 0 ? "invalid" : "complete" };
}

module.exports = { createKernel };
