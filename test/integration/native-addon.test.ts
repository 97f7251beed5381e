import { createRequire } from 'node:module'
import { destinationFrom, iterable, Processor } from 'millrace'
import { expect, it } from 'vitest'

async function outputs<T>(module: URL, values: readonly unknown[], threads: number): Promise<T[]> {
  const seen: T[] = []
  const destination = destinationFrom<T>((messages, settlement) => {
    for (const { value } of messages) seen.push(structuredClone(value))
    settlement.ack()
  })
  await new Processor<unknown, T>({ source: iterable(values), handler: module, destination, threads }).run()
  return seen
}

const loaded = new URL('../fixtures/values/loaded.mjs', import.meta.url)
const msgpackrUser = new URL('../fixtures/values/msgpackr-user.mjs', import.meta.url)

it("neither the main thread nor a worker loads msgpackr's native addon", async () => {
  const [inWorker] = await outputs<string[]>(loaded, [1], 1)
  const here = Object.keys(createRequire(import.meta.url).cache)
  for (const paths of [inWorker ?? [], here]) {
    expect(paths.filter((path) => path.includes('msgpackr'))).toEqual([expect.stringMatching(/index-no-eval\.cjs$/u)])
    expect(paths.filter((path) => path.endsWith('.node'))).toEqual([])
  }
})

it('G10: a handler that uses msgpackr itself changes nothing of how values cross', async () => {
  const value = { date: new Date(5), set: new Set([1]), text: `\ufeff${'x'.repeat(100)}` }
  const seen = await outputs<object>(msgpackrUser, [value, value], 1)
  expect(seen).toHaveLength(2)
  for (const output of seen) {
    expect(output).toMatchObject({ echo: value, theirs: ['theirs', 'theirs'], isOursNative: false })
  }
})
