/**
 * The fields of an object that came as JSON, checked one by one. Only own properties count, so that what a polluted
 * `Object.prototype` holds is never taken for a field.
 */
export class JsonFields {
  readonly #name: string
  readonly #object: object

  /** `name` is for the errors. */
  constructor(name: string, value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${name} is not an object`)
    this.#name = name
    this.#object = value
  }

  get(field: string): unknown {
    return Object.hasOwn(this.#object, field) ? (this.#object as Record<string, unknown>)[field] : undefined
  }

  string(field: string): string {
    return this.#required(field, this.optionalString(field))
  }

  optionalString(field: string): string | undefined {
    const value = this.get(field)
    if (value === undefined || typeof value === 'string') return value
    throw this.#wrong(field, 'a string')
  }

  number(field: string): number {
    const value = this.#required(field, this.get(field))
    if (typeof value === 'number') return value
    throw this.#wrong(field, 'a number')
  }

  optionalNumbers(field: string): readonly number[] | undefined {
    const value = this.get(field)
    if (value === undefined) return undefined
    if (Array.isArray(value) && value.every((item): item is number => typeof item === 'number')) return value
    throw this.#wrong(field, 'an array of numbers')
  }

  /** Without a prototype, so that any name is an entry like any other. */
  optionalStrings(field: string): Readonly<Record<string, string>> | undefined {
    if (this.get(field) === undefined) return undefined
    const from = this.object(field)
    const strings = Object.create(null) as Record<string, string>
    for (const name of from.names()) strings[name] = from.string(name)
    return strings
  }

  object(field: string): JsonFields {
    return new JsonFields(`\`${field}\``, this.#required(field, this.get(field)))
  }

  names(): readonly string[] {
    return Object.keys(this.#object)
  }

  #required<T>(field: string, value: T | undefined): T {
    if (value === undefined) throw new Error(`\`${field}\` is missing in ${this.#name}`)
    return value
  }

  #wrong(field: string, expected: string): Error {
    return new Error(`\`${field}\` in ${this.#name} is not ${expected}`)
  }
}
