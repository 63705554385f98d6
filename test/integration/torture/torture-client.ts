/**
 * One of the two clients of the torture test, as a program: it writes numbered texts, edits and
 * withdraws some, says on standard output what is committed and shown, and dies where it is told to.
 */
import { Database } from "bun:sqlite";

import { Account } from "../../../src/client/accounts.ts";
import type { MessengerEvent } from "../../../src/client/conversation/events.ts";
import { profileFile } from "../../../src/client/disk/folders.ts";
import { isTransient } from "../../../src/client/rendezvous/server-errors.ts";
import type { StoredMessage } from "../../../src/client/profile/stored-message.ts";
import { seededRandom, type SeededRandom } from "../../seeded-random.ts";
import { PASSWORD } from "../rendezvous-test-client.ts";
import { Failpoints, Output } from "./failpoints.ts";
import { readLines, type ClientCommand, type ClientOptions } from "./torture-lines.ts";
import { makeText, readText } from "./torture-text.ts";

/** Texts written in one turn, at most. */
const BURST = 16;
/** Between two turns, at most, in ms. */
const PAUSE = 8;
/** Texts that may still be edited or withdrawn. */
const RECENT = 60;
const EDIT_ONE_IN = 30;
const WITHDRAW_ONE_IN = 60;
const READ_ONE_IN = 40;
/** How often the outbox is counted, in ms. */
const COUNT_INTERVAL = 40;

/** How many texts this profile has written, also those that were withdrawn or cancelled. */
function countWritten(folder: string): number {
  const database = new Database(profileFile(folder), { readonly: true, strict: true });
  try {
    const row = database
      .query<{ count: number }, []>(
        "SELECT count(*) AS count FROM messages WHERE outgoing = 1 AND target IS NULL",
      )
      .get();
    return row?.count ?? 0;
  } finally {
    database.close();
  }
}

class TortureClient {
  readonly #options: ClientOptions;
  readonly #output: Output;
  readonly #random: SeededRandom;
  readonly #account: Account;
  readonly #failpoints: Failpoints;
  #recent: { readonly id: string; readonly number: number; edition: number }[];
  #written: number;
  #quota = 0;
  #isWriting = false;
  #counted = "";

  private constructor(options: ClientOptions, account: Account, output: Output) {
    this.#options = options;
    this.#account = account;
    this.#output = output;
    const mixed = Math.imul(options.life + 1, 0x27d4eb2f) ^ options.writer.charCodeAt(0);
    this.#random = seededRandom(options.seed ^ mixed);
    const { contacts, folder, history, messages } = account.messenger.profile;
    this.#failpoints = new Failpoints(messages, output);
    this.#written = countWritten(folder);
    const { messages: newest } = history.before(contacts.ensure(options.peer), undefined, RECENT);
    this.#recent = newest
      .filter((each) => each.outgoing && each.withdrawnAt === undefined)
      .map(({ id, text }) => ({ id, ...headOf(options.seed, text) }));
  }

