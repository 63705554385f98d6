/** Messages as lists of fields whose values are text: fields can be duplicated, and values need not be JSON. */
import type { SeededRandom } from "../seeded-random.ts";
import { hostileText } from "./hostile-texts.ts";
import { hostileJson, hostileString, PROTOTYPE_NAMES, quoted } from "./hostile-values.ts";

/** Name and value of each field, the value as JSON text. */
export type FuzzFields = (readonly [name: string, json: string])[];

/** The fields of an object, without those that are undefined. */
export function fieldsOf(message: { readonly [name: string]: unknown }): FuzzFields {
  return Object.entries(message)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, JSON.stringify(value)] as const);
}

/** Corrupts a message in one of several equally likely ways. */
export function mutate(fields: FuzzFields, random: SeededRandom): FuzzFields {
  const at = random.integer(Math.max(1, fields.length));
  const [name, json] = fields[at] ?? ["action", '"ping"'];
  const others = fields.filter((_, index) => index !== at);
  switch (random.integer(12)) {
    case 0:
      return others;
    case 1:
      return [...fields, [name, hostileJson(random)]];
    case 2:
      return [[name, hostileJson(random)], ...fields];
    case 3:
      return [...fields, [random.pick(PROTOTYPE_NAMES), hostileJson(random)]];
    case 4:
      return [...fields, [hostileString(random), hostileJson(random)]];
    case 5:
      return [...others, [name, "null"]];
    case 6:
      // As a list, or as a string.
      return [...others, [name, random.integer(2) === 0 ? `[${json}]` : JSON.stringify(json)]];
    case 7:
      // Under a similar name, or that of a member of Object.
      return [...others, [random.pick([`${name} `, name.toUpperCase(), ...PROTOTYPE_NAMES]), json]];
    case 8:
    case 9:
      return [...others, [name, quoted(hostileText(random), random)]];
    default:
      return [...others, [name, hostileJson(random)]];
  }
}

/** Writes a message as text, mostly compact, sometimes with white space wherever JSON allows it. */
export function rendered(fields: FuzzFields, random: SeededRandom): string {
  const isPretty = random.integer(8) === 0;
  const gap = () => (isPretty ? random.pick(["", " ", "\n", "\r\n  ", "\t\t"]) : "");
  const parts = fields.map(
    ([name, json]) => `${gap()}${quoted(name, random)}${gap()}:${gap()}${json}${gap()}`,
  );
  return `{${parts.join(",")}${gap()}}`;
}
