import { expect, test } from "bun:test";

import { languageOf } from "../../src/protocol/language.ts";

test("Spanish is the language without a locale", () => {
  expect(languageOf({})).toBe("es");
  expect(languageOf({ LANG: "" })).toBe("es");
  expect(languageOf({ LANG: "C.UTF-8" })).toBe("es");
  expect(languageOf({ LANG: "de_DE.UTF-8" })).toBe("es");
});

test.each(["en", "en_US.UTF-8", "en-GB", "EN", "en.UTF-8", "en@euro"])("«%s» is English", (locale) => {
  expect(languageOf({ LANG: locale })).toBe("en");
});

test.each(["english", "eng", "enm_GB", "es_EN"])("«%s» is not", (locale) => {
  expect(languageOf({ LANG: locale })).toBe("es");
});

test("LC_ALL overrides LC_MESSAGES, and this overrides LANG; empty ones are ignored", () => {
  expect(languageOf({ LC_ALL: "en_US", LC_MESSAGES: "es_ES", LANG: "es_ES" })).toBe("en");
  expect(languageOf({ LC_ALL: "es_ES", LC_MESSAGES: "en_US", LANG: "en_US" })).toBe("es");
  expect(languageOf({ LC_ALL: "", LC_MESSAGES: "en_US", LANG: "es_ES" })).toBe("en");
  expect(languageOf({ LC_ALL: "C", LANG: "en_US" })).toBe("es");
});
