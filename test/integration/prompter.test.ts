import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";

import type { Choice, Prompt } from "../../src/ui/prompts/prompt.ts";
import { excerptOf } from "../../src/ui/format/excerpt.ts";
import { textsIn } from "../../src/ui/texts/texts.ts";
import { AtTerminal, type TerminalOptions } from "./at-terminal.ts";
import { KEY } from "./keys.ts";
import { askPrompts } from "./prompter-program.ts";

/** The prompter as a process of its own. */
const APART = { file: join(import.meta.dir, "prompter-program.ts") };

const started: AtTerminal[] = [];
afterEach(() => {
  return Promise.all(started.splice(0).map((terminal) => terminal.close()));
});

type Given = TerminalOptions & {
  readonly prompts: readonly Prompt[];
  readonly instead?: readonly Prompt[];
  readonly language?: "es" | "en";
  readonly times?: number;
};

function asks({ prompts, instead = [], times = 1, language = "es", ...terminal }: Given): AtTerminal {
  const order = JSON.stringify({ language, prompts, instead, times });
  const asked = new AtTerminal([order], { program: askPrompts, ...terminal });
  started.push(asked);
  return asked;
}

const KEYS = textsIn("es").menuListKeys;

function choices(...names: readonly string[]): Choice[] {
  return names.map((name) => ({ value: `=${name}`, name }));
}

function menu(...names: readonly string[]): Prompt {
  return { name: "select", message: "¿Qué desea hacer?", choices: choices(...names), keys: KEYS };
}

function list(...names: readonly string[]): Prompt {
  return {
    name: "search",
    message: "¿Con quién?",
    choices: choices(...names),
    fixed: [{ value: "", name: "← Volver" }],
    keys: KEYS,
  };
}

const name: Prompt = { name: "input", message: "Nombre:", offered: "" };
const password: Prompt = { name: "password", message: "Contraseña:" };
const three = menu("Iniciar sesión", "Registrarse", "Salir");
const people = list("Ana", "Rubén", "benito", "ben", "Carla", "Dora", "Eva", "Fina", "Gala", "Hugo");

/** Resolves when so many answers were given; gives them. */
async function answers(terminal: AtTerminal, count: number): Promise<unknown[]> {
  const given = () =>
    [...terminal.text.matchAll(/^answer (.*?)\r?$/gm)].map(([, json = ""]) => JSON.parse(json));
  await terminal.until(() => given().length >= count, `answer ${count}`);
  return given();
}

function answered(value: string) {
  return { name: "answered", value };
}

/** Checks exit 0 and the restored terminal. Gives what stands on the screen at the end. */
async function over(terminal: AtTerminal): Promise<string[]> {
  expect(await terminal.ended()).toBe(0);
  expect(terminal.isRestored).toBe(true);
  expect(terminal.screen.unknown).toEqual([]);
  return terminal.screen.rows.filter((row) => row !== "");
}

describe.each(["es", "en"] as const)("in %s", (language) => {
  const texts = textsIn(language);

  test("a menu looks like the legacy client's, and arrows, numbers and letters choose", async () => {
    const terminal = asks({ language, prompts: [three, three, three, three] });
    await terminal.shows(KEYS);
    expect(terminal.screen.rows.slice(0, 6)).toEqual([
      "? ¿Qué desea hacer?",
      "> 1. Iniciar sesión",
      "  2. Registrarse",
      "  3. Salir",
      "",
      KEYS,
    ]);
    terminal.type(KEY.down + KEY.down + KEY.down + KEY.up + KEY.enter);
    terminal.type(`3${KEY.enter}`);
    await answers(terminal, 2);
    terminal.type(`regi${KEY.enter}`);
    await answers(terminal, 3);
    // Up from the first stays there.
    terminal.type(KEY.up + KEY.enter);
    expect(await answers(terminal, 4)).toEqual(
      ["=Registrarse", "=Salir", "=Registrarse", "=Iniciar sesión"].map(answered),
    );
    const rows = await over(terminal);
    expect(rows[0]).toBe("? ¿Qué desea hacer? Registrarse");
    expect(rows.join("\n")).not.toContain(KEYS);
  });

  test("the prompts contain no word of @inquirer/prompts itself", async () => {
    const terminal = asks({ language, prompts: [three, people, name, password] });
    await terminal.shows(KEYS);
    terminal.type(KEY.enter);
    await terminal.showsRow(/> Ana/);
    terminal.type(`nobody${KEY.enter}`);
    await terminal.shows(texts.menuNoMatch("nobody"));
    terminal.type(KEY.down + KEY.enter);
    await terminal.showsRow(/^\? Nombre:/);
    terminal.type(KEY.enter);
    await terminal.shows(texts.passwordHidden);
    terminal.type(KEY.enter);
    await over(terminal);
    const words = ["navigate", "select", "No results", "masked", "must provide", "toggle"];
    for (const word of words) expect(terminal.text).not.toContain(word);
  });
});

