/** The other nodes, as far as somebody online is at them: what is pushed to a session there goes by a stream of the node. */
import type { Log } from "../log/log.ts";
import type { RemoteNode } from "./record.ts";
import { pushesTo } from "./scripts.ts";
import type { Valkey } from "./valkey.ts";

/** Pushes kept for a node, about; bytes of one; how long they outlive the node, in s. */
const PUSHES_KEPT = 10_000;
const MAX_PUSH = 4_096;
const PUSHES_LIFE = 60;

export class RemoteNodes {
  readonly #valkey: Valkey;
  readonly #log: Pick<Log, "warn">;
  readonly #failed: (error: unknown) => void;
  readonly #byName = new Map<string, RemoteNode>();

  constructor(valkey: Valkey, log: Pick<Log, "warn">, failed: (error: unknown) => void) {
    this.#valkey = valkey;
    this.#log = log;
    this.#failed = failed;
  }

  /** One object for each node, which all its users share. */
  of(name: string): RemoteNode {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const node = { name, push: (sid: string, message: object) => this.#push(name, sid, message) };
    this.#byName.set(name, node);
    return node;
  }

  /** The node is no more. */
  forget(name: string): void {
    this.#byName.delete(name);
  }

  #push(node: string, sid: string, message: object): void {
    const json = JSON.stringify(message);
    if (Buffer.byteLength(json) > MAX_PUSH) return this.#log.warn("push_too_large", { node });
    const stream = pushesTo(node);
    const add = [stream, "MAXLEN", "~", String(PUSHES_KEPT), "*", "s", sid, "m", json];
    // A client that is not asked to meet asks itself after a while.
    this.#valkey.send("XADD", add).catch(this.#failed);
    this.#valkey.send("EXPIRE", [stream, String(PUSHES_LIFE)]).catch(this.#failed);
  }
}
