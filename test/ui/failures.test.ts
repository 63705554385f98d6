import { describe, expect, test } from "bun:test";

import type { UnreachableReason } from "../../src/client/peer/dial.ts";
import {
  AccountError,
  AccountExistsError,
  AccountMovedError,
  ActionError,
  NewFileError,
  PasswordNeededError,
  PortError,
  ProfileDamagedError,
  OtherVersionError,
  ProfileLockedError,
  RefusedError,
  SealedFileError,
  SelfError,
  ServerError,
  StoreError,
} from "../../src/client/errors.ts";
import { CODES } from "../../src/protocol/codes.ts";
import { UsageError } from "../../src/protocol/options.ts";
import { NoMessagesError } from "../../src/ui/format/conversation-export.ts";
import { readInvocation, type Config } from "../../src/ui/config.ts";
import {
  describeFailure,
  describeUnreachable,
  InterruptedError,
  TimeoutError,
} from "../../src/ui/failures.ts";
import { textsIn } from "../../src/ui/texts/texts.ts";

function config(lang: string): Config {
  const invocation = readInvocation(["users", "--lang", lang], { HOME: "/h" });
  if (invocation.name !== "command") throw new Error(invocation.name);
  return invocation.config;
}
const [spanish, english] = [config("es"), config("en")];

const FAILURES: readonly (readonly [Error, number, string])[] = [
  [new UsageError("wrong"), 2, "usage"],
  [new SelfError(), 2, "to_oneself"],
  [new AccountError("no_account"), 2, "no_account"],
  [new AccountError("several_accounts", ["a", "b"]), 2, "several_accounts"],
  [new PasswordNeededError(false), 2, "password_needed"],
  [new PasswordNeededError(true), 4, "session_ended"],
  [new ServerError("server_unreachable"), 3, "server_unreachable"],
  [new ServerError("server_unreachable", { why: "unknown_host" }), 3, "server_unreachable"],
  [new ServerError("server_unreachable", { why: "refused" }), 3, "server_unreachable"],
  [new ServerError("server_unreachable", { why: "no_route" }), 3, "server_unreachable"],
  [new ServerError("server_unreachable", { why: "no_interface" }), 3, "server_unreachable"],
  [new ServerError("server_timeout"), 3, "server_timeout"],
  [
    new ServerError("server_changed", { expected: "ab".repeat(32), found: "cd".repeat(32) }),
    3,
    "server_changed",
  ],
  [new ServerError("server_not_web"), 3, "server_not_web"],
  [new ServerError("server_declined"), 3, "server_declined"],
  [new TimeoutError(), 3, "timeout"],
  [new RefusedError("server_closing", ""), 3, "server_closing"],
  [new RefusedError("internal_error", ""), 1, "internal_error"],
  [new ProfileLockedError({ pid: 7, command: "listen" }), 1, "process_silent"],
  [new ProfileLockedError(undefined), 1, "process_silent"],
  [new AccountMovedError(Date.UTC(2027, 0, 15)), 4, "account_moved"],
  [new AccountMovedError(undefined), 4, "account_moving"],
  [new AccountExistsError("ana", "/x", undefined), 4, "account_exists"],
  [new AccountExistsError("ana", "/x", Date.UTC(2027, 0, 15)), 4, "account_exists"],
  [new SealedFileError("wrong_passphrase"), 4, "wrong_passphrase"],
  [new SealedFileError("unreadable", new Error("ENOENT: no such file, open '/x'")), 1, "file_unreadable"],
  [new SealedFileError("not_ours"), 1, "file_not_ours"],
  [new SealedFileError("newer"), 1, "file_newer"],
  [new SealedFileError("truncated"), 1, "file_truncated"],
  [new SealedFileError("changed"), 1, "file_changed"],
  [new OtherVersionError("9.9"), 1, "other_version"],
  [new PortError(undefined, "EADDRINUSE"), 1, "port_taken"],
  [new PortError(9_000, "EACCES"), 1, "port_failed"],
  [new StoreError("not_ours", "/x"), 1, "store_not_ours"],
  [new StoreError("damaged", "/x/profile.db"), 1, "store_damaged"],
  [new StoreError("damaged", "/x/servers.db"), 1, "store_damaged"],
  [new StoreError("lost", "/x/profile.db"), 1, "store_lost"],
  [new ProfileDamagedError("/x/profile.db", "/x/r.jsonl", 3), 1, "profile_damaged"],
  [new ProfileDamagedError("/x/profile.db", undefined, 0), 1, "profile_damaged"],
  [new ProfileDamagedError("/x/profile.db", undefined, 0, true), 1, "profile_damaged"],
  [Object.assign(new Error("malformed"), { code: "SQLITE_CORRUPT_VTAB" }), 1, "profile_damaged"],
  [Object.assign(new Error("not a database"), { code: "SQLITE_NOTADB" }), 1, "profile_damaged"],
  [Object.assign(new Error("disk I/O error"), { code: "SQLITE_IOERR_WRITE" }), 1, "disk"],
  [Object.assign(new Error("no space"), { code: "ENOSPC" }), 1, "disk"],
  [new ActionError("unknown_message"), 2, "unknown_message"],
  [new ActionError("not_own"), 2, "not_own"],
  [new ActionError("already_withdrawn"), 4, "already_withdrawn"],
  [new ActionError("not_supported"), 4, "not_supported"],
  [new ActionError("already_left"), 4, "already_left"],
  [new ActionError("still_waiting"), 4, "still_waiting"],
  [new NoMessagesError(), 1, "no_messages"],
  [new NewFileError("file_exists", "/x"), 1, "file_exists"],
  [new NewFileError("no_folder", "/x/y"), 1, "no_folder"],
  [new NewFileError("no_name", "/x/"), 1, "no_name"],
  [new NewFileError("not_written", "/x", new Error("ENOSPC: no space left")), 1, "not_written"],
  [new RangeError("a bug"), 1, "internal_error"],
];

