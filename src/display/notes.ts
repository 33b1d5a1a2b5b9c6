import { showOutput } from "./output";
import { escapeHtml } from "./table";

/**
 * Shows sentences below the cell, each a paragraph; outside a notebook, prints each in a line. JupyterLab breaks what is printed
 * in the middle of words.
 */
export function showNotes(notes: readonly string[]): void {
  if (notes.length === 0) return;
  showOutput({
    "text/html": notes.map((note) => `<p>${escapeHtml(note)}</p>`).join("\n"),
    "text/plain": notes.join("\n"),
  });
}
