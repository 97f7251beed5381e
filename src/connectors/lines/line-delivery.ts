import type { Message } from '../../message.ts'
import type { Delivery } from '../../source.ts'

/** Where the offset of what has been acked is kept. */
export interface AckedOffset {
  /** Everything before this offset is acked. Throws once the offset can no longer be kept. */
  acked(offset: number): void
}

/** One line. A class, so that a line costs no closure. */
export class LineDelivery implements Delivery<Uint8Array> {
  readonly message: Message<Uint8Array>
  /** The offset just after the line. */
  readonly end: number
  readonly #progress: AckedOffset | undefined

  constructor(message: Message<Uint8Array>, end: number, progress: AckedOffset | undefined) {
    this.message = message
    this.end = end
    this.#progress = progress
  }

  ack(): void {
    this.#progress?.acked(this.end)
  }
}
