import { describe, expect, test } from "bun:test";

import { notUtf8 } from "../../../src/protocol/start/start-bytes.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";

describe("what is not UTF-8", () => {
  /** The bytes of a list of arguments or variables, as Linux gives them. */
  const bytesOf = (...entries: readonly (string | readonly number[])[]) =>
    Buffer.concat(entries.map((entry) => Buffer.from([...Buffer.from(entry as string), 0])));
  const LATIN = [0x63, 0x61, 0x66, 0xe9];
  const started = (cmdline: Uint8Array | undefined, environ?: Uint8Array) => (name: "cmdline" | "environ") =>
    name === "cmdline" ? cmdline : environ;
  const none = started(undefined);

  test("is found in an argument, and a typed U+FFFD is not", () => {
    const args = ["send", "", "caf\ufffd"];
    const runtime = ["bun", "run", [0xff]] as const;
    const latin = started(bytesOf(...runtime, "send", "", LATIN));
    expect(notUtf8(args, {}, latin, "en")).toBe("Not valid UTF-8: “caf\ufffd”");
    expect(notUtf8(args, {}, latin, "es")).toBe("No es UTF-8 válido: «caf\ufffd»");
    const typed = started(bytesOf(...runtime, "send", "", "caf\ufffd"));
    expect(notUtf8(args, {}, typed, "en")).toBeUndefined();
    expect(notUtf8(["send", "café"], {}, latin, "en")).toBeUndefined();
  });

  test("is found in a variable that is read, and in no other", () => {
    const environ = bytesOf("A=1", [...Buffer.from("PALOMA_USER="), ...LATIN], [...Buffer.from("B="), 0xe9]);
    const replaced = { A: "1", PALOMA_USER: "caf\ufffd", B: "\ufffd" };
    expect(notUtf8([], replaced, started(undefined, environ), "en")).toBe("PALOMA_USER: not valid UTF-8");
    expect(notUtf8([], replaced, started(undefined, environ), "es")).toBe("PALOMA_USER: no es UTF-8 válido");
    expect(notUtf8([], { B: "\ufffd" }, started(undefined, environ), "en")).toBeUndefined();
    const typed = started(undefined, bytesOf("PALOMA_USER=caf\ufffd"));
    expect(notUtf8([], replaced, typed, "en")).toBeUndefined();
  });

  test("is left where the system does not give the bytes", () => {
    expect(notUtf8(["\ufffd"], { PALOMA_USER: "\ufffd" }, none, "en")).toBeUndefined();
  });

  test("is found among random bytes", () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    const PIECES = [
      [0x61],
      [0xc3, 0xb1],
      [0xef, 0xbf, 0xbd],
      [0xf0, 0x9f, 0x95, 0x8a],
      [0xc3],
      [0xed, 0xa0, 0x80],
      [0xff],
    ];
    for (let round = 0; round < 2_000; round++) {
      const entries = Array.from({ length: 1 + random.integer(4) }, () =>
        Array.from({ length: random.integer(5) }, () => random.pick(PIECES)).flat(),
      );
      // As the runtime gives them: U+FFFD for what is not UTF-8.
      const args = entries.map((entry) => Buffer.from(entry).toString());
      const isValid = entries.every((entry, index) =>
        Buffer.from(args[index] ?? "").equals(Buffer.from(entry)),
      );
      const said = notUtf8(args, {}, started(bytesOf("bun", [0xff], ...entries)), "en");
      if ((said === undefined) !== isValid)
        throw new Error(`seed ${seed}: ${JSON.stringify(entries)}: ${said}`);
    }
  });
});
