import { expect, onTestFinished, test } from 'vitest'
import { startNode } from '../../helpers/child.ts'

const script = new URL('../../fixtures/run/pipeline.mjs', import.meta.url)

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s drains a processor: exit code 0, everything received is printed, once and in order (G6, G9)',
  async (signal) => {
    const child = startNode(script)
    onTestFinished(() => void child.process.kill('SIGKILL'))
    await child.saw('\n5000\n')
    child.process.kill(signal)
    const { code, stdout, stderr } = await child.ended
    expect(code).toBe(0)
    const printed = stdout.trimEnd().split('\n')
    expect(printed).toEqual(Array.from(printed, (_, index) => `${index}`))
    const count = printed.length
    expect(JSON.parse(stderr)).toEqual({ received: count, acked: count, delivered: count, emitted: count })
  },
)

test('a reader that has had enough, as head has, ends it quietly: nothing on stderr, exit code 0', async () => {
  const child = startNode(script)
  onTestFinished(() => void child.process.kill('SIGKILL'))
  await child.saw('\n10\n')
  child.process.stdout?.destroy()
  const { code, signal, stderr } = await child.ended
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' })
})
