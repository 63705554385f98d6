import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { networkInterfaces } from "node:os";

import { PASSWORD, type Person } from "./cli-process.ts";
import { KEY } from "./keys.ts";
import type { ServerHere } from "./server-process.ts";
import { TerminalWorld, type MenuTerminal } from "./terminal-people.ts";

setDefaultTimeout(90_000);

const world = new TerminalWorld();
let server: ServerHere;
let address: string;
/** Someone with so many contacts that the list is searched by typing; two of them are online. */
let rosa: Person;
beforeAll(async () => {
  server = await world.server();
  address = `127.0.0.1:${server.tlsPort}`;
  rosa = world.person("rosa", server.tlsPort);
  const online = ["zoe", "Ángela"].map((name) => world.person(name, server.tlsPort));
  await Promise.all([rosa, ...online].map((person) => person.register()));
  await Promise.all(online.map((person) => person.listen(PASSWORD)));
  expect((await rosa.run(["users"], { password: PASSWORD })).code).toBe(0);
  for (const name of CONTACTS) {
    expect((await rosa.run(["send", "--wait", "queued", name, "hola"])).code).toBe(0);
  }
});
afterAll(() => world.close());

const CONTACTS = [
  ...["alba", "bruno", "carlos", "delia", "elena", "fermin", "gloria", "hector", "ines"],
  ...["julia", "kiko", "lorena", "martina"],
];

function marked(terminal: MenuTerminal): string | undefined {
  return terminal.screen.rows.find((row) => row.startsWith("> "))?.slice(2);
}

async function isMarked(terminal: MenuTerminal, row: string): Promise<void> {
  await terminal.until(() => marked(terminal) === row, `«${row}» marked`);
}

/** It ends by itself, or after the keys, with this code and a terminal as a shell wants it. */
async function expectEnd(terminal: MenuTerminal, code: number): Promise<void> {
  expect(await terminal.ended()).toBe(code);
  expect(terminal.isRestored).toBe(true);
  expect(terminal.screen.unknown).toEqual([]);
}

describe("a menu", () => {
  test("is chosen from with the arrow keys, which stop at its ends", async () => {
    const someone = world.openNew(address);
    // There is no account here.
    await isMarked(someone, "2. Registrarse");
    someone.type(KEY.up + KEY.up);
    await isMarked(someone, "1. Iniciar sesión");
    someone.type(KEY.down + KEY.down + KEY.down);
    await isMarked(someone, "3. Salir");
    someone.type(KEY.enter);
    await expectEnd(someone, 0);
  });

  test("is chosen from with a number, also typed ahead", async () => {
    const someone = world.openNew(address, { language: "en" });
    await someone.isAsked("1. Log in", "3. Quit");
    someone.type(`2${KEY.enter}`);
    someone.type(`nobody${KEY.enter}`);
    await someone.isAsked("Password:");
    expect(someone.hasSeen("User name: nobody")).toBe(true);
    someone.type(KEY.escape);
    await someone.answers("What would you like to do?", "3");
    await expectEnd(someone, 0);
  });
});

test("what is typed after the end of a chat goes to nobody, and the person of that chat is marked", async () => {
  const place = await world.place();
  const [one, first, second] = ["left.one", "left.ana", "left.zoe"].map(() => world.openNew(place));
  if (one === undefined || first === undefined || second === undefined) throw new Error("three people");
  await Promise.all([
    one.joins("left.one", PASSWORD),
    first.joins("left.ana", PASSWORD),
    second.joins("left.zoe", PASSWORD),
  ]);
  await one.answers(one.texts.menuPeople, "1");
  await one.answers("2. left.zoe", "2");
  await one.isLinkedTo("left.zoe");
  await one.isInChat();
  one.type(KEY.ctrlC);
  await isMarked(one, "2. left.zoe");
  one.type(`hola zoe${KEY.enter}te lo cuento en secreto${KEY.enter}`);
  await one.isAsked("> 2. left.zoe", one.texts.menuNoMatch("hola zoe"));
  await one.until(({ bells }) => bells === 1, "the bell");
  one.type(`2${KEY.enter}`);
  await one.isLinkedTo("left.zoe");
  await one.isInChat();
  one.type(`ya estoy${KEY.enter}`);
  await one.isInChat("✓✓ >");
  expect(one.hasSeen("secreto")).toBe(false);
  expect(first.screen.bells).toBe(0);
  await second.isAsked("(1 nuevo)");
  one.type(KEY.ctrlC);
  await isMarked(one, "1. left.zoe");
  for (const terminal of [one, first, second]) {
    terminal.type(KEY.ctrlC);
    await expectEnd(terminal, 130);
  }
});