describe("a search", () => {
  test.each([
    ["ben", "=ben"],
    ["RUBEN", "=Rubén"],
    ["nit", "=benito"],
    ["", "=Ana"],
    ["volv", ""],
  ])("for «%s» and Enter at once chooses «%s»", async (typed, value) => {
    const terminal = asks({ prompts: [people] });
    await terminal.showsRow(/> Ana/);
    terminal.type(typed + KEY.enter);
    expect(await answers(terminal, 1)).toEqual([answered(value)]);
    await over(terminal);
  });

  test("offers the way back whatever is typed", async () => {
    const terminal = asks({ prompts: [people] });
    await terminal.showsRow(/> Ana/);
    terminal.type("ru");
    await terminal.until(({ rows }) => rows[1] === "> Rubén" && rows[2] === "  ← Volver", "two choices");
    expect(terminal.screen.rows[0]).toBe("? ¿Con quién? ru");
    terminal.type(KEY.down + KEY.enter);
    expect(await answers(terminal, 1)).toEqual([answered("")]);
    await over(terminal);
  });
});

describe("an Enter behind what stands for no choice", () => {
  test.each([
    ["a sentence", "hola dora"],
    ["a number of no row", "4"],
    ["spaces", "  "],
  ])("in a menu, %s, rings, chooses nothing, and drops it", async (_what, typed) => {
    const terminal = asks({ prompts: [three, name] });
    await terminal.shows("Enter");
    terminal.type(typed + KEY.enter);
    await terminal.shows(textsIn("es").menuNoMatch(excerptOf(typed)));
    expect(terminal.screen.rows[0]).toBe("? ¿Qué desea hacer?");
    expect(terminal.screen.bells).toBe(1);
    expect(terminal.text).not.toContain("answer");
    // What is typed next begins anew.
    terminal.type(`2${KEY.enter}ana${KEY.enter}`);
    expect(await answers(terminal, 2)).toEqual([answered("=Registrarse"), answered("ana")]);
    await over(terminal);
    expect(terminal.screen.bells).toBe(1);
  });

  test.each([
    ["a menu", three, "=Registrarse"],
    ["a search", people, "=Rubén"],
  ])(
    "in %s chooses nothing, nor does what was typed behind it at once, as two paragraphs",
    async (_what, prompt, value) => {
      const terminal = asks({ prompts: [prompt] });
      await terminal.shows("Enter");
      terminal.type(`hola a todos${KEY.enter}${KEY.enter}te lo cuento${KEY.enter}${KEY.enter}`);
      await terminal.shows(textsIn("es").menuNoMatch("hola a todos"));
      expect(terminal.text).not.toContain("answer");
      // Whoever points at something means it.
      terminal.type(KEY.down + KEY.enter);
      expect(await answers(terminal, 1)).toEqual([answered(value)]);
      await over(terminal);
    },
  );

  test.each([
    ["xterm-256color", three, "registrarse"],
    ["xterm-256color", people, "ben"],
    ["dumb", three, "registrarse"],
    ["dumb", people, "dora"],
  ])(
    "with TERM=%s chooses nobody where a name and more text come in one piece",
    async (TERM, prompt, typed) => {
      const terminal = asks({ environment: { TERM }, prompts: [prompt] });
      await terminal.until(
        () => terminal.text.includes("Volver") || terminal.text.includes("Salir"),
        "the list",
      );
      terminal.type(`${typed}${KEY.enter}te lo cuento en secreto${KEY.enter}`);
      const { menuNoMatch, menuNotInList } = textsIn("es");
      const refusals = [menuNoMatch(excerptOf(typed)), menuNotInList(prompt === three ? 3 : 11)];
      await terminal.until(() => refusals.some((words) => terminal.text.includes(words)), "the refusal");
      expect(terminal.text).not.toContain("secreto");
      expect(terminal.text).not.toContain("answer");
      terminal.type(TERM === "dumb" ? `2${KEY.enter}` : KEY.down + KEY.enter);
      expect(await answers(terminal, 1)).toHaveLength(1);
      await over(terminal);
    },
  );

  test("is refused however long one waits, but not when that was deleted or an arrow key was pressed", async () => {
    const terminal = asks({ prompts: [three, three, three] });
    await terminal.shows("Enter");
    terminal.type("hola");
    await terminal.showsRow(/^\? ¿Qué desea hacer\? hola$/);
    // @inquirer/prompts forgets in 700 ms; a message that comes, and one that is printed, forget nothing.
    terminal.signal("SIGUSR1");
    await terminal.until(
      ({ rows }) => rows.includes("two 1") && rows.includes("> 1. Iniciar sesión"),
      "it again",
    );
    terminal.type(KEY.enter);
    await terminal.shows(textsIn("es").menuNoMatch("hola"));
    terminal.type(`hola${KEY.down}${KEY.enter}`);
    terminal.type(`r\u007f\u007f3x\u007f${KEY.enter}`);
    terminal.type(`nada\u0015${KEY.down}${KEY.enter}`);
    expect((await answers(terminal, 3)).slice(0, 2)).toEqual([answered("=Registrarse"), answered("=Salir")]);
    await over(terminal);
    expect(terminal.screen.bells).toBe(1);
  });

  test("in a search rings, and the whole list is there again with its first choice marked", async () => {
    const marking: Prompt = { ...people, marked: "=Carla" } as Prompt;
    const terminal = asks({ prompts: [marking, name] });
    await terminal.showsRow(/^> Carla$/);
    terminal.type(`te lo cuento${KEY.enter}`);
    await terminal.shows(textsIn("es").menuNoMatch("te lo cuento"));
    await terminal.showsRow(/^> Carla$/);
    expect(terminal.screen.bells).toBe(1);
    expect(terminal.screen.rows[0]).toBe("? ¿Con quién?");
    expect(terminal.text).not.toContain("answer");
    // The next key takes the sentence off.
    terminal.type(KEY.up);
    await terminal.showsRow(/^> ben$/);
    expect(terminal.screen.transcript).not.toContain("no está en la lista");
    terminal.type(`${KEY.enter}x${KEY.enter}`);
    expect(await answers(terminal, 2)).toEqual([answered("=ben"), answered("x")]);
    await over(terminal);
  });

  test("in a search that found nobody chooses the way back only when an arrow key was pressed", async () => {
    const terminal = asks({ prompts: [people] });
    await terminal.showsRow(/> Ana/);
    terminal.type("nadie");
    await terminal.showsRow(/^> ← Volver$/);
    terminal.type(KEY.down + KEY.enter);
    expect(await answers(terminal, 1)).toEqual([answered("")]);
    await over(terminal);
    expect(terminal.screen.bells).toBe(0);
  });

  test("fits below a list on a low and narrow screen", async () => {
    const terminal = asks({ prompts: [people], cols: 40, rows: 12 });
    await terminal.showsRow(/> Ana/);
    terminal.type(`nadie${KEY.enter}`);
    await terminal.shows("«nadie» no está en la lista.");
    await terminal.showsRow(/^> Ana/);
    expect(terminal.screen.scrollback).toEqual([]);
    expect(terminal.screen.rows.filter((row) => row.startsWith("?"))).toHaveLength(1);
    terminal.type(KEY.ctrlC);
    await over(terminal);
  });
});

