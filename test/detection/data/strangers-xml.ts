import fc from "fast-check";

const values = [
  ...["", "0", "-1", "-0", "NaN", "Infinity", "1e999", "0x10", "1e2", "9007199254740993", "99999999999", "2,5", "yes"],
  ...[
    "__proto__",
    "constructor",
    "\u001b[2J",
    "\u202e",
    "a\nb",
    "<b>1</b>",
    "&#0;",
    "&a;",
    "&lt;script&gt;",
    "<![CDATA[1]]>",
  ],
];
const tags = [
  "name",
  "width",
  "height",
  "xmin",
  "ymin",
  "xmax",
  "ymax",
  "difficult",
  "object",
  "bndbox",
  "size",
  "annotation",
];

/** An XML text with one to four changes: values, elements without end, doubled or in another place, entities, other encodings. */
export function changedXml(original: string): fc.Arbitrary<string> {
  const change = fc.record({
    kind: fc.constantFrom("value", "value", "value", "tag", "repeat", "remove", "entity", "encoding", "nest"),
    at: fc.nat(),
    value: fc.constantFrom(...values),
    tag: fc.constantFrom(...tags),
  });
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) =>
    changes.reduce((xml, { kind, at, value, tag }) => {
      const elements = [...xml.matchAll(/<(\w+)>([^<]*)<\/\1>/g)];
      const element = elements[at % Math.max(1, elements.length)];
      if (element === undefined) return xml;
      const replaced = (text: string) =>
        xml.slice(0, element.index) + text + xml.slice(element.index + element[0].length);
      switch (kind) {
        case "value":
          return replaced(`<${element[1]}>${value}</${element[1]}>`);
        case "tag":
          return replaced(`<${tag}>${element[2]}</${element[1]}>`);
        case "repeat":
          return replaced(element[0] + `<${tag}>${value}</${tag}>` + element[0]);
        case "remove":
          return replaced("");
        case "nest":
          return replaced("<a>".repeat(at % 300) + element[0] + "</a>".repeat(at % 300));
        case "entity":
          return xml.replace(
            "<annotation>",
            `<!DOCTYPE annotation [<!ENTITY a "${value.replace(/["&<]/g, "")}"><!ENTITY b SYSTEM "file:///etc/passwd">]><annotation>&b;`,
          );
        default:
          return xml.replace("UTF-8", ["UTF-16", "latin1", "gb2312", "x-none", "utf-7"][at % 5]!);
      }
    }, original),
  );
}
