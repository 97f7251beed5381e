import { beforeAll, expect, test } from 'vitest'
import { errorCodes } from 'millrace'
import { withoutComments } from '../helpers/imports.ts'
import { filesBelow, readText } from '../helpers/project.ts'

let page: string
let code: string

beforeAll(async () => {
  page = await readText('docs/errors.md')
  const paths = [...(await filesBelow('src', '.ts')), ...(await filesBelow('workers', '.ts'))]
  const sources = paths
    .filter((path) => path !== 'src/errors.ts')
    .map(async (path) => withoutComments(await readText(path)))
  code = (await Promise.all(sources)).join('\n')
})

test('every code is documented, every documented code exists, each once', () => {
  const documented = [...page.matchAll(/^### (.+)$/gmu)].map(([, heading = '']) => heading)
  expect(documented.toSorted()).toEqual([...errorCodes].sort())
})

test('every code is listed once, and used', () => {
  expect(new Set(errorCodes).size).toBe(errorCodes.length)
  expect(errorCodes.filter((name) => !code.includes(`'${name}'`))).toEqual([])
})

test('every code that is used is listed', () => {
  const used = new Set([...code.matchAll(/'(MR_[A-Z_]+)'/gu)].map(([, name = '']) => name))
  expect([...used].filter((name) => !(errorCodes as readonly string[]).includes(name))).toEqual([])
})

test('every section says when, what is kept, and what to do', () => {
  const sections = page.split(/^### /mu).slice(1)
  const incomplete = sections.filter(
    (section) => !/- \*\*When\*\*: [\s\S]+- \*\*Kept\*\*: [\s\S]+- \*\*Do\*\*: /u.test(section),
  )
  expect(incomplete.map((section) => section.split('\n')[0])).toEqual([])
})

test('what a page or a comment says of a code is of one that exists', async () => {
  const paths = ['README.md', ...(await filesBelow('docs', '.md')), ...(await filesBelow('src', '.ts'))]
  const mentions = await Promise.all(
    paths.map(async (path) =>
      [...(await readText(path)).matchAll(/\bMR_[A-Z_]+\b/gu)].map(([name]) => ({ path, name })),
    ),
  )
  const unknown = mentions.flat().filter(({ name }) => !(errorCodes as readonly string[]).includes(name))
  expect(unknown).toEqual([])
})
