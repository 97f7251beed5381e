/** Listens to each signal once, however many messages depend on it, and only as long as any does. */
export class AbortWatch {
  readonly #held = new Map<AbortSignal, number>()
  readonly #listener: (event: Event) => void

  constructor(onAbort: (reason: unknown) => void) {
    this.#listener = (event) => onAbort((event.target as AbortSignal).reason)
  }

  hold(signal: AbortSignal, messages: number): void {
    const held = this.#held.get(signal)
    if (held === undefined) signal.addEventListener('abort', this.#listener)
    this.#held.set(signal, (held ?? 0) + messages)
  }

  release(signal: AbortSignal, messages: number): void {
    const left = (this.#held.get(signal) ?? 0) - messages
    if (left > 0) {
      this.#held.set(signal, left)
    } else {
      this.#held.delete(signal)
      signal.removeEventListener('abort', this.#listener)
    }
  }

  clear(): void {
    for (const signal of this.#held.keys()) signal.removeEventListener('abort', this.#listener)
    this.#held.clear()
  }
}
