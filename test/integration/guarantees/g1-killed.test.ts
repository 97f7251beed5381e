import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startNode } from '../../helpers/child.ts'
import { temporaryDirectory } from '../../helpers/collect.ts'
import { randomFrom } from '../../helpers/scripted-ends.ts'

const script = new URL('../../fixtures/guarantees/numbers.mjs', import.meta.url)
const total = 4_000
const maxInFlight = 400

/** The numbers in a file; a last line that was cut off is none. */
function numbersOf(path: string): number[] {
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8').split('\n').slice(0, -1).map(Number)
}

test('G1: kill -9 at any moment: what was not flushed was not acked, and nothing is lost in the end', async () => {
  const directory = temporaryDirectory()
  const [log, output] = [join(directory, 'acks.log'), join(directory, 'numbers.txt')]
  const random = randomFrom(42)
  let kills = 0
  for (;;) {
    const child = startNode(script, [log, output, `${total}`])
    onTestFinished(() => void child.process.kill('SIGKILL'))
    const enough = numbersOf(log).length + 100 + Math.floor(random() * 900)
    let isOver = false
    void child.ended.then(() => (isOver = true))
    await expect.poll(() => isOver || numbersOf(log).length >= enough, { interval: 5, timeout: 20_000 }).toBe(true)
    if (numbersOf(log).length < total) {
      child.process.kill('SIGKILL')
      kills++
    }
    const { signal, code, stderr } = await child.ended

    const acked = numbersOf(log)
    const written = new Set(numbersOf(output))
    expect(acked, 'each acked once, in order').toEqual(acked.map((_, index) => index))
    expect(
      acked.filter((number) => !written.has(number)),
      'acked, but not in the file',
    ).toEqual([])
    if (signal === null) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      break
    }
  }
  const found = numbersOf(output)
  const firsts = [...new Set(found)]
  expect(firsts, 'G3: all of them, in order of their first time').toEqual(firsts.map((_, index) => index))
  expect(firsts).toHaveLength(total)
  expect(kills).toBeGreaterThan(1)
  expect(found.length - total, 'duplicates').toBeLessThanOrEqual(kills * maxInFlight)
})