test.each([
  ["a menu", { ...three, marked: "=Salir" } as Prompt, "> 3. Salir", "=Salir"],
  ["a search", { ...people, marked: "=Hugo" } as Prompt, "> Hugo", "=Hugo"],
])("%s begins with the given choice marked", async (_what, prompt, row, value) => {
  const terminal = asks({ prompts: [prompt] });
  await terminal.until(({ rows }) => rows.includes(row), row);
  terminal.type(KEY.enter);
  expect(await answers(terminal, 1)).toEqual([answered(value)]);
  await over(terminal);
});

test("a menu keeps its given choice marked while letters that fit none are typed", async () => {
  const terminal = asks({ prompts: [{ ...three, marked: "=Registrarse" } as Prompt] });
  await terminal.showsRow(/^> 2/);
  terminal.type("hola");
  await terminal.showsRow(/hacer\? hola$/);
  await terminal.showsRow(/^> 2/);
  terminal.type(KEY.ctrlC);
  await over(terminal);
});

describe("what is printed", () => {
  test.each([
    [80, 24],
    [40, 12],
  ])("stands above an open menu at %d × %d, which keeps its marked row", async (cols, rows) => {
    const terminal = asks({ prompts: [three], cols, rows });
    await terminal.shows("Enter");
    terminal.type("3");
    await terminal.showsRow(/^> 3/);
    for (const time of [1, 2, 3]) {
      terminal.signal("SIGUSR1");
      await terminal.until(
        (screen) => screen.rows.includes(`two ${time}`) && screen.rows.includes("> 3. Salir"),
        `print ${time}`,
      );
    }
    terminal.type(KEY.enter);
    expect(await answers(terminal, 1)).toEqual([answered("=Salir")]);
    await over(terminal);
    expect(terminal.screen.transcript.split("\n")).toEqual([
      ...["one 1", "two 1", "one 2", "two 2", "one 3", "two 3"],
      "? ¿Qué desea hacer? Salir",
      'answer {"name":"answered","value":"=Salir"}'.slice(0, cols),
      ...(cols < 43 ? ['answer {"name":"answered","value":"=Salir"}'.slice(cols)] : []),
      "closed",
    ]);
  });

  test("stands above an open search, which keeps its typed term and its marked row", async () => {
    const terminal = asks({ prompts: [people], cols: 40, rows: 12 });
    await terminal.showsRow(/> Ana/);
    terminal.type(`be${KEY.down}`);
    await terminal.showsRow(/^> ben$/);
    terminal.signal("SIGUSR1");
    await terminal.until(({ rows }) => rows.includes("two 1") && rows.includes("> ben"), "the list again");
    expect(terminal.screen.rows.slice(0, 7)).toEqual([
      ...["one 1", "two 1", "? ¿Con quién? be", "  benito", "> ben", "  Rubén", "  ← Volver"],
    ]);
    terminal.type(`n${KEY.enter}`);
    expect(await answers(terminal, 1)).toEqual([answered("=ben")]);
    await over(terminal);
  });

  test("waits until a name or a password has been typed, and nothing of that is lost", async () => {
    const terminal = asks({ prompts: [name, password] });
    await terminal.showsRow(/^\? Nombre:/);
    terminal.type("an");
    await terminal.showsRow(/^\? Nombre: an$/);
    terminal.signal("SIGUSR1");
    terminal.type(`ñx\u007fa${KEY.enter}`);
    await terminal.shows(textsIn("es").passwordHidden);
    terminal.signal("SIGUSR1");
    terminal.type(`secreta${KEY.enter}`);
    const [typed, hidden] = await answers(terminal, 2);
    expect([typed, hidden]).toEqual([answered("anña"), answered("secreta")]);
    const rows = await over(terminal);
    expect(rows.slice(0, 4)).toEqual([
      "? Nombre: anña",
      "one 1",
      "two 1",
      'answer {"name":"answered","value":"anña"}',
    ]);
    expect(terminal.text.replaceAll(/^answer.*$/gm, "")).not.toContain("secreta");
  });
});