  static async open(options: ClientOptions): Promise<TortureClient> {
    const output = new Output();
    let client: TortureClient | undefined;
    const early: MessengerEvent[] = [];
    const account = await Account.open({
      user: options.user,
      host: "127.0.0.1",
      port: options.serverPort,
      dataFolder: options.dataFolder,
      expectedFingerprint: undefined,
      confirm: undefined,
      language: "en",
      p2pPort: 0,
      announcedPort: options.announcedPort,
      command: "torture",
      who: "anyone",
      lan: false,
      password: async () => PASSWORD,
      onEvent: (event) => (client === undefined ? early.push(event) : client.take(event)),
    });
    client = new TortureClient(options, account, output);
    const { rendezvous } = account.messenger;
    output.say(["up", account.messenger.reach.port ?? 0, client.#written]);
    for (const event of early) client.take(event);
    setInterval(() => client.#count(), COUNT_INTERVAL);
    if (client.#random.integer(2) === 0) account.messenger.openChat(options.peer);
    rendezvous.keepOnline();
    rendezvous.connect().catch((error: unknown) => {
      if (!isTransient(error)) throw error;
      rendezvous.keepOnline();
    });
    return client;
  }

  async obey(command: ClientCommand): Promise<void> {
    switch (command.name) {
      case "quota":
        this.#quota = command.texts;
        if (!this.#isWriting) this.#write();
        return;
      case "failAt":
        this.#failpoints.armed =
          command.at === undefined ? undefined : { at: command.at, left: command.after };
        return;
      case "end":
        await this.#account.close();
        this.#output.flush();
        process.exit(0);
        return;
      default:
        command satisfies never;
    }
  }

  #write(): void {
    this.#isWriting = this.#written < this.#quota;
    if (!this.#isWriting) return;
    const random = this.#random;
    const { messenger } = this.#account;
    const { peer, seed, writer } = this.#options;
    for (let left = 1 + random.integer(BURST); left > 0 && this.#written < this.#quota; left--) {
      const number = this.#written++;
      const id = messenger.outbox.send(peer, makeText(seed, { writer, number, edition: 0 }));
      this.#recent.push({ id, number, edition: 0 });
      if (this.#recent.length > RECENT) this.#recent.shift();
      if (random.integer(EDIT_ONE_IN) === 0) this.#edit();
      if (random.integer(WITHDRAW_ONE_IN) === 0) this.#withdraw();
    }
    setTimeout(() => this.#write(), random.integer(PAUSE));
  }

  #edit(): void {
    const { peer, seed, writer } = this.#options;
    const target = this.#random.pick(this.#recent);
    target.edition++;
    this.#account.messenger.outbox.edit(peer, target.id, makeText(seed, { writer, ...target }));
  }

  #withdraw(): void {
    const [target] = this.#recent.splice(this.#random.integer(this.#recent.length), 1);
    if (target !== undefined) this.#account.messenger.outbox.withdraw(this.#options.peer, target.id);
  }

  #count(): void {
    const { contacts, messages } = this.#account.messenger.profile;
    const { text, edit, withdraw } = messages.outboxCounts(contacts.ensure(this.#options.peer));
    const waiting = text + edit + withdraw;
    const counted = `${this.#written} ${waiting}`;
    if (counted !== this.#counted) this.#output.say(["outbox", this.#written, waiting]);
    this.#counted = counted;
  }

  take(event: MessengerEvent): void {
    const output = this.#output;
    switch (event.name) {
      case "delivery":
        if (event.state === "queued") output.say(["committed", event.id]);
        else output.say(["delivery", event.id, event.state]);
        return;
      case "message":
        this.#show(event.message);
        return;
      case "changed":
        if (event.message.outgoing) this.#sayChanged(event.message);
        return;
      case "cancelled":
        output.say(["cancelled", event.id]);
        return;
      case "storageFailed":
        output.say(["fault", `${event.name}: ${event.error.message}`]);
        return;
      case "server":
        output.say([event.state.name === "stopped" ? "fault" : "note", `server ${event.state.name}`]);
        return;
      case "request":
      case "held":
      case "accepted":
      case "contact":
      case "muted":
      case "connected":
      case "disconnected":
      case "unreachable":
        output.say(["note", JSON.stringify(event)]);
        return;
      case "profileHealth":
        output.say([event.health === "repaired" ? "fault" : "note", JSON.stringify(event)]);
        return;
      case "newKey":
      case "keyPending":
      case "peerError":
        output.say(["fault", JSON.stringify(event)]);
        return;
      case "refusal":
        output.say(["note", `refused ${event.code}`]);
        return;
      case "file":
      case "group":
      case "groupNotice":
      case "read":
      case "silent":
      case "presence":
      case "watched":
      case "typing":
      case "clockOffset":
      case "verification":
      case "wire":
        return;
      default:
        event satisfies never;
    }
  }

  #show(message: StoredMessage): void {
    const { peer, seed, writer } = this.#options;
    const head = readText(seed, message.text);
    this.#output.say([
      "shown",
      message.id,
      head === undefined || head.writer === writer ? null : head.number,
    ]);
    if (this.#random.integer(READ_ONE_IN) === 0) this.#account.messenger.markRead(peer, message.seq);
  }

  #sayChanged({ id, text, withdrawnAt }: StoredMessage): void {
    if (withdrawnAt === undefined) {
      this.#output.say(["edited", id, headOf(this.#options.seed, text).edition]);
    } else this.#output.say(["withdrawn", id]);
  }
}

/** @throws for a text that this client cannot have written. */
function headOf(seed: number, text: string): { readonly number: number; readonly edition: number } {
  const head = readText(seed, text);
  if (head === undefined) throw new Error(`not a text of this run: ${JSON.stringify(text.slice(0, 40))}`);
  return { number: head.number, edition: head.edition };
}

if (import.meta.main) {
  let client: Promise<TortureClient> | undefined;
  await readLines(Bun.stdin.stream(), (line) => {
    const value: unknown = JSON.parse(line);
    if (client === undefined) client = TortureClient.open(value as ClientOptions);
    else void client.then((each) => each.obey(value as ClientCommand));
  });
  // Whoever started this is gone.
  process.exit(1);
}
