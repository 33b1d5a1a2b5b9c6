/**
 * What Jupyter's protocol asks of a kernel and tslab 1.0.22 leaves out:
 *
 * - an `error` output for a failed cell, and the error's name, message and traceback in the reply. Without them papermill
 *   reports an empty error, and nbmake a success;
 * - the state `busy` until the cell has ended, also when a completion was answered in between;
 * - all of a long output, and true versions.
 */
"use strict";

const { latestError } = require("./cells.js");

const MOST_IN_ONE_TURN = 400;

/** Must run before the kernel starts. */
function install() {
  const { JupyterHandlerImpl, ZmqServer } = require("tslab/dist/jupyter");
  sendErrors(JupyterHandlerImpl.prototype, ZmqServer.prototype);
  stayBusy(ZmqServer.prototype);
  keepLongOutput(ZmqServer.prototype);
  tellVersions(JupyterHandlerImpl.prototype);
}

function sendErrors(handler, server) {
  const errorOfRequest = new WeakMap();
  const answer = handler.handleExecute;
  handler.handleExecute = async function (request, writeStream, writeDisplayData) {
    const reply = await answer.call(this, request, writeStream, writeDisplayData);
    if (reply.status !== "error") {
      return reply;
    }
    const error = latestError();
    errorOfRequest.set(request, error);
    return { ...reply, ...error };
  };

  const execute = server.handleExecute;
  server.handleExecute = function (socket, message) {
    const replyAfterError = {
      send: (frames) => {
        const error = errorOfRequest.get(message.content);
        if (error !== undefined) {
          const output = message.createReply();
          output.header.msg_type = "error";
          output.content = error;
          output.signAndSend(this.connInfo.key, this.iopub);
        }
        return socket.send(frames);
      },
    };
    return execute.call(this, replyAfterError, message);
  };
}

/** Each answer ends with `idle`; a notebook shows the state that came last, so `busy` follows while a cell runs. */
function stayBusy(server) {
  const cells = new Set();
  const publish = server.publishStatus;
  server.publishStatus = function (state, parent) {
    publish.call(this, state, parent);
    if (parent.header.msg_type === "execute_request") {
      if (state === "busy") {
        cells.add(parent);
      } else {
        cells.delete(parent);
      }
    }
    const [running] = cells;
    if (state === "idle" && running !== undefined) {
      publish.call(this, "busy", running);
    }
  };
}

/**
 * A ZeroMQ socket refuses what is sent after the first 500 or so messages of one turn of the event loop, and drops
 * messages when a thousand of them wait. Here the later ones of a turn wait for each other.
 */
function keepLongOutput(server) {
  const bind = server.bindSocket;
  server.bindSocket = function (socket, port) {
    if (socket === this.iopub) {
      socket.sendHighWaterMark = 0;
      sendInTurns(socket);
    }
    return bind.call(this, socket, port);
  };
}

function sendInTurns(socket) {
  const send = socket.send.bind(socket);
  const waiting = [];
  let sent = 0;

  const startNextTurn = async () => {
    while (waiting.length > 0) {
      await send(waiting[0]);
      waiting.shift();
    }
    sent = 0;
  };
  socket.send = (frames) => {
    if (sent === 0) {
      setImmediate(startNextTurn);
    }
    sent += 1;
    if (sent > MOST_IN_ONE_TURN) {
      waiting.push(frames);
      return Promise.resolve();
    }
    return send(frames);
  };
}

function tellVersions(handler) {
  const answer = handler.handleKernel;
  handler.handleKernel = function () {
    const { tslab, typescript } = require("tslab").versions;
    const reply = answer.call(this);
    return {
      ...reply,
      implementation_version: tslab,
      language_info: { ...reply.language_info, version: typescript },
    };
  };
}

module.exports = { install };
