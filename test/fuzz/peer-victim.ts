/** Ana, whose port is fuzzed, with an honest friend and one who is never online; and what her database must hold. */
import { Database } from "bun:sqlite";
import { join } from "node:path";

import type { StoredMessage } from "../../src/client/profile/stored-message.ts";
import { profileFile } from "../../src/client/disk/folders.ts";
import type { TlsIdentity } from "../../src/net/tls.ts";
import { Company, openPerson, until, type Person } from "../integration/messenger-pair.ts";
import { RawPeer } from "../integration/raw-peer.ts";
import { mustHold, within } from "./fuzz-failure.ts";
import { StoredModel, type ModelText, type PeerLinkModel } from "./peer-model.ts";

/** How many texts of one contact are read back. */
const MAX_TEXTS = 5_000;

/** A second address of the contact, which ana knows. */
export const CONTACT_ADDRESS = "127.0.200.1";

/** A peer with a valid certificate, and what she must have stored of him. */
export type Attacker = {
  readonly name: string;
  readonly identity: TlsIdentity;
  /** What may be stored: of some withdrawals it is not known yet whether they were read. */
  stored: readonly StoredModel[];
  /** Ids of her messages that he has acknowledged. */
  readonly claimed: Set<string>;
  links: number;
  /** His key is not pinned yet. */
  isNew: boolean;
};

export class Victim {
  readonly company: Company;
  readonly ana: Person;
  readonly #bob: Person;
  readonly #deadline: number;
  /** Her message to a friend who is never online. */
  readonly toZoe: string;
  /** A contact whose key is pinned, and to whom she has written. */
  readonly #contact: TlsIdentity;
  #sent = 0;
  #isClosed = false;

  private constructor(company: Company, ana: Person, bob: Person, deadline: number) {
    this.company = company;
    this.ana = ana;
    this.#bob = bob;
    this.#deadline = deadline;
    this.toZoe = ana.messenger.outbox.send("zoe", "para Zoe");
    this.#contact = company.identity("amiga");
  }

  static async open(deadline: number): Promise<Victim> {
    const company = await Company.meet();
    await company.addAccount("ana");
    const { port, folder } = company;
    const ana = await openPerson("ana", { dataFolder: join(folder, "ana"), port });
    await ana.account.connect();
    // Before anybody calls: the port looks only each second for addresses of new contacts.
    ana.messenger.outbox.send("amiga", "para ella");
    const { contacts } = ana.profile;
    const targets = ["127.0.0.1", CONTACT_ADDRESS].map((ip) => ({ ip, port: 1 }));
    contacts.saveTargets(contacts.ensure("amiga"), targets);
    const bob = await company.person("bob");
    ana.keepChatting("bob");
    bob.keepChatting("ana");
    const victim = new Victim(company, ana, bob, deadline);
    await victim.visit();
    return victim;
  }

  attacker(name: string): Attacker {
    const identity = this.company.identity(name);
    // What he says is stored, however much it is.
    this.ana.accept(name);
    return { name, identity, stored: [new StoredModel()], claimed: new Set(), links: 0, isNew: true };
  }

  /** The contact calls, from this address if one is given, and is served. @throws FuzzFailure if she is not let in */
  async visit(from?: string): Promise<void> {
    const peer = await RawPeer.dial(this.ana.port, {
      identity: this.#contact,
      ...(from === undefined ? {} : { from }),
    });
    const hello = await peer.next().catch(() => undefined);
    mustHold(hello?.["action"] === "hello", "a contact does not get in", hello);
    peer.send({ action: "hello", protocol: 1, username: peer.name, features: [] }, { action: "ping" });
    while ((await peer.next())["action"] !== "pong");
    peer.terminate();
    await peer.closed;
  }

