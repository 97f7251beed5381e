import { describe, expect, onTestFinished, test } from 'vitest'
import { run, type Runner, type RunOptions } from 'millrace'
import { startNode, type Child } from '../../helpers/child.ts'

const script = new URL('../../fixtures/run/supervised.mjs', import.meta.url)

function start(scenario: string): Child {
  const child = startNode(script, [scenario])
  onTestFinished(() => void child.process.kill('SIGKILL'))
  return child
}

describe('exit code 0', () => {
  test('when every runner has ended', async () => {
    const { code, stdout, stderr } = await start('ends').ended
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'ended\nafter run\nlisteners 0 0\n', stderr: '' })
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('when %s has drained the runner (G6)', async (signal) => {
    const child = start('drains')
    await child.saw('one started')
    child.process.kill(signal)
    const { code, stdout, stderr } = await child.ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe('one started\none draining\none drained\nafter run\nlisteners 0 0\n')
  })

  test('when one signal has drained several runners, the slowest too (G6)', async () => {
    const child = start('several')
    await child.saw('two started')
    child.process.kill('SIGTERM')
    const { code, stdout } = await child.ended
    expect(code).toBe(0)
    expect(stdout.endsWith('one drained\ntwo drained\nafter run\nlisteners 0 0\n')).toBe(true)
  })

  test('when runners reject with the abort that they were given', async () => {
    const child = start('abortError')
    await child.saw('one started')
    child.process.kill('SIGTERM')
    const { code, stderr } = await child.ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  test('when a signal of the options drains, and the default ones are left alone', async () => {
    const child = start('custom')
    await child.saw('one started')
    child.process.kill('SIGUSR2')
    await expect(child.ended).resolves.toMatchObject({ code: 0, signal: null })
    const other = start('custom')
    await other.saw('one started')
    other.process.kill('SIGTERM')
    await expect(other.ended).resolves.toMatchObject({ code: null, signal: 'SIGTERM' })
  })

  test('when `signal` had aborted before the start', async () => {
    await expect(start('aborted').ended).resolves.toMatchObject({ code: 0, stderr: '' })
  })

  test('and the process stays alive while a runner that holds nothing open waits', async () => {
    const child = start('keepsAlive')
    await child.saw('idle started')
    await expect(
      Promise.race([child.ended, new Promise((resolve) => setTimeout(resolve, 300, 'alive'))]),
    ).resolves.toBe('alive')
    child.process.kill('SIGTERM')
    await expect(child.ended).resolves.toMatchObject({ code: 0 })
  })
})

describe('a second signal stops at once', () => {
  test.each([
    ['SIGINT', 'SIGINT', 130],
    ['SIGTERM', 'SIGTERM', 143],
    ['SIGINT', 'SIGTERM', 143],
    ['SIGTERM', 'SIGINT', 130],
  ] as const)('%s, then %s: exit code %i', async (first, second, expected) => {
    const child = start('hangs')
    await child.saw('one started')
    child.process.kill(first)
    await child.saw('one draining')
    child.process.kill(second)
    const { code, stdout } = await child.ended
    expect(code).toBe(expected)
    expect(stdout).toBe('one started\none draining\n')
  })
})

describe('exit code 1', () => {
  test('when a runner rejects: the others drain, and the error is printed with its causes, without noise (G7)', async () => {
    const { code, stdout, stderr } = await start('fails').ended
    expect(code).toBe(1)
    expect(stdout).toBe('other started\nother draining\nother drained\nafter run\nlisteners 0 0\n')
    const [head, cause, more, ...rest] = stderr.trimEnd().split('\n')
    expect(head).toBe('MR_SOURCE_FAILED: Expected `recv` to resolve, it rejected.')
    expect(cause).toBe('  caused by TypeError: first line')
    expect(more).toBe(String.raw`    second \u001b[31mline`)
    expect(rest.at(-1)).toBe("    caused by 'the root'")
    const frames = rest.slice(0, -1)
    expect(frames.length).toBeGreaterThan(0)
    for (const frame of frames) expect(frame).toMatch(/^ {6}at .*supervised\.mjs/)
  })

  test('when several reject, `null` too: each is printed (G7)', async () => {
    const { code, stderr } = await start('failsTwice').ended
    expect(code).toBe(1)
    expect(stderr).toContain('MR_SOURCE_FAILED: ')
    expect(stderr).toMatch(/^null$/mu)
  })

  test('when a drain ran out of time (G6)', async () => {
    const child = start('drainTimeout')
    await child.saw('one started')
    child.process.kill('SIGTERM')
    const { code, stderr } = await child.ended
    expect(code).toBe(1)
    expect(stderr).toContain('MR_DRAIN_TIMEOUT: 3 messages may come again.')
    expect(stderr).toContain('  caused by MR_ABORTED: Aborted, since the process received SIGTERM.')
  })

  test('when a runner throws instead of rejecting', async () => {
    await expect(start('throwsSynchronously').ended).resolves.toMatchObject({ code: 1 })
  })

  test('and `onError` is told instead of stderr', async () => {
    const { code, stdout, stderr } = await start('onError').ended
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    expect(stdout).toContain('told MR_SOURCE_FAILED\n')
  })

  test('and what was written to stdout before is all written', async () => {
    const { code, stdout } = await start('bigStdout').ended
    expect(code).toBe(1)
    expect(stdout.replaceAll(/[^x]/gu, '').length).toBe(5_000_000)
  })
})

describe('bad input', () => {
  const runner: Runner = { run: async () => {} }

  test.each<[string, unknown, unknown]>([
    ['no runners', [], undefined],
    ['a runner that is none', [runner, {}], undefined],
    ['null', null, undefined],
    ['a function', async () => {}, undefined],
    ['an unknown option', runner, { signls: [] }],
    ['signals that are none', runner, { signals: ['SIGFOO'] }],
    ['a signal that cannot be handled', runner, { signals: ['SIGKILL'] }],
    ['a signal instead of an array', runner, { signals: 'SIGTERM' }],
    ['an AbortController', runner, { signal: new AbortController() }],
    ['an onError that is no function', runner, { onError: true }],
  ])('%s: MR_OPTION_INVALID, before anything runs', async (_, runners, options) => {
    await expect(run(runners as Runner, options as RunOptions)).rejects.toMatchObject({
      code: 'MR_OPTION_INVALID',
      message: expect.stringMatching(/^Expected .+, got .+\. .+/su) as string,
    })
    expect(process.listenerCount('SIGTERM')).toBe(0)
  })

  test('an `onError` that throws: MR_LISTENER_FAILED, once all runners have ended', async () => {
    let drained = false
    const slow: Runner = {
      run: (signal) =>
        new Promise((resolve) => {
          signal?.addEventListener('abort', () => {
            drained = true
            setTimeout(resolve, 10)
          })
        }),
    }
    const failing: Runner = { run: () => Promise.reject(new Error('broken')) }
    const before = process.exitCode
    const listenerError = new Error('listener')
    try {
      await expect(
        run([slow, failing], {
          onError: () => {
            throw listenerError
          },
        }),
      ).rejects.toMatchObject({ code: 'MR_LISTENER_FAILED', cause: listenerError })
      expect(drained).toBe(true)
    } finally {
      process.exitCode = before
    }
  })
})
