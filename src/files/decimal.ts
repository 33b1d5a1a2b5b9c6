const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Whether a text is a number as people write it: JavaScript's Number also takes "", " 5" and "0x10". */
export function isDecimal(text: string): boolean {
  return decimal.test(text);
}
