import { move, Piscina, transferableSymbol, valueSymbol } from 'piscina'

/** The only file that imports piscina: docs/decisions/0002 says what of it we rely on, and what not. */
export { Piscina }

/** A task's result that piscina hands over without a copy: the buffers in `list` are gone from this thread. */
export function transferred(value: object, list: readonly ArrayBuffer[]): unknown {
  return move({ [transferableSymbol]: list, [valueSymbol]: value })
}
