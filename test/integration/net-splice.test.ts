/** Lines and the splice over real sockets: nothing is lost or reordered, and ends are passed on as they came. */
import { afterEach, expect, test } from "bun:test";

import { LineSocket, listenForLines } from "../../src/net/line-socket.ts";
import { Splice } from "../../src/net/splice.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

/** One end of a spliced pair. */
class End {
  socket!: Bun.Socket<undefined>;
  bytes = 0;
  hash = new Bun.CryptoHasher("sha256");
  readonly ended = Promise.withResolvers<void>();
  readonly closed = Promise.withResolvers<void>();
  readonly #unsent: Uint8Array[] = [];
  #isEnding = false;

  static async connect(port: number): Promise<End> {
    const end = new End();
    end.socket = await Bun.connect<undefined>({
      hostname: "127.0.0.1",
      port,
      allowHalfOpen: true,
      socket: {
        data(_socket, chunk) {
          end.bytes += chunk.length;
          end.hash.update(chunk);
        },
        drain: () => end.#flush(),
        end: () => end.ended.resolve(),
        close: () => end.closed.resolve(),
        error: () => undefined,
      },
    });
    cleanups.push(() => end.socket.terminate());
    return end;
  }

  write(bytes: string | Uint8Array): void {
    this.#unsent.push(Buffer.from(bytes as string));
    this.#flush();
  }

  /** Closes its direction once everything was written. */
  finish(): void {
    this.#isEnding = true;
    this.#flush();
  }

  #flush(): void {
    for (let first = this.#unsent[0]; first !== undefined; first = this.#unsent[0]) {
      const taken = this.socket.write(first);
      if (taken < 0) return;
      if (taken < first.length) {
        this.#unsent[0] = first.subarray(taken);
        return;
      }
      this.#unsent.shift();
    }
    if (this.#isEnding) this.socket.shutdown();
  }
}

/** Two ends whose connections are spliced once both have said `{"action":"go"}`. */
async function pair(): Promise<{
  one: End;
  two: End;
  splice: Splice;
  over: Promise<void>;
  passed: () => number;
}> {
  const seats: LineSocket[] = [];
  const spliced = Promise.withResolvers<Splice>();
  const over = Promise.withResolvers<void>();
  let passed = 0;
  const listener = listenForLines({ host: "127.0.0.1", port: 0 }, (socket) => ({
    line() {
      if (seats.push(socket) < 2) return;
      const [one, two] = seats as [LineSocket, LineSocket];
      const splice = new Splice(one, two, {
        passed: (bytes) => (passed += bytes),
        ended: () => over.resolve(),
      });
      splice.begin();
      spliced.resolve(splice);
    },
    closed: () => undefined,
  }));
  cleanups.push(() => listener.stop());
  const one = await End.connect(listener.port);
  one.write('{"action":"go"}\n');
  while (seats.length === 0) await Bun.sleep(1);
  const two = await End.connect(listener.port);
  two.write('{"action":"go"}\nearly');
  const splice = await spliced.promise;
  cleanups.push(() => splice.end());
  return { one, two, splice, over: over.promise, passed: () => passed };
}

function sha256(...parts: (string | Uint8Array)[]): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

test("bytes that follow a line, and megabytes both ways, arrive whole; half-closes are passed on", async () => {
  const { one, two, over, passed } = await pair();
  const big = Buffer.alloc(8 * 1024 * 1024, "0123456789");
  const small = Buffer.alloc(3 * 1024 * 1024, "abcdefg");
  one.write(big);
  one.finish();
  await two.ended.promise;
  expect(two.hash.digest("hex")).toBe(sha256(big));
  // The other direction is still open.
  two.write(small);
  two.finish();
  await Promise.all([one.closed.promise, two.closed.promise, over]);
  expect(one.hash.digest("hex")).toBe(sha256("early", small));
  expect(passed()).toBe(big.length + small.length + "early".length);
});

test("what a reader does not take stops its writer, who goes on when it is taken", async () => {
  const { one, two, passed } = await pair();
  two.socket.pause();
  const big = Buffer.alloc(32 * 1024 * 1024, "x");
  one.write(big);
  let before = -1;
  while (passed() !== before) {
    before = passed();
    await Bun.sleep(50);
  }
  expect(before).toBeLessThan(big.length);
  two.socket.resume();
  one.finish();
  await two.ended.promise;
  expect(two.bytes).toBe(big.length);
});

test("a paused splice passes nothing more than what was read", async () => {
  const { one, two, splice, passed } = await pair();
  splice.pause();
  const before = passed();
  one.write("waits");
  two.write("waits too");
  await Bun.sleep(50);
  expect(passed()).toBe(before);
  splice.resume();
  while (one.bytes < "earlywaits too".length || two.bytes < 5) await Bun.sleep(1);
});

test("a reset ends both, and so do 30 s without a byte taken and 120 s of silence", async () => {
  const reset = await pair();
  reset.one.socket.terminate();
  await Promise.all([reset.two.closed.promise, reset.over]);
  const silent = await pair();
  silent.splice.checkDeadlines(performance.now() + 119_000);
  silent.splice.checkDeadlines(performance.now() + 120_000);
  await Promise.all([silent.one.closed.promise, silent.two.closed.promise, silent.over]);
  const stalled = await pair();
  stalled.two.socket.pause();
  stalled.one.write(Buffer.alloc(32 * 1024 * 1024));
  for (let before = -1; stalled.passed() !== before; await Bun.sleep(50)) before = stalled.passed();
  stalled.splice.checkDeadlines(performance.now() + 29_000);
  stalled.splice.checkDeadlines(performance.now() + 30_000);
  await stalled.over;
});

test("a line that is none, or longer than 512 bytes, ends the connection without an answer", async () => {
  const lines: object[] = [];
  const listener = listenForLines({ host: "127.0.0.1", port: 0 }, (socket) => ({
    line(object) {
      lines.push(object);
      socket.send({ action: "heard" });
    },
    closed: () => undefined,
  }));
  cleanups.push(() => listener.stop());
  for (const bad of ["{]\n", "[]\n", "null\n", `{"action":"${"x".repeat(500)}"}\n`, "x".repeat(513)]) {
    const end = await End.connect(listener.port);
    end.write(bad);
    await end.closed.promise;
    expect(end.bytes).toBe(0);
  }
  expect(lines).toEqual([]);
});

test("who writes lines and does not read the answers gets no more of them, and is ended", async () => {
  let isClosed = false;
  const { promise, resolve } = Promise.withResolvers<void>();
  const listener = listenForLines({ host: "127.0.0.1", port: 0 }, (socket) => ({
    line() {
      expect(socket.queuedBytes).toBeLessThan(32_768);
      socket.send({ answer: "x".repeat(16_000) });
    },
    closed: () => {
      isClosed = true;
      resolve();
    },
  }));
  cleanups.push(() => listener.stop());
  const end = await End.connect(listener.port);
  end.socket.pause();
  while (!isClosed) {
    end.write("{}\n".repeat(1_000));
    await Bun.sleep(0);
  }
  await promise;
});