test.each(["es", "en"] as const)(
  "of more notices than are kept while an answer is typed, the oldest are counted, in %s",
  async (language) => {
    const terminal = asks({ language, prompts: [name, name], times: 150, rows: 240 });
    await terminal.showsRow(/^\? Nombre:/);
    terminal.signal("SIGUSR1");
    terminal.type(`ana${KEY.enter}`);
    await answers(terminal, 1);
    const rows = terminal.screen.transcript.split("\n");
    expect(rows.slice(0, 3)).toEqual(["? Nombre: ana", textsIn(language).noticesDropped(100), "one 51"]);
    expect(rows.indexOf("two 150")).toBe(201);
    terminal.type(KEY.enter);
    await over(terminal);
  },
);

describe("a prompt in the place of another", () => {
  test("leaves no row of the one before, and keeps the marked choice", async () => {
    const longer = menu("Nueva", "Iniciar sesión", "Registrarse", "Salir");
    const terminal = asks({ prompts: [three], instead: [longer, name, menu("Uno")], cols: 40, rows: 12 });
    await terminal.shows("Enter");
    terminal.type("3");
    await terminal.showsRow(/^> 3/);
    terminal.signal("SIGUSR2");
    await terminal.showsRow(/^> 4\. Salir/);
    expect(terminal.screen.rows.filter((row) => row.includes("Salir"))).toHaveLength(1);
    terminal.signal("SIGUSR2");
    await terminal.showsRow(/^\? Nombre:/);
    expect(terminal.screen.transcript).toBe("? Nombre:");
    terminal.signal("SIGUSR2");
    await terminal.showsRow(/^> 1\. Uno/);
    expect(terminal.screen.transcript).not.toContain("Nombre");
    terminal.type(KEY.enter);
    await over(terminal);
  });

  test("in other words keeps the marked choice where the same people are listed", async () => {
    const longer = { ...menu("Ana", "Berta", "Carla", "Dora"), message: "¿Y ahora?" } as Prompt;
    const terminal = asks({ prompts: [menu("Ana", "Berta", "Carla")], instead: [longer] });
    await terminal.shows("Enter");
    terminal.type("2");
    await terminal.showsRow(/^> 2/);
    terminal.signal("SIGUSR2");
    await terminal.showsRow(/^\? ¿Y ahora\? 2$/);
    terminal.type(KEY.enter);
    expect(await answers(terminal, 1)).toEqual([answered("=Berta")]);
    await over(terminal);
  });

  test("in which a typed number now means another row chooses nothing", async () => {
    const terminal = asks({ prompts: [menu("Ana", "Volver")], instead: [menu("Ana", "Berta", "Volver")] });
    await terminal.shows("Enter");
    terminal.type("2");
    await terminal.showsRow(/^> 2\. Volver/);
    terminal.signal("SIGUSR2");
    await terminal.showsRow(/^> 3\. Volver/);
    terminal.type(KEY.enter);
    await terminal.shows(textsIn("es").menuNoMatch("2"));
    terminal.type(`3${KEY.enter}`);
    expect(await answers(terminal, 1)).toEqual([answered("=Volver")]);
    await over(terminal);
    expect(terminal.screen.bells).toBe(1);
  });

  test("that is equal changes nothing", async () => {
    const terminal = asks({ prompts: [three], instead: [three, menu("Otra")] });
    await terminal.shows("Enter");
    const before = terminal.raw.length;
    terminal.signal("SIGUSR2");
    terminal.signal("SIGUSR2");
    terminal.type(KEY.down);
    await terminal.showsRow(/^> 2|^> 1\. Otra/);
    expect(terminal.raw.slice(before).match(/¿Qué/g)?.length).toBeLessThanOrEqual(2);
    terminal.type(KEY.ctrlC);
    await over(terminal);
  });

  test("that is longer than the screen shows a part of its choices, and no row twice", async () => {
    const long = list(
      ...Array.from({ length: 200 }, (_, index) => `persona ${index} con un nombre bastante largo`),
    );
    const terminal = asks({ prompts: [long], cols: 40, rows: 12 });
    await terminal.shows("Enter");
    terminal.type(KEY.down.repeat(30));
    await terminal.showsRow(/^> persona 30 /);
    expect(terminal.screen.scrollback).toEqual([]);
    expect(terminal.screen.rows.filter((row) => row.startsWith("?"))).toHaveLength(1);
    terminal.type(KEY.enter);
    expect(await answers(terminal, 1)).toEqual([answered("=persona 30 con un nombre bastante largo")]);
    await over(terminal);
  });
});

