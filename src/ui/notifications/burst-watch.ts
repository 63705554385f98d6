/** Runs the command of `--notify-command` for each burst of messages, where there is no screen. */
import type { MessengerEvent } from "../../client/conversation/events.ts";
import { gathered, withMessage, withoutBurst, type Bursts } from "./bursts.ts";
import type { NotifyCommand } from "./notify-command.ts";

/** Time between two looks at the bursts, in ms. */
const TICK = 1_000;

export class BurstWatch {
  readonly #command: NotifyCommand;
  readonly #isMuted: (contact: number) => boolean;
  readonly #tick: ReturnType<typeof setInterval>;
  #bursts: Bursts = new Map();

  /** @param isMuted whether nothing of a contact (row number) is announced */
  constructor(command: NotifyCommand, isMuted: (contact: number) => boolean) {
    this.#command = command;
    this.#isMuted = isMuted;
    this.#tick = setInterval(() => this.#look(), TICK);
  }

  onEvent(event: MessengerEvent): void {
    if (event.name === "message" && !this.#isMuted(event.message.contact))
      this.#bursts = withMessage(this.#bursts, event, Date.now());
    // They are read on a screen of the same account.
    if (event.name === "read") this.#bursts = withoutBurst(this.#bursts, event.username);
  }

  close(): void {
    clearInterval(this.#tick);
    this.#command.close();
  }

  #look(): void {
    const { notified, bursts } = gathered(this.#bursts, Date.now());
    this.#bursts = bursts;
    for (const each of notified) this.#command.run(each);
  }
}
