import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";

import { errorCode } from "../../net/error-code.ts";
import { asSource, closeLater, SourceError, type Source } from "./source.ts";

type PipeReader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

/** How long an empty pipe is left alone, in ms. */
const PAUSE = 20;

const OPEN_FILE = /^\/(?:proc\/[^/]+\/fd\/\d+|dev\/(?:stdin|fd\/\d+))$/;

/** What another program writes into a pipe: it is read once, and its size is known at its end. */
export class PipeSource implements Source {
  readonly size = undefined;
  readonly #handle: FileHandle | undefined;
  /** Of a socket; made with the first read: it reads ahead, and what it has read nobody else gets. */
  #reader: PipeReader | undefined;
  /** Read from the socket and not yet asked for. */
  #rest = new Uint8Array();
  #offset = 0;
  #isClosed = false;

  /** @param handle of a pipe, which never waits; undefined: standard input is a socket */
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
      let done = 0;
      while (done < into.length) {
        const part = into.subarray(done);
        const count = await (this.#handle === undefined
          ? this.#ofSocket(part)
          : this.#ofPipe(this.#handle, part));
        if (count === 0) break;
        done += count;
      }
      this.#offset += done;
      return done;
    });
  }

  /**
   * Bun's stream of a pipe never tells its end where that came before the first read.
   * @returns bytes read; 0: it has ended. @throws system errors
   */
  async #ofPipe(handle: FileHandle, into: Uint8Array): Promise<number> {
    while (!this.#isClosed) {
      try {
        return (await handle.read(into, 0, into.length, null)).bytesRead;
      } catch (error) {
        if (errorCode(error) !== "EAGAIN") throw error;
        await Bun.sleep(PAUSE);
      }
    }
    throw new SourceError("gone");
  }

  /** As `#ofPipe`. */
  async #ofSocket(into: Uint8Array): Promise<number> {
    this.#reader ??= Bun.file(0).stream().getReader() as PipeReader;
    if (this.#rest.length === 0) {
      const { value } = await this.#reader.read();
      if (value === undefined) return 0;
      this.#rest = value;
    }
    const part = this.#rest.subarray(0, into.length);
    into.set(part);
    this.#rest = this.#rest.subarray(part.length);
    return part.length;
  }

  /** What was read of it cannot change. */
  async check(): Promise<void> {}

  /** Its writer is told by the system that nobody reads any more. */
  close(): void {
    this.#isClosed = true;
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
