/** Where a torture client dies by itself, and how it says so before. */
import { writeSync } from "node:fs";

import type { MessageStore } from "../../../src/client/profile/message-store.ts";
import type { ClientLine, Failpoint } from "./torture-lines.ts";

/** Lines of one turn leave in one write, which returns when they are in the pipe. */
export class Output {
  #lines = "";

  say(line: ClientLine): void {
    if (this.#lines === "") setImmediate(() => this.flush());
    this.#lines += `${JSON.stringify(line)}\n`;
  }

  flush(): void {
    let bytes = Buffer.from(this.#lines);
    this.#lines = "";
    while (bytes.length > 0) bytes = bytes.subarray(writeSync(1, bytes));
  }
}

/** Kills this process between two steps of the store's work. */
export class Failpoints {
  armed: { at: Failpoint; left: number } | undefined;
  readonly #output: Output;

  constructor(messages: MessageStore, output: Output) {
    this.#output = output;
    const queue = messages.queue.bind(messages);
    messages.queue = (...args) => {
      const sequences = queue(...args);
      this.#reached("queued");
      return sequences;
    };
    const claim = messages.claim.bind(messages);
    messages.claim = (...args) => {
      const claimed = claim(...args);
      if (claimed.length > 0) this.#reached("claimed");
      return claimed;
    };
    const commitRead = messages.commitRead.bind(messages);
    messages.commitRead = (contact, read, now) => {
      if (read.acknowledged.length > 0) this.#reached("acknowledged");
      const committed = commitRead(contact, read, now);
      if (read.incoming.length > 0) this.#reached("stored");
      const again = read.incoming.filter(
        ({ kind }, index) => kind === "text" && committed.stored[index] === undefined,
      );
      if (again.length > 0) output.say(["duplicates", again.length]);
      return committed;
    };
  }

  #reached(at: Failpoint): void {
    if (this.armed?.at !== at) return;
    this.armed.left--;
    if (this.armed.left > 0) return;
    this.#output.say(["failpoint", at]);
    this.#output.flush();
    process.kill(process.pid, "SIGKILL");
  }
}
