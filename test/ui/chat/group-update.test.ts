import { describe, expect, test } from "bun:test";

import type { GroupMember } from "../../../src/client/conversation/events.ts";
import type { StoredMessage } from "../../../src/client/profile/stored-message.ts";
import { ChatScript, incoming, linesOf, outgoing, printed } from "./chat-script.ts";
import { CHAT, GroupScript } from "./group/group-script.ts";
import { groupNotice, sharedGroup } from "./group/shared-group.ts";

describe("a chat with a group", () => {
  test("is opened with its title, how many it has, and what happened since it was looked at", () => {
    const script = new GroupScript();
    const notices = [
      groupNotice("joined", { seq: 3, names: ["luis"] }),
      groupNotice("left", { seq: 4, names: ["eva"] }),
      groupNotice("joined", { seq: 5, names: ["pepa"] }),
      groupNotice("renamed", { seq: 6, by: "luis" }),
    ];
    const effects = script.open({ notices });
    expect(printed(effects)).toEqual([
      "Grupo «Familia», 5 personas, cifrado. /help ayuda, exit sale.",
      "luis y pepa se han unido · eva se ha ido",
      "luis ha llamado al grupo «Familia»",
    ]);
    expect(effects).toContainEqual({ name: "noticesShown", seq: 6 });
  });

  test("shows who wrote each text, and takes those of its group alone", () => {
    const script = new GroupScript();
    script.open();
    script.text(1, "eva", "hola");
    script.text(2, "luis", "qué tal");
    script.messenger({ name: "message", from: "eva", message: incoming(3, "para ti sola") });
    const shown = linesOf(script.effects).filter((line) => line.name === "message");
    expect(shown.map(({ from, text }) => `${from}: ${text}`)).toEqual(["eva: hola", "luis: qué tal"]);
    script.messenger({ name: "changed", username: CHAT, action: undefined, message: edited("eva") });
    expect(printed(script.effects).at(-1)).toMatch(/^eva ha editado .*adiós/);
    // What came withdrawn is not spoken of.
    const withdrawn = { ...incoming(9, ""), author: "eva", withdrawnAt: 5 };
    const changed = { name: "changed", username: CHAT, action: undefined, message: withdrawn } as const;
    expect(script.messenger(changed)).toEqual([]);
  });

  test("marks who writes with another key than that of the person who is known", () => {
    const script = new GroupScript("es", { doubtful: ["eva"] });
    script.open();
    script.text(1, "eva", "hola");
    script.text(2, "luis", "hola");
    const shown = linesOf(script.effects).filter((line) => line.name === "message");
    expect(shown.map(({ from }) => from)).toEqual(["eva (?)", "luis"]);
  });

  test("never says who comes online or goes", () => {
    const script = new GroupScript();
    script.open();
    const heardAt = undefined;
    const effects = [
      script.messenger({ name: "presence", username: "eva", online: true }),
      script.messenger({ name: "disconnected", username: "eva", bye: true, heardAt }),
      script.messenger({ name: "unreachable", username: "eva", reason: "offline", retryIn: 1, heardAt }),
      script.messenger({ name: "typing", username: "eva", active: true }),
      script.take({ name: "edited", isEmpty: false }),
      script.wait(1_000),
    ];
    expect(effects.flat()).toEqual([]);
  });

  test("who comes and goes in one catch-up is one line, below what stands there", () => {
    const script = new GroupScript("en");
    script.open();
    for (let seq = 10; seq < 30; seq++) {
      expect(script.notice("joined", { seq, names: [`p${seq}`] })).toEqual([]);
      script.now += 100;
    }
    script.notice("removed", { seq: 30, by: "ana", names: ["eva"] });
    const effects = script.wait(1_000);
    expect(printed(effects)).toEqual([
      "p10, p11, p12, p13, p14, p15, p16, p17, p18, p19, and 10 more joined · ana removed eva",
    ]);
    expect(effects).toContainEqual({ name: "noticesShown", seq: 30 });
    expect(script.wait(1_000)).toEqual([]);
  });

  test.each([
    [
      "fork",
      { names: ["eva"], number: 57 },
      /^Los mensajes de eva se han bifurcado en el 57 .*\/group add eva$/,
    ],
    ["fork", { names: ["ana"], number: 3 }, /^Sus mensajes se han bifurcado .*\/group copy$/],
    [
      "dropped_out",
      { by: "luis", names: ["pepa", "raúl"] },
      /^Ya no cuenta lo que luis hizo después de salir: pepa y raúl no pertenecen al grupo\.$/,
    ],
    [
      "missing",
      { names: ["eva"], number: 3 },
      /^Faltan 3 mensajes de eva; los tiene otra persona que no está en línea\.$/,
    ],
    ["removed_self", { by: "ana" }, /^ana le ha sacado de «Familia»\. Lo que tiene se queda aquí/],
    ["readmitted", { by: "luis", names: ["eva"] }, /^luis ha admitido de nuevo a eva$/],
    ["readmitted", { by: "luis", names: ["ana"] }, /^luis le ha admitido de nuevo en «Familia»: puede/],
    ["admin", { names: ["luis"] }, /^luis ya administra$/],
    ["admin", { names: ["ana"] }, /^Usted administra ahora «Familia»/],
    ["one_admin", {}, /^Solo usted administra «Familia».*\/group admin/],
  ] as const)("%s is said", (kind, change, sentence) => {
    const script = new GroupScript();
    script.open();
    script.notice(kind, change);
    expect(printed(script.wait(1_000))).toEqual([expect.stringMatching(sentence)]);
  });
});

