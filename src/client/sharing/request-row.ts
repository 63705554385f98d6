/** The form of one request: the checks of its fields, and the function that carries it out. */
import { isAbsolute } from "node:path";

import { exactText, refine, text, utf8Text, type Fields, type Read } from "../../protocol/fields.ts";
import { MAX_TEXT_BYTES } from "../../protocol/peer-messages.ts";
import { isBlank } from "../../protocol/visible-text.ts";
import type { Account } from "../accounts.ts";
import type { Archive } from "../archive.ts";
import type { Conversation } from "../conversation/conversation.ts";
import { isGroup } from "../profile/contacts.ts";
import type { FaceOffers } from "../profile/transfers.ts";
import type { OpenedVerification } from "../conversation/verification.ts";

/** UTF-8 bytes of a password that may be an old one; the server limits new ones. */
const MAX_SECRET = 64 * 1024;

/** UTF-8 bytes of a path; Linux takes no longer ones. */
const MAX_PATH = 4_096;

/** What a request is carried out on. */
export type RequestContext = {
  readonly account: Account;
  readonly archive: Archive;
  readonly face: Face;
};

/** What is remembered of the face that asks. */
type Face = {
  /** A link is kept as long as one face has the chat open. @throws SelfError, SQLiteError */
  openChat(username: string): Conversation;
  /** As `openChat`, of a group: links with some of its people are. @throws GroupError, SQLiteError */
  openGroup(name: string): void;
  closeChat(username: string): void;
  /** These people stand in its list: their presence is watched. None: it shows no list. */
  watchPeople(usernames: readonly string[]): void;
  /** A code is compared at this face. @throws SelfError, SQLiteError */
  openVerification(username: string): OpenedVerification;
  leaveVerification(username: string): void;
  /** Whether it keeps up with what arrives: while no face does, the links to peers are not read. */
  keepsUp(keepsUp: boolean): void;
  /** Every offer of a contact is accepted, as long as it is there. @throws SQLiteError */
  acceptFiles(offers: FaceOffers): void;
};

type Row<F extends Fields, R> = {
  readonly fields: F;
  readonly run: (context: RequestContext, params: Read<F>) => R | Promise<R>;
};

export function row<F extends Fields, R>(fields: F, run: Row<F, R>["run"]): Row<F, R> {
  return { fields, run };
}

/** The name of a conversation: a person's, or `#` and the id of a group. */
export const name = text(1, 64);
/** A person's name. */
export const person = refine(name, (typed) => (isGroup({ label: typed }) ? undefined : typed));
/** A password, of any length that the server takes. */
export const secret = utf8Text(MAX_SECRET);
/** The id of a message. */
export const id = exactText(1, 64);
/** The absolute path of a file or folder on this machine. */
export const path = refine(utf8Text(MAX_PATH), (typed) =>
  isAbsolute(typed) && !typed.includes("\0") ? typed : undefined,
);
/** The text of a message: something of it is seen. */
export const message = refine(utf8Text(MAX_TEXT_BYTES), (typed) => (isBlank(typed) ? undefined : typed));
