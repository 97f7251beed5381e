import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../helpers/collect.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A process of its own that runs this module; `lines` is imported for it. */
function start(script: string, ...args: string[]): { child: ChildProcessWithoutNullStreams; out: () => string } {
  const source = `import { lines } from 'millrace'\n${script}`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source, ...args], { cwd: root })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.pipe(process.stderr)
  return { child, out: () => Buffer.concat(chunks).toString() }
}

test('standard input that stays open does not keep the process once the source is closed', async () => {
  const { child, out } = start(`
    const source = lines(process.stdin)
    const controller = new AbortController()
    const first = await source.recv(controller.signal)
    console.log(first.message.id, Buffer.from(first.message.value).toString())
    setTimeout(() => controller.abort(), 20)
    console.log(await source.recv(controller.signal))
    await source.close()
    console.log(process.stdin.destroyed)`)
  const exit = once(child, 'exit')
  child.stdin.write('hello\nnot yet compl')
  expect(await exit).toEqual([0, null])
  expect(out()).toBe('stdin:0 hello\nundefined\nfalse\n')
})

test('standard input is read to its end', async () => {
  const { child, out } = start(`
    let count = 0
    const source = lines(process.stdin)
    const { signal } = new AbortController()
    for (;;) {
      const batch = await source.recvBatch(100, 10_000, signal)
      if (batch.length === 0) break
      count += batch.length
    }
    await source.close()
    console.log(count)`)
  child.stdin.end('line\n'.repeat(100_000))
  await once(child, 'close')
  expect(out()).toBe('100000\n')
})

test('G1: killed at any moment, the runs together have every line, and none begins after what was acked', async () => {
  const directory = temporaryDirectory()
  const input = join(directory, 'numbers.log')
  const total = 20_000
  writeFileSync(input, Array.from({ length: total }, (_, index) => `${index}\n`).join(''))
  const script = `
    import { writeSync } from 'node:fs'
    const [input, checkpoint] = process.argv.slice(1)
    const source = lines(input, { checkpoint, checkpointEveryMs: 1 })
    const { signal } = new AbortController()
    for (;;) {
      const batch = await source.recvBatch(50, 10_000, signal)
      if (batch.length === 0) break
      writeSync(1, batch.map(({ message }) => Buffer.from(message.value).toString() + '\\n').join(''))
      source.ackBatch(batch)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await source.close()`
  const seen = new Set<number>()
  for (const killAfter of [1, 500, 2_000, 3_000, Infinity]) {
    const { child, out } = start(script, input, join(directory, 'checkpoint'))
    const ended = once(child, 'close')
    child.stdout.on('data', () => {
      if (out().length > killAfter * 5) child.kill('SIGKILL')
    })
    await ended
    const got = out().split('\n').slice(0, -1).map(Number)
    expect(got[0]).toBeLessThanOrEqual(seen.size)
    got.forEach((number, index) => expect(number).toBe((got[0] ?? 0) + index))
    for (const number of got) seen.add(number)
  }
  expect(seen.size).toBe(total)
})
