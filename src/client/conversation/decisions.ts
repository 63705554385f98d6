/** What this account's person decides about others: who may write (PROTOCOL 5, «Consent»), and who is quiet. */
import type { Clock } from "../../net/clock.ts";
import { contactState, type ContactState } from "../profile/consents.ts";
import type { Profile } from "../profile/profile.ts";
import { DECLINED_FOR, REQUEST_LIFETIME, type Decision, type Who } from "./consent.ts";
import type { Conversation } from "./conversation.ts";
import type { Conversations } from "./conversations.ts";
import type { MessengerEvent } from "./events.ts";
import type { Intake } from "./intake.ts";
import { checkNotSelf } from "./message-actions.ts";

/** For how long somebody can be quiet, in s: ten years. */
export const MAX_MUTED = 315_360_000;

type DecisionNeeds = {
  readonly profile: Pick<Profile, "username" | "consents" | "contacts" | "removal">;
  readonly conversations: Pick<Conversations, "with"> & Iterable<Conversation>;
  readonly intake: Intake;
  readonly clock: Clock;
  readonly emit: (event: MessengerEvent) => void;
};

/** Every method throws SQLiteError when the disk fails. */
export class Decisions {
  readonly #needs: DecisionNeeds;

  constructor(needs: DecisionNeeds) {
    this.#needs = needs;
  }

  /** Who may write unasked from now on. */
  allow(who: Who): void {
    const { intake, conversations } = this.#needs;
    intake.allow(who);
    for (const conversation of conversations) conversation.consentChanged();
  }

  /** Decides whether a person may write. @returns the registered name, and what they are now. @throws SelfError */
  decide(typed: string, decision: Decision): { readonly username: string; readonly state: ContactState } {
    const { profile, conversations, intake, clock, emit } = this.#needs;
    checkNotSelf(profile, typed);
    const conversation = conversations.with(typed);
    const { contact, username } = conversation;
    const { consents } = profile;
    switch (decision) {
      case "add":
      case "accept":
        consents.accept(contact);
        break;
      case "remove":
        consents.remove(contact);
        break;
      case "decline":
        consents.decline(contact, clock.now() + DECLINED_FOR);
        break;
      case "block":
        consents.block(contact);
        break;
      case "unblock":
        consents.unblock(contact);
        break;
      default:
        return decision satisfies never;
    }
    intake.changed();
    conversation.consentChanged();
    const state = contactState(consents.of(contact, clock.now()));
    emit({ name: "contact", username, state });
    this.tick();
    return { username, state };
  }

  /** Nothing of theirs is announced until then, ms since 1970; undefined: it is. @returns the registered name @throws SelfError */
  mute(typed: string, until: number | undefined): string {
    const { profile, conversations, emit } = this.#needs;
    checkNotSelf(profile, typed);
    const { contact, username } = conversations.with(typed);
    profile.contacts.mute(contact, until);
    emit({ name: "muted", username, until });
    return username;
  }

  /** Deletes a part of a request that was refused, or that nobody has answered for long. To be called about once a second. */
  tick(): void {
    const { clock, profile } = this.#needs;
    const over = profile.consents.over(clock.now() - REQUEST_LIFETIME);
    if (over === undefined || profile.removal.deleteReceived(over.contact, over.afterSeq).isMore) return;
    profile.consents.forgetRequest(over.contact);
  }
}
