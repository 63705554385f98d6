/**
 * What the fuzzer knows of the server's accounts: which names, passwords and tokens are valid, and since which step
 * former ones are not. Requests of one step run concurrently, so one that became void in the same step may still have
 * been accepted.
 */
import { fold } from "../../src/identity/names.ts";
import { newPublicKey, PASSWORD } from "../integration/rendezvous-test-client.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { mustHold } from "./fuzz-failure.ts";

type Void = { voidSince: number | undefined };
type User = { readonly name: string; readonly passwords: Map<string, Void>; gone: boolean };
type Token = Void & { readonly user: string; readonly key: string };

/** How many tokens are remembered; then the oldest is forgotten. */
const MAX_TOKENS = 200;
/** How many proofs of keys are remembered; then the oldest is forgotten. */
const MAX_PROOFS = 50;

export class Knowledge {
  readonly users = new Map<string, User>();
  readonly tokens = new Map<string, Token>();
  readonly keys = Array.from({ length: 6 }, newPublicKey);
  /** Proofs of keys that were right on some connection. */
  readonly proofs: string[] = [];
  /** Folded names whose last request was never answered, so that its effect is not known. */
  readonly uncertain = new Set<string>();
  /** How often somebody logged in by this folded name. */
  readonly logins = new Map<string, number>();

  constructor(names: readonly string[]) {
    for (const name of names) this.addUser(name, PASSWORD);
  }

  addUser(name: string, password: string): void {
    this.users.set(fold(name), {
      name,
      passwords: new Map([[password.normalize("NFC"), { voidSince: undefined }]]),
      gone: false,
    });
  }

  proved(proof: string): void {
    if (this.proofs.push(proof) > MAX_PROOFS) this.proofs.shift();
  }

  registered(name: string, password: string): void {
    const known = this.users.has(fold(name)) && !this.uncertain.has(fold(name));
    mustHold(!known, "a name was registered twice", name);
    this.addUser(name, password);
  }

  loggedIn(name: string, password: string, step: number): void {
    const user = this.users.get(fold(name));
    this.#cameIn(name);
    if (this.uncertain.has(fold(name))) return;
    const good = user?.passwords.get(password.normalize("NFC"));
    mustHold(isGood(good, step), "logged in with a wrong password", name, password);
  }

  issued(token: string, name: string, key: string): void {
    mustHold(!this.tokens.has(token), "a token was issued twice", token);
    this.tokens.set(token, { user: fold(name), key, voidSince: undefined });
    const oldest = this.tokens.keys().next();
    if (this.tokens.size > MAX_TOKENS && oldest.done !== true) this.tokens.delete(oldest.value);
  }

  resumed(given: string, key: string, name: string, step: number): void {
    const token = this.tokens.get(given);
    this.#cameIn(name);
    mustHold(token?.user === fold(name), "resumed with a forged token, or as somebody else", given, name);
    mustHold(token.key === key, "resumed with another key", given);
    if (!this.uncertain.has(fold(name))) mustHold(isGood(token, step), "resumed with a void token", given);
  }

  loggedOut(token: string | undefined, step: number): void {
    const known = token === undefined ? undefined : this.tokens.get(token);
    if (known !== undefined) known.voidSince ??= step;
  }

  changed(name: string, password: string, ownToken: string | undefined, step: number): void {
    const user = this.users.get(name);
    for (const old of user?.passwords.values() ?? []) old.voidSince ??= step;
    user?.passwords.set(password.normalize("NFC"), { voidSince: undefined });
    this.#voidTokens(name, ownToken, step);
  }

  deleted(name: string, step: number): void {
    const user = this.users.get(name);
    if (user !== undefined) user.gone = true;
    for (const old of user?.passwords.values() ?? []) old.voidSince ??= step;
    this.#voidTokens(name, undefined, step);
  }

  /** An account that can log in, as far as is known. */
  someone(random: SeededRandom): { name: string; password: string } | undefined {
    const users = [...this.users.values()].filter((user) => !user.gone);
    if (users.length === 0) return undefined;
    const user = random.pick(users);
    return { name: user.name, password: this.passwordOf(user.name) ?? "" };
  }

  /** A password that is valid, as far as is known. */
  passwordOf(name: string): string | undefined {
    const passwords = this.users.get(fold(name))?.passwords ?? [];
    return [...passwords].find(([, { voidSince }]) => voidSince === undefined)?.[0];
  }

  #cameIn(name: string): void {
    this.logins.set(fold(name), (this.logins.get(fold(name)) ?? 0) + 1);
  }

  #voidTokens(name: string, except: string | undefined, step: number): void {
    for (const [token, known] of this.tokens) {
      if (known.user === name && token !== except) known.voidSince ??= step;
    }
  }
}

function isGood(what: Void | undefined, step: number): boolean {
  return what !== undefined && (what.voidSince === undefined || what.voidSince >= step);
}
