/** Two people at two terminals, one in the chat, one with the command: the code, the answers, and what follows of them. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";

import { AtTerminal } from "./at-terminal.ts";
import { PASSWORD } from "./cli-process.ts";
import { KEY } from "./keys.ts";
import { flagsOf, SharedWorld } from "./sharing-faces.ts";

setDefaultTimeout(90_000);

const world = new SharedWorld();
afterAll(() => world.close());

/** The last code that a terminal has shown. */
async function codeOn(terminal: AtTerminal, after: number): Promise<string> {
  const codes = () => [...terminal.text.matchAll(/Code:? (\d{3} \d{3})/g)].map(([, code]) => code as string);
  await terminal.until(() => codes().length > after, "a code");
  return codes()[after] as string;
}

test("both see one code and say so; what both have answered decides, here and there", async () => {
  const { tlsPort } = await world.server();
  const ana = await world.loggedIn("ana", tlsPort);
  const beto = await world.loggedIn("beto", tlsPort);
  // Of a stranger's verification nobody is told.
  for (const [one, other] of [
    [ana, "beto"],
    [beto, "ana"],
  ] as const)
    expect((await one.run(["contacts", "add", other])).code).toBe(0);
  const verifying = () => new AtTerminal([...flagsOf(beto), "verify", "ana", "--lang", "en"], { cols: 100 });

  const first = verifying();
  await first.shows("Waiting until ana opens the verification too");
  const chat = await world.chat(ana, "beto");
  await chat.shows("beto wants to check with you");
  chat.type(`/verify${KEY.enter}`);
  const code = await codeOn(chat, 0);
  expect(await codeOn(first, 0)).toBe(code);
  await chat.showsRow(new RegExp(`^${code}: the same\\? \\(yes/no\\) >`));
  chat.type(`is it ${code}?${KEY.enter}`);
  await chat.shows("Not sent: first answer yes or no");
  chat.type(`${KEY.ctrlU}yes${KEY.enter}`);
  await chat.shows("Waiting for the answer of beto.");
  await first.shows("Does ana see the same code? (yes/no)");
  first.type(`perhaps${KEY.enter}`);
  await first.showsRow(/^✔ Does ana see the same code\? .* perhaps$/);
  await first.showsRow(/^\? Does ana see the same code\? \(yes\/no\)$/);
  first.type(`yes${KEY.enter}`);
  expect(await first.ended()).toBe(0);
  expect(first.text).toContain("Verified ✔: the key is ana's");
  await chat.showsRow(/^beto ✔ .*>/);
  first.close();
  expect((await ana.run(["contacts"])).stdout).toStartWith("beto ✔ ");
  expect((await beto.run(["fingerprint", "ana"])).stdout).toContain("✔ verified");

  // Once more, and now they differ.
  const second = verifying();
  await second.shows("Waiting until ana opens the verification too");
  chat.type(`/verify${KEY.enter}`);
  await codeOn(chat, 1);
  await codeOn(second, 0);
  await second.shows("Does ana see the same code? (yes/no)");
  second.type(`no${KEY.enter}`);
  expect(await second.ended()).toBe(6);
  expect(second.text).toContain("The codes differ");
  await chat.shows("The codes differ: nothing was verified");
  second.close();
  const third = verifying();
  expect(await third.ended()).toBe(4);
  third.close();

  // Beto on another machine is not taken for the beto who was verified.
  const moved = await beto.elsewhere().listen(PASSWORD);
  const sent = await ana.json(["send", "beto", "to the beto that I know"]);
  expect(sent.code).toBe(6);
  expect(sent.events.at(-1)).toMatchObject({ event: "error", code: "verification_needed" });
  await ana.run(["fingerprint", "beto"]);
  const accepted = await ana.json(["fingerprint", "beto", "--accept"]);
  expect([accepted.code, accepted.events.at(-1)?.["code"]]).toEqual([6, "verification_needed"]);
  expect((await ana.run(["verify", "beto", "--off"])).code).toBe(0);
  expect((await ana.run(["fingerprint", "beto", "--accept"])).code).toBe(0);
  await moved.event({ event: "message", text: "to the beto that I know" });
});

test("without a terminal verify says that it needs one", async () => {
  const nobody = world.person("nobody", 1);
  const { code, stderr } = await nobody.run(["verify", "ana"]);
  expect(code).toBe(2);
  expect(stderr).toContain("verify needs a terminal");
});
