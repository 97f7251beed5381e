import { describe, expect, test } from 'vitest'
import { randomFrom } from '../../helpers/scripted-ends.ts'
import { lineSet, outputsOf, threadCounts } from './support.ts'

const handler = new URL('../../fixtures/guarantees/apache.mjs', import.meta.url)
const { parse } = (await import(handler.href)) as { parse: (line: string) => object | undefined }

function generatedLines(): string[] {
  const random = randomFrom(5)
  const below = (bound: number): number => Math.floor(random() * bound)
  return Array.from({ length: 10_000 }, (_, index) => {
    if (random() < 0.01) return `sshd[${index}]: no line of this format`
    const host = [below(256), below(256), below(256), below(256)].join('.')
    const request = `GET /page/${below(500)}.html?q=${'é'.repeat(below(5))} HTTP/1.1`
    const time = `${10 + below(20)}/May/2015:10:05:${10 + below(50)} +0000`
    return `${host} - - [${time}] "${request}" ${200 + below(300)} ${below(90_000)} "-" "Agent \\"${below(9)}\\" (X11)"`
  })
}

const sets = ['apache/apache_logs_10k.log', 'apache/auth.log'].map((path) => lineSet(path, generatedLines))

describe.each(sets)('$name', ({ texts, source }) => {
  const expected = texts
    .map(parse)
    .flatMap((entry) => (entry === undefined ? [] : [Buffer.from(JSON.stringify(entry))]))

  test.each(threadCounts)('G3, G10: the same bytes with threads: %i, filters between', async (threads) => {
    const { outputs, summary } = await outputsOf(source(), handler, threads)
    expect(summary).toMatchObject({ received: texts.length, acked: texts.length })
    expect(summary).toMatchObject({ delivered: expected.length, filtered: texts.length - expected.length })
    expect(Buffer.concat(outputs).equals(Buffer.concat(expected))).toBe(true)
  })
})
