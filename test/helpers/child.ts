import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** How a child process ended, and what it wrote. */
export interface ChildResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A running child process whose output can be waited for. */
export interface Child {
  readonly process: ChildProcess
  readonly ended: Promise<ChildResult>
  /** Resolves once stdout holds the text; rejects when the child ends without it. */
  saw(text: string): Promise<void>
}

/** Starts a script with this Node; a URL is relative to nothing. */
export function startNode(script: URL, args: readonly string[] = [], execArgv: readonly string[] = []): Child {
  const child = spawn(process.execPath, [...execArgv, fileURLToPath(script), ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  const stdout = (): string => Buffer.concat(out).toString()
  const stderr = (): string => Buffer.concat(err).toString()
  const ended = once(child, 'close').then(() => ({
    code: child.exitCode,
    signal: child.signalCode,
    stdout: stdout(),
    stderr: stderr(),
  }))
  const saw = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (stdout().includes(text)) resolve()
      }
      look()
      child.stdout.on('data', look)
      child.once('close', () => reject(new Error(`The child ended without '${text}': ${stdout()}${stderr()}`)))
    })
  return { process: child, ended, saw }
}
