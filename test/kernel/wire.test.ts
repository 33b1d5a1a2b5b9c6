import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";

interface Message {
  readonly identities: readonly string[];
  readonly type: string;
  readonly parent: object;
  readonly content: object;
}
const { frames, parse } = createRequire(__filename)("../../kernel/wire.js") as {
  frames: (key: string, message: Message) => (string | Buffer)[];
  parse: (frames: readonly Buffer[], key: string) => { header: { msg_type: string }; content: object };
};

const message = { identities: ["client"], type: "status", parent: { username: "me" }, content: { text: "é" } };
const sent = (key: string) => frames(key, message).map((frame) => Buffer.from(frame));

describe("a message on the wire", () => {
  it("is read as it was written, signed and unsigned", () => {
    for (const key of ["key", ""]) {
      const { header, content } = parse(sent(key), key);
      expect([header.msg_type, content]).toEqual(["status", { text: "é" }]);
    }
  });

  it("is refused when it was signed with another key, changed, or cut", () => {
    expect(() => parse(sent("other"), "key")).toThrow("Cannot read a message: its signature is wrong");
    const changed = [...sent("key").slice(0, -1), Buffer.from('{"text":"e"}')];
    expect(() => parse(changed, "key")).toThrow("Cannot read a message: its signature is wrong");
    expect(() => parse(sent("key").slice(0, 4), "key")).toThrow("Cannot read a message: it does not have the parts");
  });
});
