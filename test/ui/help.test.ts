import { expect, test } from "bun:test";

import { COMMAND_NAMES } from "../../src/ui/config.ts";
import { argumentsOf } from "../../src/ui/help.ts";

test("a command takes the same arguments in both languages", () => {
  const kindOf = (argument: string) => [argument.startsWith("["), argument.endsWith("…")];
  for (const command of COMMAND_NAMES) {
    const [es, en] = [argumentsOf(command, "es"), argumentsOf(command, "en")];
    expect(es.map(kindOf)).toEqual(en.map(kindOf));
    // What may be left out comes last.
    const optional = en.map((argument) => argument.startsWith("["));
    expect(optional).toEqual(optional.toSorted());
  }
});
