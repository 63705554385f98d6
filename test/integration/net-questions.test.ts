/** Questions to devices of the local network, over real sockets: who answers is not trusted. */
import { expect, test } from "bun:test";

import { askByDatagram } from "../../src/net/datagrams.ts";
import { askHttp } from "../../src/net/http-question.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";

const cleanups = cleanupsForEachTest();

/** A UDP socket on loopback that answers each datagram as `answer` does. */
async function answering(answer: (send: (text: string, from?: Bun.udp.Socket<"buffer">) => void) => void) {
  let asked = 0;
  const second = Promise.withResolvers<void>();
  const socket = await Bun.udpSocket({
    hostname: "127.0.0.1",
    socket: {
      data: (own, _datagram, port, ip) => {
        asked++;
        if (asked === 2) second.resolve();
        answer((text, from = own) => void from.send(text, port, ip));
      },
    },
  });
  cleanups.push(() => socket.close());
  return { port: socket.port, asked: () => asked, second: second.promise };
}

const question = (port: number, timeout = 20_000) => ({
  ip: "127.0.0.1",
  port,
  request: (local: string) => Buffer.from(`from ${local}`),
  read: (datagram: Buffer) => {
    const text = datagram.toString();
    return text.startsWith("yes") ? { text } : undefined;
  },
  repeats: [0],
  timeout,
});

test("of many datagrams the one counts that the reader takes, of whatever length the others are", async () => {
  const { port } = await answering((send) => {
    send("");
    send("x".repeat(60_000));
    send("yes");
  });
  expect(await askByDatagram(question(port))).toEqual({ text: "yes" });
});

test("an answer that comes from elsewhere is not read", async () => {
  // The system tells this one that nobody has taken its datagram.
  const elsewhere = await Bun.udpSocket({ hostname: "127.0.0.1", socket: { error: () => undefined } });
  cleanups.push(() => elsewhere.close());
  const { port, asked } = await answering((send) => {
    send("yes, from elsewhere", elsewhere);
    if (asked() === 2) send("yes, from the one who was asked");
  });
  expect(await askByDatagram(question(port))).toEqual({ text: "yes, from the one who was asked" });
});

test("where nobody listens it is known at once, and silence ends with the time", async () => {
  const socket = await Bun.udpSocket({ hostname: "127.0.0.1" });
  const { port } = socket;
  socket.close();
  expect(await askByDatagram(question(port))).toBe("ECONNREFUSED");
  const silent = await answering(() => undefined);
  expect(await askByDatagram(question(silent.port, 50))).toBe("no_answer");
  // Asked again; that may be read after the time is over.
  await silent.second;
});

test("an HTTP answer is read to 64 KiB, without redirects and without a proxy", async () => {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/redirect") return Response.redirect("/");
      if (pathname === "/huge") return new Response("x".repeat(65_537));
      if (pathname === "/silent") return new Promise<Response>(() => undefined);
      if (pathname === "/endless") return endless(1_000);
      if (pathname === "/trickling") return endless(0);
      if (pathname === "/bomb") {
        const body = Bun.gzipSync(new Uint8Array(8 * 1024 * 1024));
        return new Response(body, { headers: { "Content-Encoding": "gzip" } });
      }
      return new Response(`${request.method} ${request.headers.get("SOAPAction")} ${await request.text()}`);
    },
  });
  cleanups.push(() => server.stop(true));
  const before = process.env["http_proxy"];
  cleanups.push(() => {
    if (before === undefined) delete process.env["http_proxy"];
    else process.env["http_proxy"] = before;
  });
  process.env["http_proxy"] = "http://127.0.0.1:1";
  const at = (path: string) => new URL(path, server.url);
  const never = new AbortController().signal;
  const post = { headers: { SOAPAction: "act" }, body: "body" };
  expect(await askHttp(at("/"), never, post)).toEqual({ status: 200, text: "POST act body" });
  expect(await askHttp(at("/redirect"), never)).toMatchObject({ status: 302 });
  expect(await askHttp(at("/huge"), never)).toBe("too_long");
  expect(await askHttp(at("/silent"), AbortSignal.timeout(50))).toBe("no_answer");
  expect(await askHttp(at("/endless"), never)).toBe("too_long");
  expect(await askHttp(at("/trickling"), AbortSignal.timeout(50))).toBe("no_answer");
  // It is not unpacked.
  const bomb = await askHttp(at("/bomb"), never);
  expect(typeof bomb === "object" && bomb.text.length).toBeWithin(1, 65_537);
});

test("an HTTP answer whose headers never end is no answer", async () => {
  const line = Buffer.from(`X-A: ${"y".repeat(1_000)}\r\n`);
  const flood = (socket: Bun.Socket) => {
    while (socket.write(line) === line.length);
  };
  const router = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket) {
        socket.write("HTTP/1.1 200 OK\r\n");
        flood(socket);
      },
      drain: flood,
    },
  });
  cleanups.push(() => router.stop(true));
  const url = new URL(`http://127.0.0.1:${router.port}`);
  expect(await askHttp(url, new AbortController().signal)).toBe("Malformed_HTTP_Response");
});

/** An answer of pieces without end; of no bytes after the first one: it is never over, and says nothing. */
function endless(bytes: number): Response {
  let isFirst = true;
  return new Response(
    new ReadableStream({
      async pull(controller) {
        if (!isFirst && bytes === 0) await new Promise(() => undefined);
        isFirst = false;
        controller.enqueue(new Uint8Array(Math.max(1, bytes)));
      },
    }),
  );
}