test.each([
  ["a menu", three],
  ["a search", people],
  ["a name", name],
  ["a password", password],
] as const)("Escape goes back from %s and leaves nothing on the screen", async (_what, prompt) => {
  const terminal = asks({ prompts: [prompt] });
  await terminal.showsRow(/^\?/);
  terminal.type(KEY.escape);
  expect(await answers(terminal, 1)).toEqual([{ name: "back" }]);
  expect(await over(terminal)).toEqual(['answer {"name":"back"}', "closed"]);
});

test.each([
  ["Ctrl-C", KEY.ctrlC],
  ["Ctrl-D", KEY.ctrlD],
])("%s leaves every prompt, also with something typed, and the terminal is as it was", async (_key, key) => {
  for (const prompt of [three, people, name, password]) {
    const terminal = asks({ prompts: [prompt], program: APART });
    await terminal.showsRow(/^\?/);
    terminal.type(`x${key}`);
    expect(await answers(terminal, 1)).toEqual([{ name: "interrupted" }]);
    await over(terminal);
  }
});

test("what is typed ahead reaches the prompts that follow", async () => {
  const terminal = asks({ prompts: [three, name, password, people] });
  await terminal.shows("Enter");
  terminal.type(`2${KEY.enter}ana${KEY.enter}clave${KEY.enter}ben${KEY.enter}`);
  expect(await answers(terminal, 4)).toEqual(["=Registrarse", "ana", "clave", "=ben"].map(answered));
  await over(terminal);
});

test("an Escape and a key right behind it are two keys", async () => {
  const terminal = asks({ prompts: [name, three] });
  await terminal.showsRow(/^\? Nombre:/);
  terminal.type(`${KEY.escape}3`);
  await terminal.showsRow(/^> 3/);
  terminal.type(KEY.enter);
  expect(await answers(terminal, 2)).toEqual([{ name: "back" }, answered("=Salir")]);
  await over(terminal);
});

