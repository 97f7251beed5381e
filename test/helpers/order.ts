/** What the handler of test/fixtures/guarantees/obey.mjs is to do with a message. */
export interface Order {
  /** Outputs; 0 filters the message. @default 1 */
  readonly outputs?: number
  /** Each output is a `Uint8Array` of this many bytes; else it is an object. */
  readonly bytes?: number
  /** Wait before it returns. */
  readonly waitMs?: number
  /** The wait ends when the handler's signal aborts. */
  readonly heeds?: boolean
  /** Block the thread before it returns. */
  readonly spinMs?: number
  /** Attempts that throw. */
  readonly failures?: number
  /** Attempts that end the worker. */
  readonly exits?: number
  /** Attempts that never return. */
  readonly hangs?: number
  /** What to return instead of outputs. */
  readonly result?: unknown
  /** What each output sets beside its value. */
  readonly set?: { readonly key?: string; readonly topic?: string; readonly headers?: Readonly<Record<string, string>> }
  /** Makes the message larger. */
  readonly padding?: Uint8Array
}

/** The module of the handler that takes an {@link Order}. */
export const obey: URL = new URL('../fixtures/guarantees/obey.mjs', import.meta.url)