function edited(author: string): StoredMessage {
  return { ...incoming(1, "adiós"), author, editedAt: 5 };
}

describe("what we write to a group", () => {
  test("says how many have it and have read it", () => {
    const script = new GroupScript();
    script.open();
    script.take({
      name: "messenger",
      event: { name: "delivery", to: CHAT, id: "a", state: "queued", at: script.now },
      known: { written: { text: "hola", answers: undefined } },
    });
    expect(script.prompt.mark).toBe("·");
    script.counted("a", "received", 1, 0);
    expect(script.prompt.mark).toBe("✓ en 1 de 5");
    script.counted("a", "read", 3, 2);
    expect(script.prompt).toMatchObject({
      name: "#Familia",
      isAway: false,
      mark: "✓ en 3 de 5 · leído por 2",
    });
  });

  test("is edited and withdrawn without a state of its own, which nobody tells", () => {
    const script = new GroupScript();
    script.open({ messages: [outgoing(1, "uno", "received"), outgoing(2, "dos", "received")] });
    const changed = { name: "changed", username: CHAT, action: "x" } as const;
    script.messenger({ ...changed, message: { ...outgoing(2, "tres", "received"), editedAt: 5 } });
    expect(script.prompt.mark).toBe("✓✓");
    script.messenger({ ...changed, message: { ...outgoing(2, "", "received"), withdrawnAt: 6 } });
    expect([script.prompt.mark, printed(script.wait(60_000))]).toEqual(["✓✓", []]);
  });

  test("shows who had it when the chat is opened, and in lists", () => {
    const script = new GroupScript("en");
    const counts = new Map([["out-1", { received: 3, read: 2, of: 5 }]]);
    const page = { messages: [outgoing(1, "hi", "read")], counts };
    const shown = linesOf([...script.open(page), ...script.take({ name: "listed", isMore: false, ...page })]);
    const lines = shown.filter((line) => line.name === "message");
    expect(lines.map((line) => line.counts)).toEqual([counts.get("out-1"), counts.get("out-1")]);
    expect(script.prompt.mark).toBe("✓ with 3 of 5 · read by 2");
  });

  test.each(["es", "en"] as const)("and nobody has yet is said once, in %s", (language) => {
    const script = new GroupScript(language);
    script.open({ messages: [outgoing(1, "hola", "queued")] });
    expect(printed(script.wait(5_000))).toEqual([]);
    const said = printed(script.wait(15_000));
    expect(said).toEqual([
      language === "es"
        ? "Aún no lo tiene nadie: se enviará cuando alguien del grupo esté en línea."
        : "Nobody has it yet: it will be sent when someone of the group is online.",
    ]);
    expect(script.wait(60_000)).toEqual([]);
    script.counted("out-1", "received", 1, 0);
    expect(printed(script.wait(1_000))).toHaveLength(1);
  });

  test("and waits since so much was written is said at once, and once, with what it waits for", () => {
    const script = new GroupScript();
    script.open({ messages: [outgoing(1, "uno", "queued")] });
    const in30s = new Date(script.now + 30_000).toISOString();
    script.group({ held_until: in30s });
    const why = expect.stringMatching(/^Se ha escrito mucho en poco tiempo .* sale solo, poco a poco\.$/);
    expect(printed(script.wait(1_000))).toEqual([why]);
    script.group({ held_until: new Date(script.now + 31_000).toISOString() });
    expect(printed(script.wait(20_000))).toEqual([]);
    script.group({ held_until: new Date(script.now + 3_600_000).toISOString() });
    expect(printed(script.wait(1_000))).toEqual([
      expect.stringMatching(/en un día \(2000 textos, o 2 MiB\)/),
    ]);
    // What waits for nothing else is not said to wait for who is not there.
    script.group({ held_until: null });
    script.counted("out-1", "received", 1, 0);
    expect(printed(script.wait(1_000))).toHaveLength(1);
    expect(script.wait(60_000)).toEqual([]);
  });

  test("and was not sent when one goes is in the line again, and is not called cancelled", () => {
    const script = new GroupScript("es");
    script.open({ messages: [outgoing(1, "uno", "queued"), outgoing(2, "dos", "queued")], waiting: 2 });
    const gone = { name: "cancelled", to: CHAT, kept: true } as const;
    const effects = ["out-1", "out-2"].flatMap((id) => script.messenger({ ...gone, id }));
    expect(effects).toEqual([{ name: "takeUpDraft" }, { name: "takeUpDraft" }]);
    script.group({ state: "left", may_write: false });
    const kept = script.take({ name: "unsent", text: "uno\ndos" });
    expect(printed(kept)).toEqual(["Lo que no había salido ya no se envía; aquí lo tiene de nuevo."]);
    expect(kept.at(-1)).toEqual({ name: "giveBack", text: "uno\ndos" });
    expect(printed(script.wait(60_000))).toEqual([]);
    expect(script.type("uno\ndos").at(-1)).toEqual({ name: "giveBack", text: "uno\ndos" });
  });

  test("and has forked is said once", () => {
    const script = new GroupScript("es");
    const forked = groupNotice("fork", { names: ["ana"], number: 3 });
    script.open();
    script.group({ may_write: false });
    script.messenger({ name: "groupNotice", notice: forked });
    expect(printed(script.wait(1_000))).toEqual([expect.stringMatching(/^Sus mensajes se han bifurcado/)]);
    const again = new GroupScript("es", { may_write: false });
    expect(printed(again.open({ notices: [forked] }))).toHaveLength(2);
  });

  test("is given back where one may not write", () => {
    const script = new GroupScript("es", { writes: "admins", may_write: false });
    expect(printed(script.open()).at(-1)).toBe("En este grupo solo escriben los administradores.");
    expect(script.type("hola")).toMatchObject([{ name: "print" }, { name: "giveBack", text: "hola" }]);
    expect(script.group({ writes: "admins", may_write: true, role: "admin" })).toEqual([]);
    expect(script.type("hola")).toEqual([{ name: "send", text: "hola" }]);
  });

  test("waits for the answer to an invitation", () => {
    const invited = { state: "invited", may_write: false, invited_by: "ana", history: "all" } as const;
    const script = new GroupScript("es", invited);
    expect(printed(script.open())).toEqual([
      "ana le invita a «Familia» (5 personas). Verá los mensajes anteriores. /group accept o /group decline",
    ]);
    expect(script.type("hola").at(-1)).toEqual({ name: "giveBack", text: "hola" });
    expect(script.type("/group accept")).toEqual([{ name: "acceptGroup" }]);
    expect(printed(script.group({}))).toEqual([
      "Está en «Familia». Lo anterior llega de quien esté en línea.",
    ]);
    expect(script.type("/group decline")).toMatchObject([{ name: "print" }, { name: "giveBack" }]);
    const english = new GroupScript("en", { ...invited, history: "none" });
    expect(printed(english.open())).toEqual([
      "ana invites you to “Familia” (5 people). You will not see earlier messages. /group accept or /group decline",
    ]);
    english.type("/group decline");
    expect(english.take({ name: "declinedGroup" })).toEqual([{ name: "leave", to: undefined }]);
  });
});

