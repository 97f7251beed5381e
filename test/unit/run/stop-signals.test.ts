import { expect, test } from 'vitest'
import { isEcho } from '../../../src/run/stop-signals.ts'

test('one Ctrl-C under npm arrives twice within milliseconds, and counts once', () => {
  expect(isEcho({ signal: 'SIGINT', atMs: 1_000 }, { signal: 'SIGINT', atMs: 1_005 })).toBe(true)
})

test('a second key press is no echo', () => {
  expect(isEcho({ signal: 'SIGINT', atMs: 1_000 }, { signal: 'SIGINT', atMs: 1_200 })).toBe(false)
})

test('a terminal sends no SIGTERM, and another signal is another signal', () => {
  expect(isEcho({ signal: 'SIGTERM', atMs: 1_000 }, { signal: 'SIGTERM', atMs: 1_001 })).toBe(false)
  expect(isEcho({ signal: 'SIGINT', atMs: 1_000 }, { signal: 'SIGTERM', atMs: 1_001 })).toBe(false)
})
