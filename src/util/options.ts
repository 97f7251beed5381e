import { describe, MillraceError } from '../errors.ts'

/** The longest delay that `setTimeout` takes; it fires at once for a longer one. */
export const maxTimerMs = 2_147_483_647

/** What a numeric option may be. `default` is used for `undefined`; without one the option is required. */
export interface Range {
  readonly min: number
  readonly max?: number
  readonly default?: number
  readonly allowInfinity?: boolean
}

/** The one form of every message about an option: what was expected, what came, what to do. */
export function invalidOption(name: string, expected: string, value: unknown, remedy: string): MillraceError {
  const type = value === null ? 'null' : typeof value
  return new MillraceError(
    'MR_OPTION_INVALID',
    `Expected \`${name}\` to be ${expected}, got ${describe(value)} (${type}). ${remedy}`,
  )
}

/** A whole number in the range. */
export function integer(name: string, value: unknown, range: Range): number {
  return numeric(name, value, range, 'a whole number', Number.isSafeInteger)
}

/** A finite number in the range, fractions allowed. */
export function number(name: string, value: unknown, range: Range): number {
  return numeric(name, value, range, 'a number', Number.isFinite)
}

/** Whole milliseconds, no more than a timer can wait. */
export function milliseconds(name: string, value: unknown, range: Range): number {
  return integer(name, value, { max: maxTimerMs, ...range })
}

/** One of a closed list of strings. */
export function oneOf<const T extends string>(name: string, value: unknown, allowed: readonly T[], fallback?: T): T {
  const given = value === undefined ? fallback : value
  const found = allowed.find((item) => item === given)
  if (found !== undefined) return found
  throw invalidOption(name, `one of ${allowed.map((item) => `'${item}'`).join(', ')}`, value, remedy(fallback))
}

/** `true` or `false`. */
export function boolean(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback
  if (typeof value === 'boolean') return value
  throw invalidOption(name, 'true or false', value, remedy(fallback))
}

/** A string with at least one character. */
export function text(name: string, value: unknown, fallback?: string): string {
  const given = value === undefined ? fallback : value
  if (typeof given === 'string' && given !== '') return given
  throw invalidOption(name, 'a string that is not empty', value, remedy(fallback))
}

/** A function; the type is the caller's word. Without a fallback it is required. */
export function fn<F>(name: string, value: F | undefined, fallback?: F): F {
  const given = value === undefined ? fallback : value
  if (typeof given === 'function') return given
  throw invalidOption(name, 'a function', value, fallback === undefined ? 'Pass one.' : 'Leave it out for the default.')
}

/**
 * A copy of the options' own properties, without a prototype: what a polluted `Object.prototype` holds is not an option.
 * A name that is not allowed is refused, since it is most likely a misspelt one.
 */
export function knownKeys<O extends object>(
  owner: string,
  options: O | undefined,
  allowed: readonly (keyof O & string)[],
): Readonly<Partial<O>> {
  const known = Object.create(null) as Record<string, unknown>
  if (options === undefined) return known as Partial<O>
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidOption(owner, 'an object of options', options, 'Leave it out for the defaults.')
  }
  for (const [key, value] of Object.entries(options)) {
    if (!(allowed as readonly string[]).includes(key)) {
      throw new MillraceError(
        'MR_OPTION_INVALID',
        `Expected the options of \`${owner}\` to be ${allowed.join(', ')}, got \`${key}\`. Remove it or correct its name.`,
      )
    }
    known[key] = value
  }
  return known as Partial<O>
}

function numeric(name: string, value: unknown, range: Range, kind: string, test: (value: unknown) => boolean): number {
  // Spread over own properties, so that nothing absent is read from a polluted `Object.prototype`.
  const unset = { max: Infinity, default: undefined, allowInfinity: false }
  const { min, max, default: fallback, allowInfinity } = { ...unset, ...range }
  const given = value === undefined ? fallback : value
  if (typeof given === 'number' && given >= min) {
    if (given === Infinity ? allowInfinity : test(given) && given <= max) return given
  }
  const bounds = max === Infinity ? `from ${min} up` : `from ${min} to ${max}`
  throw invalidOption(name, `${kind} ${bounds}${allowInfinity ? ', or Infinity' : ''}`, value, remedy(fallback))
}

function remedy(fallback: unknown): string {
  return fallback === undefined ? 'It is required.' : `Leave it out for the default, ${describe(fallback)}.`
}
