/* global Buffer, process */
/**
 * A file system that fails on request: node:fs with faults put in, for the process that imports this file.
 *
 * In a test: `withFault({ call: "writeSync", at: 1, fault: "ENOSPC" }, () => ...)`. In a child process:
 * `node --require faulty-files.cjs` with the fault as JSON in MOCO_TEST_FAULT.
 *
 * Calls are counted from 1 over those that work on files whose path contains `path`.
 */
const fs = require("node:fs");
const { syncBuiltinESMExports } = require("node:module");

/** The calls by which the kit writes files. */
const faultyCalls = [
  "mkdirSync",
  "openSync",
  "writeSync",
  "fsyncSync",
  "readSync",
  "closeSync",
  "linkSync",
  "renameSync",
];

const original = Object.fromEntries(faultyCalls.map((call) => [call, fs[call]]));
const descriptors = new Map();

/**
 * Puts a fault in.
 *
 * @returns what takes it out again, and how many calls were counted
 */
function install({ call, at = 1, until = Infinity, bytes, path = "", fault, kept = 0 }) {
  let count = 0;
  let written = 0;
  const error = (code) => Object.assign(new Error(`${code}: injected, ${call}`), { code, syscall: call });
  for (const name of faultyCalls) {
    fs[name] = (...values) => {
      const file = typeof values[0] === "number" ? (descriptors.get(values[0]) ?? "") : String(values[0]);
      const proceed = (...given) => {
        const result = original[name](...given);
        if (name === "openSync") descriptors.set(result, file);
        return result;
      };
      if (name !== call || !file.includes(path)) return proceed(...values);
      count++;
      const [descriptor, buffer, offset, length, ...rest] = values;
      if (bytes !== undefined) {
        // The disk has room for so many bytes: what fits is written, as POSIX does, and then nothing.
        const room = bytes - written;
        if (room <= 0) throw error(fault);
        const taken = proceed(descriptor, buffer, offset, Math.min(length, room), ...rest);
        written += taken;
        return taken;
      }
      if (count < at || count > until) return proceed(...values);
      if (fault === "kill") {
        if (kept > 0) proceed(descriptor, buffer, offset, Math.min(length, kept), ...rest);
        process.kill(process.pid, "SIGKILL");
      }
      if (fault === "killAfter") {
        proceed(...values);
        process.kill(process.pid, "SIGKILL");
      }
      if (fault === "short") return proceed(descriptor, buffer, offset, Math.max(1, length >> 1), ...rest);
      if (fault === "flip") {
        const changed = Buffer.from(buffer.subarray(offset, offset + length));
        changed[changed.length >> 1] ^= 1;
        return proceed(descriptor, changed, 0, length, ...rest);
      }
      throw error(fault);
    };
  }
  syncBuiltinESMExports();
  return {
    count: () => count,
    remove() {
      Object.assign(fs, original);
      descriptors.clear();
      syncBuiltinESMExports();
    },
  };
}

/** Does something with a fault put in. Returns how many calls of its kind there were, and what was thrown. */
function withFault(fault, work) {
  const installed = install(fault);
  try {
    work();
    return { calls: installed.count(), error: undefined };
  } catch (error) {
    return { calls: installed.count(), error };
  } finally {
    installed.remove();
  }
}

exports.faultyCalls = faultyCalls;
exports.install = install;
exports.withFault = withFault;

if (process.env["MOCO_TEST_FAULT"]) install(JSON.parse(process.env["MOCO_TEST_FAULT"]));
