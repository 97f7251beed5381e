const words = 2 ** 32

/** Random numbers from a seed (mulberry32): the same seed gives the same numbers on every machine. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0, below 1. */
  next(): number {
    return this.#word() / words
  }

  /** A whole number from 0, below `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.below(list.length)] ?? list[0]
  }

  /** That many characters of the alphabet, as many from one word as it holds. */
  text(length: number, alphabet: string): string {
    const size = alphabet.length
    let text = ''
    while (text.length < length) {
      let word = this.#word()
      for (let left = words; left >= size && text.length < length; left /= size) {
        text += alphabet.charAt(word % size)
        word = Math.floor(word / size)
      }
    }
    return text
  }

  digits(length: number): string {
    return this.text(length, '0123456789')
  }

  hex(length: number): string {
    return this.text(length, '0123456789abcdef')
  }

  /** An identifier as IAM makes them. */
  key(prefix: string): string {
    return prefix + this.text(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')
  }

  base64(length: number): string {
    return this.text(length, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
  }

  uuid(): string {
    return `${this.hex(8)}-${this.hex(4)}-4${this.hex(3)}-${this.pick(['8', '9', 'a', 'b'])}${this.hex(3)}-${this.hex(12)}`
  }

  #word(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

/** A list of that many things, at least one. */
export function some<T>(count: number, make: (index: number) => T): [T, ...T[]] {
  return [make(0), ...Array.from({ length: count - 1 }, (_, index) => make(index + 1))]
}
