import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Checksum } from "../../../src/data/published/download";

/** What a server does with a request; `number` counts requests from 0. */
export type Answer = (request: IncomingMessage, response: ServerResponse, number: number) => void;

/** A server on this machine. */
export interface FileServer {
  readonly url: string;
  /** Header Range of each request, in order; empty where there was none. */
  readonly ranges: readonly string[];
  readonly close: () => Promise<void>;
}

export async function serve(answer: Answer): Promise<FileServer> {
  const ranges: string[] = [];
  const server: Server = createServer((request, response) => {
    ranges.push(request.headers.range ?? "");
    answer(request, response, ranges.length - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    ranges,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Answers as a good server: with ranges, and with a version of the file that `If-Range` is compared with. */
export function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: Buffer,
  { version = '"1"', cutAfter = Infinity }: { readonly version?: string; readonly cutAfter?: number } = {},
): void {
  const condition = request.headers["if-range"];
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const isPart = start > 0 && (condition === undefined || condition === version);
  const from = isPart ? start : 0;
  if (from >= file.length) return void response.writeHead(416).end();
  response.writeHead(isPart ? 206 : 200, {
    "content-length": file.length - from,
    ...(version !== "" && { etag: version }),
    ...(isPart && { "content-range": `bytes ${from}-${file.length - 1}/${file.length}` }),
  });
  const sent = file.subarray(from, from + cutAfter);
  if (sent.length === file.length - from) response.end(sent);
  else response.write(sent, () => response.socket?.end()); // an end in order: what was sent arrives
}

export function sha256(bytes: Uint8Array): Checksum {
  return { algorithm: "sha256", hex: createHash("sha256").update(bytes).digest("hex") };
}
