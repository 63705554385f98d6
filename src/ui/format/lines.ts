/** What is printed on the screen: once, above the line being edited, and never redrawn. */
import type { MessageState } from "../../client/profile/stored-message.ts";

export type Line =
  /** A new day begins. `at`: ms since 1970, any moment of it. */
  | { readonly name: "day"; readonly at: number }
  | {
      readonly name: "message";
      /** Of arrival for theirs, of writing for ours; ms since 1970. */
      readonly at: number;
      /** When a message of theirs was written, if that was long before it arrived. */
      readonly writtenAt: number | undefined;
      /** As it is shown. */
      readonly from: string;
      readonly isOwn: boolean;
      /** As it was received or typed: the view makes it visible. */
      readonly text: string;
      /** Of ours, where it is printed; undefined: its state stands at the head of the input line. */
      readonly state: MessageState | undefined;
      readonly change?: "edited" | "withdrawn";
      /** That change has not reached the other side. */
      readonly changeWaits?: boolean;
      /** What it answers: its beginning as it may be shown; undefined: it is not here any more. */
      readonly answers?: { readonly excerpt: string | undefined };
      /** Its number in a list. */
      readonly number?: number;
      /** Found by a search: the day stands there too, and to whom one of ours was, as they are shown. */
      readonly found?: { readonly to: string | undefined };
    }
  /** A sentence of our own, in the person's language; names in it are visible text already. */
  | { readonly name: "notice"; readonly text: string }
  /** As a notice, of something that went wrong. */
  | { readonly name: "failure"; readonly text: string };
