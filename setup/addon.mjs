/** Builds the addon of tfjs-node-gpu against the libtensorflow of Python's wheel. */
import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const PACKAGE = "node_modules/@tensorflow/tfjs-node-gpu";
/** Where tfjs-node-gpu looks for its addon, from the project's root. */
export const ADDON = `${PACKAGE}/lib/napi-v8/tfjs_binding.node`;

/** Sources of ours in the addon, from the project's root. */
export const OWN_SOURCES = ["setup/log-level.cc", "setup/session-threads.cc"];

const ASK_FOLDER = `
import importlib.util
print(importlib.util.find_spec("tensorflow").submodule_search_locations[0])`;

/**
 * Compiles the addon.
 *
 * The stock addon is made for libtensorflow 2.9 (2022, CUDA 11). Its sources use the C API alone, which the wheel's
 * libraries export, and the wheel brings the headers.
 *
 * @param root - the project's folder
 * @param compiler - the C++ compiler's command
 * @param run - runs a command and returns its stdout
 */
export async function buildAddon(root, compiler, run) {
  const tensorflow = (await run(join(root, ".venv/bin/python"), ["-c", ASK_FOLDER])).trim();
  const libraries = readdirSync(tensorflow).filter((name) =>
    /^libtensorflow_(cc|framework)\.(so\.2|2\.dylib)$/.test(name),
  );
  const addon = join(root, ADDON);
  mkdirSync(dirname(addon), { recursive: true });
  // Relative, so that a checkout that was moved still finds the libraries.
  const origin = process.platform === "darwin" ? "@loader_path" : "$ORIGIN";
  const rpath = `${origin}/${relative(dirname(addon), tensorflow)}`;
  // Under another name until it is whole.
  const unfinished = `${addon}.new`;
  await run(compiler, [
    ...["-O2", "-std=c++17", "-shared", "-fPIC", "-DNAPI_VERSION=8"],
    "-DTF_NewSessionOptions=MocoNewSessionOptions",
    // The functions of Node-API are in the node binary; only macOS's linker has to be told.
    ...(process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : []),
    ...["node_modules/node-api-headers/include", PACKAGE].map((folder) => `-I${join(root, folder)}`),
    `-I${join(tensorflow, "include")}`,
    ...["tfjs_backend.cc", "tfjs_binding.cc"].map((source) => join(root, PACKAGE, "binding", source)),
    ...OWN_SOURCES.map((source) => join(root, source)),
    ...libraries.map((name) => join(tensorflow, name)),
    `-Wl,-rpath,${rpath}`,
    ...["-o", unfinished],
  ]);
  renameSync(unfinished, addon);
}
