import { describe, expect, it } from 'vitest'
import { isHalted, type ProcessorState, transition } from '../../../src/processor/processor-state.ts'
import { expectCode } from '../../helpers/collect.ts'

const states: readonly ProcessorState[] = ['idle', 'running', 'draining', 'closing', 'failing', 'stopped']
const legal = new Set([
  'idle running',
  'running draining',
  'running failing',
  'draining closing',
  'draining failing',
  'closing failing',
  'closing stopped',
  'failing stopped',
])

describe('a processor state', () => {
  const all = states.flatMap((from) => states.map((to) => [from, to] as const))

  it.each(all)('%s to %s', async (from, to) => {
    if (legal.has(`${from} ${to}`)) expect(transition(from, to)).toBe(to)
    else await expectCode(() => transition(from, to), 'MR_INTERNAL', new RegExp(`from ${from} to ${to}`, 'u'))
  })

  it('leads to the end from everywhere, and nowhere from there', () => {
    const reaches = (from: ProcessorState): boolean =>
      from === 'stopped' || states.some((to) => legal.has(`${from} ${to}`) && reaches(to))
    expect(states.filter((state) => !reaches(state))).toEqual([])
    expect([...legal].filter((step) => step.startsWith('stopped'))).toEqual([])
  })

  it.each([
    ['idle', false],
    ['running', false],
    ['draining', false],
    ['closing', true],
    ['failing', true],
    ['stopped', true],
  ] as const)('%s: nothing new is started %s', (state, halted) => {
    expect(isHalted(state)).toBe(halted)
  })
})
