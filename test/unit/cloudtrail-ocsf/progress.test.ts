import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { barLine, plainLine, ProgressReporter } from '../../../examples/cloudtrail-ocsf/progress.ts'

const halfway = { events: 100_000, fraction: 0.5, inFlight: 16_384, loads: [1, 0.5, 0] }

describe('barLine', () => {
  it('fits into 80 columns', () => {
    expect(barLine('Normalizing', halfway, 45_123.4, 79)).toBe(
      'Normalizing █████░░░░  50%   100,000 events  45,123/s 16,384 in flight load █▅▁',
    )
    const many = { ...halfway, events: 123_456_789, loads: Array.from({ length: 64 }, () => 1) }
    for (const width of [20, 40, 79, 200]) {
      expect(barLine('Normalizing', many, 1e6, width).length).toBeLessThanOrEqual(width)
    }
  })

  it('leaves out what is not known', () => {
    expect(barLine('Generating', { events: 0, fraction: undefined }, 0, 79)).toBe(
      'Generating         0 events       0/s',
    )
  })
})

describe('plainLine', () => {
  it('says the same in words', () => {
    expect(plainLine('Normalizing', halfway, 45_123.4)).toBe(
      'Normalizing: 100,000 events, 45,123/s, 50%, 16,384 in flight, worker load 100% 50% 0%',
    )
  })
})

function report(stream: { isTTY?: boolean; columns?: number }, env: Record<string, string>): string {
  let text = ''
  let events = 0
  const out = { ...stream, write: (part: string) => (text += part) }
  const reporter = new ProgressReporter('Working', () => ({ events: (events += 100), fraction: 0.5 }), out, env)
  vi.advanceTimersByTime(6_000)
  reporter.stop()
  return text
}

describe('ProgressReporter', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('redraws one line on a terminal', () => {
    const text = report({ isTTY: true, columns: 40 }, { TERM: 'xterm' })
    const frames = text.split('\r\u001B[K').slice(1)
    expect(frames.length).toBe(31)
    for (const frame of frames) {
      const visible = frame.replace('\u001B[32m', '').replace('\u001B[39m', '').trimEnd()
      expect(visible.length).toBeLessThanOrEqual(39)
    }
    expect(text.match(/\n/g)).toHaveLength(1)
    expect(text).toContain('\u001B[32m')
  })

  it('honours NO_COLOR', () => {
    const text = report({ isTTY: true, columns: 80 }, { TERM: 'xterm', NO_COLOR: '1' })
    expect(text).toContain('█')
    expect(text).not.toContain('\u001B[32m')
  })

  it.each([
    ['no terminal', {}, {}],
    ['a dumb terminal', { isTTY: true }, { TERM: 'dumb' }],
  ])('prints a plain line every few seconds on %s', (_name, stream, env) => {
    const text = report(stream, env)
    expect(text.startsWith('Working: 200 events, 33/s, 50%\n')).toBe(true)
    expect(text.split('\n')).toHaveLength(4)
    expect(text).not.toContain('\u001B')
  })
})
