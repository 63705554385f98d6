import { describe, expect, test } from "bun:test";

import { chosenLanguage } from "../../src/protocol/language.ts";
import { readOptions, UsageError, variableOf, type Options } from "../../src/protocol/options.ts";

const OPTIONS = {
  "tls-port": { type: "integer", min: 0, max: 65_535 },
  user: { type: "text" },
  lang: { type: "choice", of: ["es", "en"] },
  "max-size": { type: "size" },
  json: { type: "switch" },
  help: { type: "switch" },
  version: { type: "switch" },
} as const satisfies Options;

function read(args: readonly string[], environment: { [name: string]: string } = {}) {
  const { values, positionals } = readOptions(OPTIONS, args, environment, "en");
  return { values, positionals };
}

function refusal(
  args: readonly string[],
  environment: { [name: string]: string } = {},
  language: "es" | "en" = "en",
): string {
  let caught: unknown;
  try {
    readOptions(OPTIONS, args, environment, language);
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(UsageError);
  const { message } = caught as UsageError;
  expect(message).not.toContain("\n");
  return message;
}

describe("flags", () => {
  test("are read in both spellings, anywhere between the arguments", () => {
    expect(read(["send", "--tls-port", "9443", "bea", "--user=ana", "hola", "--json"])).toEqual({
      values: { "tls-port": 9443, user: "ana", json: true },
      positionals: ["send", "bea", "hola"],
    });
  });

  test("that are not given are absent", () => {
    expect(read([])).toEqual({ values: {}, positionals: [] });
  });

  test("given twice: the last counts", () => {
    expect(read(["--user", "ana", "--user=bea"]).values).toEqual({ user: "bea" });
  });

  test("keep what stands behind an equals sign whole", () => {
    expect(read(["--user=a=b"]).values).toEqual({ user: "a=b" });
    expect(read(["--user=--json"]).values).toEqual({ user: "--json" });
  });

  test.each([
    ["0", 0],
    ["65535", 65_535],
    ["0080", 80],
  ])("a number in its range is taken: %s", (written, value) => {
    expect(read(["--tls-port", written]).values).toEqual({ "tls-port": value });
  });

  test.each(["65536", "-1", "8080.0", "8e3", "0x10", "+1", " 1", "1 ", "٣", "", "999999999999999999", "NaN"])(
    "no number in the range: «%s»",
    (written) => {
      expect(refusal([`--tls-port=${written}`])).toBe("--tls-port: expected a number from 0 to 65535");
    },
  );

  test("a choice takes its words only", () => {
    expect(read(["--lang", "en"]).values).toEqual({ lang: "en" });
    expect(refusal(["--lang", "fr"])).toBe("--lang: expected one of es, en");
    expect(refusal(["--lang", "constructor"])).toBe("--lang: expected one of es, en");
  });

  test.each([
    ["1", 1],
    ["4096", 4_096],
    ["10k", 10_240],
    ["500M", 524_288_000],
    ["2GiB", 2_147_483_648],
    ["1TB", 1_099_511_627_776],
  ])("a size is bytes, or has a suffix: %s", (written, value) => {
    expect(read(["--max-size", written]).values).toEqual({ "max-size": value });
  });

  test.each(["0", "", "-1", "M", "1.5G", "10 M", "10MM", "9000000000T", "1E3"])(
    "no size: «%s»",
    (written) => {
      expect(refusal([`--max-size=${written}`])).toBe(
        "--max-size: expected a size, such as 4096, 500M or 2G",
      );
    },
  );

  test("a missing value is reported, even where another flag would be taken for it", () => {
    expect(refusal(["--user"])).toBe("--user: the value is missing");
    expect(refusal(["--user", "--json"])).toBe("--user: the value is missing");
    expect(refusal(["--user="])).toBe("--user: the value is missing");
    expect(refusal(["--user", "--", "x"])).toBe("--user: the value is missing");
  });

  test("a switch with a value is refused, and does not swallow the next argument", () => {
    expect(refusal(["--json=1"])).toBe("--json takes no value");
    expect(refusal(["--json="])).toBe("--json takes no value");
    expect(read(["--json", "users"])).toEqual({ values: { json: true }, positionals: ["users"] });
  });

  test.each([
    [["--prot", "1"], "--prot"],
    [["--prot=1"], "--prot"],
    [["--no-json"], "--no-json"],
    [["--__proto__"], "--__proto__"],
    [["--constructor"], "--constructor"],
    [["--toString=1"], "--toString"],
  ])("an unknown one is named: %p", (args, named) => {
    expect(refusal(args)).toBe(`Unknown option: ${named}`);
  });
});

test.each([
  ["--Json", "--json"],
  ["--usr=ana", "--user"],
  ["--tls-prot", "--tls-port"],
])("a mistyped one is answered with the one that may be meant: %s", (typed, meant) => {
  const [shown] = typed.split("=");
  expect(refusal([typed])).toBe(`Unknown option: ${shown}; did you mean ${meant}?`);
  expect(refusal([typed], {}, "es")).toBe(`Opción desconocida: ${shown}; ¿quiere decir ${meant}?`);
});

test.each(["-x", "-xyz", "-5", "-hola", "-jh"])("%s is no flag, and may be an argument", (typed) => {
  expect(refusal(["send", "bea", typed])).toBe(
    `Unknown option: ${typed}; an argument that begins with “-” goes after --`,
  );
  expect(refusal([typed], {}, "es")).toEndWith("un argumento que empieza por «-» va detrás de --");
});

test("help has three forms, and needs no variable to be right", () => {
  const wrong = { PALOMA_TLS_PORT: "x" };
  expect(read(["send", "-h"], wrong).values).toEqual({ help: true });
  expect(read(["--help"], wrong).values).toEqual({ help: true });
  expect(read(["help", "send"], wrong).positionals).toEqual(["help", "send"]);
});

test("the home folder is put into a path", () => {
  const paths = { data: { type: "path" } } as const;
  const home = { HOME: "/h", PALOMA_DATA: "~/b" };
  expect(readOptions(paths, ["--data=~/a"], home, "en").values).toEqual({ data: "/h/a" });
  expect(readOptions(paths, [], home, "en").values).toEqual({ data: "/h/b" });
});

describe("arguments", () => {
  test("after -- nothing is a flag", () => {
    expect(read(["send", "bea", "--", "--json", "-5", "--", "-x"])).toEqual({
      values: {},
      positionals: ["send", "bea", "--json", "-5", "--", "-x"],
    });
  });

  test("an empty one and a lone dash are arguments", () => {
    expect(read(["send", "", "-"]).positionals).toEqual(["send", "", "-"]);
  });

  test("a text with a dash inside stays whole", () => {
    expect(read(["send", "bea", "¿vienes? -- sí", "a-b"]).positionals).toEqual([
      "send",
      "bea",
      "¿vienes? -- sí",
      "a-b",
    ]);
  });
});

describe("environment", () => {
  test("every flag has its variable", () => {
    expect(variableOf("tls-port")).toBe("PALOMA_TLS_PORT");
    expect(variableOf("server-fingerprint")).toBe("PALOMA_SERVER_FINGERPRINT");
    expect(read([], { PALOMA_TLS_PORT: "9443", PALOMA_USER: "ana", PALOMA_LANG: "en", LANG: "x" })).toEqual({
      values: { "tls-port": 9443, user: "ana", lang: "en" },
      positionals: [],
    });
  });

  test("a flag overrides it, and then it is not even read", () => {
    expect(read(["--tls-port", "1"], { PALOMA_TLS_PORT: "2" }).values).toEqual({ "tls-port": 1 });
    expect(read(["--tls-port", "1"], { PALOMA_TLS_PORT: "nonsense" }).values).toEqual({ "tls-port": 1 });
  });

  test("a final line end of a file with Windows line ends is dropped", () => {
    const windows = {
      PALOMA_TLS_PORT: "9443\r",
      PALOMA_USER: "ana\r\n",
      PALOMA_LANG: "en\r",
      PALOMA_JSON: "\r",
    };
    expect(read([], windows).values).toEqual({ "tls-port": 9443, user: "ana", lang: "en" });
    expect(chosenLanguage([], windows)).toBe("en");
  });

  test("an empty one counts as absent", () => {
    expect(read([], { PALOMA_TLS_PORT: "", PALOMA_USER: "", PALOMA_JSON: "" }).values).toEqual({});
  });

  test.each(["1", "true", "TRUE", "yes", "si", "sí", "SÍ"])("«%s» turns a switch on", (value) => {
    expect(read([], { PALOMA_JSON: value }).values).toEqual({ json: true });
  });

  test.each(["0", "false", "no", "No"])("«%s» leaves it off", (value) => {
    expect(read([], { PALOMA_JSON: value }).values).toEqual({});
  });

  test.each(["help", "version"])("is not read with --%s", (flag) => {
    const wrong = { PALOMA_TLS_PORT: "x", PALOMA_LANG: "fr", PALOMA_JSON: "maybe", PALOMA_USER: "ana" };
    expect(read([`--${flag}`, "send"], wrong)).toEqual({ values: { [flag]: true }, positionals: ["send"] });
    expect(refusal([`--${flag}`, "--nothing"], wrong)).toBe("Unknown option: --nothing");
  });

  test("a wrong one is named by its variable", () => {
    expect(refusal([], { PALOMA_TLS_PORT: "70000" })).toBe(
      "PALOMA_TLS_PORT: expected a number from 0 to 65535",
    );
    expect(refusal([], { PALOMA_JSON: "maybe" })).toBe("PALOMA_JSON: expected 1 or 0");
    expect(refusal([], { PALOMA_LANG: "fr" })).toBe("PALOMA_LANG: expected one of es, en");
  });
});

test("refusals are in Spanish where Spanish is spoken", () => {
  expect(refusal(["--nada"], {}, "es")).toBe("Opción desconocida: --nada");
  expect(refusal(["--json=1"], {}, "es")).toBe("--json no lleva valor");
  expect(refusal(["--user"], {}, "es")).toBe("--user: falta el valor");
  expect(refusal(["--user="], {}, "es")).toBe("--user: falta el valor");
  expect(refusal(["--lang=fr"], {}, "es")).toBe("--lang: se esperaba es, en");
  expect(refusal(["--tls-port=x"], {}, "es")).toBe("--tls-port: se esperaba un número de 0 a 65535");
  expect(refusal([], { PALOMA_JSON: "quizá" }, "es")).toBe("PALOMA_JSON: se esperaba 1 o 0");
});
