import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineSplitter, type SplitOptions } from '../../src/connectors/lines/line-splitter.ts'
import { MillraceError } from '../../src/errors.ts'

interface Line {
  readonly text: string
  readonly start: number
  readonly end: number
}

/** What the splitter must do, on the whole input at once. */
function naive(input: string, { delimiter, stripCarriageReturn, maxLineBytes }: SplitOptions): (Line | 'too long')[] {
  const separator = Buffer.from(delimiter).toString('latin1')
  const lines: (Line | 'too long')[] = []
  for (let start = 0; start < input.length;) {
    const at = input.indexOf(separator, start)
    const raw = at < 0 ? input.slice(start) : input.slice(start, at)
    const end = at < 0 ? input.length : at + separator.length
    const text = stripCarriageReturn && raw.endsWith('\r') ? raw.slice(0, -1) : raw
    if (text.length > maxLineBytes) return [...lines, 'too long']
    lines.push({ text, start, end })
    start = end
  }
  return lines
}

function split(chunks: readonly string[], options: SplitOptions): (Line | 'too long')[] {
  const splitter = new LineSplitter('the input', options, 0)
  const lines: (Line | 'too long')[] = []
  const held: { value: Uint8Array; text: string }[] = []
  const add = (value: Uint8Array): void => {
    const text = Buffer.from(value).toString('latin1')
    held.push({ value, text })
    lines.push({ text, start: splitter.start, end: splitter.end })
  }
  try {
    for (const chunk of chunks) {
      splitter.feed(Buffer.from(chunk, 'latin1'))
      for (let line = splitter.next(); line !== undefined; line = splitter.next()) add(line)
    }
    const last = splitter.last()
    if (last !== undefined) add(last)
    expect(splitter.last()).toBeUndefined()
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    expect(error.code).toBe('MR_LINE_TOO_LONG')
    lines.push('too long')
  }
  for (const { value, text } of held) expect(Buffer.from(value).toString('latin1')).toBe(text)
  return lines
}

const delimiters = ['\n', '\r\n', 'a', 'aa', 'aba', 'abab', '\0', '--\n--']

test('G10: any input in any chunks gives the lines and offsets of a naive splitter, with any delimiter', () => {
  const runs = fc.record({
    delimiter: fc.constantFrom(...delimiters),
    // Few letters, so that delimiters, their parts and overlaps are frequent.
    chunks: fc.array(fc.array(fc.constantFrom('a', 'b', '\n', '\r', '-', '\0', '\xff'), { maxLength: 12 }), {
      maxLength: 12,
    }),
    stripCarriageReturn: fc.boolean(),
    maxLineBytes: fc.constantFrom(1, 3, 8, 1_000),
  })
  fc.assert(
    fc.property(runs, ({ delimiter, chunks, stripCarriageReturn, maxLineBytes }) => {
      const options = { delimiter: Buffer.from(delimiter), stripCarriageReturn, maxLineBytes }
      const texts = chunks.map((chunk) => chunk.join(''))
      expect(split(texts, options)).toEqual(naive(texts.join(''), options))
    }),
    { numRuns: 5_000 },
  )
})

test('every two-chunk cut of a text gives the same lines', () => {
  const text = 'one\r\n\ntwo aba\r\r\nthree-abab-aba\n'
  for (const delimiter of delimiters) {
    const options = { delimiter: Buffer.from(delimiter), stripCarriageReturn: delimiter === '\n', maxLineBytes: 100 }
    const expected = naive(text, options)
    for (let cut = 0; cut <= text.length; cut++) {
      expect(split([text.slice(0, cut), text.slice(cut)], options)).toEqual(expected)
    }
    expect(split(text.split(''), options)).toEqual(expected)
  }
})

test('G4: a line without end is refused before it is held, and names its offset', () => {
  const options = { delimiter: Buffer.from('\n'), stripCarriageReturn: true, maxLineBytes: 1_000 }
  const splitter = new LineSplitter('big.log', options, 0)
  splitter.feed(Buffer.from('ok\n'))
  expect(splitter.next()).toBeDefined()
  expect(splitter.next()).toBeUndefined()
  splitter.feed(Buffer.alloc(1_001, 97))
  expect(splitter.next()).toBeUndefined()
  splitter.feed(Buffer.alloc(1_000_000, 97))
  expect(() => splitter.next()).toThrow(/at most 1000 bytes in big\.log, got a longer one at byte offset 3\./)
})

test('a line over many small chunks costs time in proportion to its length', () => {
  const options = { delimiter: Buffer.from('\n\n'), stripCarriageReturn: false, maxLineBytes: 2 ** 24 }
  const splitter = new LineSplitter('slow.log', options, 0)
  const chunk = Buffer.alloc(64, 97)
  let calls = 0
  for (; calls < 2 ** 17; calls++) {
    splitter.feed(chunk)
    expect(splitter.next() === undefined).toBe(true)
  }
  splitter.feed(Buffer.from('\n\n'))
  expect(splitter.next()?.length).toBe(calls * 64)
})
