/** A link that ends before its greeting: its true reason is told. */
import { X509Certificate } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";

import { HELLO_TIMEOUT } from "../../src/client/peer/link.ts";
import { readCertificate } from "../../src/identity/certificate-reader.ts";
import { acceptorContext } from "../../src/net/tls.ts";
import { changed, Company, later, until, type Person } from "./messenger-pair.ts";

let company: Company;
let ana: Person;
const listeners: { stop(force: true): void }[] = [];

/** Without the server the last known addresses are dialled. */
beforeAll(async () => {
  company = await Company.meet();
  ana = await company.person("ana");
  await company.stopServer();
});
afterEach(() => {
  for (const listener of listeners.splice(0)) listener.stop(true);
});
afterAll(() => company.close());

type Socket = Bun.Socket<undefined>;

/** A client of this name, with a good certificate, that does this in place of a greeting. */
function pretend(name: string, act: (socket: Socket) => void): void {
  const identity = company.identity(name);
  const listener = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    tls: acceptorContext(identity, company.authority.certificatePem),
    socket: { handshake: act, data: () => undefined, error: () => undefined },
  });
  listeners.push(listener);
  const { contacts } = ana.profile;
  const contact = contacts.ensure(name);
  const { spki, fingerprint } = readCertificate(new X509Certificate(identity.certificate));
  contacts.pin(contact, { spki, fingerprint }, Date.now());
  contacts.saveTargets(contact, [{ ip: "127.0.0.1", port: listener.port }]);
}

async function reasonFor(name: string): Promise<string | undefined> {
  ana.messenger.openChat(name);
  const told = () => ana.of("unreachable").find(({ username }) => username === name);
  await until(() => told() !== undefined);
  ana.messenger.closeChat(name);
  return told()?.reason;
}

const hello = (fields: object) => {
  return `${JSON.stringify({ action: "hello", protocol: 1, username: "nobody", features: [], ...fields })}\n`;
};

test.each<[string, (socket: Socket) => void, string]>([
  ["closes", (socket) => socket.end(), "not_admitted"],
  ["terminates", (socket) => socket.terminate(), "not_admitted"],
  ["says that it is busy", (socket) => socket.end('{"action":"error","code":"busy"}\n'), "busy"],
  [
    "says another error",
    (socket) => socket.end('{"action":"error","code":"bad_request"}\n'),
    "greeting_refused",
  ],
  ["greets with another name", (socket) => socket.write(hello({})), "bad_greeting"],
  ["greets with no protocol", (socket) => socket.write(hello({ protocol: 0 })), "bad_greeting"],
  ["writes garbage", (socket) => socket.write("GET / HTTP/1.1\n"), "bad_greeting"],
])("a client that %s", async (what, act, reason) => {
  const name = what.replaceAll(" ", ".");
  pretend(name, act);
  expect(await reasonFor(name)).toBe(reason);
});

test("a client that says nothing for ten seconds", async () => {
  let isConnected = false;
  pretend("silent", () => {
    isConnected = true;
    changed();
  });
  const told = reasonFor("silent");
  await until(() => isConnected);
  await later(HELLO_TIMEOUT, async () => expect(await told).toBe("no_greeting"));
});