describe("a long list", () => {
  test("has those online first, «Volver» last, and is searched by typing, without accents", async () => {
    const someone = world.openAs(rosa, { rows: 30 });
    await someone.isAsked("¿Con quién desea hablar?", "Volver", "escriba para buscar");
    expect(someone.picture).toMatchSnapshot("everybody");
    expect(marked(someone)).toBe("Ángela");
    someone.type("ange");
    await someone.isAsked("hablar? ange", "> Ángela");
    expect(someone.picture).toMatchSnapshot("searched");
    someone.type(KEY.enter);
    await someone.sees("Chat con Ángela");
    await someone.isInChat();
    someone.type(`exit${KEY.enter}`);
    await someone.isAsked("Volver", "zoe", "martina · no está en línea");
    // What stands behind a name is not searched: «no está en línea».
    someone.type("línea");
    await someone.isAsked("hablar? línea", "> Escribir a alguien…");
    someone.type("\u007f".repeat(5));
    await someone.isAsked("zoe", "martina · no está en línea");
    someone.type("nadie");
    await someone.isAsked("hablar? nadie", "> Escribir a alguien…");
    expect(someone.picture).toMatchSnapshot("nobody is found");
    someone.type(KEY.enter);
    // The name stands in the question, and can be changed.
    await someone.isAsked(`${someone.texts.menuWriteTo} nadie`);
    someone.type(KEY.escape);
    await someone.isAsked("¿Con quién desea hablar? > ");
    someone.type(`volver${KEY.enter}`);
    await someone.isHome("rosa");
    someone.type(KEY.ctrlC);
    await expectEnd(someone, 130);
  });

  test("that is longer than the screen is walked through with the arrow keys", async () => {
    const someone = world.openAs(rosa, { language: "en", cols: 40, rows: 12 });
    await isMarked(someone, "Ángela");
    expect(someone.picture).toMatchSnapshot("the beginning");
    for (let row = 0; row < CONTACTS.length + 3; row++) someone.type(KEY.down);
    await isMarked(someone, "← Back");
    expect(someone.picture).toMatchSnapshot("the end");
    someone.type(KEY.up);
    await isMarked(someone, "Write to someone…");
    someone.type(KEY.escape);
    await someone.isHome("rosa");
    someone.type(KEY.ctrlC);
    await expectEnd(someone, 130);
  });

  test("shows at once who comes, in their row", async () => {
    const martina = world.person("martina", server.tlsPort);
    await martina.register();
    const someone = world.openAs(rosa, { language: "en" });
    await someone.isAsked("martina · not online Write");
    await martina.listen(PASSWORD);
    await someone.isAsked("martina Write");
    someone.type(KEY.ctrlC);
    await expectEnd(someone, 130);
  });
});

test.each(["es", "en"] as const)(
  "somebody is written to by name, and what was written is found again, in %s",
  async (language) => {
    // In one language the account is online in another process.
    const online = language === "en" ? [await rosa.listen()] : [];
    const someone = world.openAs(rosa, { language });
    const { texts } = someone;
    await someone.arrives("rosa");
    someone.type(`3${KEY.enter}`);
    await someone.isAsked(texts.menuWriteTo);
    someone.type(`no uno${KEY.enter}`);
    await someone.sees(texts.badName("no uno"));
    // What was typed stands there, to be changed.
    await someone.isAsked(`${texts.menuWriteTo} no uno`);
    someone.type(`\u0015lor${KEY.tab}`);
    await someone.isAsked(`${texts.menuWriteTo} lorena`);
    someone.type(`.${language}${KEY.enter}`);
    const nobody = `lorena.${language}`;
    await someone.sees(texts.chatOpenedNobody(nobody));
    await someone.isInChat();
    someone.type(`encontrar ${language}${KEY.enter}`);
    await someone.isInChat("· >");
    someone.type(KEY.ctrlC);
    await someone.isAsked(`> ${nobody} · ${texts.menuOffline}`);
    someone.type(KEY.escape);
    await someone.answers(texts.menuHome("rosa"), "4");
    await someone.answers(texts.menuSearchWords, "jamás");
    await someone.sees(texts.chatFoundNothing("jamás"));
    await someone.isAsked(`${texts.menuSearchWords} jamás`);
    someone.type(`\u0015${language} ENCONTRAR${KEY.enter}`);
    await someone.isAsked(`> 1. → ${nobody}: encontrar ${language} · `, texts.menuListKeys);
    someone.type(KEY.enter);
    await someone.isInChat("· >");
    someone.type(KEY.ctrlC + KEY.ctrlC);
    await expectEnd(someone, 130);
    for (const process of online) await process.stop();
  },
);

