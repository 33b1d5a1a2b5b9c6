/**
 * The kernel as Jupyter talks to it: five sockets, and an answer for each request.
 * https://jupyter-client.readthedocs.io/en/stable/messaging.html
 */
"use strict";

const { readFileSync } = require("node:fs");
const { setTimeout: sleep } = require("node:timers/promises");
const { PROTOCOL_VERSION, parse, frames, senderInTurns } = require("./wire.js");

/** Cells that a notebook sent together arrive within this time of each other. */
const QUIET_MS = 20;

/**
 * @param kernel - `runCell(request, publish)` and an answer for each of the other requests, by its name
 * @param log - takes what a notebook's author cannot do anything about
 */
async function serve(connectionFile, kernel, log) {
  const connection = JSON.parse(readFileSync(connectionFile, "utf8"));
  const { key } = connection;
  const zmq = require(require.resolve("zeromq", { paths: [require.resolve("tslab/package.json")] }));
  const sockets = {
    // Without a limit: at the default of a thousand waiting messages the next are dropped.
    iopub: new zmq.Publisher({ sendHighWaterMark: 0 }),
    shell: new zmq.Router(),
    control: new zmq.Router(),
    stdin: new zmq.Router(),
    hb: new zmq.Reply(),
  };
  const send = senderInTurns(sockets.iopub);
  const publish = (parent, type, content) =>
    send(frames(key, { identities: [`kernel.${type}`], type, parent: parent.header, content }));

  const cells = new CellQueue((request) => kernel.runCell(request.content, publish.bind(undefined, request)));
  const answers = { ...kernel.answers, execute: (_content, request) => cells.run(request) };

  const answer = async (socket, request) => {
    const type = request.header.msg_type.replace(/_request$/, "");
    if (answers[type] === undefined) {
      log(`The kernel does not know the message ${request.header.msg_type}.`);
      return;
    }
    publish(request, "status", { execution_state: "busy" });
    const content = await reply(answers[type], request);
    await socket.send(
      frames(key, { identities: request.identities, type: `${type}_reply`, parent: request.header, content }),
    );
    publish(request, "status", { execution_state: "idle" });
    if (type === "shutdown") {
      kernel.exit();
    }
    // A notebook shows the state that came last.
    if (cells.running !== undefined) {
      publish(cells.running, "status", { execution_state: "busy" });
    }
  };

  const listen = async (socket) => {
    for await (const received of socket) {
      try {
        const request = parse(received, key);
        answer(socket, request).catch((error) => log(error));
      } catch (error) {
        log(error.message);
      }
    }
  };

  await Promise.all(
    Object.entries(sockets).map(([name, socket]) =>
      socket.bind(`${connection.transport}://${connection.ip}:${connection[`${name}_port`]}`),
    ),
  );
  void listen(sockets.shell);
  void listen(sockets.control);
  for await (const beat of sockets.hb) {
    await sockets.hb.send(beat);
  }
}

async function reply(answer, request) {
  try {
    return { status: "ok", ...(await answer(request.content, request)) };
  } catch (error) {
    return { status: "error", ename: error.name, evalue: error.message, traceback: [] };
  }
}

/** Runs cells in the order they came. When one fails, those that wait behind it are aborted. */
class CellQueue {
  /** The request whose cell runs now. */
  running;
  #runCell;
  #arrived = 0;
  #abortedUpTo = 0;
  #last = Promise.resolve();

  constructor(runCell) {
    this.#runCell = runCell;
  }

  run(request) {
    this.#arrived += 1;
    const number = this.#arrived;
    const ended = this.#last.then(() => (number <= this.#abortedUpTo ? { status: "aborted" } : this.#runNow(request)));
    this.#last = ended.catch(() => undefined);
    return ended;
  }

  async #runNow(request) {
    this.running = request;
    try {
      const result = await this.#runCell(request);
      if (result.status === "error" && request.content.stop_on_error !== false) {
        await this.#abortWaiting();
      }
      return result;
    } finally {
      this.running = undefined;
    }
  }

  /** Also aborts the requests that still lie in the socket. Who sends the next cell after the reply is not concerned. */
  async #abortWaiting() {
    let known;
    do {
      known = this.#arrived;
      await sleep(QUIET_MS);
    } while (known < this.#arrived);
    this.#abortedUpTo = known;
  }
}

module.exports = { PROTOCOL_VERSION, serve };
