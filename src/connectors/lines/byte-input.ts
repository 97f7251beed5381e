/** Bytes in order, read on demand. */
export interface ByteInput {
  /** The next bytes, in memory that is not written to again; `undefined` at the end. Never called twice at once. */
  read(): Promise<Uint8Array | undefined>
  /** Releases what is held. A read that is waiting for bytes ends as if they had ended. */
  close(): Promise<void>
}
