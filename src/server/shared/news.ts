/** What nodes tell each other, as it stands in Valkey's streams. */

export type Event =
  /** Somebody has come, or moved. `was`: the owner before, or empty. */
  | { readonly name: "on"; readonly fold: string; readonly record: string; readonly was: string }
  | { readonly name: "off"; readonly fold: string; readonly was: string }
  | { readonly name: "end"; readonly fold: string; readonly why: string }
  | { readonly name: "revoked"; readonly json: string }
  /** Of a later version. */
  | { readonly name: "unknown" };

/** Events with their numbers; pushes, and the id of the last one. */
export type Batch = {
  readonly events: readonly { readonly id: number; readonly event: Event }[];
  readonly pushes: readonly { readonly sid: string; readonly json: string }[];
  readonly lastPush: string | undefined;
};

type Entry = [id: string, fields: string[]];

/** Reads the answer of XREAD. */
export function readBatch(answer: unknown, news: string, pushes: string): Batch {
  const streams = (answer ?? {}) as { readonly [stream: string]: Entry[] };
  const pushed = streams[pushes] ?? [];
  return {
    events: (streams[news] ?? []).map(([id, fields]) => ({
      id: Number.parseInt(id, 10),
      event: eventOf(fields),
    })),
    pushes: pushed.map(([, fields]) => ({ sid: fieldOf(fields, "s"), json: fieldOf(fields, "m") })),
    lastPush: pushed.at(-1)?.[0],
  };
}

function eventOf(fields: readonly string[]): Event {
  const fold = fieldOf(fields, "f");
  switch (fieldOf(fields, "e")) {
    case "on":
      return { name: "on", fold, record: fieldOf(fields, "v"), was: fieldOf(fields, "p") };
    case "off":
      return { name: "off", fold, was: fieldOf(fields, "p") };
    case "end":
      return { name: "end", fold, why: fieldOf(fields, "w") };
    case "revoked":
      return { name: "revoked", json: fieldOf(fields, "v") };
    default:
      return { name: "unknown" };
  }
}

function fieldOf(fields: readonly string[], name: string): string {
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] === name) return fields[index + 1] ?? "";
  }
  return "";
}
