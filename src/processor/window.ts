/**
 * How much is in flight, against how much may be (G4): messages received and not released, their bytes, and the bytes of
 * their unsettled outputs.
 */
export class Window {
  readonly maxMessages: number
  readonly maxBytes: number
  messages = 0
  bytes = 0

  constructor(maxMessages: number, maxBytes: number) {
    this.maxMessages = maxMessages
    this.maxBytes = maxBytes
  }

  /** Messages that may still be received; 0 when either bound is reached. */
  get room(): number {
    return this.bytes >= this.maxBytes ? 0 : Math.max(0, this.maxMessages - this.messages)
  }

  get roomBytes(): number {
    return Math.max(0, this.maxBytes - this.bytes)
  }

  /** Outputs alone may have passed the bound: nothing that makes more of them is started, but for the oldest message. */
  get isOverBytes(): boolean {
    return this.bytes > this.maxBytes
  }
}
