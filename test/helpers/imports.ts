import { posix } from 'node:path'

/** One import or re-export of a module. */
export interface Import {
  /** A package, `node:` module, or the path of a file of the project. */
  readonly target: string
  /** Gone after compilation. */
  readonly isType: boolean
  readonly isReExport: boolean
  /** Its clause, as written. */
  readonly clause: string
}

const declaration =
  /^(?:(?<kind>import|export)\s+(?<type>type\s+)?(?<clause>[^'"();=]*?)\s+from\s+|import\s+)'(?<target>[^']+)'/gmu
const dynamic = /\bimport\(\s*'(?<target>[^']+)'\s*\)/gu

/** The imports of a module; `path` is relative to the project. */
export function importsOf(path: string, source: string): readonly Import[] {
  const code = withoutComments(source)
  const resolve = (target: string): string =>
    target.startsWith('.') ? posix.join(posix.dirname(path), target) : target
  const found: Import[] = []
  for (const { groups = {} } of code.matchAll(declaration)) {
    const { kind, type, clause = '', target = '' } = groups
    found.push({ target: resolve(target), isType: type !== undefined, isReExport: kind === 'export', clause })
  }
  for (const { groups = {} } of code.matchAll(dynamic)) {
    const isType = new RegExp(String.raw`typeof import\('${groups['target'] ?? ''}'`, 'u').test(code)
    found.push({ target: resolve(groups['target'] ?? ''), isType, isReExport: false, clause: '' })
  }
  return found
}

/** The code alone. Strings that hold comment marks are beyond it; the sources have none. */
export function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\//gu, '').replaceAll(/(?<=^|[^:'"])\/\/.*$/gmu, '')
}
