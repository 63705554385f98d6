/** A person with a machine, a disk and one program at a time: their actions and their texts. */
import { ActionError } from "../../../src/client/conversation/message-actions.ts";
import { isStorageFailure } from "../../../src/client/disk/sqlite.ts";
import { KIND } from "../../../src/client/disk/schema.ts";
import type { Decision } from "../../../src/client/conversation/consent.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import type { Place } from "./simulated-network.ts";
import { SimulatedProgram, type Surrounding } from "./simulated-program.ts";
import type { SimulatedServer } from "./simulated-server.ts";
import { ownAddress, type Site } from "./site.ts";
import type { Machine } from "./simulated-time.ts";
import type { RelayUse } from "../../../src/client/disk/schema.ts";
import { Shown, Observer, type Fail, type Said, type Observed } from "./observer.ts";

/** `crashed`: the action may have been done or not; `refused`: the rules do not allow it. */
type Outcome = "done" | "failed" | "refused" | "crashed";

export type PersonOptions = {
  readonly name: string;
  readonly machine: Machine;
  readonly around: Surrounding & { readonly server: SimulatedServer };
  readonly fail: Fail;
};

export class SimulatedPerson implements Place, Observed {
  readonly name: string;
  readonly machine: Machine;
  readonly disk = new SimulatedDisk();
  readonly said: Said[] = [];
  hasRefused = false;
  program: SimulatedProgram | undefined;
  code: string | undefined;
  readonly confirmed = new Set<string>();
  site: Site;
  readonly relay: RelayUse;
  readonly #options: PersonOptions;
  readonly #places = new Map<string, number>();
  readonly #shown = new Shown();
  readonly #number: number;
  #written = 0;

  /** @param number of the machine in its home */
  constructor(options: PersonOptions, number: number, site: Site, relay: RelayUse) {
    this.name = options.name;
    this.machine = options.machine;
    this.#options = options;
    this.#number = number;
    this.site = site;
    this.relay = relay;
  }

  /** As the peer types it before they know the registered spelling. */
  get typedName(): string {
    return this.name.toLowerCase();
  }