test("control characters without a meaning are not typed", async () => {
  const terminal = asks({ prompts: [name, people, password] });
  await terminal.showsRow(/^\? Nombre:/);
  terminal.type(`a\u0000\u001c\u001f\u0080b${KEY.enter}`);
  await terminal.showsRow(/> Ana/);
  terminal.type(`\u001c\u001eben${KEY.enter}`);
  await terminal.shows("(no se muestra)");
  terminal.type(`cl\u001fave${KEY.enter}`);
  expect(await answers(terminal, 3)).toEqual(["ab", "=ben", "clave"].map(answered));
  await over(terminal);
});

test("the line ends of a paste become spaces, and press no Enter", async () => {
  const terminal = asks({ prompts: [name, password, name] });
  await terminal.showsRow(/^\? Nombre:/);
  terminal.paste("\nqu\tim\r\n\nclaro\n");
  await terminal.showsRow(/^\? Nombre: qu im claro$/);
  terminal.type(`a${KEY.enter}`);
  await terminal.shows("(no se muestra)");
  terminal.paste("clave\nsecreta\u2028");
  terminal.paste(" larga");
  terminal.type(`${KEY.enter}\u001b[200~x\u001b[201~${KEY.enter}`);
  const [first, second] = ["qu im claroa", "clave secreta larga"];
  expect(await answers(terminal, 3)).toEqual([first, second, "x"].map(answered));
  await over(terminal);
});

test("a paste of several lines into a list chooses nothing", async () => {
  const terminal = asks({ prompts: [three] });
  await terminal.shows("Enter");
  terminal.paste("3\nsalir de casa\n");
  await terminal.showsRow(/hacer\? 3 salir de casa$/);
  terminal.type(KEY.enter);
  await terminal.shows(textsIn("es").menuNoMatch("3 salir de casa"));
  terminal.type(`3${KEY.enter}`);
  expect(await answers(terminal, 1)).toEqual([answered("=Salir")]);
  await over(terminal);
});

test("the marked row stays in view at 20 × 5, also below a refusal", async () => {
  const terminal = asks({
    prompts: [{ ...three, message: "ana, ¿qué desea hacer?" } as Prompt],
    cols: 20,
    rows: 5,
  });
  await terminal.showsRow(/^> 1\. Iniciar/);
  terminal.type(KEY.down + KEY.down);
  await terminal.showsRow(/^> 3\. Salir/);
  terminal.type(`nada${KEY.enter}`);
  await terminal.until(
    ({ rows }) => rows.join(" ").includes("lista.") && rows.includes("> 3. Salir"),
    "both",
  );
  terminal.type(KEY.enter);
  expect(await answers(terminal, 1)).toEqual([answered("=Salir")]);
  await over(terminal);
});

describe.each(["xterm-256color", "dumb"])("with TERM=%s a name that is offered", (TERM) => {
  const offered: Prompt = { name: "input", message: "Nombre:", offered: "benito" };

  test("is taken by Enter alone, and replaced by what is typed", async () => {
    const terminal = asks({ environment: { TERM }, prompts: [offered, offered, offered, offered, offered] });
    await terminal.shows("Nombre: (benito)");
    terminal.type(KEY.enter);
    terminal.type(`belén${KEY.enter}`);
    terminal.type(`x\u0015${KEY.enter}`);
    terminal.type(`x\u007f\u007f\u007f${KEY.enter}`);
    terminal.type(KEY.escape);
    const given = await answers(terminal, 5);
    expect(given.slice(0, 4)).toEqual(["benito", "belén", "benito", "benito"].map(answered));
    expect(given[4]).toEqual({ name: "back" });
    await over(terminal);
  });

  test("is sanitized on the screen", async () => {
    const hostile: Prompt = { ...offered, offered: "a\u001b[31mb\u202e" };
    const terminal = asks({ environment: { TERM }, prompts: [hostile, name] });
    await terminal.shows("Nombre: (a");
    terminal.type(`${KEY.enter}x${KEY.enter}`);
    expect(await answers(terminal, 2)).toEqual([answered(hostile.offered), answered("x")]);
    await over(terminal);
    expect(terminal.raw).not.toContain("\u001b[31m");
    expect(terminal.raw.replaceAll(/answer .*$/gm, "")).not.toContain("\u202e");
  });
});

test.each(["xterm-256color", "dumb"])(
  "with TERM=%s a line that was begun can be changed, and Tab completes a known name",
  async (TERM) => {
    const begun: Prompt = { ...name, begun: "bx", completes: true } as Prompt;
    const terminal = asks({ environment: { TERM }, prompts: [begun] });
    await terminal.showsRow(/bx$/);
    terminal.type("\u007f\tit");
    await terminal.showsRow(/benitit$|> benitit/);
    terminal.type(`\u007f\u007fo${KEY.enter}`);
    expect(await answers(terminal, 1)).toEqual([answered("benito")]);
    await over(terminal);
  },
);

