import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";

import { errorCode } from "../../net/error-code.ts";
import { asSource, closeLater, SourceError, type Source } from "./source.ts";

type PipeReader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

const OPEN_FILE = /^\/(?:proc\/[^/]+\/fd\/\d+|dev\/(?:stdin|fd\/\d+))$/;

/** What another program writes into a pipe: it is read once, and its size is known at its end. */
export class PipeSource implements Source {
  readonly size = undefined;
  readonly #handle: FileHandle | undefined;
  /** Made with the first read: it reads ahead, and what it has read nobody else gets. */
  #reader: PipeReader | undefined;
  /** Read from the pipe and not yet asked for. */
  #rest = new Uint8Array();
  #offset = 0;

  /** @param handle undefined: standard input itself */
  private constructor(handle?: FileHandle) {
    this.#handle = handle;
  }

  /**
   * @param path of an open file of this or another process: `/dev/stdin`, `/proc/PID/fd/0`
   * @throws SourceError; also for a socket of another process, which cannot be opened
   */
  static async open(path: string): Promise<PipeSource> {
    return asSource("no_such_file", async () => {
      const handle = await openUnlessSocket(path);
      if (handle === undefined) return new PipeSource();
      const status = await handle.stat();
      // A named pipe has perhaps no writer yet, and looks like an empty one.
      if (status.isFIFO() && OPEN_FILE.test(path)) return new PipeSource(handle);
      await handle.close();
      throw new SourceError("not_a_file");
    });
  }

  /** In order only, one at a time. @throws SourceError `gone`: that was read before, or is still to come */
  async read(offset: number, into: Uint8Array): Promise<number> {
    if (offset !== this.#offset) throw new SourceError("gone");
    return asSource("gone", async () => {
      const stream = () => Bun.file(this.#handle?.fd ?? 0).stream();
      const reader = (this.#reader ??= stream().getReader() as PipeReader);
      let done = 0;
      while (done < into.length) {
        if (this.#rest.length === 0) {
          const { value } = await reader.read();
          if (value === undefined) break;
          this.#rest = value;
        }
        const part = this.#rest.subarray(0, into.length - done);
        into.set(part, done);
        this.#rest = this.#rest.subarray(part.length);
        done += part.length;
      }
      this.#offset += done;
      return done;
    });
  }

  /** What was read of it cannot change. */
  async check(): Promise<void> {}

  /** Its writer is told by the system that nobody reads any more. */
  close(): void {
    void this.#reader?.cancel();
    if (this.#handle !== undefined) closeLater(this.#handle);
  }
}

/** @returns undefined: it is standard input, and a socket */
async function openUnlessSocket(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errorCode(error) === "ENXIO" && path === "/dev/stdin") return undefined;
    throw error;
  }
}