  get address(): string {
    return ownAddress(this.site, this.#number);
  }

  placeOf(id: string): number | undefined {
    return this.#places.get(id);
  }

  start(other: SimulatedPerson): void {
    if (this.program !== undefined) return;
    const { around, fail } = this.#options;
    around.note(() => `${this.name} starts`);
    this.code = undefined;
    this.program = new SimulatedProgram({
      owner: this,
      other,
      around,
      observer: new Observer(this, other, this.#shown, fail),
      ended: () => {
        around.note(() => `${this.name} has ended`);
        this.disk.closed();
        this.program = undefined;
      },
    });
  }

  /** @param how whether the machine keeps running and resets the program's connections */
  crash(how: "program" | "machine"): void {
    const { program } = this;
    if (program === undefined) return;
    this.#options.around.note(() => `${this.name} crashes (${how})`);
    this.program = undefined;
    program.end(how === "program");
    if (how === "machine") this.#losePower();
    this.#options.around.server.lost(this, program);
  }

  /** What was never synced may be lost, but nothing of which the person was told that it is queued. */
  #losePower(): void {
    const { around, fail } = this.#options;
    this.disk.cutPower(around.random);
    for (const each of this.said) {
      if (each.fate === "lost") continue;
      const row = this.disk.row(each.id, true);
      if (row?.tried === 0 && this.#shown.left.has(each.id))
        fail(`${each.id} has left, and counts as untried`);
      if (row !== undefined) continue;
      if (this.#shown.queued.has(each.id)) fail(`${each.id} was queued, and is lost`);
      each.fate = "lost";
      around.note(() => `${this.name} has lost ${each.id}`);
    }
  }

  /** Writes texts, which are committed together. @param length characters of each */
  say(lengths: readonly number[]): void {
    this.#use(({ outbox, contact }) => {
      const replyTo = this.said.at(-1)?.id;
      const ids: string[] = [];
      this.#try(
        () => {
          for (const length of lengths) ids.push(outbox.send(contact.username, this.#text(length), replyTo));
          outbox.commit();
        },
        (outcome) => this.#learn(ids, outcome),
      );
    });
  }

  /** Decides whether the peer may write. */
  decide(decision: Decision): void {
    this.#use(({ decisions, contact }) => {
      if (decision === "decline" || decision === "block" || decision === "remove") this.hasRefused = true;
      this.#try(
        () => decisions.decide(contact.username, decision),
        (outcome) => this.#options.around.note(() => `${this.name} decides ${decision}: ${outcome}`),
      );
    });
  }

  /** Whether the peer may write. */
  get accepts(): boolean {
    const { program } = this;
    return program !== undefined && program.stores.consents.isContact(program.contact.label);
  }

  edit(said: Said, length: number): void {
    this.#use(({ outbox, contact }) => {
      const text = this.#text(length);
      this.#try(
        () => {
          outbox.edit(contact.username, said.id, text);
          outbox.commit();
        },
        (outcome) => {
          if (outcome === "done") said.text = text;
          if (outcome !== "crashed") this.#compare(said, "edit");
          else if (this.disk.row(said.id, true)?.text === text) said.text = text;
        },
      );
    });
  }

  withdraw(said: Said): void {
    this.#use(({ outbox, contact }) => {
      this.#try(
        () => {
          outbox.withdraw(contact.username, said.id);
          outbox.commit();
        },
        (outcome) => this.#takenBack(said, outcome),
      );
    });
  }

  cancel(said: Said): void {
    this.#use(({ outbox, contact }) => {
      this.#try(
        () => outbox.cancel(contact.username, said.id),
        (outcome) => this.#takenBack(said, outcome),
      );
    });
  }

  /** Deletes a text of the peer on this side. */
  deleteTheirs(said: Said): void {
    this.#use(({ stores, contact }) => {
      if (this.disk.row(said.id, false)?.kind !== KIND.text) return;
      this.#try(
        () => stores.removal.delete(contact, said.id, false),
        (outcome) => (said.isDeletedThere ||= outcome === "done"),
      );
    });
  }

  /** Reads the peer's texts up to one of them; undefined: all. */
  read(said?: Said): void {
    this.#use(({ conversation }) => {
      const seq = said === undefined ? this.disk.rows(false).at(-1)?.seq : this.disk.row(said.id, false)?.seq;
      if (seq === undefined) return;
      this.#try(
        () => conversation.signs.markRead(seq),
        () => undefined,
      );
    });
  }

  #use(act: (program: SimulatedProgram) => void): void {
    if (this.program?.isRunning === true && !this.machine.isAsleep) act(this.program);
  }

  #text(length: number): string {
    return `${this.#written++} `.padEnd(length, "ñ");
  }

  /** @param after is always called, also if the program crashes in `run` */
  #try(run: () => unknown, after: (outcome: Outcome) => void): void {
    let outcome: Outcome = "crashed";
    try {
      run();
      outcome = "done";
    } catch (error) {
      outcome = this.#outcomeOf(error);
    } finally {
      after(outcome);
    }
  }

  #outcomeOf(error: unknown): Outcome {
    if (error instanceof ActionError) return "refused";
    if (!isStorageFailure(error)) throw error;
    this.program?.observer.checkStorageFailure(error);
    return "failed";
  }

  /** Texts count as written once they are on the disk. */
  #learn(ids: readonly string[], outcome: Outcome): void {
    const { fail } = this.#options;
    const rows = ids.map((id) => this.disk.row(id, true)).filter((row) => row !== undefined);
    if (outcome === "done" && rows.length !== ids.length) fail("a committed text is not on the disk");
    if (outcome !== "done" && rows.length > 0 && outcome !== "crashed") fail("what failed is on the disk");
    if (rows.length !== 0 && rows.length !== ids.length) fail("one commit has left a part on the disk");
    for (const { id, text } of rows) {
      this.#places.set(id, this.said.length);
      this.said.push({ id, text, fate: "kept", isDeletedThere: false });
    }
    this.#options.around.note(() => `${this.name} writes ${ids.join(", ")}: ${outcome}`);
  }

  #takenBack(said: Said, outcome: Outcome): void {
    const row = this.disk.row(said.id, true);
    const isDone = row?.kind === KIND.deleted || row?.withdrawn_at !== null;
    if (isDone !== (outcome === "done") && outcome !== "crashed")
      this.#options.fail(`${said.id}: ${outcome} and not so`);
    if (isDone) said.fate = row?.kind === KIND.deleted ? "cancelled" : "withdrawn";
    this.#options.around.note(() => `${this.name} takes back ${said.id}: ${outcome}, ${said.fate}`);
  }

  #compare(said: Said, what: string): void {
    this.#options.around.note(() => `${this.name}: ${what} of ${said.id}`);
    if (this.disk.row(said.id, true)?.text !== said.text)
      this.#options.fail(`${said.id} is wrong after an ${what}`);
  }
}
