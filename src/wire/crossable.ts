import { describe } from '../errors.ts'

/** Levels of arrays, objects, maps and sets in one value: more would end the stack of the thread that packs or reads it. */
export const MAX_DEPTH = 256

/** What a format has a form for, beside plain data. */
export interface Format {
  /** The built-in classes whose instances it carries, by prototype. */
  readonly leaves: ReadonlySet<unknown>
  readonly hasSets: boolean
  /** Whether it would change a key of an object, or be led astray by it. */
  refusesKey(key: string): boolean
  /** What is written for a string that starts with a byte order mark or holds a lone surrogate. */
  mendText(text: string): string
}

/**
 * Looks through a value that is to be packed. True where it can be packed as it is; false where a string must be mended
 * first ({@link mend}). Throws where anything in it would be lost or changed silently: the rules are in docs/values.md.
 */
export function check(value: unknown, format: Format, depth = 0, at = ''): boolean {
  if (typeof value === 'string') return isPlainText(value)
  if (typeof value === 'object') return value === null || checkObject(value, format, depth + 1, at)
  if (typeof value === 'function' || typeof value === 'symbol') throw refused(at, `is a ${typeof value}`)
  return true
}

/** A copy in which every string is what the format makes of it. Only for what `check` has passed. */
export function mend(value: unknown, format: Format): unknown {
  if (typeof value === 'string') return format.mendText(value)
  if (typeof value !== 'object' || value === null) return value
  const again = (item: unknown): unknown => mend(item, format)
  if (Array.isArray(value)) return Array.from(value, again)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Map.prototype) {
    return new Map(Array.from(value as Map<unknown, unknown>, ([key, item]) => [again(key), again(item)]))
  }
  if (prototype === Set.prototype) return new Set(Array.from(value as Set<unknown>, again))
  if (format.leaves.has(prototype)) return value
  const json = jsonOf(value)
  if (json !== value) return again(json)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [format.mendText(key), again(item)]))
}

function checkObject(value: object, format: Format, depth: number, at: string): boolean {
  if (depth > MAX_DEPTH) throw refused(at, `lies deeper than ${MAX_DEPTH} levels, or holds itself`)
  if (Array.isArray(value)) return checkItems(value, format, depth, at)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return checkFields(value, format, depth, at)
  if (prototype === Map.prototype) {
    const map = value as Map<unknown, unknown>
    const keys = checkItems([...map.keys()], format, depth, at)
    return checkItems([...map.values()], format, depth, at) && keys
  }
  if (prototype === Set.prototype && format.hasSets) return checkItems([...(value as Set<unknown>)], format, depth, at)
  if (format.leaves.has(prototype)) return true
  return checkInstance(value, format, depth, at)
}

function checkItems(items: readonly unknown[], format: Format, depth: number, at: string): boolean {
  let isClean = true
  for (let index = 0; index < items.length; index++) {
    if (!check(items[index], format, depth, at)) isClean = false
  }
  return isClean
}

function checkFields(value: object, format: Format, depth: number, at: string): boolean {
  const fields = value as Record<PropertyKey, unknown>
  for (const symbol of Object.getOwnPropertySymbols(fields)) {
    if (Object.prototype.propertyIsEnumerable.call(fields, symbol))
      throw refused(at, `has ${describe(symbol)} as a key`)
  }
  let isClean = true
  for (const key of Object.keys(fields)) {
    if (format.refusesKey(key)) throw refused(at, `has the key "${key}"`)
    if (!isPlainText(key)) isClean = false
    if (!check(fields[key], format, depth, key)) isClean = false
  }
  return isClean
}

/** An instance of a class: of the user's, or of one that is built in and has no form. */
function checkInstance(value: object, format: Format, depth: number, at: string): boolean {
  if (isLeaf(value)) throw refused(at, `is ${describe(value)}`)
  const json = jsonOf(value)
  if (json !== value) return check(json, format, depth, at)
  const isFieldless = Object.keys(value).length === 0
  const isBuiltIn = Object.prototype.toString.call(value) !== '[object Object]'
  if (isFieldless || isBuiltIn || value.hasOwnProperty !== Object.prototype.hasOwnProperty) {
    throw refused(at, `is ${describe(value)}`)
  }
  return checkFields(value, format, depth, at)
}

/** Classes that are packed by what they are, whatever their instances' `toJSON` says. */
function isLeaf(value: object): boolean {
  return value instanceof Date || value instanceof Error || ArrayBuffer.isView(value)
}

/** What a class's own `toJSON` makes of its instance; the instance itself where it has none, or is plain. */
function jsonOf(value: object): unknown {
  const { toJSON } = value as { toJSON?: unknown }
  return typeof toJSON === 'function' && value.constructor !== Object ? (toJSON.call(value) as unknown) : value
}

export const byteOrderMark = '\ufeff'

function isPlainText(text: string): boolean {
  return (text as WellFormedText).isWellFormed() && text.charCodeAt(0) !== 0xfeff
}

/** Each lone surrogate, which has no form in UTF-8, becomes U+FFFD. */
export function toWellFormed(text: string): string {
  return (text as WellFormedText).toWellFormed()
}

/** Node has these; the library of ES2023 does not. */
type WellFormedText = string & { isWellFormed(): boolean; toWellFormed(): string }

function refused(at: string, what: string): TypeError {
  return new TypeError(`${at === '' ? 'the value' : `"${at.slice(0, 80)}"`} ${what}`)
}
