/** Styles of the page: light and dark, narrow screens, print. */
export const pageStyle = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --paper: #ffffff; --link: #0550ae; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #9da7b3; --line: #3d444d; --paper: #0d1117; --link: #6cb6ff; }
  svg, .chart { background: #ffffff; }
}
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1200px; margin: 0 auto; padding: 1rem; color: var(--ink); background: var(--paper); overflow-wrap: anywhere; }
a { color: var(--link); }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
caption { text-align: left; font-weight: 600; padding: 0.6rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: 0.3rem 0.7rem; text-align: left; vertical-align: top; }
.scroll { overflow-x: auto; margin: 1rem 0; }
.note, .from { color: var(--soft); font-size: 14px; margin: 0.2rem 0; }
.verdicts { display: flex; flex-wrap: wrap; gap: 0.8rem; padding: 0; list-style: none; }
.verdicts li { border: 1px solid var(--line); border-radius: 6px; padding: 0.4rem 0.8rem; }
.verdicts b { font-size: 1.6rem; display: block; }
.chart { max-width: 100%; }
.run { border-top: 1px solid var(--line); padding: 0.3rem 0; }
.run:target, li:target { outline: 2px solid var(--link); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.1rem 1rem; font-size: 14px; }
dd { margin: 0; }
svg { max-width: 100%; height: auto; }
footer { border-top: 1px solid var(--line); margin-top: 3rem; color: var(--soft); font-size: 14px; }
@media (max-width: 600px) { body { padding: 0.6rem; } th, td { padding: 0.25rem 0.4rem; } dl { grid-template-columns: 1fr; } .scroll svg { max-width: none; } }
@media print {
  :root { --ink: #000; --soft: #333; --line: #999; --paper: #fff; --link: #000; }
  body { font-size: 10pt; max-width: none; } table { font-size: 8pt; } .scroll { overflow: visible; }
  section, tr, .run { break-inside: avoid-page; } nav { display: none; }
}
`;
