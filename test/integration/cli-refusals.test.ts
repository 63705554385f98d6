import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { connect } from "node:net";

import { expectFailure, PASSWORD, World, type Event, type Person } from "./cli-process.ts";
import type { ServerHere } from "./server-process.ts";

setDefaultTimeout(60_000);

const world = new World();
let server: ServerHere;
let port = 0;
beforeAll(async () => {
  server = await world.server();
  port = server.tlsPort;
});
afterAll(() => world.close());

async function registered(name: string): Promise<Person> {
  const person = world.person(name, port);
  await person.register();
  return person;
}

/** Registers and logs in once, so that a session is stored. */
async function loggedIn(name: string): Promise<Person> {
  const person = await registered(name);
  expect((await person.run(["users"], { password: PASSWORD })).code).toBe(0);
  return person;
}

/** One request of the seed's kind over the unencrypted port; the connection stays open. */
async function seedClient(requests: readonly object[]): Promise<{ close: () => void }> {
  const socket = connect(server.plainPort, "127.0.0.1");
  for (const request of requests) {
    socket.write(JSON.stringify(request));
    const answer = await new Promise<string>((resolve, reject) => {
      socket.once("data", (data) => resolve(String(data)));
      socket.once("error", reject);
    });
    expect(answer).toContain('"success":true');
  }
  return { close: () => socket.destroy() };
}

describe("4: refused", () => {
  test("a wrong password, a name that is taken, a weak password, a name that cannot be", async () => {
    const ana = await registered("ana.refused");
    await expectFailure(
      ana,
      ["users"],
      { exit: 4, code: "invalid_credentials", en: /user.*password/i, es: /contraseña/i },
      { password: "not this one" },
    );
    await expectFailure(
      ana.elsewhere(),
      ["register"],
      { exit: 4, code: "username_taken", en: /taken|use/i, es: /uso|existe|ocupado/i },
      { password: PASSWORD },
    );
    const weak = await world.person("ana.weak", port).json(["register"], { password: "short" });
    expect(weak).toMatchObject({ code: 4, events: [{ event: "error", code: "weak_password" }] });
    const name = await world.person("a b", port).json(["register"], { password: PASSWORD });
    expect(name).toMatchObject({ code: 4, events: [{ event: "error", code: "invalid_username" }] });
  });

  test("a mistyped name leaves no account behind", async () => {
    const nobody = world.person("nobody.here", port);
    expect((await nobody.run(["users"], { password: PASSWORD })).code).toBe(4);
    const after = await nobody.run(["history", "beto"]);
    expect(after.code).toBe(2);
    expect(after.stderr).toContain("not been used in this data folder");
  });

  test("a message of an account whose first login here failed is not called queued", async () => {
    const ana = (await registered("ana.fresh")).elsewhere();
    const wrong = await ana.run(["send", "beto", "x"], { password: "not this one" });
    expect(wrong.code).toBe(4);
    expect(wrong.stderr).toContain("It was not saved");
    expect(wrong.stderr).not.toContain("queued");
    const missing = await ana.run(["--lang", "es", "send", "beto", "x"]);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("No se ha guardado");
    expect(missing.stderr).not.toContain("cola");
    expect((await ana.run(["history", "beto"])).code).toBe(2);
  });

  test("an account that is online on another machine", async () => {
    const ana = await registered("ana.twice");
    const listening = await ana.listen(PASSWORD);
    await expectFailure(
      ana.elsewhere(),
      ["users"],
      { exit: 4, code: "already_connected", en: /already/i, es: /ya/i },
      { password: PASSWORD },
    );
    await listening.stop();
  });
});

test("four `send`s at once lose nothing, send nothing twice, and all succeed", async () => {
  const [ana, beto] = [await loggedIn("ana.race"), await registered("beto.race")];
  const his = await beto.listen(PASSWORD);
  const texts = ["one", "two", "three", "four"];
  const runs = await Promise.all(texts.map((text) => ana.run(["send", beto.name, text])));
  expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  for (const text of texts) await his.event({ event: "message", text });
  await his.stop();
  const received = his.events.filter(({ event }) => event === "message").map(({ text }) => text);
  expect(received.toSorted()).toEqual(texts.toSorted());
  expect(new Set((await ana.states(beto.name)).map(([, state]) => state))).toEqual(new Set(["received"]));
});

