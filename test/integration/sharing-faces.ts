/** The faces of one account on this machine: a screen or a `listen` beside which commands are run, and what they print. */
import { AtTerminal, type TerminalOptions } from "./at-terminal.ts";
import { leaveList, openFromList } from "./chat-terminal.ts";
import { PASSWORD, Person, World, type Ended } from "./cli-process.ts";

export type Beside = "nothing" | "listen" | "screen";

/** The flags that select this account. */
export function flagsOf({ server, name, data }: Person): string[] {
  return ["--server", server, "--user", name, "--data", data];
}

/** A world with screens; all are gone after `close`. */
export class SharedWorld extends World {
  readonly #terminals: AtTerminal[] = [];

  /** Someone who has registered and has a stored session. @param data their data folder; undefined: a new one */
  async loggedIn(name: string, port: number, data?: string): Promise<Person> {
    const fresh = this.person(name, port);
    const person = data === undefined ? fresh : new Person(this, name, data, fresh.server);
    await person.register();
    const { code, stderr } = await person.run(["users"], { password: PASSWORD });
    if (code !== 0) throw new Error(stderr);
    return person;
  }

  /** The screen of this account, in English, when its second menu is there. */
  async screen(person: Person): Promise<AtTerminal> {
    const terminal = this.#start(person);
    await leaveList(terminal, "en");
    return terminal;
  }

  /** The screen of this account in the chat with someone. */
  async chat(person: Person, other: string, options: TerminalOptions = {}): Promise<AtTerminal> {
    const terminal = this.#start(person, options);
    await openFromList(terminal, other, "en");
    return terminal;
  }

  #start(person: Person, options: TerminalOptions = {}): AtTerminal {
    const terminal = new AtTerminal([...flagsOf(person), "--lang", "en"], options);
    this.#terminals.push(terminal);
    return terminal;
  }

  /** Starts what is to be beside the commands. Resolves when it is online, with how to end it. */
  async begin(beside: Beside, person: Person, other: string): Promise<() => Promise<unknown>> {
    switch (beside) {
      case "nothing":
        return () => Promise.resolve();
      case "listen": {
        const listening = await person.listen();
        return () => listening.stop();
      }
      case "screen": {
        const screen = await this.chat(person, other);
        return () => (screen.signal("SIGTERM"), screen.exited);
      }
      default:
        return beside satisfies never;
    }
  }

  /** Ends every client and screen, and keeps the server. */
  async leave(): Promise<void> {
    await Promise.all(this.#terminals.map((terminal) => terminal.close()));
    await this.endClients();
  }

  override async close(): Promise<void> {
    await this.leave();
    await super.close();
  }
}

const ID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
const TIME = /\b\d{4}-\d\d-\d\d(?:T[\d:.]+Z| \d\d:\d\d)|(?<![\d.:])\d\d:\d\d\b/g;
const HASH = /\b[0-9a-f]{64}\b|(?:\b[0-9a-f]{4}\b ?){16}|(?:\b\d{5}\b ?){12}/g;

/** An end of a command, without what differs between two runs of two accounts: ids are numbered as they come. */
export function comparable({ code, stdout, stderr }: Ended, replaced: ReadonlyMap<string, string>): Ended {
  const ids = new Map<string, string>();
  const plain = (text: string) => {
    let rest = text;
    for (const [from, to] of replaced) rest = rest.replaceAll(from, to);
    return rest
      .replace(ID, (id) => ids.getOrInsertComputed(id, () => `id ${ids.size + 1}`))
      .replace(TIME, "time")
      .replace(HASH, "hash");
  };
  return { code, stdout: plain(stdout), stderr: plain(stderr) };
}
