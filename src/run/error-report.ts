import { describe, MillraceError } from '../errors.ts'

/** Enough to find the place in the user's code, few enough to keep the message in sight. */
const frames = 4

/**
 * An error as `run` prints it: its code and message, then its causes, indented, each once. A MillraceError says by itself
 * what went wrong, so stack frames are shown only for what lies beneath it.
 */
export function errorReport(error: unknown): string {
  const lines: string[] = []
  const seen = new Set<unknown>()
  const add = (thrown: unknown, indent: string, prefix: string): void => {
    if (seen.has(thrown)) return
    seen.add(thrown)
    lines.push(indent + prefix + headline(thrown).replaceAll('\n', `\n${indent}  `))
    lines.push(...stackFrames(thrown).map((frame) => `${indent}    ${frame}`))
    for (const cause of causesOf(thrown)) add(cause, `${indent}  `, 'caused by ')
  }
  add(error, '', '')
  return `${printable(lines.join('\n'))}\n`
}

function causesOf(thrown: unknown): readonly unknown[] {
  if (!(thrown instanceof Error)) return []
  const several: readonly unknown[] = thrown instanceof AggregateError ? thrown.errors : []
  return thrown.cause === undefined ? several : [...several, thrown.cause]
}

function headline(thrown: unknown): string {
  if (!(thrown instanceof Error)) return describe(thrown)
  if (thrown instanceof MillraceError) return `${thrown.code}: ${thrown.message}`
  const { code } = thrown as { code?: unknown }
  const shown = typeof code === 'string' && !thrown.message.includes(code) ? ` [${code}]` : ''
  return thrown.message === '' ? `${thrown.name}${shown}` : `${thrown.name}${shown}: ${thrown.message}`
}

function stackFrames(thrown: unknown): readonly string[] {
  if (!(thrown instanceof Error) || thrown instanceof MillraceError || typeof thrown.stack !== 'string') return []
  const lines = thrown.stack.split('\n').map((line) => line.trim())
  return lines.filter((line) => line.startsWith('at ') && !line.includes('node:')).slice(0, frames)
}

/** Messages may quote event data, and no event may control the terminal. */
function printable(text: string): string {
  return text.replaceAll(
    /[^\P{Cc}\n\t]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
