/** The groups of an account: what its person does in them, and what becomes of it. */
import type { GroupMember, GroupNotice, SharedGroup } from "../conversation/events.ts";
import type { GroupEvents } from "../conversation/needs.ts";
import { GroupError } from "./group-error.ts";

/** What became of the people whom one wanted to add. */
export type AddedPeople = {
  readonly group: SharedGroup;
  readonly added: readonly string[];
  /** They are invited as soon as they are reached. */
  readonly waiting: readonly string[];
  readonly failed: readonly { readonly username: string; readonly code: string }[];
};

/** `group` is an id. Every method throws GroupError, and SQLiteError when the disk fails. */
export class Groups implements GroupEvents {
  list(): readonly SharedGroup[] {
    return [];
  }

  create(_title: string, _adds: "admins" | "all", _writes: "all" | "admins"): Promise<SharedGroup> {
    throw new GroupError("not_supported");
  }

  add(_group: string, _usernames: readonly string[], _history: "all" | "none"): Promise<AddedPeople> {
    throw new GroupError("not_supported");
  }

  remove(_group: string, _username: string): Promise<SharedGroup> {
    throw new GroupError("not_supported");
  }

  leave(_group: string): Promise<SharedGroup> {
    throw new GroupError("not_supported");
  }

  accept(_group: string): Promise<SharedGroup> {
    throw new GroupError("not_supported");
  }

  decline(_group: string): Promise<SharedGroup> {
    throw new GroupError("not_supported");
  }

  makeAdmin(_group: string, _username: string): Promise<SharedGroup> {
    throw new GroupError("not_supported");
  }

  rename(_group: string, _title: string): Promise<SharedGroup> {
    throw new GroupError("not_supported");
  }

  keep(_group: string, _days: number | undefined): Promise<SharedGroup> {
    throw new GroupError("not_supported");
  }

  copy(_group: string): Promise<SharedGroup> {
    throw new GroupError("not_supported");
  }

  members(_group: string): readonly GroupMember[] {
    throw new GroupError("not_supported");
  }

  notices(_group: string): readonly GroupNotice[] {
    throw new GroupError("not_supported");
  }

  noticesShown(_group: string, _seq: number): void {
    throw new GroupError("not_supported");
  }

  hasKey(): boolean {
    return false;
  }

  hasLabel(): boolean {
    return false;
  }

  linkUp(): void {}
  take(): void {}
  readEnd(): void {}
  drained(): void {}
  linkDown(): void {}
  presence(): void {}
  unreachable(): void {}
}
