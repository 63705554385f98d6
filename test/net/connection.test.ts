import { expect, test } from "bun:test";

import { Connection, type CloseReason } from "../../src/net/connection.ts";

test("a write that closes the connection while it ends is its last word to the socket", () => {
  const calls: string[] = [];
  const reasons: CloseReason[] = [];
  const connection = new Connection(
    {
      message: () => undefined,
      fault: () => undefined,
      closed: (reason) => reasons.push(reason),
    },
    { objectLimit: 1_024, tls: false },
  );
  const socket = {
    remoteAddress: "127.0.0.1",
    localAddress: "127.0.0.1",
    write() {
      connection.gone(undefined);
      return -1;
    },
    shutdown: () => calls.push("shutdown"),
    terminate: () => calls.push("terminate"),
  };
  connection.opened(socket as never);
  connection.send({ action: "bye" });
  connection.end("done");
  expect(reasons).toEqual([{ name: "local", code: "done" }]);
  expect(calls).toEqual(["terminate"]);
});
