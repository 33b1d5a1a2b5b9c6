/** The cells that ran, for the history that consoles page through. */
"use strict";

/** Jupyter numbers sessions; this kernel keeps only its own. */
const SESSION = 1;

/** @param ran - of each cell that ran: `count`, `code`, and `result` (its last value as text, or undefined) */
function answerHistory(ran, { hist_access_type: access, output, ...asked }) {
  const entry = ({ count, code, result }) => [SESSION, count, output === true ? [code, result ?? null] : code];
  return { history: choose(ran, access, asked).map(entry) };
}

function choose(ran, access, { n, start, stop, session, pattern, unique }) {
  if (access === "range") {
    const ours = session === 0 || session === SESSION;
    return ours ? ran.filter(({ count }) => count >= start && count < (stop ?? Infinity)) : [];
  }
  const found = access === "search" ? search(ran, pattern, unique) : ran;
  return typeof n === "number" ? found.slice(-n) : found;
}

function search(ran, pattern, unique) {
  const wanted = new RegExp(
    `^${pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
    "s",
  );
  const found = ran.filter(({ code }) => wanted.test(code));
  return unique === true ? [...new Map(found.map((cell) => [cell.code, cell])).values()] : found;
}

module.exports = { answerHistory };
