/**
 * A server that certifies false keys, and somebody in the middle who has them: ana talks to a false bob, and bob to a
 * false ana. Nothing tells them, until they compare a code.
 */
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "bun:test";

import { issueUserCertificate } from "../../../src/identity/certificate.ts";
import { readCertificate } from "../../../src/identity/certificate-reader.ts";
import { parsePublicKey } from "../../../src/identity/keys.ts";
import { label } from "../../../src/identity/names.ts";
import {
  IDLE,
  stepExchange,
  type Exchange,
  type ExchangeEvent,
  type VerificationMessage,
} from "../../../src/identity/verification.ts";
import {
  EXPORTER_BYTES,
  EXPORTER_LABEL,
  type VerifiedLink,
} from "../../../src/identity/verification-code.ts";
import type { Connection } from "../../../src/net/connection.ts";
import { dial } from "../../../src/net/dialler.ts";
import { listen } from "../../../src/net/listener.ts";
import { acceptorContext, diallerContext, type TlsIdentity } from "../../../src/net/tls.ts";
import { PEER_OBJECT_LIMIT } from "../../../src/protocol/framing.ts";
import { cleanupsForEachTest } from "../cleanups-for-each-test.ts";
import { FakeServer, pongOf } from "../fake-server.ts";
import { newAuthority, Recorder, serverIdentity, userIdentity } from "../loopback.ts";
import { changed, openPerson, until, type Person } from "../messenger-pair.ts";
import type { Message } from "../rendezvous-test-client.ts";

const cleanups = cleanupsForEachTest();
const authority = newAuthority();
/** Whom the middle pretends to be towards the other one. */
const FALSE = { ana: userIdentity(authority, "ana"), bob: userIdentity(authority, "bob") };

function spkiOf({ certificate }: TlsIdentity): Buffer {
  return readCertificate(new X509Certificate(certificate)).spki;
}

/** One line of the middle: with ana as bob, or with bob as ana. */
class Line {
  readonly recorder = new Recorder();
  /** What came and was not taken yet. */
  readonly inbox: VerificationMessage[] = [];
  exchange: Exchange = IDLE;
  readonly #as: keyof typeof FALSE;
  readonly #with: Person;

  constructor(as: keyof typeof FALSE, person: Person) {
    this.#as = as;
    this.#with = person;
    this.recorder.onMessage = (object) => {
      if (String(object["action"]).startsWith("verify_")) this.inbox.push(object as VerificationMessage);
      changed();
    };
  }

  get connection(): Connection {
    return this.recorder.connection as Connection;
  }

