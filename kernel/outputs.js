/**
 * Sends what a cell writes and shows.
 *
 * Jupyter's server drops outputs when more than a thousand messages come within a second. So what is written within
 * FLUSH_MS goes out as one message; other outputs do not overtake it.
 */
"use strict";

const FLUSH_MS = 100;

let flush = () => undefined;

/**
 * From now on outputs go to `publish(type, content)`, also what is written after the cell has ended.
 *
 * @returns `publish` for the cell's other outputs; `flush()` sends what was written
 */
function sendOutputs(publish) {
  flush();
  let written;
  let sentAt = -Infinity;
  let timer;

  const flushThis = () => {
    clearTimeout(timer);
    timer = undefined;
    if (written !== undefined) {
      sentAt = performance.now();
      publish("stream", written);
      written = undefined;
    }
  };
  flush = flushThis;

  const write = (name, text) => {
    if (written !== undefined && written.name !== name) {
      flushThis();
    }
    written = { name, text: (written?.text ?? "") + text };
    // In synchronous code no timer fires.
    if (performance.now() - sentAt > FLUSH_MS) {
      flushThis();
    }
    if (written !== undefined) {
      timer ??= setTimeout(flushThis, FLUSH_MS);
    }
  };
  for (const name of ["stdout", "stderr"]) {
    process[name].write = (data, encoding, done) => {
      write(name, typeof data === "string" ? data : Buffer.from(data).toString());
      const whenWritten = typeof encoding === "function" ? encoding : done;
      if (whenWritten !== undefined) {
        process.nextTick(whenWritten);
      }
      return true;
    };
  }

  const publishInOrder = (type, content) => {
    flushThis();
    publish(type, content);
  };
  require("tslab/dist/jupyter").lastWriteDisplayData = (content, update) =>
    publishInOrder(update ? "update_display_data" : "display_data", content);
  return { publish: publishInOrder, flush: flushThis };
}

module.exports = { sendOutputs };
