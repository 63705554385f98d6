/**
 * Two friends who chat while strangers do their worst at the port of one of them. Run as a program it is the strangers,
 * in a process of their own.
 */
import { loadAuthority, type Authority } from "../../src/identity/certificate.ts";
import { privateKeyToPem } from "../../src/identity/keys.ts";
import type { TlsIdentity } from "../../src/net/tls.ts";
import { userIdentity } from "./loopback.ts";
import { until, type Company, type Person } from "./messenger-pair.ts";

/** Strangers at the port at once. */
const AT_ONCE = 100;
/** However a run ends, the strangers end after this, in ms. */
const LIFETIME = 600_000;

type Attack = {
  readonly port: number;
  /** The authority of everybody's certificates, in PEM. */
  readonly authority: TlsIdentity;
  readonly strangers: number;
  /** How long they come again and again, in ms; 0: each comes once. */
  readonly duration: number;
};

export type Siege = {
  /** How many ms each of the friends' texts took until it was acknowledged. */
  readonly trips: readonly number[];
  /** How often a stranger came, and how often one was greeted. */
  readonly came: number;
  readonly greeted: number;
};

/** The friends write by turns until the last stranger has come. */
export async function besiege(
  { authority }: Company,
  friends: readonly [Person, Person],
  attack: Pick<Attack, "strangers" | "duration">,
): Promise<Siege> {
  const [ana, bob] = friends;
  const pem = { certificate: authority.certificatePem, key: privateKeyToPem(authority.privateKey) };
  const work: Attack = { ...attack, port: ana.port, authority: pem };
  const crowd = Bun.spawn([process.execPath, "run", import.meta.path], {
    stdin: new Blob([JSON.stringify(work)]),
    stdout: "pipe",
    stderr: "inherit",
    timeout: LIFETIME,
  });
  let isOver = false;
  void crowd.exited.then(() => (isOver = true));
  const trips: number[] = [];
  for (let count = 0; !isOver; count++) {
    const [from, to] = count % 2 === 0 ? [ana, bob] : [bob, ana];
    const before = from.received(to.name);
    const begin = performance.now();
    from.messenger.send(to.name, `text ${count}`);
    await until(() => from.received(to.name) > before);
    trips.push(performance.now() - begin);
  }
  const { came, greeted } = JSON.parse(await crowd.stdout.text()) as { came: number; greeted: number };
  return { trips, came, greeted };
}

function lines(count: number, line: (index: number) => object): string {
  return Array.from({ length: count }, (_, index) => `${JSON.stringify(line(index))}\n`).join("");
}

/** More of everything than is taken. */
function worst(username: string): string {
  const id = (index: number) => `${username} ${index}`;
  return [
    lines(1, () => ({ action: "hello", protocol: 1, username, features: ["consent1", "verify1"] })),
    lines(1, () => ({ message: "x".repeat(15_000), id: id(0) })),
    lines(100, (index) => ({ action: "typing", active: index % 2 === 0 })),
    lines(100, (index) => ({ action: "read", id: id(index) })),
    lines(10, () => ({ action: "verify_commit", commitment: "A".repeat(43) })),
    lines(50, (index) => ({ action: "withdraw", id: `w${id(index)}`, target: `nothing ${index}` })),
    lines(50, (index) => ({
      action: "edit",
      id: `e${id(index)}`,
      target: `nothing ${index}`,
      text: "other",
    })),
    lines(200, (index) => ({ message: "x".repeat(1_000), id: id(1 + index) })),
    lines(100, () => ({ action: "ping" })),
    lines(1, () => ({ message: "x".repeat(200_000), id: id(1_000) })),
  ].join("");
}

class Strangers {
  readonly #attack: Attack;
  readonly #authority: Authority;
  readonly #identities = new Map<number, TlsIdentity>();
  came = 0;
  greeted = 0;

  constructor(attack: Attack) {
    this.#attack = attack;
    this.#authority = loadAuthority(attack.authority.certificate, attack.authority.key);
  }

  async run(): Promise<void> {
    const { strangers, duration } = this.#attack;
    if (strangers === 0) return Bun.sleep(duration);
    const begin = performance.now();
    const lane = async () => {
      while (this.came < strangers || performance.now() - begin < duration)
        await this.#come(this.came++ % strangers);
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, strangers) }, lane));
  }

  /** One stranger, from a network of their own, until the port or they have had enough. Every fourth one stays. */
  async #come(number: number): Promise<void> {
    const name = `stranger${number}`;
    const identity = this.#identities.get(number) ?? userIdentity(this.#authority, name);
    this.#identities.set(number, identity);
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    const words = Buffer.from(worst(name));
    let written = 0;
    const write = (socket: Bun.Socket) => {
      written += Math.max(0, socket.write(words.subarray(written)));
      if (written < words.length) return;
      // Nothing that the port still answers is read.
      if (number % 4 === 0) socket.pause();
      else socket.terminate();
      leave();
    };
    let isGreeted = false;
    await Bun.connect({
      hostname: "127.0.0.1",
      port: this.#attack.port,
      localAddress: `127.${1 + (number >> 8)}.${number & 255}.1`,
      localPort: 0,
      tls: { key: identity.key, cert: identity.certificate, rejectUnauthorized: false },
      socket: {
        data: (socket) => {
          if (isGreeted) return;
          isGreeted = true;
          this.greeted++;
          write(socket);
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
  const strangers = new Strangers(JSON.parse(await Bun.stdin.text()) as Attack);
  await strangers.run();
  console.log(JSON.stringify({ came: strangers.came, greeted: strangers.greeted }));
  process.exit(0);
}
