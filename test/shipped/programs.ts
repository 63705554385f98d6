/** The two programs as they stand at one place: this source, an earlier one, or executables. */
import { join } from "node:path";

import { ClientProcess, type Ended } from "../integration/cli-process.ts";
import { ServerProcess } from "../integration/server-process.ts";

export type Programs = {
  readonly name: string;
  readonly client: readonly string[];
  readonly server: readonly string[];
};

/** Those of a checkout. */
export function sourceAt(name: string, folder: string): Programs {
  const run = (program: string) => [process.execPath, "run", join(folder, program)];
  return { name, client: run("client.ts"), server: run("server.ts") };
}

export const THIS_SOURCE = sourceAt("new", join(import.meta.dir, "../.."));

/** A server with a database of its own in `folder`. */
export async function startServer({ server }: Programs, folder: string): Promise<ServerProcess> {
  const ports = ["--host", "127.0.0.1", "--port", "0", "--tls-port", "0"];
  const args = [...ports, "--db", join(folder, "users.db"), "--log", "json"];
  const process = new ServerProcess(args, {}, undefined, server);
  await process.started();
  return process;
}

/** Somebody with a data folder of their own. */
export class Someone {
  readonly name: string;
  readonly data: string;
  readonly #programs: Programs;
  readonly #port: number;

  constructor(name: string, programs: Programs, folder: string, port: number) {
    this.name = name;
    this.data = join(folder, name);
    this.#programs = programs;
    this.#port = port;
  }

  start(...args: readonly string[]): ClientProcess {
    return new ClientProcess({
      args: [
        ...args,
        ...["--server", `127.0.0.1:${this.#port}`, "--user", this.name],
        ...["--data", this.data, "--lang", "en", "--json"],
      ],
      environment: { PALOMA_PASSWORD: `la contraseña de ${this.name}`, HOME: this.data },
      program: this.#programs.client,
    });
  }

  run(...args: readonly string[]): Promise<Ended> {
    return this.start(...args).ended;
  }

  /** @returns once it is online */
  async listen(): Promise<ClientProcess> {
    const client = this.start("listen");
    await client.event({ event: "ready" });
    return client;
  }
}