  hello(): void {
    this.send({ action: "hello", protocol: 1, username: this.#as, features: ["verify1"] });
  }

  send(message: object): void {
    this.connection.send(message);
  }

  /** What the middle knows of it: it is an end of this session. */
  get #link(): VerifiedLink {
    const exported = this.connection.exportKey(EXPORTER_LABEL, EXPORTER_BYTES) ?? Buffer.alloc(0);
    const { name, profile } = this.#with;
    return {
      exported,
      own: { label: label(this.#as), spki: spkiOf(FALSE[this.#as]) },
      peer: { label: label(name), spki: profile.keys.spki },
    };
  }

  /** Takes part as an honest side would. */
  step(event: ExchangeEvent): void {
    const { exchange, actions } = stepExchange(this.#link, this.exchange, event);
    this.exchange = exchange;
    for (const action of actions) if (action.name === "send") this.send(action.message);
  }

  /** The next message of this kind; those before it, as the end of an earlier exchange, are passed over. */
  async next(action: VerificationMessage["action"]): Promise<VerificationMessage> {
    const isMeant = (message: VerificationMessage) => message.action === action;
    await until(() => this.inbox.some(isMeant));
    return this.inbox.splice(0, this.inbox.findIndex(isMeant) + 1).at(-1) as VerificationMessage;
  }
}

/** Ana and bob, who are told of each other only where the middle is. */
async function meet(now: () => number) {
  const folder = mkdtempSync(join(tmpdir(), "paloma-middle-"));
  const identity = serverIdentity(authority);
  let port = 0;
  const answer = (message: Message): Message => {
    const { action, id, username, public_key, target_user } = message;
    switch (action) {
      case "ping":
        return pongOf(authority, message);
      case "login": {
        const spki = parsePublicKey(String(public_key)) as Buffer;
        const certificate = issueUserCertificate(authority, spki, String(username), Date.now()).pem;
        const session_token = "t".repeat(43);
        const authorityPem = authority.certificatePem;
        return {
          action: "login_response",
          success: true,
          ...{ username, session_token, certificate, authority: authorityPem, id },
        };
      }
      case "watch":
        return { action: "watch_response", online: [], id };
      case "request_p2p": {
        if (target_user !== "bob") break;
        const fingerprint = new Bun.CryptoHasher("sha256").update(spkiOf(FALSE.bob)).digest("hex");
        const target = { target_user, target_ip: "127.0.0.1", target_port: port, secure: true };
        return { action: "p2p_info", ...target, candidates: [], fingerprint, id };
      }
    }
    return { action: "error", success: false, code: "user_offline", request: action, target_user, id };
  };
  const server = new FakeServer({ identity, answer });
  const open = (name: string) => openPerson(name, { dataFolder: join(folder, name), port: server.port, now });
  const [ana, bob] = [await open("ana"), await open("bob")];
  const [withAna, withBob] = [new Line("bob", ana), new Line("ana", bob)];
  const listener = listen({
    host: "127.0.0.1",
    port: 0,
    objectLimit: PEER_OBJECT_LIMIT,
    tls: () => ({ context: acceptorContext(FALSE.bob, authority.certificatePem) }),
    accept: () => withAna.recorder,
  });
  ({ port } = listener);
  cleanups.push(async () => {
    await Promise.all([ana.close(), bob.close()]);
    listener.stop();
    server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  await Promise.all([ana.account.connect(), bob.account.connect()]);
  withAna.recorder.onOpened = () => withAna.hello();
  ana.messenger.openChat("bob");
  await dial({
    targets: [{ ip: "127.0.0.1", port: bob.port }],
    tls: diallerContext({
      identity: FALSE.ana,
      authority: authority.certificatePem,
      serverName: label("bob"),
    }),
    objectLimit: PEER_OBJECT_LIMIT,
    handlers: withBob.recorder,
    verify: () => true,
  });
  withBob.hello();
  bob.messenger.openChat("ana");
  await until(() => [ana, bob].every((person) => person.of("connected").length === 1));
  return { ana, bob, withAna, withBob };
}

const FACE = {};
const news = (person: Person) => person.of("verification");
const codeOf = (person: Person) =>
  news(person).reduce((last, event) => ("code" in event ? event.code : last), "none");
const lastState = (person: Person) => news(person).at(-1)?.state;
const opened = (): ExchangeEvent => ({ name: "opened", nonce: crypto.getRandomValues(new Uint8Array(32)) });
const taken = (message: VerificationMessage): ExchangeEvent => ({ name: "message", message });

test("both are caught by the code, whatever the middle does, and the next code waits longer each time", async () => {
  let ahead = 0;
  const { ana, bob, withAna, withBob } = await meet(() => Date.now() + ahead);
  const open = () => {
    for (const line of [withAna, withBob]) {
      line.inbox.length = 0;
      line.exchange = IDLE;
    }
    // Bob's label is the larger one: ana commits.
    expect(label("ana") < label("bob")).toBe(true);
    expect(ana.messenger.openVerification("bob", FACE)).toEqual({ result: "opened" });
    expect(bob.messenger.openVerification("ana", FACE)).toEqual({ result: "opened" });
  };
  /** Towards ana it is bob who answers her commitment. */
  const completeWithAna = async (): Promise<void> => {
    withAna.step(opened());
    withAna.step(taken(await withAna.next("verify_commit")));
    withAna.step(taken(await withAna.next("verify_reveal")));
  };
  const expectCaught = async (wait: number): Promise<void> => {
    await until(() => lastState(ana) === "wrong" && lastState(bob) === "wrong");
    for (const [person, other] of [
      [ana, "bob"],
      [bob, "ana"],
    ] as const) {
      expect(person.messenger.archive.conversation(other)?.isVerified).toBe(false);
      expect(person.messenger.openVerification(other, FACE)).toMatchObject({ result: "too_soon" });
    }
    ahead += wait;
  };

  // Everything is passed on, as if nobody were there: the commitment is of another session.
  open();
  await withBob.next("verify_commit");
  withBob.send(await withAna.next("verify_commit"));
  withAna.send(await withBob.next("verify_reveal"));
  withBob.send(await withAna.next("verify_reveal"));
  withAna.send(await withBob.next("verify_done"));
  await expectCaught(10_000);

  // The middle takes part on both sides: the people see two codes, say so, and are told so.
  open();
  await completeWithAna();
  withBob.step(opened());
  await withBob.next("verify_commit");
  withBob.step(taken(await withBob.next("verify_reveal")));
  await until(() => lastState(ana) === "code" && lastState(bob) === "code");
  expect(codeOf(ana)).not.toBe(codeOf(bob));
  // That the other one has confirmed is a lie of the middle's.
  for (const line of [withAna, withBob]) line.send({ action: "verify_done", code: "ok" });
  ana.messenger.answerVerification("bob", codeOf(ana) === codeOf(bob));
  bob.messenger.answerVerification("ana", codeOf(ana) === codeOf(bob));
  await expectCaught(60_000);

  // The middle knows ana's code first, and reveals to bob another nonce than the one to which it has committed.
  open();
  await completeWithAna();
  await until(() => lastState(ana) === "code");
  const shownToBob = codeOf(bob);
  withBob.step(opened());
  const { hash } = (await withBob.next("verify_reveal")) as { hash: string };
  withBob.send({ action: "verify_reveal", hash, nonce: "0f".repeat(32) });
  withAna.send(await withBob.next("verify_done"));
  await expectCaught(600_000);
  expect(codeOf(bob)).toBe(shownToBob);
});
