/** Key pairs of which each test has the same, and bodies of entries that name them. */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

import { label } from "../../src/identity/names.ts";

export type TestKey = {
  readonly name: string;
  readonly key: KeyObject;
  readonly spki: Buffer;
  /** As bodies of `create` and `add` name it. */
  readonly named: { readonly label: string; readonly name: string; readonly spki: string };
};

const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** The key of this name and number; one person may have several. */
export function testKey(name: string, number = 0): TestKey {
  const seed = Buffer.alloc(32);
  seed.write(`${number} ${name}`, "utf8");
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, seed]),
    format: "der",
    type: "pkcs8",
  });
  const spki = createPublicKey(key.export({ format: "pem", type: "pkcs8" })).export({
    format: "der",
    type: "spki",
  });
  return { name, key, spki, named: { label: label(name), name, spki: spki.toString("base64") } };
}

/** Body of `create` for this key. */
export function createBody(
  founder: TestKey,
  more: { title?: string; adds?: "admins" | "all"; writes?: "admins" | "all" } = {},
): object {
  return { version: 1, title: "Familia", adds: "admins", writes: "all", ...founder.named, ...more };
}

/** Body of `add` for this key. */
export function addBody(
  added: TestKey,
  role: "admin" | "member" = "member",
  history: "all" | "none" = "all",
): object {
  return { ...added.named, role, history };
}

/** An id that no entry has. */
export const NO_ID = `${"A".repeat(42)}A`;
