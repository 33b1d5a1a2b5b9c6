import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { download } from "../../../src/data/published/download";
import { InputError } from "../../../src/errors";
import { sendFile, serve, sha256, type Answer, type FileServer } from "./file-server";

const file = Buffer.from(Uint32Array.from({ length: 50_000 }, (_, index) => index * 2_654_435_761).buffer);
const other = Buffer.from(file).fill(7, 150_000);

let folder: string;
let server: FileServer;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "moco-download-"));
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const options = { bytes: file.length, checksum: sha256(file), stallSeconds: 0.3, tries: 3, waitSeconds: 0.01 };

/** Downloads from a server that answers so; gives the file. */
async function get(answer: Answer): Promise<Buffer> {
  server = await serve(answer);
  const path = join(folder, "a.tar");
  await download(`${server.url}/a.tar`, { ...options, path });
  expect(readdirSync(folder)).toEqual(["a.tar"]);
  return readFileSync(path);
}

/** The message with which a download fails; the file is not in place. */
async function failure(answer: Answer): Promise<string> {
  server = await serve(answer);
  const path = join(folder, "a.tar");
  const error: unknown = await download(`${server.url}/a.tar`, { ...options, path }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(InputError);
  expect(readdirSync(folder)).not.toContain("a.tar");
  return (error as Error).message;
}

describe("download", () => {
  it("gets a file, and tells how it goes", async () => {
    const seen: number[] = [];
    server = await serve((request, response) => sendFile(request, response, file));
    await download(`${server.url}/a.tar`, {
      ...options,
      path: join(folder, "a.tar"),
      onProgress: ({ bytes, totalBytes }) => seen.push(bytes / totalBytes),
    });
    expect(readFileSync(join(folder, "a.tar")).equals(file)).toBe(true);
    expect(seen.at(-1)).toBe(1);
  });

  it("goes on where a transfer was cut, as often as it takes", async () => {
    const got = await get((request, response) => sendFile(request, response, file, { cutAfter: 60_000 }));
    expect(got.equals(file)).toBe(true);
    expect(server.ranges[0]).toBe("");
    expect(server.ranges.length).toBeGreaterThanOrEqual(4);
    expect(server.ranges.slice(1).every((range) => /^bytes=\d+-$/.test(range))).toBe(true);
  });

  it("goes on where an earlier call was stopped", async () => {
    writeFileSync(join(folder, "a.tar.part"), file.subarray(0, 123_456));
    writeFileSync(join(folder, "a.tar.part.version"), '"1"');
    expect((await get((request, response) => sendFile(request, response, file))).equals(file)).toBe(true);
    expect(server.ranges).toEqual(["bytes=123456-"]);
  });

  it("begins anew where a transfer stalls", async () => {
    const got = await get((request, response, number) => {
      if (number > 0) return sendFile(request, response, file);
      response.writeHead(200, { "content-length": file.length, etag: '"1"' });
      response.write(file.subarray(0, 50_000));
    });
    expect(got.equals(file)).toBe(true);
    expect(server.ranges[1]).toMatch(/^bytes=\d+-$/);
  });

  it("tries again after status 500 and 429, and after a connection that is cut at once", async () => {
    const got = await get((request, response, number) => {
      if (number === 0) return void response.writeHead(500).end();
      if (number === 1) return void request.socket.destroy();
      sendFile(request, response, file);
    });
    expect(got.equals(file)).toBe(true);
  });

  it("starts over at a server that ignores ranges", async () => {
    const got = await get((request, response, number) => {
      delete request.headers.range;
      sendFile(request, response, file, number === 0 ? { cutAfter: 60_000 } : {});
    });
    expect(got.equals(file)).toBe(true);
  });

  it("starts over where the file has changed midway", async () => {
    const got = await get((request, response, number) =>
      number === 0
        ? sendFile(request, response, other, { version: '"old"', cutAfter: 160_000 })
        : sendFile(request, response, file, { version: '"new"' }),
    );
    expect(got.equals(file)).toBe(true);
    expect(server.ranges[1]).toMatch(/^bytes=/);
  });

  it("starts over where it has changed and the server does not say so: the checksum tells", async () => {
    const got = await get((request, response, number) =>
      number === 0
        ? sendFile(request, response, other, { version: "", cutAfter: 160_000 })
        : sendFile(request, response, file, { version: "" }),
    );
    expect(got.equals(file)).toBe(true);
    expect(server.ranges).toHaveLength(3);
  });

  it("starts over where the answer is another part than asked for", async () => {
    writeFileSync(join(folder, "a.tar.part"), file.subarray(0, 1000));
    const got = await get((request, response, number) => {
      if (number > 0) return sendFile(request, response, file);
      response.writeHead(206, { "content-range": `bytes 500-${file.length - 1}/${file.length}` });
      response.end(file.subarray(500));
    });
    expect(got.equals(file)).toBe(true);
  });

  it("follows redirections", async () => {
    const got = await get((request, response) => {
      if (request.url === "/a.tar") return void response.writeHead(302, { location: "/b.tar" }).end();
      sendFile(request, response, file);
    });
    expect(got.equals(file)).toBe(true);
  });

  it("refuses redirections that go in a circle, at once and in plain words", async () => {
    const message = await failure((_, response) => void response.writeHead(302, { location: "/a.tar" }).end());
    expect(message).toContain(
      "the server sends from one address to the next without end; check the address, or try --mirror",
    );
  });

  it("refuses a file of other bytes, after it got it twice", async () => {
    expect(await failure((request, response) => sendFile(request, response, other))).toMatch(
      /must have the SHA256 [0-9a-f]{64}, current value is [0-9a-f]{64}\. The server's file is not the published one/,
    );
    expect(server.ranges).toHaveLength(2);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("refuses a file of another size at once", async () => {
    const message = await failure((request, response) => sendFile(request, response, file.subarray(0, 1000)));
    expect(message).toContain(`the file must have ${file.length} bytes, the server's has 1000`);
    expect(server.ranges).toHaveLength(1);
  });

  it("refuses a page in place of a file, as where a missing file is told in words", async () => {
    expect(await failure((_, response) => void response.writeHead(404).end("none"))).toContain("status 404");
    expect(server.ranges).toHaveLength(1);
  });

  it("does not let a server fill the disk", async () => {
    const message = await failure((_, response) => {
      response.writeHead(200);
      response.end(Buffer.alloc(3 * file.length));
    });
    expect(message).toMatch(
      /3 tries in a row brought nothing new, the last problem is: it sent more than 200000 bytes/,
    );
  });

  it("gives up after some tries that bring nothing new, and keeps what there is", async () => {
    const message = await failure((request, response, number) => {
      if (number === 0) return sendFile(request, response, file, { cutAfter: 70_000 });
      response.writeHead(503).end();
    });
    expect(message).toContain("3 tries in a row brought nothing new, the last problem is: it answered with status 503");
    expect(message).toContain("Run it again to go on from what there is");
    expect(readFileSync(join(folder, "a.tar.part")).length).toBeGreaterThan(0);
  });

  it("gives up at a server that is cut at the same byte each time and ignores ranges", async () => {
    const message = await failure((request, response) => {
      delete request.headers.range;
      sendFile(request, response, file, { cutAfter: 60_000 });
    });
    expect(message).toContain("3 tries in a row brought nothing new");
  });

  it("does not try again where the disk cannot be written to", async () => {
    server = await serve((request, response) => sendFile(request, response, file));
    const path = join(folder, "missing", "a.tar");
    await expect(download(`${server.url}/a.tar`, { ...options, path })).rejects.toThrow("ENOENT");
    expect(server.ranges).toHaveLength(1);
  });

  it("says that nobody answers", async () => {
    server = await serve(() => undefined);
    await server.close();
    const path = join(folder, "a.tar");
    await expect(download(`${server.url}/a.tar`, { ...options, path })).rejects.toThrow(/ECONNREFUSED/);
  });
});
