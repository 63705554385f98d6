/**
 * Strangers who do their worst at one person's port, each in a way of their own, and again as soon as they are shut out. Run
 * as a program it is all of them, in a process of their own.
 */
import { constants, setPriority } from "node:os";

import { loadAuthority, type Authority } from "../../src/identity/certificate.ts";
import { privateKeyToPem } from "../../src/identity/keys.ts";
import type { TlsIdentity } from "../../src/net/tls.ts";
import { userIdentity } from "./loopback.ts";
import type { Company } from "./messenger-pair.ts";

/** However a run ends, the strangers end after this, in ms. */
const LIFETIME = 600_000;
/** Those of the kind `crowd` have this address in common, each of the others a network of their own. */
const CROWDED_ADDRESS = "127.200.0.1";
/** The beginning of a TLS record that never ends. */
const HALF_A_HELLO = Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 1, 2, 3, 4]);

/** In what way a stranger is one's worst: by the number of the stranger. */
const KINDS = [
  /** Connects, and says nothing. */
  "silence",
  /** Begins the handshake. */
  "half",
  /** Garbage once the handshake is done. */
  "garbage",
  /** Asks with as much as is taken, and more, and leaves. */
  "request",
  /** As `request`, and stays without reading what is answered. */
  "stays",
  /** Writes on and on: signs, changes, texts and what belongs to a verification. */
  "flood",
  /** As `request`, with a new key each time. */
  "keys",
  /** As `request`, of many accounts at one address. */
  "crowd",
] as const;
type Kind = (typeof KINDS)[number];

type Attack = {
  readonly port: number;
  /** The authority of everybody's certificates, in PEM. */
  readonly authority: TlsIdentity;
  readonly strangers: number;
  /** How long they come again and again, in ms; 0: each comes once. */
  readonly duration: number;
};

/** How often a stranger came, and how often one was greeted. */
type Siege = { readonly came: number; readonly greeted: number };

/**
 * Resolves when all have left.
 * @param standsBack their own computing, for which they have machines of their own, gives way to everybody else's
 */
export async function besiege(
  { authority }: Pick<Company, "authority">,
  attack: Omit<Attack, "authority">,
  standsBack = false,
): Promise<Siege> {
  const pem = { certificate: authority.certificatePem, key: privateKeyToPem(authority.privateKey) };
  const work: Attack = { ...attack, authority: pem };
  const crowd = Bun.spawn([process.execPath, "run", import.meta.path], {
    stdin: new Blob([JSON.stringify(work)]),
    stdout: "pipe",
    stderr: "inherit",
    timeout: LIFETIME,
  });
  if (standsBack) setPriority(crowd.pid, constants.priority.PRIORITY_LOW);
  return JSON.parse(await crowd.stdout.text()) as Siege;
}

function lines(count: number, line: (index: number) => object): string {
  return Array.from({ length: count }, (_, index) => `${JSON.stringify(line(index))}\n`).join("");
}

function hello(username: string): string {
  return lines(1, () => ({ action: "hello", protocol: 1, username, features: ["consent1", "verify1"] }));
}

/** More of everything than is taken. */
const WORST = Buffer.from(
  [
    lines(1, () => ({ message: "x".repeat(15_000), id: "0" })),
    lines(16, (index) => ({ action: "edit", id: `e${index}`, target: "0", text: `other ${index}` })),
    lines(100, (index) => ({ action: "typing", active: index % 2 === 0 })),
    lines(100, (index) => ({ action: "read", id: String(index) })),
    lines(10, () => ({ action: "verify_commit", hash: "a".repeat(128) })),
    lines(50, (index) => ({ action: "withdraw", id: `w${index}`, target: `nothing ${index}` })),
    lines(200, (index) => ({ message: "x".repeat(1_000), id: String(1 + index) })),
    lines(100, () => ({ action: "ping" })),
    lines(1, () => ({ message: "x".repeat(200_000), id: "1000" })),
  ].join(""),
);

class Strangers {
  readonly #attack: Attack;
  readonly #authority: Authority;
  readonly #identities = new Map<string, TlsIdentity>();
  readonly #begin = performance.now();
  came = 0;
  greeted = 0;

  constructor(attack: Attack) {
    this.#attack = attack;
    this.#authority = loadAuthority(attack.authority.certificate, attack.authority.key);
  }

  /** All of them at once. */
  async run(): Promise<void> {
    const { strangers } = this.#attack;
    await Promise.all(Array.from({ length: strangers }, (_, number) => this.#one(number)));
  }

  get #isOver(): boolean {
    return performance.now() - this.#begin >= this.#attack.duration;
  }

  async #one(number: number): Promise<void> {
    const kind = KINDS[number % KINDS.length] as Kind;
    const host = kind === "crowd" ? CROWDED_ADDRESS : `127.${1 + (number >> 8)}.${number & 255}.1`;
    do {
      this.came++;
      await this.#come(kind, `stranger${number}`, host);
    } while (!this.#isOver);
  }

  #identity(name: string, isNew: boolean): TlsIdentity {
    const known = isNew ? undefined : this.#identities.get(name);
    const identity = known ?? userIdentity(this.#authority, name);
    this.#identities.set(name, identity);
    return identity;
  }

  /** Until the port or the stranger has had enough. */
  async #come(kind: Kind, name: string, from: string): Promise<void> {
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    const isPlain = kind === "silence" || kind === "half";
    const identity = isPlain ? undefined : this.#identity(name, kind === "keys");
    let words: Uint8Array = Buffer.from(kind === "garbage" ? "}garbage" : hello(name));
    let written = 0;
    let rounds = 0;
    const write = (socket: Bun.Socket) => {
      for (;;) {
        written += Math.max(0, socket.write(words.subarray(written)));
        if (written < words.length || kind === "garbage") return;
        if (rounds++ > 0 && (kind !== "flood" || this.#isOver)) break;
        words = WORST;
        written = 0;
      }
      if (kind === "stays") socket.pause();
      if (this.#isOver) leave();
    };
    let isGreeted = false;
    await Bun.connect({
      hostname: "127.0.0.1",
      port: this.#attack.port,
      localAddress: from,
      localPort: 0,
      ...(identity && { tls: { key: identity.key, cert: identity.certificate, rejectUnauthorized: false } }),
      socket: {
        open: (socket) => {
          if (kind === "half") socket.write(HALF_A_HELLO);
          if (isPlain && this.#isOver) leave();
        },
        data: (socket, chunk) => {
          if (!isGreeted && !isPlain) {
            isGreeted = true;
            this.greeted++;
            write(socket);
          } else if (kind !== "flood" && /"delivered"|"held"/.test(chunk.toString())) socket.terminate();
        },
        drain: (socket) => {
          if (isGreeted) write(socket);
        },
        close: () => leave(),
        error: () => leave(),
        connectError: () => leave(),
      },
    } as Bun.TCPSocketConnectOptions<undefined>).catch(() => leave());
    await left;
  }
}

if (import.meta.main) {
  const attack = JSON.parse(await Bun.stdin.text()) as Attack;
  const strangers = new Strangers(attack);
  // Who stays may not notice the end.
  await Promise.race([strangers.run(), ...(attack.duration > 0 ? [Bun.sleep(attack.duration)] : [])]);
  console.log(JSON.stringify({ came: strangers.came, greeted: strangers.greeted }));
  process.exit(0);
}
