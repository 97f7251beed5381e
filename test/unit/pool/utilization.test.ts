import { expect, test } from 'vitest'
import { Utilization } from '../../../src/pool/utilization.ts'

test('gives the share since the last look, from 0 to 1', () => {
  const utilization = new Utilization()
  expect(utilization.since({ active: 30, idle: 70 })).toBeCloseTo(0.3)
  expect(utilization.since({ active: 130, idle: 70 })).toBe(1)
  expect(utilization.since({ active: 130, idle: 170 })).toBe(0)
  expect(utilization.since({ active: 130, idle: 170 }), 'no time has passed').toBe(0)
})

test('stays within its bounds where a loop that is replaced counts from zero again', () => {
  const utilization = new Utilization()
  utilization.since({ active: 500, idle: 500 })
  expect(utilization.since({ active: 10, idle: 990 })).toBe(0)
})
