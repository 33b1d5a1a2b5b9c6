import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommanderError } from "commander";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { exitOf } from "../../src/cli/errors";
import { projectRoot } from "../../src/cli/project";
import { DivergedError, InputError, InterruptedError } from "../../src/errors";
import { moco } from "./moco";

const names = ["reproduce", "pretrain", "linear", "knn", "estimate", "table", "notebook", "lab", "data", "doctor"];

describe("moco", () => {
  it("names its commands and shows examples", async () => {
    const { code, stdout } = await moco("--help");
    expect(code).toBe(0);
    for (const name of names) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, "m"));
    expect(stdout).toContain("Examples:");
  });

  it("gives each command help with an example, without loading TensorFlow", () => {
    const folder = mkdtempSync(join(tmpdir(), "moco-help-"));
    const preload = join(folder, "preload.cjs");
    const loaded = "Object.keys(require.cache).some((file) => file.includes('tfjs'))";
    writeFileSync(preload, `process.on("exit", () => console.log("TensorFlow loaded:", ${loaded}))`);
    for (const name of names) {
      const words = ["-r", preload, join(projectRoot, "dist", "cli", "main.js"), name, "--help"];
      const { status, stdout } = spawnSync(process.execPath, words, { encoding: "utf8" });
      expect(status, name).toBe(0);
      expect(stdout).toContain(`Example:\n  moco ${name}`);
      expect(stdout, name).toContain("TensorFlow loaded: false");
    }
    rmSync(folder, { recursive: true });
  });

  it("prints the version of the package", async () => {
    const { code, stdout } = await moco("--version");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    { words: ["pretrian"], says: "Did you mean pretrain?" },
    { words: ["pretrain", "--queue-siez", "64"], says: "Did you mean --queue-size?" },
    { words: ["pretrain", "--preset", "huge"], says: "Allowed choices are smoke, quick" },
    { words: ["pretrain", "--seed", "1.5"], says: "It must be an integer of at least 0" },
    { words: ["pretrain", "--checkpoint-seconds", "0"], says: "It must be a positive number" },
    { words: ["pretrain", "--queue-size", "100"], says: "K must be a multiple of the batch size 64, for example 128" },
    {
      words: ["pretrain", "--seed", "0x10"],
      says: "'--seed <integer>' argument '0x10' is invalid. It must be an integer",
    },
    { words: ["pretrain", "--seed", "9007199254740993"], says: "It must be an integer of at least 0" },
    { words: ["pretrain", "--seed", "-0"], says: "It must be an integer of at least 0" },
    { words: ["pretrain", "--seed="], says: "It must be an integer of at least 0" },
    { words: ["pretrain", "--seed"], says: "option '--seed <integer>' argument missing" },
    {
      words: ["pretrain", "--seed", "1", "--seed", "2"],
      says: "option '--seed <integer>' was given twice, give it once",
    },
    {
      words: ["pretrain", "--set", "learningRate=1e999"],
      says: "learningRate: Number must be less than or equal to 3.4e+38",
    },
    { words: ["pretrain", "--set", "epochs="], says: "write --set field=value" },
    { words: ["linear"], says: "missing required argument 'checkpoint'" },
    { words: ["table", "size"], says: "Allowed choices are mechanisms, linear-evaluation, encoders, training-length" },
    { words: ["data", "count", "emoji", "--bogus"], says: "unknown option '--bogus'" },
  ])("answers `moco $words` with what to do and exit code 2", async ({ words, says }) => {
    const { code, stdout, stderr } = await moco(...words);
    expect(stderr).toContain(says);
    expect(stderr).not.toMatch(/^ +at /m);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("is silent where its reader has seen enough", () => {
    const { stderr, stdout } = spawnSync("sh", ["-c", "bin/moco --help | head -n 1"], {
      cwd: projectRoot,
      encoding: "utf8",
    });
    expect({ stdout, stderr }).toEqual({ stdout: "Usage: moco [options] [command]\n", stderr: "" });
  });
});

describe("exitOf", () => {
  it("prints errors that are for people as they are", () => {
    expect(exitOf(new InputError("Cannot do this: do that"), false)).toEqual({
      code: 2,
      message: "Cannot do this: do that",
    });
    expect(exitOf(new InterruptedError("Training stopped"), false)).toEqual({ code: 130, message: "Training stopped" });
    expect(exitOf(new DivergedError("Training diverged"), false)).toEqual({ code: 1, message: "Training diverged" });
  });

  it("leaves to Commander what Commander has printed", () => {
    expect(exitOf(new CommanderError(0, "commander.helpDisplayed", "(outputHelp)"), false)).toEqual({
      code: 0,
      message: undefined,
    });
    expect(exitOf(new CommanderError(1, "commander.unknownOption", "unknown"), false)).toEqual({
      code: 2,
      message: undefined,
    });
  });

  it("names the fields that a schema refuses", () => {
    const { error } = z.object({ epochs: z.number() }).safeParse({ epochs: "many" });
    expect(exitOf(error, false)).toEqual({
      code: 2,
      message: expect.stringContaining("epochs: Expected number, received string") as string,
    });
  });

  it("repeats what the system refuses", () => {
    const error = Object.assign(new Error("ECONNREFUSED: connect"), { syscall: "connect", code: "ECONNREFUSED" });
    expect(exitOf(error, false)).toEqual({ code: 1, message: `Cannot go on: ${error.message}` });
  });

  it("says of a full disk what to do, whatever was being done", () => {
    const error = Object.assign(new Error("ENOSPC"), { syscall: "write", code: "ENOSPC", path: "/data/x" });
    expect(exitOf(error, false)).toEqual({
      code: 1,
      message:
        "Cannot go on at /data/x: the disk is full (ENOSPC). Free space there, or choose another folder, then run the same again",
    });
  });

  it("calls everything else a bug, with the stack only on demand", () => {
    const error = new TypeError("x is not a function");
    expect(exitOf(error, false).code).toBe(1);
    expect(exitOf(error, false).message).toMatch(/^This is a bug of moco-kit.*x is not a function\nSet MOCO_DEBUG=1/);
    expect(exitOf(error, true).message).toContain(error.stack);
    expect(exitOf("thrown text", true).message).toContain("thrown text");
  });
});
