/** Questions to devices of the local network, over real sockets: who answers is not trusted. */
import { expect, test } from "bun:test";

import { askByDatagram } from "../../src/net/datagrams.ts";
import { askHttp } from "../../src/net/http-question.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";

const cleanups = cleanupsForEachTest();

/** A UDP socket on loopback that answers each datagram as `answer` does. */
async function answering(answer: (send: (text: string, from?: Bun.udp.Socket<"buffer">) => void) => void) {
  let asked = 0;
  const socket = await Bun.udpSocket({
    hostname: "127.0.0.1",
    socket: {
      data: (own, _datagram, port, ip) => {
        asked++;
        answer((text, from = own) => void from.send(text, port, ip));
      },
    },
  });
  cleanups.push(() => socket.close());
  return { port: socket.port, asked: () => asked };
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
  expect(silent.asked()).toBe(2);
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
});
