/** Requests of the rendezvous link, made from what is known of the accounts. */
import { ACTIONS } from "../../src/protocol/rendezvous-messages.ts";
import { keyProof } from "../integration/rendezvous-test-client.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { hostileText } from "./hostile-texts.ts";
import { hostileString, PROTOTYPE_NAMES } from "./hostile-values.ts";
import { fieldsOf, mutate, type FuzzFields } from "./mutation.ts";
import type { FuzzedConnection } from "./rendezvous-answer.ts";
import type { Knowledge } from "./rendezvous-knowledge.ts";

/** Other clients' accounts, which the fuzz looks up and must not disturb. */
export const SENTINELS = ["centinela", "compañera"] as const;

const ACTION_NAMES = [...ACTIONS.keys()];
/** Sent more often: without them no deep state is reached. */
const FREQUENT = ["login", "login", "resume", "watch", "get_users", "request_p2p", "ping"] as const;

const LEGACY_ACTIONS = [...ACTIONS].filter(([, { legacy }]) => legacy).map(([action]) => action);

const NEW_NAMES = [
  "nuevo",
  "ÑANDÚ",
  "n\u0303andu\u0301",
  "Kelvin",
  "ﬁn",
  "аna",
  "ａｎａ",
  "a.b-c_d",
  "x",
] as const;

/** The connection, who is logged in on it, and whether it is to look like a legacy client. */
export type Asker = {
  readonly connection: FuzzedConnection;
  readonly session: { readonly user: string; readonly token: string | undefined } | undefined;
  readonly isLegacy: boolean;
};

export function request(random: SeededRandom, known: Knowledge, asker: Asker): FuzzFields {
  const { session, isLegacy } = asker;
  let action: string = random.integer(2) === 0 ? random.pick(FREQUENT) : random.pick(ACTION_NAMES);
  if (session === undefined && random.integer(2) === 0) action = random.pick(["login", "resume", "resume"]);
  if (isLegacy)
    action = random.pick(
      session === undefined ? ["login", "login", "register", "get_users"] : LEGACY_ACTIONS,
    );
  let fields = fieldsOf({ action, ...idOf(random), ...fieldsFor(action, random, known, asker) });
  const added = ACTIONS.get(action)?.added ?? [];
  if (isLegacy) fields = fields.filter(([name]) => name !== "id" && !added.includes(name));
  if (random.integer(12) === 0) fields.reverse();
  let spoiled: FuzzFields = fields;
  // Half of them are valid; the others are corrupted once or twice.
  for (let times = Math.max(0, random.integer(5) - 2); times > 0; times--) spoiled = mutate(spoiled, random);
  return spoiled;
}

function idOf(random: SeededRandom): { id?: string | number } {
  switch (random.integer(5)) {
    case 0:
    case 1:
      return {};
    case 2:
      return { id: random.integer(2 ** 31) };
    case 3:
      return { id: random.pick([0, -1, Number.MAX_SAFE_INTEGER, "", "e\u0301".repeat(32), "🕊".repeat(64)]) };
    default:
      return { id: random.pick(PROTOTYPE_NAMES) };
  }
}