describe("5: the peer", () => {
  test("that is offline is reported at once, and the message is sent with the next send", async () => {
    const [ana, beto] = [await loggedIn("ana.offline"), await registered("beto.offline")];
    const offline = {
      exit: 5,
      code: "user_offline",
      en: "beto.offline is not online, or nobody has that name",
      es: "no está en línea",
    };
    await expectFailure(ana, ["send", beto.name, "first"], offline);
    const again = await ana.run(["send", beto.name, "third"]);
    expect(again.stderr).toBe(
      "beto.offline is not online, or nobody has that name: check the spelling.\nThe message is queued and will be sent when beto.offline is online and so are you (menus, listen or the next send).\n",
    );
    const listening = await beto.listen(PASSWORD);
    expect((await ana.run(["send", beto.name, "last"])).code).toBe(0);
    await listening.event({ event: "message", text: "last" });
    const texts = listening.events.filter(({ event }) => event === "message").map(({ text }) => text);
    expect(texts).toEqual(["first", "first", "third", "last"]);
    await listening.stop();
    expect((await ana.run(["send", beto.name, "more"])).stderr).toContain("beto.offline is not online.\n");
  });

  test("that does not acknowledge until a signal or in time still gets the message exactly once", async () => {
    const [ana, beto] = [await loggedIn("ana.slow"), await registered("beto.slow")];
    const listening = await beto.listenApart(PASSWORD);
    listening.signal("SIGSTOP");
    for (const [signal, lang, sentence] of [
      ["SIGINT", "en", "The message is queued and "],
      ["SIGTERM", "es", "El mensaje queda en cola y "],
    ] as const) {
      const sending = ana.start(["--json", "--lang", lang, "send", beto.name, signal]);
      await sending.event({ event: "delivery", state: "queued" });
      sending.signal(signal);
      expect(await sending.ended).toMatchObject({ code: 130, stderr: expect.stringContaining(sentence) });
    }
    await expectFailure(ana, ["send", beto.name, "hello", "--timeout", "2"], {
      exit: 5,
      code: "not_acknowledged",
      en: "did not acknowledge in time",
      es: "no ha confirmado la recepción a tiempo",
    });
    const texts = ["SIGINT", "SIGTERM", "hello", "hello"];
    expect((await ana.states(beto.name)).map(([text]) => text)).toEqual(texts);
    listening.signal("SIGCONT");
    expect((await ana.run(["send", beto.name, "again"])).code).toBe(0);
    await listening.event({ event: "message", text: "again" });
    texts.push("again");
    expect(await ana.states(beto.name)).toEqual(texts.map((text) => [text, "received"]));
    await listening.stop();
    const messages = listening.events.filter(({ event }) => event === "message");
    expect(messages.map(({ text }) => text)).toEqual(texts);
  });
});

