import { escapeHtml } from "../display/table";
import { columnsOf, type ReportTable } from "./report-table";

/** The id of a run's entry on the page. */
export function runAnchor(file: string): string {
  return `run-${file.replace(/[^\w.-]/g, "-")}`;
}

/**
 * A table as HTML, in which each number leads to where it comes from: a computed one to the runs of its row, listed below the
 * table, and from there to a run; of one that is printed elsewhere the cell says where.
 */
export function linkedTable(table: ReportTable): string {
  const { id, title, rows, printed } = table;
  if (rows.length === 0) return "";
  const columns = columnsOf(table);
  const head = columns.map((column) => `<th scope="col">${escapeHtml(column)}</th>`).join("");
  const body = rows.map(({ cells, runs }, index) => {
    const target = runs.length === 1 ? runAnchor(runs[0]!) : `from-${id}-${index}`;
    const cell = (column: string) => {
      const text = escapeHtml(cells[column]!);
      const source = printed[column];
      if (!/\d/.test(text)) return `<td>${text}</td>`;
      if (source !== undefined)
        return `<td title="${escapeHtml(source)}" data-source="${escapeHtml(source)}">${text}</td>`;
      return runs.length === 0 ? `<td>${text}</td>` : `<td><a href="#${target}">${text}</a></td>`;
    };
    return `<tr>${columns.map(cell).join("")}</tr>`;
  });
  const behind = rows.flatMap(({ cells, runs }, index) => {
    if (runs.length < 2) return [];
    const links = runs.map((file) => `<a href="#${runAnchor(file)}">${escapeHtml(file)}</a>`);
    return [
      `<li id="from-${id}-${index}" data-source="names of runs">${escapeHtml(cells[columns[0]!]!)}: ${links.join(", ")}</li>`,
    ];
  });
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(title)}"><table id="table-${id}">
<caption data-source="title">${escapeHtml(title)}</caption>
<thead data-source="names of columns"><tr>${head}</tr></thead>
<tbody>
${body.join("\n")}
</tbody></table></div>
${behind.length === 0 ? "" : `<details class="from"><summary>Runs behind each row</summary><ul>\n${behind.join("\n")}\n</ul></details>`}`;
}

/** Sentences below a table, which are computed from its runs. */
export function htmlNotes(lines: readonly string[]): string {
  return lines
    .filter((line) => line !== "")
    .map((line) => `<p class="note" data-source="computed from the runs of the table above">${escapeHtml(line)}</p>`)
    .join("\n");
}
