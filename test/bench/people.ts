/**
 * One person's messenger for the bench; run as a program it is the other side, a process of its own that
 * only receives.
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
    password: async () => PASSWORD,
    onEvent,
  });
  await account.connect();
  return account;
}

/** A person in another process, whose contact `from` is; resolves when online. */
export async function startReceiver(
  options: PersonOptions,
  from: string,
): Promise<{ stop: () => Promise<void> }> {
  const child = Bun.spawn([process.execPath, "run", import.meta.path, from], {
    stdin: new Blob([JSON.stringify(options)]),
    stdout: "pipe",
    stderr: "inherit",
    timeout: PROCESS_LIFETIME,
  });
  const first = await child.stdout.getReader().read();
  if (first.done) throw new Error("the receiver has ended");
  return {
    stop: async () => {
      child.kill();
      await child.exited;
    },
  };
}

if (import.meta.main) {
  const options = JSON.parse(await new Response(Bun.stdin.stream()).text()) as PersonOptions;
  const account = await goOnline(options, () => undefined);
  account.messenger.decisions.decide(process.argv[2] as string, "add");
  process.on("SIGTERM", () => void account.close().then(() => process.exit(0)));
  console.log("online");
}
