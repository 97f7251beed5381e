import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { compilerOutput, root, scratchDirectory } from '../helpers/project.ts'

const typeTests = join(root, 'test/types')

async function scratch(): Promise<string> {
  const directory = await scratchDirectory()
  onTestFinished(() => directory.remove())
  return directory.path
}

test('the type tests compile against the built package', async () => {
  await expect(compilerOutput(await scratch(), [typeTests])).resolves.toBe('')
})

test('a type test that does not hold would be told', async () => {
  const path = await scratch()
  const source = [
    "import { handlerModule, type HandlerRef } from 'millrace'",
    `import { sameType } from '../../test/types/expect-type.ts'`,
    `const greet = handlerModule<typeof import('../../test/types/fixtures/greet.ts')>(new URL('file:///greet.js'))`,
    'sameType<typeof greet, HandlerRef<string, Uint8Array>>(true)',
    '// @ts-expect-error nothing is wrong here',
    'sameType<typeof greet, HandlerRef<Uint8Array, Uint8Array>>(true)',
  ]
  await writeFile(join(path, 'wrong.ts'), source.join('\n'))
  const output = await compilerOutput(path, [path])
  expect(output).toMatch(/wrong\.ts\(4,\d+\): error TS2345/u)
  expect(output).toMatch(/wrong\.ts\(5,\d+\): error TS2578/u)
  expect(
    output
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith(' ')),
  ).toHaveLength(2)
})