test("what stands aside in a row is dim, also where the row is broken", async () => {
  const far = { value: "=eva", name: "Eva", aside: "no está en línea desde hace mucho tiempo" };
  const prompt: Prompt = { name: "select", message: "¿?", choices: [...choices("Ana"), far], keys: KEYS };
  const terminal = asks({ prompts: [prompt], cols: 30 });
  await terminal.showsRow(/^ {5}Enter$/);
  expect(terminal.screen.rows.slice(1, 5)).toEqual([
    "> 1. Ana",
    "  2. Eva · no está en línea",
    "    desde hace mucho",
    "    tiempo",
  ]);
  expect(terminal.raw).toContain("Eva\u001b[2m · no está en línea");
  terminal.type(KEY.ctrlC);
  await over(terminal);
});

test("a question of several lines is asked on its last one, and the others stay", async () => {
  const message = textsIn("es").firstContact("localhost:8443", "abcd ".repeat(16).trim());
  const terminal = asks({ prompts: [{ name: "input", message, offered: "" }], cols: 40, rows: 12 });
  await terminal.shows("(sí/no)");
  terminal.type(`sí${KEY.enter}`);
  expect(await answers(terminal, 1)).toEqual([answered("sí")]);
  await over(terminal);
  expect(terminal.screen.transcript.match(/Primer contacto/g)).toHaveLength(1);
  expect(terminal.screen.transcript).toContain("(sí/no) sí");
});

test("a menu follows the terminal's size", async () => {
  const terminal = asks({ prompts: [people], cols: 80, rows: 8 });
  await terminal.showsRow(/^> Ana/);
  expect(terminal.screen.rows).not.toContain("  Hugo");
  terminal.resize(40, 24);
  await terminal.showsRow(/^ {2}Hugo/);
  terminal.type(`hug${KEY.enter}`);
  expect(await answers(terminal, 1)).toEqual([answered("=Hugo")]);
  await over(terminal);
});

test("rows longer than the terminal is wide are broken at words, and stay marked", async () => {
  const long = menu("Iniciar sesión", "Ver usuarios conectados y chatear (2 nuevos)");
  const terminal = asks({ prompts: [long], cols: 40, rows: 12 });
  await terminal.shows("Enter");
  terminal.type("2");
  await terminal.showsRow(/^> 2/);
  terminal.signal("SIGUSR1");
  await terminal.until(
    ({ rows }) => rows.includes("two 1") && rows.some((row) => row.startsWith("> 2")),
    "it again",
  );
  expect(terminal.screen.rows.slice(4, 6)).toEqual([
    "> 2. Ver usuarios conectados y chatear",
    "    (2 nuevos)",
  ]);
  terminal.type(KEY.enter);
  expect(await answers(terminal, 1)).toHaveLength(1);
  await over(terminal);
  expect(terminal.screen.rows.slice(2, 4)).toEqual([
    "? ¿Qué desea hacer? Ver usuarios",
    "    conectados y chatear (2 nuevos)",
  ]);
});

test("Ctrl-Z leaves a clean terminal to the shell, and what was asked is there again afterwards", async () => {
  for (const [prompt, typed, row] of [
    [three, "3", /^> 3/],
    [people, "ru", /^\? ¿Con quién\? ru$/],
    [name, "an", /^\? Nombre: an$/],
    [password, "", /^\? Contraseña: \(no se muestra\)$/],
  ] as const) {
    const terminal = asks({ prompts: [prompt], program: APART });
    await terminal.showsRow(/^\?/);
    terminal.type(typed);
    await terminal.showsRow(row);
    if (await terminal.suspends()) {
      await terminal.until(({ transcript }) => transcript === "" && terminal.isRestored, "a clean terminal");
      terminal.signal("SIGCONT");
    }
    await terminal.showsRow(row);
    terminal.type(KEY.enter);
    expect(await answers(terminal, 1)).toHaveLength(1);
    await over(terminal);
  }
});

