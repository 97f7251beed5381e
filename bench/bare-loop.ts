import type { Codec, Handler } from 'millrace'
import normalize from '../examples/cloudtrail-ocsf/normalize.ts'
import { samples } from './samples.ts'
import { warmUpMs } from './warm-up.ts'

/**
 * A process that does nothing but decode, handle and encode: what a core gives without any pipeline. It says when it is
 * warm, waits for the start, and reports its events per second.
 */
const [path, seconds] = [process.argv[2] === '' ? undefined : process.argv[2], Number(process.argv[3])]
const { input, output, handle } = normalize as unknown as {
  input: Codec<unknown>
  output: Codec<unknown>
  handle: Handler<unknown, unknown>
}
const lines = await samples(path)
const context = { state: undefined, attempt: 1, signal: new AbortController().signal }
let next = 0
let bytes = 0

function loop(durationMs: number): number {
  const start = performance.now()
  let events = 0
  let elapsed = 0
  do {
    for (let round = 0; round < 100; round++) {
      const value = input.decode(lines[next] as Uint8Array)
      next = next + 1 === lines.length ? 0 : next + 1
      for (const made of handle({ key: '', topic: 'bench', value }, context) as readonly { value: unknown }[]) {
        bytes += output.encode(made.value).length
      }
    }
    events += 100
    elapsed = performance.now() - start
  } while (elapsed < durationMs)
  return (events * 1_000) / elapsed
}

loop(warmUpMs)
process.send?.('warm')
process.once('message', () => {
  const rate = loop(seconds * 1_000)
  process.send?.({ rate, bytes })
  process.disconnect()
})
