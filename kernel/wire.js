/**
 * Messages on Jupyter's sockets.
 * https://jupyter-client.readthedocs.io/en/stable/messaging.html#the-wire-protocol
 */
"use strict";

const { createHmac, randomUUID, timingSafeEqual } = require("node:crypto");

const PROTOCOL_VERSION = "5.3";
const DELIMITER = Buffer.from("<IDS|MSG>");
const MOST_IN_ONE_TURN = 400;

const session = randomUUID();

/**
 * Reads a message. Throws when it is not signed with `key`.
 *
 * @returns `identities` (where a reply goes), `header`, `content`
 */
function parse(frames, key) {
  const start = frames.findIndex((frame) => frame.equals(DELIMITER));
  const [signature, ...parts] = frames.slice(start + 1);
  const [header, , , content] = parts;
  if (start === -1 || content === undefined) {
    throw new Error("Cannot read a message: it does not have the parts of Jupyter's protocol");
  }
  const expected = Buffer.from(sign(parts.slice(0, 4), key));
  if (key !== "" && !(expected.length === signature.length && timingSafeEqual(expected, signature))) {
    throw new Error("Cannot read a message: its signature is wrong");
  }
  return { identities: frames.slice(0, start), header: JSON.parse(header), content: JSON.parse(content) };
}

/** The frames of a message of the kernel. */
function frames(key, { identities, type, parent, content }) {
  const header = {
    msg_id: randomUUID(),
    session,
    username: parent.username,
    date: new Date().toISOString(),
    msg_type: type,
    version: PROTOCOL_VERSION,
  };
  const parts = [header, parent, {}, content].map((part) => JSON.stringify(part));
  return [...identities, DELIMITER, sign(parts, key), ...parts];
}

function sign(parts, key) {
  if (key === "") {
    return "";
  }
  const hmac = createHmac("sha256", key);
  parts.forEach((part) => hmac.update(part));
  return hmac.digest("hex");
}

/**
 * A function that sends on the socket. The socket refuses what is sent after the first 500 or so messages of one turn of
 * the event loop: here the later ones of a turn wait for each other.
 */
function senderInTurns(socket) {
  const waiting = [];
  let sent = 0;

  const startNextTurn = async () => {
    while (waiting.length > 0) {
      await socket.send(waiting[0]);
      waiting.shift();
    }
    sent = 0;
  };
  return (message) => {
    if (sent === 0) {
      setImmediate(startNextTurn);
    }
    sent += 1;
    if (sent > MOST_IN_ONE_TURN) {
      waiting.push(message);
    } else {
      void socket.send(message);
    }
  };
}

module.exports = { PROTOCOL_VERSION, parse, frames, senderInTurns };
