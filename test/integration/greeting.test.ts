import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { startNode } from '../helpers/child.ts'

const example = new URL('../../examples/greeting/', import.meta.url)

const greetings = `Hello Alice!
こんにちは Hiroshi!
Hallo Juan!
¡Hola Nina!
你好 Ying!
Ciao Paolo!
Bonjour Léa!
Ciao Sofía!
Hello Fatou!
你好 Ewa!
こんにちは Benedict!
Bonjour Giselle!
`

test('the greeting example greets all whose language it knows, in their order (G3)', async () => {
  const { code, stdout, stderr } = await startNode(new URL('main.mjs', example)).ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toBe(greetings)
  const folks = (await readFile(new URL('folks.ndjson', example), 'utf8')).trimEnd().split('\n')
  expect(folks).toHaveLength(greetings.trimEnd().split('\n').length + 1)
})
