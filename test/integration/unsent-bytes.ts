/** What a raw socket of a test did not take yet, byte for byte: what is written here need be no message. */
export class UnsentBytes {
  readonly #buffers: Buffer[] = [];

  add(bytes: string | Uint8Array): void {
    this.#buffers.push(Buffer.from(bytes as string));
  }

  /** Writes until the socket takes no more; to be called again when it has drained. */
  flush(socket: { write(bytes: Uint8Array): number } | undefined): void {
    for (let first = this.#buffers[0]; first !== undefined; first = this.#buffers[0]) {
      const taken = socket?.write(first) ?? -1;
      if (taken < first.length) {
        if (taken > 0) this.#buffers[0] = first.subarray(taken);
        return;
      }
      this.#buffers.shift();
    }
  }
}
