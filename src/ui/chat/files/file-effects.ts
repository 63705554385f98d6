/** The effects of a chat on files. */
import type { SharedFile } from "../../../client/conversation/events.ts";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename } from "node:path";

import { randomUUIDv7 } from "bun";

import { isStorageFailure, TransferError } from "../../../client/errors.ts";
import type { SharedAccount } from "../../../client/shared-account.ts";
import { isSamePerson } from "../../../identity/names.ts";
import { refusalSentence } from "../../format/file-words.ts";
import type { Texts } from "../../texts/texts.ts";
import { hasEnded, isOffer } from "./file-lines.ts";
import type { FileEffect, FileEvent } from "./model.ts";
import { typedFolder, typedPaths, type Place } from "./typed-path.ts";

export type FileNeeds = {
  readonly account: Pick<SharedAccount, "request">;
  /** The person of the chat, and how people see the name. */
  readonly username: string;
  readonly shown: () => string;
  /** Where files are put, unless a folder is named. */
  readonly downloads: string;
  readonly texts: Texts;
  readonly dispatch: (
    event: FileEvent | { readonly name: "failed"; readonly sentence: string; readonly typed?: string },
  ) => void;
};

/** Bytes of a file whose SHA-256 takes so long that it is said, before a group is offered it. */
const LONG = 256 * 1024 * 1024;

/** @param to a person's name, or `#` and the id of a group */
export function isLongToCount(to: string, path: string): boolean {
  const size = to.startsWith("#") ? statSync(path, { throwIfNoEntry: false })?.size : undefined;
  return size !== undefined && size >= LONG;
}

/** Where a path that is typed begins. */
export function here(): Place {
  return { cwd: process.cwd(), home: process.env["HOME"] ?? homedir() };
}

export type FileEffectTable = {
  readonly [E in FileEffect as E["name"]]: (effect: E) => Promise<void>;
};

/** The functions that carry them out. A failure is thrown, or dispatched where its sentence needs to know what was asked. */
export function fileEffects(needs: FileNeeds): FileEffectTable {
  const { account, username, shown, downloads, texts, dispatch } = needs;
  const fail = (sentence: string, typed?: string) =>
    dispatch({ name: "failed", sentence, ...(typed === undefined ? {} : { typed }) });
  const all = async () => (await account.request("files", {})).files;
  const isOurs = ({ peer }: SharedFile) => isSamePerson(peer, username);

  /** The transfer with a number, or the only one with the peer; undefined: that was answered. */
  async function chosen(
    number: number | undefined,
    asked: "/get" | "/stop",
    isMeant: (file: SharedFile) => boolean,
    none: string,
  ): Promise<SharedFile | undefined> {
    const known = await all();
    const files = known.filter(isMeant);
    if (number !== undefined) {
      const found = files.find((file) => file.number === number);
      const isKnown = known.some((file) => file.number === number);
      if (found === undefined) fail(isKnown ? texts.fileNotPossible : texts.chatNoFileNumber(`#${number}`));
      return found;
    }
    const [file, ...more] = files.filter(isOurs);
    if (file === undefined) fail(none);
    if (more.length === 0) return file;
    dispatch({ name: "files", files: files.filter(isOurs), asked });
    return undefined;
  }

  /** The folder that is meant. Only the one for downloads is made. */
  function folderOf(typed: string | undefined): string {
    if (typed !== undefined) return typedFolder(typed, here());
    try {
      mkdirSync(downloads, { recursive: true });
    } catch (error) {
      // That nothing can be written there is what accepting says.
      if (!isStorageFailure(error)) throw error;
    }
    return downloads;
  }

  /** @param refused is called with the code if a request is refused; then the answer is undefined */
  async function refusedAs<T>(
    work: () => Promise<T>,
    refused: (code: string) => void,
  ): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      refused(error.code);
      return undefined;
    }
  }

  const refusal = (code: string) => refusalSentence(code, shown(), texts);

  return {
    sendFiles: async ({ paths, typed }) => {
      const found = typedPaths(paths, here(), existsSync);
      for (const path of found) {
        if (isLongToCount(username, path)) dispatch({ name: "counting", file: basename(path) });
        const sent = await refusedAs(
          // With an id of ours it can be asked for again if the process that is online ends.
          () => account.request("send_file", { to: username, path, transfer: randomUUIDv7() }),
          (code) => {
            const sentence = `${texts.chatFileNotSent(path)} ${refusal(code)}`;
            fail(sentence, found.length === 1 ? typed : undefined);
          },
        );
        const leftOut = sent?.left_out ?? undefined;
        if (sent !== undefined && leftOut !== undefined)
          dispatch({ name: "leftOut", folder: sent.file.name, ...leftOut });
      }
    },
    listFiles: async () => dispatch({ name: "files", files: await all() }),
    getFile: async ({ number, folder }) => {
      const file = await chosen(number, "/get", isOffer, texts.chatNoOffer(shown()));
      if (file === undefined) return;
      const into = folderOf(folder);
      await refusedAs(
        () => account.request("accept_file", { transfer: file.id, folder: into }),
        (code) => fail(code === "unwritable" ? texts.chatBadFolder(into) : refusal(code)),
      );
    },
    getAlways: async ({ limit, folder: typed }) => {
      const folder = folderOf(typed);
      await account.request("always_accept", { username, limit, folder });
      dispatch({ name: "getsAlways", limit, folder });
    },
    stopFile: async ({ number }) => {
      const none = texts.chatNothingToStop(shown());
      const file = await chosen(number, "/stop", (each) => !hasEnded(each), none);
      if (file === undefined) return;
      const { id } = file;
      await refusedAs(
        () => account.request(isOffer(file) ? "decline_file" : "stop_file", { transfer: id }),
        (code) => fail(refusal(code)),
      );
    },
  };
}
