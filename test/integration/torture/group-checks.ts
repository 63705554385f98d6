/** What must hold of the disks of a group when all has arrived; every breach is a sentence. */
import { Database } from "bun:sqlite";

import { profileFile, profileFolders } from "../../../src/client/disk/folders.ts";
import type { GroupMember } from "./group-member.ts";

/** Breaches that are told. */
const MAX_TOLD = 20;

type Entry = {
  readonly place: string;
  readonly author: string;
  readonly header: string;
  /** The number of the text that it changes. */
  readonly target: number | null;
};
type Fork = { readonly feed: string; readonly lane: string; readonly number: number };
type Text = {
  readonly id: string;
  readonly outgoing: number;
  readonly author: string | null;
  readonly feed: string | null;
  readonly number: number | null;
  readonly text: string;
  readonly isWithdrawn: number;
};

/** What one disk has of its one group. */
export type GroupDisk = {
  readonly entries: readonly Entry[];
  readonly forks: readonly Fork[];
  readonly texts: readonly Text[];
};

export function readDisk(file: string): GroupDisk {
  const database = new Database(file, { readonly: true, strict: true });
  try {
    return {
      entries: database
        .query<Entry, []>(
          `SELECT group_feeds.feed || ' ' || lane || ' ' || number AS place, group_feeds.name AS author, header, target
           FROM group_entries JOIN group_feeds ON group_feeds.id = group_entries.feed ORDER BY 1`,
        )
        .all(),
      forks: database
        .query<Fork, []>(
          `SELECT group_feeds.feed, lane, number FROM group_forks
           JOIN group_feeds ON group_feeds.id = group_forks.feed ORDER BY 1, 2`,
        )
        .all(),
      texts: database
        .query<Text, []>(
          `SELECT messages.id, outgoing, label AS author, group_feeds.feed, number, text,
             withdrawn_at IS NOT NULL AS isWithdrawn
           FROM messages LEFT JOIN group_feeds ON group_feeds.id = messages.feed
           WHERE kind = 0 AND messages.contact IN (SELECT contact FROM groups)
           ORDER BY group_feeds.feed, number`,
        )
        .all(),
    };
  } finally {
    database.close();
  }
}

/** Whether a place lies behind the cut of a fork that this disk knows. */
function isCut(forks: readonly Fork[], place: string): boolean {
  const [feed, lane, number] = place.split(" ");
  return forks.some((fork) => fork.feed === feed && fork.lane === lane && Number(number) >= fork.number);
}

/** Texts that somebody shows as a change has left them that counts no more: the same as all others, and not in the same words. */
function changedBehindCuts(disks: readonly GroupDisk[]): ReadonlySet<string> {
  return new Set(
    disks.flatMap(({ entries, forks }) =>
      entries
        .filter(({ place, target }) => target !== null && isCut(forks, place))
        .map(({ place, target }) => `${place.split(" ")[0]} ${target}`),
    ),
  );
}

/** What of each disk must be the same on all: entries, forks and shown texts, without what is cut. */
export function commonParts(disks: readonly GroupDisk[]): string[][] {
  const changed = changedBehindCuts(disks);
  return disks.map((disk) => commonPart(disk, changed));
}

function commonPart({ entries, forks, texts }: GroupDisk, changed: ReadonlySet<string>): string[] {
  return [
    ...forks.map(({ feed, lane, number }) => `fork ${feed} ${lane} ${number}`),
    ...entries.filter(({ place }) => !isCut(forks, place)).map(({ place, header }) => `${place}: ${header}`),
    ...texts
      .filter(({ feed, number }) => !isCut(forks, `${feed} t ${number}`))
      .map(({ author, feed, number, text, isWithdrawn }) => {
        const place = `${feed} ${number}`;
        return [author, place, ...(changed.has(place) ? [] : [JSON.stringify(text), isWithdrawn])].join(" ");
      }),
  ];
}

/** @param members all of them, whose programs have ended */
export function compareGroup(members: readonly GroupMember[]): string[] {
  const disks = members.map((member) => ({ member, disk: readDisk(member.file) }));
  const breaches: string[] = [];
  const [first] = disks;
  const [common = new Set<string>(), ...others] = commonParts(disks.map(({ disk }) => disk)).map(
    (part) => new Set(part),
  );
  for (const [at, own] of others.entries()) {
    const name = members[at + 1]?.name;
    for (const each of common.difference(own)) breaches.push(`${name} lacks ${each}`);
    for (const each of own.difference(common)) breaches.push(`only ${name} has ${each}`);
  }
  breaches.push(...signedTwice(members, first?.disk.forks ?? []));
  for (const { member, disk } of disks) {
    breaches.push(...shownTwice(disk).map((text) => `${member.name} shows ${text} twice`));
    const own = new Map(disk.texts.map((text) => [text.id, text]));
    for (const { id, text, state, isWithdrawn } of member.written) {
      const stored = own.get(id);
      if (state !== "stored" || (stored === undefined && isWithdrawn)) continue;
      if (stored === undefined) breaches.push(`${member.name} has lost ${text}`);
      else if (stored.feed === null) breaches.push(`${member.name} has not signed ${text}`);
    }
  }
  return breaches.slice(0, MAX_TOLD);
}

/** The number that was signed twice is known to all as a fork, or nobody has ever seen one of both. */
function signedTwice(members: readonly GroupMember[], forks: readonly Fork[]): string[] {
  const known = new Map<string, string>();
  const breaches: string[] = [];
  const restored = new Set(members.filter(({ replaced }) => replaced.length > 0).map(({ name }) => name));
  for (const { name, file } of members) {
    for (const { place, author, header } of readDisk(file).entries) {
      const before = known.get(place) ?? header;
      known.set(place, before);
      if (before !== header && !(restored.has(author) && isCut(forks, place)))
        breaches.push(`${author} has signed ${place} twice, as ${name} has it`);
    }
  }
  return breaches;
}

function shownTwice({ texts }: GroupDisk): string[] {
  const seen = new Set<string>();
  return texts.flatMap(({ text, isWithdrawn }) => {
    const [key = ""] = text.split(" edited");
    if (isWithdrawn !== 0) return [];
    if (seen.has(key)) return [key];
    seen.add(key);
    return [];
  });
}

/** Numbers that were signed twice over a disk that was put back: also where nobody has kept one of both. */
export function signedAgain(members: readonly GroupMember[]): number {
  return members
    .map(({ file, replaced }) => {
      const now = new Map(readDisk(file).entries.map(({ place, header }) => [place, header]));
      const again = new Set<string>();
      for (const folder of replaced) {
        for (const { place, header } of readDisk(profileFile(profileFolders(folder)[0] ?? "")).entries) {
          if (now.has(place) && now.get(place) !== header) again.add(place);
        }
      }
      return again.size;
    })
    .reduce((sum, count) => sum + count, 0);
}

/** How many texts and changes of them somebody has signed, by what is on a disk. */
export function signedBy(name: string, file: string): number {
  return readDisk(file).entries.filter(({ author, place }) => author === name && place.includes(" t "))
    .length;
}
