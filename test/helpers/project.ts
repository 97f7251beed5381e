import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's directory. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url))

/** The paths of all files below a directory, relative to the project's, with this ending. */
export async function filesBelow(directory: string, ending: string): Promise<readonly string[]> {
  const entries = await readdir(join(root, directory), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort()
}

/** A file of the project. */
export function readText(path: string): Promise<string> {
  return readFile(join(root, path), 'utf8')
}

/** A fresh directory within the project, so that `millrace` is found by its name from there. */
export async function scratchDirectory(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  await mkdir(join(root, 'out'), { recursive: true })
  const path = await mkdtemp(join(root, 'out', 'test-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/**
 * What the compiler says of these files, by the project's own settings; '' when nothing. The package is seen as its users
 * see it: by name, from dist. Given `outDir`, a path in the scratch directory, JavaScript is written there.
 */
export async function compilerOutput(scratch: string, include: readonly string[], outDir?: string): Promise<string> {
  const config = join(scratch, 'tsconfig.json')
  const compilerOptions = {
    rootDir: root,
    outDir: outDir ?? join(scratch, 'js'),
    noEmit: outDir === undefined,
    // An example may name what it does not use, and is written in its reader's TypeScript.
    noUnusedLocals: false,
    noUnusedParameters: false,
    erasableSyntaxOnly: false,
  }
  await writeFile(
    config,
    JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include, exclude: [] }),
  )
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [compiler, '-p', config, '--pretty', 'false'],
      { cwd: root },
      (error, stdout, stderr) => {
        if (error !== null && stdout === '') reject(new Error(`tsc failed: ${stderr}`, { cause: error }))
        else resolve(stdout)
      },
    )
  })
}
