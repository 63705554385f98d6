/** An SSH server of this user on this machine, to which `scp` copies. */
import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";

import { connectRaw } from "../integration/loopback.ts";
import { PROCESS_LIFETIME } from "./bare-echo.ts";

/** Between two attempts to reach it, in ms, and how many there are. */
const INTERVAL = 100;
const ATTEMPTS = 50;

export type SshServer = {
  /** The command that copies a file to a path by way of the server. */
  readonly scp: (file: string, target: string) => readonly string[];
  readonly stop: () => void;
};

/** @param folder for its keys @returns undefined, and a line on the console: it is not installed, or does not start */
export async function startSshServer(folder: string): Promise<SshServer | undefined> {
  // It wants to be called by its whole path, which is not on everybody's PATH.
  const program = Bun.which("sshd") ?? "/usr/sbin/sshd";
  if (!existsSync(program) || Bun.which("scp") === null) {
    console.log("sshd or scp is not installed");
    return undefined;
  }
  const [host, user] = ["host", "user"].map((name) => join(folder, name)) as [string, string];
  for (const key of [host, user])
    Bun.spawnSync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], { stdout: "ignore" });
  copyFileSync(`${user}.pub`, join(folder, "authorized"));
  const port = freePort();
  const settings = [
    "ListenAddress=127.0.0.1",
    `Port=${port}`,
    `HostKey=${host}`,
    `AuthorizedKeysFile=${join(folder, "authorized")}`,
    "StrictModes=no",
    "PidFile=none",
    "Subsystem=sftp internal-sftp",
  ];
  const options = (all: readonly string[]) => all.flatMap((each) => ["-o", each]);
  const child = Bun.spawn([program, "-D", "-e", "-f", "/dev/null", ...options(settings)], {
    stdout: "ignore",
    stderr: "pipe",
    timeout: PROCESS_LIFETIME,
  });
  if (!(await answers(port))) {
    child.kill();
    console.log(`sshd does not start: ${(await child.stderr.text()).trim()}`);
    return undefined;
  }
  const unasked = options(["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]);
  const login = ["-P", String(port), "-i", user, "-c", "aes128-gcm@openssh.com"];
  return {
    scp: (file, target) => ["scp", "-q", ...login, ...unasked, file, `127.0.0.1:${target}`],
    stop: () => child.kill(),
  };
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  listener.stop();
  return listener.port;
}

async function answers(port: number): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      (await connectRaw(port)).socket.terminate();
      return true;
    } catch {
      // It is still starting.
      await Bun.sleep(INTERVAL);
    }
  }
  return false;
}
