import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ContactStore } from "../../src/client/profile/contacts.ts";
import { MessageStore } from "../../src/client/profile/message-store.ts";
import { profileFile } from "../../src/client/disk/folders.ts";
import { Profile } from "../../src/client/profile/profile.ts";
import { createAuthority } from "../../src/identity/certificate.ts";

/** Stands for the file of a database that nobody moves, and for a disk with space. */
export const IN_PLACE = { check: () => undefined };

/** Any authority: these tests open no connection. */
export const AUTHORITY = createAuthority(Date.UTC(2027, 0, 15)).certificatePem;
export const ACCOUNT = {
  username: "Berta",
  authority: AUTHORITY,
  host: "localhost",
  port: 8443,
  registeredHere: false,
};

/** Runs `use` with a temporary folder, and removes it. */
export async function inTemporaryFolder<T>(use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "paloma-test-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export type TestStores = {
  readonly database: Database;
  readonly contacts: ContactStore;
  readonly messages: MessageStore;
};

/** Runs `use` with the stores of a new profile and the database below them. */
export function withStores(use: (stores: TestStores) => void): Promise<void> {
  return inTemporaryFolder((folder) => {
    Profile.open(folder, ACCOUNT).close();
    const database = new Database(profileFile(folder), { strict: true });
    try {
      use({
        database,
        contacts: new ContactStore(database),
        messages: new MessageStore(database, IN_PLACE, IN_PLACE),
      });
    } finally {
      database.close();
    }
  });
}
