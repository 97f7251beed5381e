import { describe, expect, it } from 'vitest'
import { help, parseOptions, UsageError } from '../../../examples/cloudtrail-ocsf/options.ts'

describe('parseOptions', () => {
  it('generates 200,000 records into out by default', () => {
    expect(parseOptions([])).toEqual({
      file: undefined,
      out: 'out',
      threads: undefined,
      records: 200_000,
      seed: 1,
      resume: false,
    })
  })

  it('reads every option', () => {
    expect(parseOptions(['in.ndjson', '--out', 'to', '--threads', '0', '--resume'])).toMatchObject({
      file: 'in.ndjson',
      out: 'to',
      threads: 0,
      resume: true,
    })
    expect(parseOptions(['--records=5', '--seed=4294967295'])).toMatchObject({ records: 5, seed: 4_294_967_295 })
    expect(parseOptions(['--help'])).toBe('help')
  })

  it('explains every option in at most 80 columns', () => {
    for (const name of ['--out', '--threads', '--resume', '--records', '--seed', '--help']) expect(help).toContain(name)
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it.each([
    [['--thread', '2'], '--thread'],
    [['a.ndjson', 'b.ndjson'], 'one FILE, got 2'],
    [[''], 'FILE to be a path'],
    [['--out', ''], '--out to be a path'],
    [['--threads', 'two'], '--threads to be a whole number from 0 to 1024, got two'],
    [['--threads', '1.5'], 'got 1.5'],
    [['--records', '0'], '--records to be a whole number from 1'],
    [['--seed', '4294967296'], '--seed to be a whole number'],
    [['a.ndjson', '--seed', '2'], 'no FILE beside --records and --seed'],
  ])('refuses %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(UsageError)
    expect(() => parseOptions(args)).toThrow(message)
  })
})
