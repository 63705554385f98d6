/** A server whose answers are falsified on their way, to check that the fuzz notices. */
import type { Message } from "../integration/rendezvous-test-client.ts";
import { TestClient } from "../integration/rendezvous-test-client.ts";
import { targetHere, type FuzzTarget } from "./fuzz-target.ts";

/** Gives the lines to send instead of an answer; undefined: the connection is closed. */
export type Fault = (answer: Message, line: string) => string[] | undefined;

/** A server in this process whose plain port applies the fault. */
export async function targetWithFault(names: readonly string[], fault: Fault): Promise<FuzzTarget> {
  const target = await targetHere(names);
  const listener = Bun.listen<{ behind: Promise<TestClient> }>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        const behind = target.plain();
        socket.data = { behind };
        void pass(behind, fault, {
          write: (line) => void socket.write(`${line}\n`),
          end: () => void socket.end(),
        });
      },
      data: (socket, bytes) => void socket.data.behind.then((client) => client.write(Buffer.from(bytes))),
      close: (socket) => void socket.data.behind.then((client) => client.close()),
      error: () => undefined,
    },
  });
  const plain = () => TestClient.connect(listener.port);
  return {
    ...target,
    plain,
    stop: async () => {
      listener.stop(true);
      await target.stop();
    },
  };
}

async function pass(
  behind: Promise<TestClient>,
  fault: Fault,
  front: { write(line: string): void; end(): void },
): Promise<void> {
  const client = await behind;
  for (;;) {
    const line = await client.nextLine().catch(() => undefined);
    const lines = line === undefined ? undefined : fault(JSON.parse(line) as Message, line);
    if (lines === undefined) {
      front.end();
      client.close();
      return;
    }
    lines.forEach((each) => front.write(each));
  }
}
