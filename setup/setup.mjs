#!/usr/bin/env node
/**
 * Sets the project up: npm packages, Python packages, the TensorFlow addon, the notebook kernel, the library.
 * Run again, it does what is missing or changed. Node's built-ins only: it runs before anything is installed.
 */
import { realpathSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isStopped, run, SetupError, stop } from "./command.mjs";
import { takeLock } from "./lock.mjs";
import { inspectMachine, oldNode } from "./machine.mjs";
import { dueSteps, readStamp, stepKey, writeStamp } from "./stamp.mjs";
import { steps } from "./steps.mjs";

const USAGE = `Usage: npm run setup -- [--gpu | --cpu] [--quiet]
  --gpu    TensorFlow with CUDA (Linux x64, an NVIDIA driver); later set-ups keep it
  --cpu    TensorFlow for the CPU, the default
  --quiet  print nothing where there is nothing to do`;

const root = realpathSync(join(dirname(fileURLToPath(import.meta.url)), ".."));

async function main(args) {
  const unknown = args.find((arg) => !["--gpu", "--cpu", "--quiet", "--help"].includes(arg));
  if (unknown !== undefined) fail(`set-up: unknown option ${unknown}\n${USAGE}`, 2);
  if (args.includes("--gpu") && args.includes("--cpu")) fail(`set-up: choose one of --gpu and --cpu\n${USAGE}`, 2);
  if (args.includes("--help")) {
    console.log(USAGE);
    return;
  }
  const old = oldNode();
  if (old !== undefined) fail(report([old]), 1);

  const projectOf = (stamp) => ({ root, gpu: args.includes("--gpu") || (stamp.gpu && !args.includes("--cpu")) });
  const stamp = readStamp(root);
  if (dueSteps(steps, projectOf(stamp), stamp).length > 0) await setUp(projectOf);
  else if (!args.includes("--quiet")) console.log(`set-up: up to date (TensorFlow for the ${device(stamp)})`);
}

async function setUp(projectOf) {
  const lock = await takeLock(join(root, "build/setup.lock"), (pid) => {
    console.log(`set-up: another set-up (process ${pid}) is at work in this folder; waiting for it ...`);
  });
  process.on("exit", lock.release);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => onSignal(signal));

  // The set-up waited for may have done it all.
  const stamp = readStamp(root);
  const project = projectOf(stamp);
  const due = dueSteps(steps, project, stamp);
  const machine = inspectMachine(new Set(due.flatMap((step) => step.needs)), project);
  if (machine.missing.length > 0) fail(report(machine.missing), 1);
  if (due.length > 0 && `${process.platform} ${process.arch}` !== "linux x64") {
    console.log(`set-up: tried on Linux x64 only, this is ${process.platform} ${process.arch}`);
  }

  // A step that is broken off must not look done.
  for (const step of due) delete stamp.steps[step.id];
  stamp.gpu = project.gpu;
  writeStamp(root, stamp);
  for (const step of due) {
    console.log(`set-up: ${step.title} (about ${step.seconds} s) ...`);
    const options = { cwd: root, onStart: lock.noteChild };
    const tools = { ...machine, run: (command, list) => run(step.title, command, list, options) };
    // Before the run: what is edited meanwhile makes the step due again.
    const key = stepKey(step, project);
    await step.run(project, tools);
    stamp.steps[step.id] = key;
    writeStamp(root, stamp);
    if (isStopped()) throw new SetupError("stopped");
  }
  if (due.length > 0) console.log(`set-up: done (TensorFlow for the ${device(stamp)})`);
}

function device(stamp) {
  return stamp.gpu ? "GPU" : "CPU";
}

function report(missing) {
  const count = missing.length === 1 ? "this is missing" : `these ${missing.length} things are missing`;
  return [`set-up: ${count} on this machine:`, ...missing, "Then run the same command again."].join("\n");
}

let received;

function onSignal(signal) {
  received = received ?? signal;
  stop();
}

function fail(message, code) {
  console.error(message);
  process.exit(code);
}

main(process.argv.slice(2)).catch((error) => {
  if (isStopped()) {
    fail(
      "\nset-up: stopped. Run the same command again: it goes on with this step.",
      128 + constants.signals[received],
    );
  }
  if (error instanceof SetupError) fail(`set-up: ${error.message}`, 1);
  if (typeof error.code === "string" && error.syscall) fail(`set-up: cannot go on: ${error.message}`, 1);
  throw error;
});
