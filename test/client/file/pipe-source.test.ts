import { expect, test } from "bun:test";
import { closeSync, constants, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { PipeSource } from "../../../src/client/file/pipe-source.ts";
import { allOf, faultOf, noise, withScene } from "./scene.ts";

/** The path of an open pipe into which `command` writes; `written`: it has ended; `end` ends it. */
async function withPipe(
  command: string,
  use: (path: string, written: Promise<number>, end: () => void) => Promise<void>,
): Promise<void> {
  await withScene(async ({ parent }) => {
    const pipe = join(parent, "pipe");
    Bun.spawnSync(["mkfifo", pipe]);
    writeFileSync(join(parent, "noise"), noise(700_001));
    const reading = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const writing = openSync(pipe, constants.O_WRONLY);
    const writer = Bun.spawn(["sh", "-c", command], { cwd: parent, stdout: writing, stderr: "ignore" });
    closeSync(writing);
    try {
      await use(`/proc/self/fd/${reading}`, writer.exited, () => writer.kill());
    } finally {
      closeSync(reading);
      await writer.exited;
    }
  });
}

test("a pipe is read to its end, in order", () =>
  withPipe("cat noise", async (path) => {
    const source = await PipeSource.open(path);
    expect(source.size).toBeUndefined();
    expect(await allOf(source)).toEqual(Buffer.from(noise(700_001)));
    expect(await source.read(700_001, new Uint8Array(9))).toBe(0);
    expect(await faultOf(source.read(0, new Uint8Array(9)))).toBe("gone");
    source.close();
  }));

test("what is opened and not read loses nothing", () =>
  withPipe("echo 123", async (path) => {
    (await PipeSource.open(path)).close();
    const source = await PipeSource.open(path);
    expect((await allOf(source)).toString()).toBe("123\n");
    source.close();
  }));

test("what was written and closed before it is opened is read to its end", () =>
  withPipe("echo 123", async (path, written) => {
    await written;
    const source = await PipeSource.open(path);
    expect((await allOf(source)).toString()).toBe("123\n");
    source.close();
  }));

test("a read that waits for its writer ends when the pipe is closed", () =>
  withPipe("exec sleep 600", async (path, _, end) => {
    const source = await PipeSource.open(path);
    const read = faultOf(source.read(0, new Uint8Array(9)));
    source.close();
    expect(await read).toBe("gone");
    end();
  }));

test("a writer that is slow is waited for", () =>
  withPipe("for i in 1 2 3; do sleep 0.02; echo $i; done", async (path) => {
    const source = await PipeSource.open(path);
    expect((await allOf(source)).toString()).toBe("1\n2\n3\n");
    source.close();
  }));

test("a writer without end ends with its readers", () =>
  withPipe("yes 0123456789", async (path) => {
    const source = await PipeSource.open(path);
    const part = new Uint8Array(1_000_000);
    expect(await source.read(0, part)).toBe(1_000_000);
    expect(Buffer.from(part.subarray(0, 22)).toString()).toBe("0123456789\n0123456789\n");
    source.close();
  }));

test("standard input may be a socket", async () => {
  const program = `
    const { PipeSource } = await import(${JSON.stringify(join(import.meta.dir, "../../../src/client/file/pipe-source.ts"))});
    const source = await PipeSource.open("/dev/stdin");
    const part = new Uint8Array(9);
    console.log(await source.read(0, part), Buffer.from(part).toString());
    source.close();`;
  const child = Bun.spawn(["bun", "-e", program], { stdin: "pipe", stdout: "pipe" });
  await child.stdin.write("12345");
  await child.stdin.end();
  expect(await child.stdout.text()).toBe("5 12345\0\0\0\0\n");
  expect(await child.exited).toBe(0);
});

test("what is no pipe is not read as one", () =>
  withScene(async ({ parent }) => {
    const named = join(parent, "named");
    Bun.spawnSync(["mkfifo", named]);
    expect(await faultOf(PipeSource.open(named))).toBe("not_a_file");
    expect(await faultOf(PipeSource.open("/dev/null"))).toBe("not_a_file");
    expect(await faultOf(PipeSource.open(import.meta.path))).toBe("not_a_file");
    expect(await faultOf(PipeSource.open("/no-such-pipe"))).toBe("no_such_file");
  }));
