import { describe, expect, test } from "bun:test";

import { complete } from "../../../src/ui/chat/commands.ts";
import { ChatScript, incoming, printed } from "./chat-script.ts";

const COMMANDS = [
  ..."help more list search info copy reply edit withdraw cancel delete export".split(" "),
  ..."send files get stop say chat unread mute group users verify fingerprint accept decline block exit".split(
    " ",
  ),
].map((name) => `/${name}`);

describe("Tab", () => {
  const own = "alda";
  const names = new Map(
    ["Álvaro", "alba", "benito", "Berta", "admin\u200b", own].map((name) => [name, `${name} (3f2a 91bc)`]),
  );
  test.each([
    ["", [], ""],
    ["/", COMMANDS, "/"],
    ["/S", ["/search", "/send", "/stop", "/say"], "/S"],
    ["/nosuch", [], "/nosuch"],
    ["//he", [], "//he"],
    ["/chat ", ["Álvaro", "alba", "benito", "Berta"], ""],
    ["/chat al", ["Álvaro", "alba"], "al"],
    ["/chat ÁL", ["Álvaro", "alba"], "ÁL"],
    ["/say b", ["benito", "Berta"], "b"],
    ["hola be", ["benito", "Berta"], "be"],
    ["hola ", [], ""],
    [" /he", ["/help"], "/he"],
    ["admin", [], "admin"],
  ] as const)("behind %j", (before, offers, part) => {
    const found = complete(before, names, own);
    expect(found).toMatchObject({ offers: [...offers], part });
    // What tells two names apart stands beside them, and is not typed.
    expect(found.shown).toEqual(found.offers.map((offer) => names.get(offer) ?? offer));
  });

  test("offers the numbers of chats, with their people beside them", () => {
    const { offers, shown } = complete("/", names, own, ["alba", "benito"]);
    expect(offers).toEqual([...COMMANDS, "/1", "/2"]);
    expect(shown.slice(-2)).toEqual(["/1 alba (3f2a 91bc)", "/2 benito (3f2a 91bc)"]);
    expect(complete("/2", names, own, ["alba", "benito"]).offers).toEqual(["/2"]);
  });

  test("offers no more than a screen holds", () => {
    const many = new Map(Array.from({ length: 5_000 }, (_, index) => [`user${index}`, `user${index}`]));
    expect(complete("us", many, own).offers.length).toBeLessThanOrEqual(50);
  });
});

describe("commands", () => {
  test.each(["es", "en"] as const)("the help in %s names each one", (language) => {
    const [help = ""] = printed(new ChatScript(language).type("/help"));
    for (const offer of complete("/", new Map(), "").offers.filter((each) => each !== "/help"))
      expect(help).toMatch(new RegExp(`^(/\\w+ )?${offer}( |$)`, "m"));
    expect(help).toContain("exit");
    expect(help).toContain("//x");
  });

  test("/chat goes to known people and to valid new names only", () => {
    const script = new ChatScript();
    expect(script.type("/chat carla")).toEqual([{ name: "leave", to: "carla" }]);
    const [said = ""] = printed(script.type("/chat a/../b"));
    expect(said).toContain("a/../b");
    expect(script.effects.filter(({ name }) => name === "leave")).toHaveLength(1);
  });

  test("each does what it says", () => {
    const script = new ChatScript();
    const does = (typed: string) => script.type(typed);
    expect(does("/users")).toEqual([{ name: "listOnline" }]);
    expect(does("/FINGERPRINT")).toEqual([{ name: "showSafetyNumber" }]);
    expect(does("/accept")).toEqual([{ name: "decide", decision: "accept" }]);
    expect(does("/exit")).toEqual([{ name: "leave", to: undefined }]);
    expect(does("exit")).toEqual([{ name: "leave", to: undefined }]);
    expect(does("/chat carla")).toEqual([{ name: "leave", to: "carla" }]);
  });

  test("a chat with oneself or the same person is not opened", () => {
    for (const name of ["ana", "ANA", "Benito"]) {
      const effects = new ChatScript().type(`/chat ${name}`);
      expect(effects.map((effect) => effect.name)).toEqual(["print"]);
    }
  });

  test("/more asks for what is older than the oldest message shown, and says when there is nothing", () => {
    const script = new ChatScript();
    expect(printed(script.type("/more"))).toEqual(["No hay mensajes anteriores."]);
    script.take({ name: "opened", messages: [incoming(41, "a"), incoming(42, "b")], isMore: true });
    expect(script.type("/more")).toEqual([{ name: "page", before: 41 }]);
    const page = { name: "page", messages: [incoming(40, "z")], isMore: false } as const;
    const said = printed(script.take(page));
    expect(said).toEqual(["1 mensaje anterior:", "z", "Hasta aquí los anteriores; antes no hay nada."]);
    // Asked for twice before the first answer came.
    expect(script.take(page)).toEqual([]);
    expect(printed(script.type("/more"))).toEqual(["No hay mensajes anteriores."]);
  });
});

describe("the safety number", () => {
  const number = "12345 ".repeat(12).trim();

  test.each([
    ["es", "teléfono"],
    ["en", "phone"],
  ] as const)("is shown in %s with the way to compare it", (language, word) => {
    const script = new ChatScript(language);
    const said = printed(script.take({ name: "safetyNumber", numbers: [{ number, pending: false }] }));
    expect(said.join("\n")).toContain(number);
    expect(said.join("\n")).toContain(word);
    expect(said.join("\n")).not.toContain("/accept");
    const both = [
      { number, pending: false },
      { number, pending: true },
    ];
    expect(printed(script.take({ name: "safetyNumber", numbers: both })).join("\n")).toContain("/accept");
    expect(printed(script.take({ name: "safetyNumber", numbers: [] }))).toHaveLength(1);
  });

  test("a key that has changed again shows its number instead of being accepted", () => {
    const script = new ChatScript();
    const effects = script.take({ name: "keyAccepted", result: "changed_again" });
    expect(effects.map(({ name }) => name)).toEqual(["print", "showSafetyNumber"]);
    expect(printed(script.take({ name: "keyAccepted", result: "not_shown" })).join()).toContain(
      "/fingerprint",
    );
  });
});

test("who is online is one sentence, however many they are", () => {
  const script = new ChatScript();
  expect(printed(script.take({ name: "online", people: [] }))).toEqual(["No hay nadie más en línea."]);
  expect(printed(script.take({ name: "online", people: ["benito", "a\u001bb"] }))).toEqual([
    expect.stringMatching(/^En línea: benito y "a␛b" \([0-9a-f]{4} [0-9a-f]{4}\)$/),
  ]);
  const silent = new Map([["benito", script.now - 40_000]]);
  expect(printed(script.take({ name: "online", people: ["benito", "carla"], silent }))).toEqual([
    "En línea: benito (en línea según el servidor; sin respuesta desde hace 40 s) y carla",
  ]);
  const many = Array.from({ length: 150 }, (_, index) => `user${index}`);
  expect(printed(script.take({ name: "online", people: many }))[0]).toEndWith("user99 y 50 más");
});

test("a mistyped command is answered with the one that may be meant", () => {
  expect(printed(new ChatScript("en").type("/serach hola"))[0]).toContain("Did you mean /search?");
  expect(printed(new ChatScript("es").type("/serach hola"))[0]).toContain("¿Quiere decir /search?");
  expect(printed(new ChatScript("en").type("/etc/hosts"))[0]).not.toContain("Did you mean");
});
