/**
 * Decodes text: by its byte-order mark where it has one (UTF-8 or UTF-16), else as declared.
 *
 * @param declared - name of an encoding as XML and the web name them, for example "gb2312"
 * @throws RangeError if there is no such encoding
 * @throws TypeError if the bytes are not text of that encoding
 */
export function decodeText(bytes: Uint8Array, declared = "utf-8"): string {
  const encoding = markedEncoding(bytes) ?? declared;
  // The web reads Latin-1 as windows-1252; as Python and XML have it, each byte is the character of that number.
  if (/^(iso[-_]?8859-?1|latin-?1|l1)$/i.test(encoding)) return Buffer.from(bytes).toString("latin1");
  return new TextDecoder(encoding, { fatal: true }).decode(bytes);
}

function markedEncoding(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : undefined;
}
