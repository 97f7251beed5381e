import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeBlocks, exampleBlocks, type CodeBlock } from '../helpers/code-blocks.ts'
import { compilerOutput, filesBelow, readText, root, scratchDirectory } from '../helpers/project.ts'

interface Page {
  readonly path: string
  readonly blocks: readonly CodeBlock[]
}

/** What the examples of comments refer to: the modules that a reader would have. */
const neighbours: Readonly<Record<string, string>> = {
  'greet.ts': "export { default } from '../../../test/types/fixtures/greet.ts'\n",
}

const pages = await Promise.all(['README.md', ...(await filesBelow('docs', '.md'))].map(readPage))
const comments = await Promise.all((await filesBelow('src', '.ts')).map(readComments))
let scratch: Awaited<ReturnType<typeof scratchDirectory>>

async function readPage(path: string): Promise<Page> {
  return { path, blocks: codeBlocks(await readText(path)) }
}

async function readComments(path: string): Promise<Page> {
  return { path, blocks: exampleBlocks(await readText(path)) }
}

/** Where the files of a page are written: a directory of its own. */
function directoryOf(path: string): string {
  return join(scratch.path, path.replaceAll(/[/.]/gu, '-'))
}

async function run(command: string, cwd: string): Promise<{ readonly output: string; readonly error: string }> {
  const [program = '', ...args] = command.split(' ')
  return new Promise((resolve) => {
    execFile(
      program === 'node' ? process.execPath : program,
      args,
      { cwd, timeout: 20_000 },
      (error, stdout, stderr) => {
        resolve({ output: stdout, error: error === null ? '' : `${error.message}\n${stderr}` })
      },
    )
  })
}

beforeAll(async () => {
  scratch = await scratchDirectory()
  await Promise.all(
    [...pages, ...comments].map(async ({ path, blocks }) => {
      const directory = directoryOf(path)
      await mkdir(directory, { recursive: true })
      const files = blocks.flatMap(({ language, file, text, line }) => {
        if (file !== undefined) return [[file, text] as const]
        return language === 'ts' ? [[`line-${line}.ts`, text] as const] : []
      })
      // A page's own file takes the neighbour's place: each name is written once.
      const written = new Map([...Object.entries(neighbours), ...files])
      await Promise.all(Array.from(written, ([name, text]) => writeFile(join(directory, name), text)))
    }),
  )
})
afterAll(() => scratch.remove())

describe('TypeScript blocks of pages and comments', () => {
  const blocks = [...pages, ...comments].flatMap(({ path, blocks }) =>
    blocks.filter(({ language }) => language === 'ts').map(({ line, file, text }) => ({ path, line, file, text })),
  )
  /** What a block declares is the reader's own, and is not there to be run. */
  const examples = blocks.filter(({ file, text }) => file === undefined && !/^declare /mu.test(text))

  test('all compile, each on its own', async () => {
    expect(blocks.length).toBeGreaterThan(20)
    await expect(compilerOutput(scratch.path, [scratch.path], join(scratch.path, 'js'))).resolves.toBe('')
  })

  test.each(examples)('$path, line $line runs to its end', async ({ path, line }) => {
    const directory = directoryOf(path)
    const compiled = join(scratch.path, 'js', relative(root, directory), `line-${line}.js`)
    await expect(run(`node ${compiled}`, directory)).resolves.toMatchObject({ error: '' })
  })
})

describe('every command of a page prints what the page says', () => {
  const sessions = pages.flatMap(({ path, blocks }) =>
    blocks
      .filter(({ language, text }) => language === 'console' && text.startsWith('$ node '))
      .map(({ line, text }) => ({ path, line, text })),
  )

  test('README.md has one', () => {
    expect(sessions.filter(({ path }) => path === 'README.md')).not.toEqual([])
  })

  test.each(sessions)('$path, line $line', async ({ path, text }) => {
    const [command = '', ...expected] = text.split('\n')
    const { output, error } = await run(command.replace('$ ', ''), directoryOf(path))
    expect(error).toBe('')
    expect(output).toBe(expected.join('\n'))
  })
})

describe('every other main file of a page runs', () => {
  const mains = pages.flatMap(({ path, blocks }) => {
    const commands = blocks.filter(({ language }) => language === 'console').map(({ text }) => text)
    return blocks
      .flatMap(({ file }) => (file === undefined ? [] : [{ path, file }]))
      .filter(({ file }) => /^main[^/]*\.m?js$/u.test(file) && !commands.some((text) => text.includes(file)))
  })

  test.each(mains)('$path, $file', async ({ path, file }) => {
    await expect(run(`node ${file}`, directoryOf(path))).resolves.toMatchObject({ error: '' })
  })

  test('and every JavaScript block that is no file is short enough to be an excerpt', () => {
    const long = pages.flatMap(({ path, blocks }) =>
      blocks
        .filter(({ language, file, text }) => language === 'js' && file === undefined && text.split('\n').length > 12)
        .map(({ line }) => `${path}:${line}`),
    )
    expect(long).toEqual([])
  })
})