/** How to get to each place from the first menu, and what stands there. */
const FORMS = [
  { place: "the first menu", keys: [], part: "Registrarse" },
  { place: "the name to log in", keys: ["1"], part: "Nombre de usuario:" },
  { place: "the name to register", keys: ["2"], part: "Nombre de usuario:" },
  { place: "a new password", keys: ["2", "someone"], part: "Contraseña:" },
  { place: "the password again", keys: ["2", "someone", PASSWORD], part: "Repita la contraseña:" },
  { place: "the email", keys: ["2", "someone", PASSWORD, PASSWORD], part: "Correo electrónico" },
  { place: "the password of an account", keys: ["1", "rosa"], part: "Contraseña de rosa:" },
];

describe.each(FORMS)("at $place", ({ keys, part }) => {
  async function arrive(): Promise<MenuTerminal> {
    const someone = world.openNew(address);
    await someone.isAsked("Registrarse");
    for (const typed of keys) someone.type(typed + KEY.enter);
    await someone.isAsked(part);
    return someone;
  }

  test.each([
    ["Ctrl-C", KEY.ctrlC],
    ["Ctrl-D", KEY.ctrlD],
    ["Ctrl-C behind some text", `some${KEY.ctrlC}`],
  ])("%s quits with 130 and gives the terminal back", async (_name, typed) => {
    const someone = await arrive();
    someone.type(typed);
    await expectEnd(someone, 130);
    expect(someone.text).not.toContain(PASSWORD.slice(0, 4));
  });

  test("Escape leads back to the first menu, and nothing is forgotten about it", async () => {
    const someone = await arrive();
    someone.type(`half${KEY.escape}`);
    await someone.isAsked("1. Iniciar sesión", "2. Registrarse", "3. Salir");
    someone.type(`3${KEY.enter}`);
    await expectEnd(someone, 0);
  });
});

describe("while something is under way", () => {
  test.each([
    ["contacting the server", [], "Registrarse", "1", "Conectando con el servidor… (Esc: volver)"],
    ["logging in", ["1"], "Nombre de usuario:", "rosa", "Iniciando sesión… (Esc: volver)"],
    ["registering", ["2", "someone", PASSWORD, PASSWORD], "Correo", "", "Registrando la cuenta…"],
  ])("%s, it is said, and Escape or Ctrl-C gives it up", async (_name, keys, question, last, words) => {
    const stopped = await world.serverApart("stopped.db");
    const someone = world.openNew(`127.0.0.1:${stopped.tlsPort}`);
    await someone.isAsked("Registrarse");
    for (const typed of keys) someone.type(typed + KEY.enter);
    await someone.isAsked(question);
    stopped.process.kill("SIGSTOP");
    someone.type(last + KEY.enter);
    await someone.shows(words);
    expect(someone.text).not.toContain(PASSWORD.slice(0, 4));
    if (words.includes("Esc")) {
      someone.type(KEY.escape);
      await someone.isAsked("1. Iniciar sesión", "2. Registrarse");
    }
    someone.type(KEY.ctrlC);
    await expectEnd(someone, 130);
    stopped.process.kill("SIGCONT");
    stopped.process.kill("SIGKILL");
  });

  test.each([
    ["asking for the people", "1", "Preguntando quién está conectado…"],
    ["logging out", "2", "Cerrando la sesión…"],
  ])("%s, it is said, and Ctrl-C gives it up with 130", async (_name, key, words) => {
    const stopped = await world.serverApart("stopped.db");
    const someone = world.openNew(`127.0.0.1:${stopped.tlsPort}`);
    await someone.joins(`waits.${key}`, PASSWORD);
    stopped.process.kill("SIGSTOP");
    someone.type(key + KEY.enter);
    await someone.shows(words);
    someone.type(KEY.ctrlC);
    await expectEnd(someone, 130);
    stopped.process.kill("SIGCONT");
    stopped.process.kill("SIGKILL");
  });
});