  /** She and her friend exchange a message. */
  async talk(): Promise<void> {
    const text = `${++this.#sent}`;
    this.#bob.messenger.outbox.send("ana", text);
    this.ana.messenger.outbox.send("bob", text);
    const isThere = () =>
      this.ana.texts("bob").length >= this.#sent &&
      this.#bob.texts("ana").length >= this.#sent &&
      this.ana.received("bob") >= this.#sent &&
      this.#bob.received("ana") >= this.#sent;
    await within(this.#deadline, until(isThere), () => "the honest friend is not reached");
    for (const texts of [this.ana.texts("bob"), this.#bob.texts("ana")]) {
      mustHold(
        texts.length === this.#sent && texts.at(-1) === text,
        "another text than was sent",
        texts.at(-1),
      );
    }
    const failed = this.ana.of("storageFailed")[0];
    mustHold(failed === undefined, "a write failed", String(failed?.error));
    this.#expectZoeUntouched();
  }

  /** Her database must hold the link's messages that certainly came, and perhaps some of the following, in order. */
  expectStored(attacker: Attacker, link: PeerLinkModel): void {
    const actual = this.#incoming(attacker.name);
    const possible = attacker.stored.flatMap((before) => statesAfter(before, link));
    const found = possible.filter((each) => isSame(each, actual));
    if (found.length === 0) {
      const { texts } = possible[0] as StoredModel;
      const at = texts.findIndex((text, index) => !isSameText(text, actual[index]));
      const place = at < 0 ? texts.length : at;
      const sizes = { expected: texts.length, atMost: possible.at(-1)?.texts.length, stored: actual.length };
      mustHold(
        false,
        `what ${attacker.name} said is not what is stored`,
        sizes,
        place,
        texts[place],
        actual[place],
      );
    }
    attacker.stored = [...new Map(found.map((each) => [each.knownIds, each])).values()];
    for (const message of link.messages) {
      if (message.action === "delivered") message.ids.forEach((id) => attacker.claimed.add(id));
    }
    for (const { id, state } of this.#outgoing(attacker.name)) {
      const isAcknowledged = state === "received" || state === "read";
      mustHold(
        !isAcknowledged || attacker.claimed.has(id),
        "a message counts as received that nobody acknowledged",
        id,
      );
    }
  }

  /** Closes everything and checks her database. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      const file = profileFile(this.ana.profile.folder);
      await within(this.#deadline, this.ana.close(), () => "the messenger does not close");
      const database = new Database(file, { readonly: true });
      const result = database.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all();
      database.close();
      mustHold(result[0]?.integrity_check === "ok", "her file is damaged", result);
    } finally {
      await this.company.close();
    }
  }

  #incoming(name: string): StoredMessage[] {
    return this.#history(name).filter(({ outgoing }) => !outgoing);
  }

  #outgoing(name: string): StoredMessage[] {
    return this.#history(name).filter(({ outgoing }) => outgoing);
  }

  #history(name: string): readonly StoredMessage[] {
    const { contacts, history } = this.ana.profile;
    const contact = contacts.find(name);
    return contact === undefined ? [] : history.before(contact, undefined, MAX_TEXTS).messages;
  }

  #expectZoeUntouched(): void {
    const [message, ...more] = this.#history("zoe");
    const isWhole = message?.id === this.toZoe && message.text === "para Zoe" && message.state === "queued";
    mustHold(isWhole && more.length === 0, "a message to somebody else was touched", message, more);
  }
}

/** The possible states after a link: with the messages that certainly came, and some of the following. */
function statesAfter(before: StoredModel, link: PeerLinkModel): StoredModel[] {
  let state = before.copy();
  link.messages.slice(0, link.certain).forEach((message) => state.take(message));
  const states = [state];
  for (const message of link.messages.slice(link.certain)) {
    state = state.copy();
    state.take(message);
    states.push(state);
  }
  return states;
}

function isSame(model: StoredModel, actual: readonly StoredMessage[]): boolean {
  return (
    model.texts.length === actual.length && model.texts.every((text, at) => isSameText(text, actual[at]))
  );
}

function isSameText({ id, text, replyTo }: ModelText, stored: StoredMessage | undefined): boolean {
  return (id === undefined || stored?.id === id) && stored?.text === text && stored.replyTo === replyTo;
}
