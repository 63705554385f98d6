/** A peer that shares no line with ours (Python's ssl, a key by openssl) talks with a messenger in both roles. */
import { afterEach, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { changed, Company, until, type Person } from "./messenger-pair.ts";
import { PASSWORD } from "./rendezvous-test-client.ts";

const companies: Company[] = [];

afterEach(async () => {
  for (const company of companies.splice(0)) await company.close();
});

class PythonPeer {
  readonly lines: string[] = [];
  readonly process: Bun.Subprocess<"ignore", "pipe", "inherit">;

  constructor(company: Company, role: "accept" | "dial", other: Person) {
    const folder = join(company.folder, "python");
    mkdirSync(folder);
    writeFileSync(join(folder, "ca.pem"), company.authority.certificatePem);
    const program = join(import.meta.dir, "peer.py");
    const args = [folder, String(company.port), "Pitón", PASSWORD, role, other.name];
    this.process = Bun.spawn(["python3", program, ...args], { stdout: "pipe", stderr: "inherit" });
    company.onClose(() => this.process.kill());
    void this.#read();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of this.process.stdout) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      this.lines.push(...parts);
      changed();
    }
  }

  async result(): Promise<unknown> {
    await until(() => this.lines.length === 2);
    return JSON.parse(this.lines[1] ?? "");
  }
}

async function ana(): Promise<{ company: Company; ana: Person }> {
  const company = await Company.meet();
  companies.push(company);
  return { company, ana: await company.person("ana") };
}

test("a Python peer is dialled, reads a text and answers it", async () => {
  const { company, ana: person } = await ana();
  const python = new PythonPeer(company, "accept", person);
  await until(() => python.lines.includes("online"));
  person.messenger.outbox.send("pitón", "¿quién eres?");
  expect(await python.result()).toEqual({ received: "¿quién eres?", acknowledged: true });
  await until(() => person.received("Pitón") === 1 && person.of("disconnected").length === 1);
  expect(person.texts("Pitón")).toEqual(["saludos de Python ñ"]);
  expect(person.of("disconnected")[0]).toMatchObject({ username: "Pitón", bye: true });
}, 20_000);

test("a Python peer dials, is shown, and is answered on its own link", async () => {
  const { company, ana: person } = await ana();
  const python = new PythonPeer(company, "dial", person);
  await until(() => person.texts("Pitón").length === 1);
  expect(person.texts("Pitón")).toEqual(["saludos de Python ñ"]);
  person.messenger.outbox.send("Pitón", "recibido");
  expect(await python.result()).toEqual({ received: "recibido", acknowledged: true });
  await until(() => person.received("Pitón") === 1);
}, 20_000);
