/**
 * One of two people in a laboratory: registers unless they are known, is online, and says what happens. Who is told to
 * `open`, `write` or `close` does so with the other's chat; `doctor` looks at the network.
 */
import { existsSync } from "node:fs";

import { Account, registerAccount } from "../../src/client/accounts.ts";
import type { MessengerEvent } from "../../src/client/conversation/events.ts";
import { examine } from "../../src/client/reach/doctor/examination.ts";
import { reportOf } from "../../src/client/reach/doctor/report.ts";
import { ServerFailure } from "../../src/client/rendezvous/server-errors.ts";
import { untilQuiet } from "../integration/messenger-pair.ts";
import { PASSWORD } from "../integration/rendezvous-test-client.ts";
import type { Line } from "./people.ts";

const [name = "", host = "", port = "", folder = "", other = "", lan = ""] = process.argv.slice(2);
const server = {
  host,
  port: Number(port),
  dataFolder: folder,
  expectedFingerprint: undefined,
  confirm: async () => true,
  language: "en" as const,
};

function say(line: Omit<Line, "at">): void {
  console.log(JSON.stringify({ ...line, at: Date.now() } satisfies Line));
}

function report(event: MessengerEvent): void {
  switch (event.name) {
    case "message":
      say({ text: event.message.text, way: messenger.linkPresence(event.from)?.way });
      break;
    case "delivery":
      if (event.state === "received") say({ isReceived: true });
      break;
    case "connected":
      say({ link: event.name, address: event.address });
      break;
    case "disconnected":
      say({ link: event.name });
      break;
    case "server":
      say({ news: `server ${event.state.name}` });
      break;
    case "unreachable":
      say({ news: `unreachable ${event.reason}` });
      break;
    case "wire": {
      const { link, direction, message } = event;
      const { action = "message", mapped, moved } = message;
      say({ news: `${link} ${direction} ${String(action)}` });
      if (link !== "rendezvous") break;
      if (direction === "out" && action === "reach")
        say({ told: "reach", isMapped: JSON.stringify(mapped) !== "[]" });
      else if (direction === "in" && action === "presence" && moved === true) say({ told: "moved" });
      break;
    }
    default:
  }
}

if (!existsSync(folder))
  await registerAccount(server, { username: name, password: PASSWORD, email: undefined });
const account = await Account.open({
  ...server,
  user: name,
  p2pPort: 0,
  command: "test",
  lan: lan === "lan",
  password: async () => PASSWORD,
  who: "anyone",
  trace: true,
  onEvent: report,
});
const { messenger } = account;
messenger.rendezvous.keepOnline();
// Strangers are met at the relay only.
const { contacts, consents } = messenger.profile;
consents.accept(contacts.ensure(other));
try {
  await account.connect();
  // Whether the two may punch depends on the kinds of their NATs.
  await untilQuiet(() => messenger.reach.view?.mapping !== undefined);
} catch (error) {
  if (!(error instanceof ServerFailure)) throw error;
}
say({ online: name });
for await (const line of console) {
  const [command = "", text = ""] = line.split(" ");
  if (command === "open") messenger.openChat(other);
  else if (command === "close") messenger.closeChat(other);
  else if (command === "doctor") {
    const { verdict, hint } = reportOf(await examine(messenger, async () => undefined));
    say({ report: { verdict, ...(hint !== undefined && { hint }) } });
  } else messenger.outbox.send(other, text);
}
