/** One of two people in a laboratory: registers, and says what happens. */
import { Account, registerAccount } from "../../src/client/accounts.ts";
import { untilQuiet } from "../integration/messenger-pair.ts";
import { PASSWORD } from "../integration/rendezvous-test-client.ts";

const [name = "", host = "", port = "", folder = "", other = ""] = process.argv.slice(2);
const server = {
  host,
  port: Number(port),
  dataFolder: folder,
  expectedFingerprint: undefined,
  confirm: async () => true,
  language: "en" as const,
};
const say = (line: object) => console.log(JSON.stringify(line));
await registerAccount(server, { username: name, password: PASSWORD, email: undefined });
const account = await Account.open({
  ...server,
  user: name,
  p2pPort: 0,
  command: "test",
  lan: false,
  password: async () => PASSWORD,
  who: "anyone",
  onEvent: (event) => {
    if (event.name !== "message") return;
    say({ text: event.message.text, way: account.messenger.linkPresence(event.from)?.way });
  },
});
const { messenger } = account;
messenger.rendezvous.keepOnline();
// Strangers are met at the relay only.
const { contacts, consents } = messenger.profile;
consents.accept(contacts.ensure(other));
await account.connect();
// Whether the two may punch depends on the kinds of their NATs.
await untilQuiet(() => messenger.reach.view?.mapping !== undefined);
say({ online: name });
// Who is told to writes.
for await (const line of console) if (line === "write") messenger.send(other, "hello");
