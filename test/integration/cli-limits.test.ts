import { afterAll, expect, setDefaultTimeout, test } from "bun:test";

import { PASSWORD, World, type Person } from "./cli-process.ts";

setDefaultTimeout(60_000);

const world = new World();
afterAll(() => world.close());

/** One who has used up the lookups of a server with this rate, and another who is online there. */
async function askedTooMuch(rate: string): Promise<{ ana: Person; bea: string }> {
  const name = rate.replaceAll(/\W/g, "-");
  const { tlsPort } = await world.server(`${name}.db`, 0, ["--lookup-rate", rate]);
  const [ana, bea] = [world.person(`ana${name}`, tlsPort), world.person(`bea${name}`, tlsPort)];
  await ana.register();
  await bea.register();
  // Looked up, and watched: that is as many questions as the server takes at once, or more.
  expect([4, 5]).toContain((await ana.run(["send", "nobody", "x"], { password: PASSWORD })).code);
  await bea.listen(PASSWORD);
  return { ana, bea: bea.name };
}

test("a server that asks for a long wait is not reported as missing, and the message stays queued", async () => {
  const { ana, bea } = await askedTooMuch("2:1/h");
  const { code, events, stderr } = await ana.json(["send", bea, "later"]);
  expect(code).toBe(4);
  const error = events.find(({ event }) => event === "error");
  expect(error).toMatchObject({ code: "rate_limited" });
  expect(Number.isInteger(error?.["retry_after"])).toBe(true);
  expect(stderr).toContain("asks you to wait");
  expect(stderr).toContain("The message is queued");
  expect(stderr).not.toContain("Without the server");
  expect(await ana.states(bea)).toEqual([["later", "queued"]]);
});

test("a wait that fits into the command's time is waited out, and the message arrives", async () => {
  const { ana, bea } = await askedTooMuch("2:20/min");
  const { code, events } = await ana.json(["--timeout", "50", "send", bea, "now"]);
  expect(events.filter(({ event }) => event === "error")).toEqual([]);
  expect(code).toBe(0);
});

test("a first login that the server puts off decides nothing: the message stays queued, and listening says why it ends", async () => {
  const { tlsPort } = await world.server("login.db", 0, ["--login-rate", "1:1/h"]);
  const ana = world.person("ana.later", tlsPort);
  await ana.register();
  expect((await ana.run(["users"], { password: PASSWORD })).code).toBe(0);
  const fresh = ana.elsewhere();
  const sent = await fresh.run(["send", "beto", "later"], { password: PASSWORD });
  expect(sent.stderr).toContain("You can try again in");
  expect(sent.stderr).toContain("The message is queued");
  expect(sent.code).toBe(4);
  expect(await fresh.states("beto")).toEqual([["later", "queued"]]);
  for (const command of ["listen", "daemon"]) {
    const { code, stderr } = await ana.elsewhere().run([command], { password: PASSWORD });
    expect([command, code, stderr]).toEqual([command, 4, expect.stringContaining("You can try again in")]);
  }
});