describe("a failure", () => {
  test.each(FAILURES.map(([error, exit, code]) => [code, error, exit] as const))(
    "%s has its exit code and one sentence in each language",
    (code, error, exit) => {
      for (const each of [spanish, english]) {
        const failure = describeFailure(error, each);
        expect(failure).toMatchObject({ exit, code });
        expect(failure.sentence).not.toBe("");
        expect(failure.sentence).not.toMatch(/undefined|\[object|\n\s+at /);
      }
    },
  );

  test("an interruption has exit code 130 and no sentence", () => {
    expect(describeFailure(new InterruptedError(), english)).toEqual({
      exit: 130,
      code: "interrupted",
      sentence: "",
    });
  });
});

test("a damaged file is not reported as a full disk, and the system's message is made visible text", () => {
  const damage = Object.assign(new Error("malformed\u001b[2J"), { code: "SQLITE_CORRUPT" });
  for (const [each, never, says] of [
    [spanish, "No se puede guardar en el disco", "Inicie listen o los menús"],
    [english, "Cannot save to the disk", "Start listen or the menus"],
  ] as const) {
    const { sentence } = describeFailure(damage, each);
    expect(sentence).toContain(says);
    expect(sentence).not.toContain(never);
    expect(sentence).not.toContain("\u001b");
  }
  const noRoom = describeFailure(new ProfileDamagedError("/x/profile.db", undefined, 0, true), english);
  expect(noRoom.sentence).toContain("needs free space in the folder /x");
  const lost = describeFailure(new StoreError("lost", "/x/profile.db"), english);
  expect(lost.sentence).toContain("although there was an account here (/x)");
});

test("a refusal has exit code 4 and our own sentence, whatever the server wrote", () => {
  for (const code of CODES) {
    if (["server_closing", "internal_error"].includes(code)) continue;
    const failure = describeFailure(new RefusedError(code, "the server's words"), english);
    expect(failure).toMatchObject({ exit: 4, code });
    expect(failure.sentence).not.toContain("the server's words");
  }
  const unknown = describeFailure(new RefusedError("made_up", "look\u001b[2J"), spanish);
  expect(unknown).toMatchObject({ exit: 4, sentence: "El servidor dice: «look␛[2J»" });
  expect(describeFailure(new RefusedError("rate_limited", "", 9), english).sentence).toEndWith(
    "You can try again in 9 s.",
  );
});

test("the reason why a person cannot be reached decides between exit codes 4, 5 and 6", () => {
  const exits: { readonly [R in UnreachableReason]: 4 | 5 | 6 } = {
    offline: 5,
    no_server: 5,
    no_relay: 5,
    server_limits: 4,
    unreachable: 5,
    no_answer: 5,
    no_meeting: 5,
    cannot_meet: 5,
    meeting_blocked: 5,
    relay_full: 5,
    relay_off: 5,
    relay_never: 5,
    no_way: 5,
    not_admitted: 5,
    own_key_pending: 5,
    greeting_refused: 5,
    bad_greeting: 5,
    no_greeting: 5,
    line_broke: 5,
    busy: 5,
    storage_failed: 5,
    revoked: 6,
    no_certificate: 5,
    not_in_date: 6,
    not_proven: 6,
    key_pending: 6,
    verification_needed: 6,
    insecure: 6,
  };
  for (const [reason, exit] of Object.entries(exits) as [UnreachableReason, number][]) {
    for (const language of ["es", "en"] as const) {
      const failure = describeUnreachable(reason, "be\u001bto", new Map(), textsIn(language));
      expect(failure.exit).toBe(exit as 4 | 5 | 6);
      expect(failure.sentence).not.toContain("\u001b");
      expect(failure.sentence).not.toBe("");
    }
  }
});

test("a limit of the server is not reported as unreachable, and the sentence says for how long it lasts", () => {
  const failure = describeUnreachable("server_limits", "dos", new Map(), textsIn("en"), 41_200);
  expect(failure).toMatchObject({ exit: 4, code: "rate_limited", retryAfter: 42 });
  expect(failure.sentence).toContain("asks you to wait 42 s");
  expect(failure.sentence).not.toContain("Without the server");
});

test.each([
  ["invalid_credentials", "revise el nombre y la contraseña", "check the name and the password"],
  ["username_taken", "elija otro", "choose another one"],
  ["already_connected", "ciérrela primero", "close it first"],
  ["weak_password", "entre 8 y 256 caracteres", "between 8 and 256 characters"],
  ["session_replaced", "siga allí", "continue there"],
  ["account_disabled", "quien administra el servidor", "whoever runs the server"],
  ["server_busy", "inténtelo de nuevo", "try again"],
] as const)("a refusal with %s says what to do next, in one sentence", (code, es, en) => {
  for (const [each, words] of [
    [spanish, es],
    [english, en],
  ] as const) {
    const { sentence } = describeFailure(new RefusedError(code, "the server's own words"), each);
    expect(sentence).toContain(words);
    expect(sentence).toMatch(/^[^.]*(«\.»|“\.”)?[^.]*\.$/);
    expect(sentence).not.toContain("own words");
  }
});