describe("6: the peer is not who it should be", () => {
  test("one with a client without encryption gets nothing", async () => {
    const ana = await loggedIn("ana.seed");
    const account = { username: "beto.seed", password: PASSWORD };
    const seed = await seedClient([
      { action: "register", ...account, email: "" },
      { action: "login", ...account, p2p_port: 9_999 },
    ]);
    await expectFailure(ana, ["send", "beto.seed", "secret"], {
      exit: 6,
      code: "peer_insecure",
      en: "uses a client without encryption",
      es: "usa un cliente sin cifrado",
    });
    const again = await ana.run(["send", "beto.seed", "secret"]);
    expect(again.stderr).toEndWith(
      "The message is queued, but will not be sent as long as beto.seed uses that client.\n",
    );
    const users = await ana.run(["users"]);
    expect(users.stdout).toContain("beto.seed  127.0.0.1:9999  (unencrypted only)\n");
    const json = await ana.json(["users"]);
    expect(json.events).toContainEqual({
      event: "user",
      username: "beto.seed",
      ip: "127.0.0.1",
      p2p_port: 9_999,
      secure: false,
    });
    seed.close();
  });

  test("a changed key is refused until the person accepts it, and nothing is lost", async () => {
    const [ana, beto] = [await loggedIn("ana.key"), await registered("beto.key")];
    const before = await beto.listen(PASSWORD);
    // In processes of their own, of which each may dial beto eight times in ten seconds.
    expect((await ana.startApart(["send", beto.name, "one"]).ended).code).toBe(0);
    await before.stop();
    const oldNumber = (await ana.json(["fingerprint", beto.name])).events;
    expect(oldNumber).toMatchObject([{ event: "safety_number", pending: false }]);

    rmSync(beto.data, { recursive: true });
    const after = beto.start(["listen", "--json"], { password: PASSWORD });
    await after.event({ event: "ready" });
    const changed = {
      exit: 6,
      code: "peer_key_changed",
      en: "fingerprint beto.key --accept",
      es: "La clave de beto.key ha cambiado",
    };
    await expectFailure(ana, ["send", beto.name, "two"], changed);
    // A key whose number nobody has seen is shown instead of accepted.
    const unseen = await ana.json(["fingerprint", beto.name, "--accept"]);
    expect(unseen).toMatchObject({
      code: 6,
      events: [
        { event: "error", code: "key_not_shown" },
        { event: "safety_number", pending: true },
      ],
    });
    expect((await ana.startApart(["send", beto.name, "still"]).ended).code).toBe(6);
    const shown = await ana.json(["fingerprint", beto.name]);
    expect(shown.events).toMatchObject([...oldNumber, { event: "safety_number", pending: true }]);
    expect((await ana.run(["fingerprint", beto.name])).stdout).toContain(
      "New key of beto.key, not accepted yet",
    );
    expect(after.events.filter(({ event }) => event === "message")).toEqual([]);

    const accepted = await ana.json(["fingerprint", beto.name, "--accept"]);
    expect(accepted).toMatchObject({
      code: 0,
      events: [{ ...shown.events[1], pending: false }],
      stderr: "The new key of beto.key was accepted.\n",
    });
    expect((await beto.run(["fingerprint"])).stdout.replaceAll(" ", "")).toContain(
      String(accepted.events[0]?.["fingerprint"]),
    );
    expect((await ana.startApart(["send", beto.name, "three"]).ended).code).toBe(0);
    await after.event({ event: "message", text: "three" });
    const texts = after.events.filter(({ event }) => event === "message").map(({ text }) => text);
    expect(texts).toEqual(["two", "two", "still", "three"]);
    const nothing = await ana.json(["fingerprint", beto.name, "--accept"]);
    expect(nothing).toMatchObject({ code: 1, events: [{ event: "error", code: "no_pending_key" }] });
    await after.stop();
  });

  test("a key that came after the one that was compared is not accepted in its place", async () => {
    const [ana, beto] = [await loggedIn("ana.again"), await registered("beto.again")];
    const first = await beto.listen(PASSWORD);
    expect((await ana.startApart(["send", beto.name, "one"]).ended).code).toBe(0);
    await first.stop();
    const newMachine = async () => {
      rmSync(beto.data, { recursive: true });
      const listening = await beto.listen(PASSWORD);
      expect((await ana.run(["send", beto.name, "more"])).code).toBe(6);
      return listening;
    };
    await (await newMachine()).stop();
    const compared = (await ana.json(["fingerprint", beto.name])).events.at(-1);
    const third = await newMachine();
    const refused = await ana.json(["fingerprint", beto.name, "--accept"]);
    expect(refused).toMatchObject({
      code: 6,
      events: [
        { event: "error", code: "key_changed_again" },
        { event: "safety_number", pending: true },
      ],
    });
    expect(refused.stderr).toContain("has changed again since you looked");
    expect(refused.events[1]?.["safety_number"]).not.toBe(compared?.["safety_number"]);
    expect((await ana.start(["send", beto.name, "more"]).ended).code).toBe(6);
    expect((await ana.json(["fingerprint", beto.name, "--accept"])).events).toEqual([
      { ...refused.events[1], pending: false } as Event,
    ]);
    expect((await ana.startApart(["send", beto.name, "last"]).ended).code).toBe(0);
    await third.event({ event: "message", text: "last" });
    await third.stop();
  });
});
