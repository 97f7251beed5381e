import type { Delivery, Source } from 'millrace'

class Sample implements Delivery<Uint8Array> {
  readonly message: Delivery<Uint8Array>['message']

  constructor(value: Uint8Array) {
    this.message = { key: '', topic: 'bench', value }
  }

  ack(): void {}
}

/** The samples, round and round, in batches, until it is stopped: a source that is never the bottleneck. */
export class EndlessSource implements Source<Uint8Array> {
  readonly #samples: readonly Uint8Array[]
  #next = 0
  #left: number

  constructor(samples: readonly Uint8Array[], count = Infinity) {
    this.#samples = samples
    this.#left = count
  }

  async recv(): Promise<Delivery<Uint8Array> | undefined> {
    return (await this.recvBatch(1))[0]
  }

  recvBatch(max: number): Promise<readonly Delivery<Uint8Array>[]> {
    const count = Math.min(max, this.#left)
    this.#left -= count
    return Promise.resolve(Array.from({ length: count }, () => this.#sample()))
  }

  stop(): void {
    this.#left = 0
  }

  #sample(): Sample {
    const value = this.#samples[this.#next] as Uint8Array
    this.#next = this.#next + 1 === this.#samples.length ? 0 : this.#next + 1
    return new Sample(value)
  }
}