test("with NO_COLOR only the cursor is moved", async () => {
  const terminal = asks({ prompts: [three, name, password], environment: { NO_COLOR: "1" }, program: APART });
  await terminal.shows("Enter");
  terminal.type(`${KEY.enter}ana${KEY.enter}clave${KEY.enter}`);
  await over(terminal);
  expect(terminal.raw).not.toMatch(/\u001b\[\d*(?:;\d+)*m/);
});

describe("on a dumb terminal", () => {
  const environment = { TERM: "dumb" };

  test("numbers and names choose, passwords are hidden, and no escape sequence is written", async () => {
    const terminal = asks({ environment, prompts: [three, three, people, name, password] });
    await terminal.shows("3. Salir\r\n> ");
    terminal.type(`9${KEY.enter}`);
    await terminal.shows("Escriba un número del 1 al 3, o un nombre de la lista.\r\n> ");
    terminal.type(`2${KEY.enter}`);
    await answers(terminal, 1);
    terminal.type(`salir${KEY.enter}`);
    await answers(terminal, 2);
    terminal.type(`ben${KEY.enter}`);
    await terminal.shows("Nombre:\r\n> ");
    terminal.type("anx\u007f");
    await terminal.shows("> an");
    terminal.signal("SIGUSR1");
    await terminal.shows("two 1\r\n> an");
    terminal.type(`a${KEY.enter}`);
    await terminal.shows(`Contraseña: ${textsIn("es").passwordHidden}\r\n> `);
    terminal.type(`clavx\u007fe${KEY.enter}`);
    const given = await answers(terminal, 5);
    expect(given).toEqual(["=Registrarse", "=Salir", "=ben", "ana", "clave"].map(answered));
    await over(terminal);
    expect(terminal.raw).not.toContain("\u001b");
    expect(terminal.screen.cursorMoves).toBe(0);
    expect(terminal.text.replaceAll(/^answer.*$/gm, "")).not.toContain("clav");
  });

  test("what stands for no choice chooses nothing", async () => {
    const terminal = asks({ environment, prompts: [three, people] });
    await terminal.shows("3. Salir\r\n> ");
    for (const typed of ["hola dora", "esión", "13", " salir de casa", "  "]) {
      const before = terminal.text.length;
      terminal.type(typed + KEY.enter);
      await terminal.until(
        () => /lista\.\s+> $/.test(terminal.text.slice(before)),
        `no answer to «${typed}»`,
      );
    }
    terminal.type(`sal${KEY.enter}`);
    await answers(terminal, 1);
    terminal.type(`nit${KEY.enter}`);
    expect(await answers(terminal, 2)).toEqual(["=Salir", "=benito"].map(answered));
    await over(terminal);
  });

  test("Ctrl-U and Ctrl-W clear what was typed, on a fresh row", async () => {
    const terminal = asks({ environment, prompts: [name, password, three] });
    await terminal.shows("Nombre:\r\n> ");
    terminal.type("una cosa\u0015");
    await terminal.shows("> una cosa\r\n> ");
    terminal.type("otra\u0017");
    await terminal.shows("> otra\r\n> ");
    terminal.type(`ana${KEY.enter}mal\u0015clave${KEY.enter}1\u00173${KEY.enter}`);
    expect(await answers(terminal, 3)).toEqual(["ana", "clave", "=Salir"].map(answered));
    await over(terminal);
    expect(terminal.raw).not.toContain("\u001b");
  });

  test("a list is written again only when it is another one", async () => {
    const terminal = asks({ environment, prompts: [three], instead: [three, menu("Uno", "Salir")] });
    await terminal.shows("3. Salir\r\n> ");
    terminal.type("2");
    await terminal.shows("> 2");
    terminal.signal("SIGUSR2");
    terminal.signal("SIGUSR1");
    await terminal.shows("two 1\r\n> 2");
    expect(terminal.text.match(/1\. /g)).toHaveLength(1);
    terminal.signal("SIGUSR2");
    // The number was meant for the other list.
    await terminal.shows("1. Uno\r\n2. Salir\r\n> ");
    terminal.type(KEY.enter);
    await terminal.shows("Escriba un número del 1 al 2, o un nombre de la lista.\r\n> ");
    terminal.type(`2${KEY.enter}`);
    expect(await answers(terminal, 1)).toEqual([answered("=Salir")]);
    await over(terminal);
  });

  test.each([
    ["Escape", KEY.escape, "back"],
    ["Ctrl-C", KEY.ctrlC, "interrupted"],
    ["Ctrl-D", KEY.ctrlD, "interrupted"],
  ])("%s leaves every prompt", async (_key, key, answer) => {
    for (const prompt of [three, people, name, password]) {
      const terminal = asks({ environment, prompts: [prompt] });
      await terminal.shows("\r\n> ");
      terminal.type(key);
      expect(await answers(terminal, 1)).toEqual([{ name: answer }]);
      await over(terminal);
    }
  });
});
