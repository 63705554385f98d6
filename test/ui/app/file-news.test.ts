import { describe, expect, test } from "bun:test";

import type { SharedFile } from "../../../src/client/conversation/events.ts";
import { newsIn } from "../../../src/ui/app/announcements.ts";
import type { AppEffect, AppEvent, AppModel } from "../../../src/ui/app/model.ts";
import { accountOf, type AppContext } from "../../../src/ui/app/steps.ts";
import { firstModel, updateApp } from "../../../src/ui/app/update.ts";
import { titleOf } from "../../../src/ui/app/view.ts";
import { storedOffers } from "../../../src/ui/chat/files/offers.ts";
import { parseServer } from "../../../src/ui/config.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";
import { sharedFile } from "../chat/files/shared-file.ts";

const context: AppContext = { now: 1_000_000, texts: textsIn("es"), language: "es", describe: () => "" };

function file(id: number, change: Partial<SharedFile> = {}): SharedFile {
  return sharedFile({ id: String(id), number: id, peer: "carla", ...change });
}

/** Events, files that change, and times that pass, in ms. */
type Given = AppEvent | SharedFile | number;

class Screen {
  model: AppModel;
  now = context.now;
  effects: readonly AppEffect[] = [];

  constructor(...stored: readonly SharedFile[]) {
    this.model = firstModel(["ana"], "", { ...parseServer("localhost", "es"), serverFrom: "given" });
    const account = { username: "ana", failure: undefined, groups: [], names: new Map() } as const;
    const counts = { unread: new Map(), muted: new Map(), offers: storedOffers(stored) } as const;
    this.take(
      { name: "resumed", username: "ana" },
      { name: "loggedIn", ...account, ...counts },
      { name: "people", people: [], unread: new Map(), names: new Map(), failure: undefined },
    );
  }

  /** Takes these; gives what is printed and rung with them. */
  take(...all: readonly Given[]): string[] {
    const effects: AppEffect[] = [];
    for (const given of all) {
      if (typeof given === "number") this.now += given;
      const event: AppEvent =
        typeof given === "number"
          ? { name: "tick" }
          : "peer" in given
            ? { name: "messenger", event: { name: "file", file: given } }
            : given;
      const step = updateApp(this.model, event, { ...context, now: this.now });
      this.model = step.model;
      effects.push(...step.effects);
    }
    this.effects = effects;
    return effects.flatMap((effect) => {
      if (effect.name === "print") return effect.lines.flatMap((line) => ("text" in line ? [line.text] : []));
      return effect.name === "bell" || effect.name === "notify" ? [effect.name] : [];
    });
  }

  openChat(username: string): string[] {
    const opened = { name: "chatOpened", contact: 1, isStranger: false, recent: [] } as const;
    return this.take({ ...opened, username });
  }

  get news(): readonly string[] {
    const account = accountOf(this.model);
    return account === undefined ? [] : newsIn(account, { ...context, now: this.now });
  }

  get title(): string | undefined {
    return titleOf(this.model, this.now);
  }
}

describe("an offer of somebody whose chat is not open", () => {
  test("is announced above a list once it has waited, counted, and told outside", () => {
    const screen = new Screen();
    expect(screen.take(file(1))).toEqual([]);
    expect(screen.title).toBe("(1) ana — Paloma");
    expect(screen.take(1_000)).toEqual(["bell", "notify"]);
    expect(screen.effects.at(-1)).toEqual({
      name: "notify",
      shown: "carla",
      excerpt: "«informe.pdf» (100 MiB)",
      gathered: { from: "carla", text: "«informe.pdf» (100 MiB)", count: 1 },
    });
    expect(screen.news).toEqual(["carla le ofrece «informe.pdf» (100 MiB)."]);
    expect(screen.take(1_000)).toEqual([]);
    screen.openChat("carla");
    expect([screen.news, screen.title]).toEqual([[], "ana — Paloma"]);
  });

  test("is a line with what to type in another chat; several are one", () => {
    const screen = new Screen();
    screen.openChat("benito");
    expect(screen.take(file(3), 1_000)).toEqual([
      "bell",
      "notify",
      "carla le ofrece «informe.pdf» (100 MiB). /get #3 lo acepta; /stop #3 lo rechaza.",
    ]);
    expect(screen.take(file(4), file(5), 1_000)).toEqual([
      "bell",
      "notify",
      "carla le ofrece 2 archivos. /files los muestra con sus números; /get #N acepta uno.",
    ]);
    expect(screen.title).toBe("(3) ana — Paloma");
    screen.take({ name: "line", typed: "/unread", expand: (text) => text });
    expect(screen.effects.at(-1)).toEqual({ name: "openChat", username: "carla" });
  });

  test("that is accepted without a question, or taken back at once, is not announced", () => {
    const screen = new Screen();
    expect(screen.take(file(9), file(9, { state: "cancelled", reason: "stopped" }), 1_000)).toEqual([]);
    expect(screen.take(file(1), file(1, { state: "accepted" }), 1_000)).toEqual([]);
    expect([screen.news, screen.title]).toEqual([[], "ana — Paloma"]);
  });

  test("which was there before is only counted", () => {
    const screen = new Screen(file(1), file(2, { state: "done" }), file(3, { direction: "out" }));
    expect(screen.take(1_000)).toEqual([]);
    expect([screen.news, screen.title]).toEqual([[], "(1) ana — Paloma"]);
  });

  test("who is quiet does nothing", () => {
    const screen = new Screen();
    const muted = new Map([[1, { username: "carla", until: context.now + 3_600_000 }]]);
    screen.take({ name: "recounted", unread: new Map(), muted });
    expect(screen.take(file(1), 1_000)).toEqual([]);
    expect([screen.news, screen.title]).toEqual([[], "ana — Paloma"]);
    expect(screen.take(file(1, { state: "cancelled" }))).toEqual([]);
  });
});

describe("an offer in the open chat", () => {
  test("rings and is told outside only if nobody looks", () => {
    for (const sign of ["focused", "away"] as const) {
      const screen = new Screen();
      screen.openChat("carla");
      screen.take({ name: "attention", sign });
      const said = screen.take(file(1), 1_000);
      expect(said.filter((each) => each === "notify")).toHaveLength(sign === "away" ? 1 : 0);
      expect(said.filter((each) => each.startsWith("carla"))).toHaveLength(1);
      expect(screen.take(1_000)).toEqual([]);
    }
  });
});

test("the end of a transfer is a line where its chat is not open, and its progress nothing", () => {
  const screen = new Screen();
  screen.openChat("benito");
  const [running, done] = [
    file(1, { state: "running" }),
    file(1, { state: "done", path: "/tmp/d/informe.pdf" }),
  ];
  expect(screen.take(running, { ...running, done: 1 })).toEqual([]);
  expect(screen.take(done)).toEqual([
    "Recibido «informe.pdf» (100 MiB) de carla: está en «/tmp/d/informe.pdf».",
  ]);
});
