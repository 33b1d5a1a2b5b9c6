// Control characters but line breaks and tabs, and the marks that turn the direction of text.
// eslint-disable-next-line no-control-regex -- what is looked for
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text for a terminal: what would steer it, or turn the direction of text, stands as "\u001b". */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
