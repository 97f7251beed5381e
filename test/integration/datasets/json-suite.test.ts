import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { iterable } from 'millrace'
import { pipe } from 'millrace/handler'
import { expect, test } from 'vitest'
import { randomFrom } from '../../helpers/scripted-ends.ts'
import { dataSet, outputsOf, threadCounts } from './support.ts'

/** JSON texts, well-formed and not: invalid UTF-8, byte order marks, lone surrogates, no bytes at all. */
function generatedTexts(): Buffer[] {
  const random = randomFrom(6)
  const odd = ['', '\uFEFF{}', '"\\ud800"', '[1e9999]', '{"__proto__":1}', '\0', '['.repeat(5_000)].map((text) =>
    Buffer.from(text),
  )
  const bytes = Array.from({ length: 310 }, () =>
    Buffer.from(Array.from({ length: random() * 200 }, () => random() * 256)),
  )
  return [...odd, ...bytes]
}

const folder = dataSet('json_suite/test_parsing')
const texts =
  folder === undefined
    ? generatedTexts()
    : readdirSync(folder)
        .toSorted()
        .map((name) => readFileSync(join(folder, name)))
const title = folder === undefined ? 'generated texts, since json_suite is not there' : 'json_suite/test_parsing'

test.each(threadCounts)(`G10: texts of any bytes pass unchanged with threads: %i (${title})`, async (threads) => {
  const { outputs, summary } = await outputsOf(iterable<Uint8Array>(texts), pipe, threads)
  expect(summary).toMatchObject({ received: texts.length, delivered: texts.length })
  expect(texts.length).toBeGreaterThan(300)
  expect(outputs.map((output) => output.toString('base64'))).toEqual(texts.map((text) => text.toString('base64')))
})
