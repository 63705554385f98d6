import type { GroupNotice, SharedGroup } from "../../../../src/client/conversation/events.ts";
import type { MessageState } from "../../../../src/client/disk/schema.ts";
import type { StoredMessage } from "../../../../src/client/profile/stored-message.ts";
import type { Language } from "../../../../src/protocol/language.ts";
import { openGroupChat } from "../../../../src/ui/chat/group-update.ts";
import type { OpenedChat } from "../../../../src/ui/chat/model.ts";
import { chatPrompt } from "../../../../src/ui/chat/update.ts";
import { ChatScript, incoming } from "../chat-script.ts";
import { FAMILIA, groupNotice, sharedGroup } from "./shared-group.ts";

export const CHAT = `#${FAMILIA}`;

/** The chat of ana with a group. */
export class GroupScript extends ChatScript {
  constructor(language: Language = "es", group: Partial<SharedGroup> = {}) {
    super(language);
    this.chat = openGroupChat(sharedGroup(group));
    this.names.set(CHAT, "#Familia");
    this.others = { ...this.others, groups: new Map([[CHAT, sharedGroup(group)]]) };
  }

  open(page: Partial<OpenedChat> = {}) {
    return this.take({ name: "opened", messages: [], isMore: false, ...page });
  }

  text(seq: number, author: string, text: string, more: Partial<StoredMessage> = {}) {
    const message = { ...incoming(seq, text), id: `feed/${seq}`, author, ...more };
    return this.messenger({ name: "message", from: author, message, group: FAMILIA, title: "Familia" });
  }

  group(change: Partial<SharedGroup>) {
    return this.messenger({ name: "group", group: sharedGroup(change) });
  }

  notice(kind: GroupNotice["kind"], change: Partial<GroupNotice> = {}) {
    return this.messenger({ name: "groupNotice", notice: groupNotice(kind, change) });
  }

  counted(id: string, state: MessageState, received: number, read: number) {
    const counts = { received, read, of: 5 };
    return this.messenger({ name: "delivery", to: CHAT, id, state, at: this.now, counts });
  }

  get prompt() {
    const { names, texts } = this.context;
    return chatPrompt(this.chat, names, texts);
  }
}
