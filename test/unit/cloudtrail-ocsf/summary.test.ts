import { describe, expect, it } from 'vitest'
import { summaryText } from '../../../examples/cloudtrail-ocsf/summary.ts'

const summary = {
  received: 20_000,
  acked: 20_000,
  nacked: 0,
  delivered: 19_998,
  filtered: 0,
  dropped: 0,
  deadLettered: 2,
  emitted: 19_998,
  seconds: 0.5,
}
const outcome = {
  summary,
  cores: 2,
  output: 'out/ocsf.ndjson',
  deadLetters: 'out/dead-letter.ndjson',
  interrupted: false,
}

describe('summaryText', () => {
  it('has the rates, every counter (G9) and the files', () => {
    expect(summaryText(outcome)).toBe(`Done in 0.50 s: 40,000 events/s, 20,000 events/s per core

  received            20,000
  acked               20,000
  nacked                   0
  delivered           19,998
  filtered                 0
  dropped                  0
  deadLettered             2
  emitted             19,998
  seconds               0.50

  output        out/ocsf.ndjson
  dead letters  out/dead-letter.ndjson
`)
  })

  it('says how to go on after an interruption', () => {
    expect(summaryText({ ...outcome, interrupted: true })).toMatch(/^Stopped in .*--resume goes on from here\.\n$/s)
  })

  it('has a rate for a run of no time', () => {
    const none = { ...summary, received: 0, acked: 0, seconds: 0 }
    expect(summaryText({ ...outcome, summary: none })).toContain(' 0 events/s, 0 events/s per core')
  })
})