describe("a catch-up", () => {
  const said = (script: GroupScript) => printed(script.effects).slice(1);

  test("of more than 200 texts of one author is folded, and /more shows the others", () => {
    const script = new GroupScript();
    script.open();
    for (let seq = 1; seq <= 2_000; seq++) script.text(seq, "eva", `uno ${seq}`);
    script.text(2_001, "luis", "hola");
    expect(said(script)).toHaveLength(201);
    script.wait(1_000);
    expect(printed(script.wait(1_000))).toEqual(["eva: 1800 más, /more"]);
    expect(script.effects.filter(({ name }) => name === "markShown")).toHaveLength(2_001);
    const [unfold] = script.type("/more");
    if (unfold?.name !== "unfold") throw new Error("nothing is unfolded");
    expect(unfold).toMatchObject({ run: { author: "eva", from: 201, to: 2_000, count: 1_800 }, limit: 200 });
    const messages = Array.from({ length: 200 }, (_, index) => {
      return { ...incoming(201 + index, `uno ${201 + index}`), author: "eva" };
    });
    const shown = printed(script.take({ name: "unfolded", messages }));
    expect([shown[0], shown[1], shown[200], shown[201]]).toEqual([
      "Lo plegado de eva, 200 mensajes:",
      "uno 201",
      "uno 400",
      "eva: 1600 más, /more",
    ]);
    // What comes later stands below, whoever was folded before.
    expect(script.type("/more")).toMatchObject([{ name: "unfold", run: { from: 401, count: 1_600 } }]);
    script.now += 10_000;
    expect(printed(script.text(2_002, "eva", "más"))).toEqual(["más"]);
  });

  test("that came before the chat was opened shows the newest 200 of each author", () => {
    const messages = Array.from({ length: 500 }, (_, index) => {
      return { ...incoming(index + 1, `uno ${index + 1}`), author: index % 10 === 0 ? "luis" : "eva" };
    });
    const script = new GroupScript("en");
    const lines = printed(script.open({ messages, isMore: true, unreadFrom: 1 }));
    expect(lines).toHaveLength(2 + 250);
    expect(lines.slice(-2)).toEqual(["uno 500", "eva: 250 more, /more"]);
    const [unfold] = script.type("/more");
    if (unfold?.name !== "unfold") throw new Error("nothing is unfolded");
    const folded = messages.filter(({ author, seq }) => author === "eva" && seq <= unfold.run.to);
    script.take({ name: "unfolded", messages: folded.slice(0, 200) });
    const rest = printed(script.take({ name: "unfolded", messages: folded.slice(200) }));
    expect([rest[0], rest.at(-1)]).toEqual([
      "Folded until now, 50 messages of eva:",
      "End of what was folded.",
    ]);
  });
});

