/**
 * One person's messenger for the bench; run as a program it is the other side, a process of its own with one person or
 * several, who only receive, or answer every text.
 */
import { Account } from "../../src/client/accounts.ts";
import type { MessengerEvent } from "../../src/client/conversation/events.ts";
import { PASSWORD } from "../integration/rendezvous-test-client.ts";
import { PROCESS_LIFETIME } from "./bare-echo.ts";

export type PersonOptions = {
  readonly user: string;
  /** The server's TLS port on this machine. */
  readonly port: number;
  readonly dataFolder: string;
  /** The port that peers dial, where it is another one than that on which the person listens. */
  readonly announcedPort?: number;
  /** Whether the other side answers every text with the same text. */
  readonly answers?: boolean;
  /** Where it puts every file that it is offered. */
  readonly downloads?: string;
};

/** Opens an account and logs it in. */
export async function goOnline(
  options: PersonOptions,
  onEvent: (event: MessengerEvent) => void,
): Promise<Account> {
  const account = await Account.open({
    ...options,
    host: "127.0.0.1",
    expectedFingerprint: undefined,
    confirm: undefined,
    language: "en",
    p2pPort: 0,
    command: "bench",
    who: "requests",
    lan: false,
    password: async () => PASSWORD,
    onEvent,
  });
  await account.connect();
  return account;
}

export type Receiver = {
  readonly pid: number;
  /** At which each person listens for peers. */
  readonly p2pPorts: readonly number[];
  stop(): Promise<void>;
};

/** A person in another process, whose contact `from` is; resolves when online. */
export function startReceiver(options: PersonOptions, from: string): Promise<Receiver> {
  return startReceivers([options], from);
}

/** As `startReceiver`, for several people in one process. */
export async function startReceivers(people: readonly PersonOptions[], from: string): Promise<Receiver> {
  const child = Bun.spawn([process.execPath, "run", import.meta.path, from], {
    stdin: new Blob([JSON.stringify(people)]),
    stdout: "pipe",
    stderr: "inherit",
    timeout: PROCESS_LIFETIME,
  });
  const first = await child.stdout.getReader().read();
  if (first.done) throw new Error("the receiver has ended");
  return {
    pid: child.pid,
    p2pPorts: new TextDecoder().decode(first.value).trim().split(" ").map(Number),
    stop: async () => {
      child.kill();
      await child.exited;
    },
  };
}

if (import.meta.main) {
  const people = JSON.parse(await new Response(Bun.stdin.stream()).text()) as PersonOptions[];
  const accounts: Account[] = [];
  for (const options of people) {
    const account = await goOnline(options, (event) => {
      if (event.name === "message" && options.answers === true)
        account.messenger.outbox.send(event.from, event.message.text);
    });
    account.messenger.decisions.decide(process.argv[2] as string, "add");
    const { downloads: folder } = options;
    if (folder !== undefined) account.messenger.files.acceptAll({}, { most: undefined, folder });
    accounts.push(account);
  }
  const close = () => Promise.all(accounts.map((account) => account.close()));
  process.on("SIGTERM", () => void close().then(() => process.exit(0)));
  console.log(accounts.map(({ messenger }) => messenger.reach.port).join(" "));
}