function fieldsFor(
  action: string,
  random: SeededRandom,
  known: Knowledge,
  { session, connection }: Asker,
): { [name: string]: unknown } {
  const someone = known.someone(random);
  const right = session === undefined ? someone?.password : known.passwordOf(session.user);
  const hostile = random.pick([hostileString, hostileText]);
  const password = random.integer(4) > 0 ? right : hostile(random);
  const token = session?.token;
  const provenKey = (key: string) => ({
    public_key: key,
    key_proof: proofOf(key, random, known, connection),
  });
  const maybe = <T>(value: T): T | undefined => (random.integer(2) === 0 ? value : undefined);
  const place = () => ({
    p2p_port: random.pick([1, 9_000, 65_535]),
    addresses: maybe(
      random.pick([
        [],
        ["192.168.1.7", "fe80::1"],
        ["::ffff:127.0.0.1", "2001:db8::1"],
        Array(8).fill("10.0.0.1"),
      ]),
    ),
    lang: maybe(random.pick(["es", "en"])),
  });
  switch (action) {
    case "register":
      return {
        username: newName(random, someone?.name),
        password: random.pick(["secreta12", "e\u0301".repeat(8), "x".repeat(256), "corta", "🕊".repeat(8)]),
        email: maybe(random.pick(["", "ana@example.org", "no es", hostileString(random)])),
      };
    case "login":
      return {
        username: random.integer(8) === 0 ? random.pick(SENTINELS) : nameForm(someone?.name, random),
        password: password ?? "nada",
        ...place(),
        ...(random.integer(4) > 0 ? provenKey(random.pick(known.keys)) : {}),
      };
    case "resume": {
      const [chosen, of] = tokenOf(random, known);
      return {
        session_token: chosen,
        ...provenKey(random.integer(3) > 0 ? of : random.pick(known.keys)),
        ...place(),
      };
    }
    case "renew":
      return provenKey(
        (token === undefined ? undefined : known.tokens.get(token)?.key) ?? random.pick(known.keys),
      );
    case "get_users":
      return {
        prefix: maybe(random.pick(["", "a", "Ñ", "z", "__proto__", hostileString(random)])),
        after: maybe(nameForm(someone?.name, random)),
        limit: maybe(random.pick([1, 2, 500])),
      };
    case "request_p2p":
      return { target_user: random.pick([someone?.name ?? "nadie", ...SENTINELS, "nadie"]) };
    case "watch":
      return {
        users: random.pick([
          [],
          [...SENTINELS],
          [...known.users.values()].slice(0, 500).map(({ name }) => name),
          Array(1_000).fill("ana"),
          [...PROTOTYPE_NAMES],
        ]),
      };
    case "revocations":
      return {
        after: maybe(
          random.pick([
            `${Math.floor(Date.now() / 1_000)}.${"8".repeat(40)}`,
            `0.${"0".repeat(40)}`,
            `999999999999.${"f".repeat(40)}`,
            `-1.${"0".repeat(40)}`,
            `1e9.${"0".repeat(40)}`,
            `1.${"0".repeat(39)}`,
            hostileString(random),
            random.integer(2 ** 31),
            null,
          ]),
        ),
      };
    case "change_password":
      return {
        password: password ?? "nada",
        new_password: random.pick(["secreta12", "otra secreta", "n\u0303".repeat(8), "corta"]),
      };
    case "delete_account":
      return { password: random.integer(6) === 0 ? password : "no es esta" };
    default:
      return {};
  }
}

/** Mostly the right proof of the key, once the connection's challenge is known; otherwise one that proves nothing. */
function proofOf(
  key: string,
  random: SeededRandom,
  known: Knowledge,
  { challenge = "", leaf }: FuzzedConnection,
): string | undefined {
  const right = keyProof(key, challenge, leaf);
  switch (random.integer(12)) {
    case 0:
      return undefined;
    case 1:
      // Of another key, of another connection, or this one again.
      return known.proofs.length === 0 ? hostileString(random) : random.pick(known.proofs);
    case 2:
      return keyProof(random.pick(known.keys), challenge, leaf);
    case 3:
      return keyProof(key, challenge, random.bytes(200));
    case 4:
      return keyProof(key, Buffer.from(random.bytes(32)).toString("base64"), leaf);
    case 5:
      return random.pick([
        right.slice(1),
        `${right}=`,
        right.replace("==", "A="),
        right.replaceAll("/", "_"),
      ]);
    default:
      if (challenge !== "") known.proved(right);
      return right;
  }
}

/** Valid tokens, invalid ones, and some that may have become void. */
function tokenOf(random: SeededRandom, known: Knowledge): [token: string, key: string] {
  const tokens = [...known.tokens];
  const key = random.pick(known.keys);
  if (tokens.length === 0 || random.integer(6) === 0) {
    return [Buffer.from(random.bytes(32)).toString("base64url"), key];
  }
  const [token, of] = random.pick(random.integer(2) === 0 ? tokens.slice(-6) : tokens);
  switch (random.integer(8)) {
    case 0:
      return [token.slice(0, -1), of.key];
    case 1:
      // The last of 43 characters holds four bits: another one may decode to the same bytes.
      return [`${token.slice(0, -1)}${random.pick(["A", "B", "_", "="])}`, of.key];
    case 2:
      return [`${token}=`, of.key];
    default:
      return [token, of.key];
  }
}

function newName(random: SeededRandom, taken: string | undefined): string {
  switch (random.integer(4)) {
    case 0:
      return random.pick(NEW_NAMES);
    case 1:
      return nameForm(taken, random);
    case 2:
      return hostileString(random);
    default:
      return `fuzz-${random.integer(100_000)}`;
  }
}

/** The same name in another spelling. */
function nameForm(name: string | undefined, random: SeededRandom): string {
  if (name === undefined) return "nadie";
  return random.pick([name, name, name, name.toUpperCase(), name.normalize("NFD"), `${name}\u200b`]);
}