describe("a stored session", () => {
  test("logs in without a question, also when the server was restarted", async () => {
    const first = await world.server("restarted.db");
    const person = world.person("stored", first.tlsPort);
    await person.register();
    expect((await person.run(["users"], { password: PASSWORD })).code).toBe(0);
    const before = world.openAs(person);
    await before.arrives("stored");
    before.type(`7${KEY.enter}`);
    await expectEnd(before, 0);
    first.kill("SIGTERM");
    await first.exited;
    await world.server("restarted.db", first.tlsPort);
    // Nor does it need the name, where there is only one account.
    const after = world.at(["--server", person.server, "--data", person.data]);
    await after.arrives("stored");
    expect(after.text).not.toContain("Contraseña");
    expect(after.text).not.toContain("Registrarse");
    after.type(`2${KEY.enter}`);
    await after.sees("Sesión cerrada.");
    await after.answers("Registrarse", "3");
    await expectEnd(after, 0);
    const loggedOut = world.openAs(person);
    await loggedOut.answers("Registrarse", "1");
    await loggedOut.answers("¿Con qué cuenta?", "1");
    await loggedOut.isAsked("Contraseña de stored:");
    loggedOut.type(KEY.ctrlC);
    await expectEnd(loggedOut, 130);
  });
});

const elsewhere = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find((each) => each.family === "IPv4" && !each.internal)?.address;
describe.skipIf(elsewhere === undefined)("the first contact with another machine", () => {
  test("shows the fingerprint and asks before the name; Escape goes back, «no» does not trust, «sí» does, once", async () => {
    const person = world.person("contact", server.tlsPort, elsewhere);
    const fingerprint = /huella de la autoridad (.*)$/.exec(server.lines[2] ?? "")?.[1] ?? "?";
    const someone = world.openNew(person.server);
    await someone.answers("Registrarse", "1");
    await someone.isAsked("¿Es la misma? (sí/no)");
    expect(someone.hasSeen(fingerprint)).toBe(true);
    someone.type(KEY.escape);
    await someone.answers("Registrarse", "1");
    await someone.answers("¿Es la misma? (sí/no)", "no");
    await someone.sees("No se ha confiado en el servidor");
    await someone.answers("Registrarse", "1");
    await someone.answers("¿Es la misma? (sí/no)", "sí");
    await someone.answers("Nombre de usuario:", "rosa");
    await someone.isAsked("Contraseña de rosa:");
    expect(someone.text.split("Primer contacto")).toHaveLength(4);
    someone.type(KEY.escape);
    await someone.answers("Registrarse", "1");
    await someone.answers("Nombre de usuario:", "");
    await someone.isAsked("Contraseña de rosa:");
    expect(someone.text.split("Primer contacto")).toHaveLength(4);
    someone.type(KEY.ctrlC);
    await expectEnd(someone, 130);
  });

  test("that has become another server shows both fingerprints, and is accepted only with «yes»", async () => {
    const before = await world.serverApart("before.db");
    const place = `${elsewhere}:${before.tlsPort}`;
    const someone = world.openNew(place, { language: "en" });
    const trusts = async (question: string, answer: string) => {
      await someone.answers("Register", "1");
      await someone.answers(question, answer);
    };
    await trusts("Are they the same? (yes/no)", "yes");
    await someone.isAsked("User name:");
    someone.type(KEY.escape);
    await someone.isAsked("Register");
    before.kill("SIGKILL");
    await before.exited;
    const after = await world.server("after.db", before.tlsPort);
    await trusts("Type “yes” to accept it:", "");
    await someone.sees("The server was not trusted");
    await someone.isAsked("Register");
    for (const { lines } of [before, after]) {
      expect(someone.hasSeen(/huella de la autoridad (.*)$/.exec(lines[2] ?? "")?.[1] ?? "?")).toBe(true);
    }
    await trusts("Type “yes” to accept it:", "yes");
    await someone.isAsked("User name:");
    someone.type(KEY.ctrlC);
    await expectEnd(someone, 130);
    expect(someone.foreignRows).toEqual([]);
  });
});
