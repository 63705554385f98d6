import { expect, test } from "bun:test";

import { seededRandom, testSeed } from "../seeded-random.ts";
import { jsonLine } from "../../src/protocol/json-line.ts";

test("a JSON line has no control or invisible characters, and reads back as it was", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const odd = [
    0x1b, 0x9b, 0x0a, 0x0d, 0x7f, 0x85, 0xad, 0x200b, 0x200d, 0x202e, 0x2028, 0x2066, 0xfeff, 0xe0041, 0x2065,
    0x3164, 0xfe0f,
  ];
  for (let round = 0; round < 500; round++) {
    const points = Array.from({ length: random.integer(12) }, () =>
      random.integer(2) === 0 ? random.pick(odd) : random.integer(0xd800),
    );
    const text = String.fromCodePoint(...points);
    const line = jsonLine({ event: "message", text });
    try {
      expect(JSON.parse(line)).toEqual({ event: "message", text });
      expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]/u);
      expect(line).toEndWith("}\n");
    } catch (error) {
      console.error(`PALOMA_TEST_SEED=${seed}`);
      throw error;
    }
  }
});
