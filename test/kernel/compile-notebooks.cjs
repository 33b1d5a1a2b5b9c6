/** Compiles the cells of notebooks as the kernel does, without running them. Prints a JSON list of what does not compile. */
const { readFileSync } = require("node:fs");
const path = require("node:path");
const process = require("node:process");

const root = path.resolve(process.argv[1], "..", "..", "..");
process.chdir(root);
const { createCellConverter, install } = require("../../kernel/compiler.js");
const converter = createCellConverter(install(), path.join(root, "notebooks"));

const failures = process.argv.slice(2).flatMap((file) => {
  const cells = JSON.parse(readFileSync(file, "utf8")).cells.filter(({ cell_type: type }) => type === "code");
  let earlier = "";
  return cells.flatMap(({ source }, index) => {
    const { diagnostics, declOutput } = converter.convert(earlier, [source].flat().join(""));
    earlier = declOutput ?? earlier;
    return diagnostics.map(
      ({ start, messageText }) => `${path.basename(file)}, cell ${index + 1}, line ${start.line + 1}: ${messageText}`,
    );
  });
});
process.stdout.write(JSON.stringify(failures));
// tslab goes on watching files.
process.exit();