describe("/group", () => {
  test.each([
    ["add luis", { name: "addToGroup", usernames: ["luis"], history: "all" }],
    ["add luis nohistory", { name: "addToGroup", usernames: ["luis"], history: "none" }],
    ["ADD luis, eva pepa,Luis", { name: "addToGroup", usernames: ["luis", "eva", "pepa"], history: "all" }],
    ["add José María", { name: "addToGroup", usernames: ["José María"], history: "all" }],
    ["add ana, luis", { name: "addToGroup", usernames: ["luis"], history: "all" }],
    ["admin luis", { name: "makeAdmin", username: "luis" }],
    ["name Otra familia", { name: "renameGroup", title: "Otra familia" }],
    ["name #Otra", { name: "renameGroup", title: "Otra" }],
    ["keep 30", { name: "keepGroup", days: 30 }],
    ["keep off", { name: "keepGroup", days: null }],
    ["copy", { name: "copyGroup" }],
    ["members", { name: "listMembers" }],
    ["new Clase de 3º B", { name: "createGroup", title: "Clase de 3º B", typed: "/group new Clase de 3º B" }],
  ] as const)("%s", (typed, effect) => {
    const script = new GroupScript("es", { role: "admin" });
    script.names.set("José María", "José María");
    expect(script.type(`/group ${typed}`)).toEqual([effect]);
  });

  test.each([
    ["quit", /no sabe «quit»\. \/group solo/],
    ["leav", /no sabe «leav»\. ¿Quiere decir \/group leave\?/],
    ["add", /^Uso: \/group add USUARIO… \[nohistory\]$/],
    ["add luis, e", /^«e» no es un nombre de usuario válido\.$/],
    ["add #Clase", /^«#Clase» es un grupo, y esto es para una persona\.$/],
    ["add Ana", /^Ya está en «Familia»\.$/],
    ["remove Ana", /\/group leave para irse/],
    ["remove", /^Uso: \/group remove USUARIO$/],
    ["remove e", /^«e» no es un nombre/],
    ["admin luis eva", /^«luis eva» no es un nombre/],
    ["leave ya", /^\/group leave no admite argumentos/],
    ["keep", /^Uso: \/group keep DÍAS\|off$/],
    ["copy luis", /no admite argumentos/],
    ["keep 0", /^Días/],
    ["keep siempre", /^Días/],
    ["new", /^Uso: \/group new TÍTULO$/],
    ["new ##Clase", /^Un título .* no empieza por #/],
    ["name", /^Uso: \/group name TÍTULO$/],
    [`new ${"x".repeat(65)}`, /^Un título/],
    ["name \u202eabc", /^Un título/],
    ["accept", /no es una invitación/],
  ])("%s is given back", (typed, sentence) => {
    const effects = new GroupScript("es", { role: "admin" }).type(`/group ${typed}`);
    expect(printed(effects)).toEqual([expect.stringMatching(sentence)]);
    expect(effects.at(-1)).toEqual({ name: "giveBack", text: `/group ${typed}` });
  });

  test.each(["add luis", "remove luis", "admin luis", "name Otra"])("%s is for admins", (typed) => {
    const [sentence] = printed(new GroupScript().type(`/group ${typed}`));
    expect(sentence).toBe("Eso solo lo puede hacer quien administra el grupo.");
  });

  test("whoever adds people as all may takes back whom they have asked for", () => {
    const script = new GroupScript("es", { adds: "all", to_invite: ["luis"] });
    expect(script.type("/group add eva")).toMatchObject([{ name: "addToGroup" }]);
    expect(printed(script.type("/group remove Luis"))).toEqual([expect.stringMatching(/^¿Sacar a Luis/)]);
  });

  test.each([
    ["invited", /^«Familia» es todavía una invitación: \/group accept/],
    ["left", /^Se fue de «Familia»\./],
    ["removed", /^Ya no está en «Familia»\./],
  ] as const)("says of a group that is %s why nothing is done in it", (state, sentence) => {
    const script = new GroupScript("es", { state, may_write: false });
    for (const typed of ["add luis", "remove luis", "leave", "members", "name Otra", "copy"])
      expect(printed(script.type(`/group ${typed}`))).toEqual([expect.stringMatching(sentence)]);
    expect(script.type("/group keep 5")).toEqual([{ name: "keepGroup", days: 5 }]);
  });

  test("asks once before somebody is removed, naming what it means", () => {
    const script = new GroupScript("es", { role: "founder" });
    const removed = { name: "removeFromGroup", username: "eva" } as const;
    expect(printed(script.type("/group remove eva"))).toEqual([
      expect.stringMatching(/^¿Sacar a eva de «Familia»\? .*lo que tiene se le queda/),
    ]);
    expect(script.prompt.name).toBe("¿sí o no?");
    // Nothing is sent to the group by mistake.
    expect(script.type("claro").at(-1)).toEqual({ name: "giveBack", text: "claro" });
    expect(script.type("sí")).toEqual([removed]);
    expect(script.type("sí")).toEqual([{ name: "send", text: "sí" }]);
    script.type("/group leave");
    expect(printed(script.type("no"))).toEqual(["No se ha hecho nada."]);
    script.type("/group leave");
    script.type("/list");
    expect(script.type("sí")).toEqual([{ name: "send", text: "sí" }]);
    script.type("/group leave");
    expect(script.type("SI")).toEqual([{ name: "leaveGroup" }]);
  });

  test("of two people says what a removal risks that the other one does not confirm", () => {
    const script = new GroupScript("es", { people: 2, role: "founder" });
    expect(printed(script.type("/group remove eva"))).toEqual([
      expect.stringMatching(
        /^Si eva no está en línea, nadie más .* se bifurcará\. ¿Sacar a eva de «Familia»\?/,
      ),
    ]);
  });

  test("members are a row each", () => {
    const member = (username: string, change: Partial<GroupMember> = {}): GroupMember => {
      const usual = { role: "member", state: "member", online: false, key: "known", missing: 0 } as const;
      return { username, invited_by: "ana", is_self: false, ...usual, ...change };
    };
    const members = [
      member("ana", { role: "founder", invited_by: null, online: true, is_self: true }),
      member("luis", { role: "admin", online: true }),
      member("eva", { key: "other", missing: 3 }),
      member("pepa", { state: "invited", invited_by: "luis" }),
      member("raúl", { state: "to_invite", invited_by: null }),
    ];
    const [text = ""] = printed(new GroupScript().take({ name: "members", members }));
    expect(text.split("\n")).toEqual([
      "«Familia», 5 personas:",
      "ana · usted · fundó el grupo",
      "luis · administra · en línea · invitó ana",
      "eva (?) · invitó ana · faltan 3",
      "pepa · aún sin contestar · invitó luis",
      "raúl · por invitar, en cuanto haya conexión",
      expect.stringMatching(/^\(\?\): su clave no es/),
    ]);
  });

  test("says who waits, and why the others are not invited", () => {
    const failed = [
      { username: "eva", code: "already_member" },
      { username: "pepa", code: "already_member" },
    ];
    const event = { name: "addedToGroup", waiting: ["raúl"], failed } as const;
    expect(printed(new GroupScript("en").take(event))).toEqual([
      "raúl: will be invited as soon as there is a link.",
      "Not invited: eva and pepa. That person is in the group already.",
    ]);
  });

  test("founds a group from any chat, and goes there", () => {
    const script = new ChatScript();
    expect(script.type("/group new Familia")).toMatchObject([{ name: "createGroup", title: "Familia" }]);
    expect(script.take({ name: "founded", username: CHAT })).toEqual([{ name: "leave", to: CHAT }]);
    expect(printed(script.type("/group members"))).toEqual([
      expect.stringMatching(/^\/group members se escribe en el chat de un grupo/),
    ]);
    expect(printed(script.type("/group"))[0]).toMatch(/^\/group members: quién está\n/);
  });

  test("what is for one person is not for a group, and the help does not list it", () => {
    const script = new GroupScript();
    for (const command of ["/verify", "/accept", "/block", "/fingerprint"])
      expect(printed(script.type(command))).toEqual([
        `${command} es para el chat con una persona; aquí, /group.`,
      ]);
    const [help = ""] = printed(script.type("/help"));
    expect(help).not.toMatch(/\/verify|\/block/);
    expect(help).toMatch(/\n\/group …/);
    expect(printed(script.type("/info"))[0]).toMatch(/^«Familia» \(#Familia\), 5 personas\n/);
  });
});

describe("/chat #TITLE", () => {
  test("goes to a group, and says when there is none or several", () => {
    const script = new ChatScript();
    const other = sharedGroup({ group: "G".repeat(43) });
    script.others = { ...script.others, groups: new Map([[CHAT, sharedGroup()]]) };
    expect(script.type("/chat #familia")).toEqual([{ name: "leave", to: CHAT }]);
    expect(printed(script.type("/chat #Clase"))[0]).toMatch(/^No hay ningún grupo «#Clase»/);
    script.others = {
      ...script.others,
      groups: new Map([
        [CHAT, sharedGroup()],
        [`#${other.group}`, other],
      ]),
    };
    expect(printed(script.type("/chat #Familia"))[0]).toMatch(/elija #FFFFFFFF y #GGGGGGGG/);
    expect(script.type("/chat #GGGG")).toEqual([{ name: "leave", to: `#${other.group}` }]);
  });
});
