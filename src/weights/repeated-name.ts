/**
 * The first name that an object of a JSON text has twice, which `JSON.parse` passes over in silence.
 *
 * @param text - valid JSON
 */
export function repeatedName(text: string): string | undefined {
  const objects: (Set<string> | undefined)[] = [];
  // Outside of strings brackets are the only characters that count.
  const token = /["{}[\]]/g;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const at = found.index;
    if (found[0] === "{") objects.push(new Set());
    else if (found[0] === "[") objects.push(undefined);
    else if (found[0] !== '"') objects.pop();
    else {
      const end = endOfString(text, at);
      token.lastIndex = end;
      if (!isName(text, end)) continue;
      const name = JSON.parse(text.slice(at, end)) as string;
      const names = objects.at(-1)!;
      if (names.has(name)) return name;
      names.add(name);
    }
  }
  return undefined;
}

/** After the quote that ends a string. No regular expression: one takes stack for each escape of a long string. */
function endOfString(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1);
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote + 1;
}

function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text[before - 1] === "\\") before--;
  return (at - before) % 2 === 1;
}

/** Whether the string that ends here is the name of a value. */
function isName(text: string, end: number): boolean {
  const colon = /\s*(:?)/y;
  colon.lastIndex = end;
  return colon.exec(text)![1] === ":";
}
