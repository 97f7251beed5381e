import { constants } from 'node:fs'
import { type FileHandle, mkdir, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AppendFile, type AppendFileOptions, type AppendHandle } from '../../src/connectors/file/append-file.ts'
import { noAbort } from '../helpers/recording-settlement.ts'

let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-append-'))
  path = join(folder, 'out')
})

afterEach(() => rm(folder, { recursive: true }))

const options = (more: Partial<AppendFileOptions> = {}): AppendFileOptions => ({
  path,
  delimiter: Buffer.from('\n'),
  fsync: true,
  replace: false,
  ...more,
})

type Call = 'write' | 'truncate' | 'sync' | 'datasync' | 'close'

/** A real file whose calls are logged and fail on demand; a write first does part of its work. */
class FaultyFile {
  readonly calls: Call[] = []
  /** How the next calls of a kind fail; one entry each, `undefined` lets it pass. */
  readonly faults: Partial<Record<Call, (Error | undefined)[]>> = {}
  /** The most that one write takes. */
  maxWrite = Infinity

  readonly open = async (path: string): Promise<AppendHandle> => {
    const real = await open(path, constants.O_RDWR | constants.O_CREAT)
    const call = (name: Call): Error | undefined => {
      this.calls.push(name)
      return this.faults[name]?.shift()
    }
    const write = async (bytes: Uint8Array, offset: number, length: number, position: number): Promise<unknown> => {
      const fault = call('write')
      const part = fault === undefined ? Math.min(length, this.maxWrite) : Math.ceil(length / 2)
      const result = await real.write(bytes, offset, part, position)
      if (fault !== undefined) throw fault
      return result
    }
    const faulty =
      (name: Exclude<Call, 'write'>, act: (length?: number) => Promise<void>) =>
      async (length?: number): Promise<void> => {
        const fault = call(name)
        if (fault !== undefined) throw fault
        await act(length)
      }
    return {
      read: real.read.bind<FileHandle['read']>(real),
      stat: real.stat.bind<FileHandle['stat']>(real),
      write: write as unknown as FileHandle['write'],
      truncate: faulty('truncate', (length) => real.truncate(length)),
      sync: faulty('sync', () => real.sync()),
      datasync: faulty('datasync', () => real.datasync()),
      close: faulty('close', () => real.close()),
    }
  }
}

const bytes = (text: string): Uint8Array => Buffer.from(text)
const full = (): Error => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })

test('G1: an append ends only after the sync that covers it; without fsync there is none', async () => {
  const faulty = new FaultyFile()
  const file = new AppendFile(options(), faulty.open)
  await file.append(bytes('a\n'), noAbort)
  await file.append(bytes('b\n'), noAbort)
  expect(faulty.calls).toEqual(['sync', 'write', 'datasync', 'write', 'datasync'])
  await file.close()
  const careless = new FaultyFile()
  const other = new AppendFile(options({ fsync: false }), careless.open)
  await other.append(bytes('c\n'), noAbort)
  expect(careless.calls).toEqual(['write'])
  await other.close()
  expect(await readFile(path, 'utf8')).toBe('a\nb\nc\n')
})

test('goes on where a write took only part of the bytes', async () => {
  const faulty = new FaultyFile()
  faulty.maxWrite = 3
  const file = new AppendFile(options(), faulty.open)
  await file.append(bytes('0123456789\n'), noAbort)
  await file.append(bytes('ab\n'), noAbort)
  await file.close()
  expect(await readFile(path, 'utf8')).toBe('0123456789\nab\n')
  expect(faulty.calls.filter((call) => call === 'write')).toHaveLength(5)
})

test.each(['write', 'datasync'] as const)(
  'of an append that fails in %s nothing is left, and a retry writes all of it',
  async (call) => {
    const faulty = new FaultyFile()
    const file = new AppendFile(options(), faulty.open)
    await file.append(bytes('good\n'), noAbort)
    faulty.faults[call] = [full()]
    const error: unknown = await file.append(bytes('first\nsecond\n'), noAbort).catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'MR_FILE_FAILED', cause: { code: 'ENOSPC' } })
    expect((error as { retryable?: boolean }).retryable).toBeUndefined()
    expect(await readFile(path, 'utf8')).toBe('good\n')
    faulty.calls.length = 0
    await file.append(bytes('first\nsecond\n'), noAbort)
    expect(faulty.calls).toEqual(['write', 'datasync'])
    expect(await readFile(path, 'utf8')).toBe('good\nfirst\nsecond\n')
    await file.close()
  },
)

test('what could not be cut off at once is cut off before the next append, which fails while it cannot be', async () => {
  const faulty = new FaultyFile()
  const file = new AppendFile(options(), faulty.open)
  await file.append(bytes('good\n'), noAbort)
  faulty.faults.write = [full()]
  faulty.faults.truncate = [full(), full(), full()]
  await expect(file.append(bytes('long line\n'), noAbort)).rejects.toMatchObject({ code: 'MR_FILE_FAILED' })
  await expect(file.append(bytes('x\n'), noAbort)).rejects.toMatchObject({ code: 'MR_FILE_FAILED' })
  await file.append(bytes('x\n'), noAbort)
  expect(await readFile(path, 'utf8')).toBe('good\nx\n')
  await file.close()
})

test('any order of faults leaves exactly the appends that succeeded', async () => {
  const step = fc.record({
    text: fc.stringMatching(/^[ab]{0,5}$/),
    write: fc.boolean(),
    sync: fc.boolean(),
    cut: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), fc.integer({ min: 1, max: 4 }), async (steps, maxWrite) => {
      const faulty = new FaultyFile()
      faulty.maxWrite = maxWrite
      const file = new AppendFile(options({ replace: true }), faulty.open)
      await file.open()
      let expected = ''
      for (const { text, write, sync, cut } of steps) {
        faulty.faults.write = write ? [undefined, full()] : []
        faulty.faults.datasync = sync ? [full()] : []
        faulty.faults.truncate = cut ? [full()] : []
        await file.append(bytes(`${text}\n`), noAbort).then(
          () => (expected += `${text}\n`),
          () => {},
        )
      }
      faulty.faults.truncate = []
      faulty.faults.write = []
      faulty.faults.datasync = []
      await file.append(bytes('end\n'), noAbort)
      await file.close()
      expect(await readFile(path, 'utf8')).toBe(`${expected}end\n`)
    }),
    { numRuns: 40 },
  )
})

test('G1: a torn last line is cut off at the start, whatever the delimiter', async () => {
  const byte = fc.constantFrom(97, 98, 10)
  const delimiters = fc.uint8Array({ minLength: 1, maxLength: 3, min: 97, max: 98 })
  await fc.assert(
    fc.asyncProperty(fc.array(byte, { maxLength: 12 }), delimiters, async (content, delimiter) => {
      await writeFile(path, Uint8Array.from(content))
      const file = new AppendFile(options({ delimiter, fsync: false }))
      await file.append(bytes('new'), noAbort)
      await file.close()
      const before = Buffer.from(content).toString('latin1')
      const ending = Buffer.from(delimiter).toString('latin1')
      const at = before.lastIndexOf(ending)
      const kept = at === -1 ? '' : before.slice(0, at + ending.length)
      expect(await readFile(path, 'latin1')).toBe(`${kept}new`)
    }),
    { numRuns: 150 },
  )
})

test.each([65_535, 65_536, 65_537, 131_071, 131_073, 200_000])(
  'finds the last delimiter across blocks: a torn line of %i bytes',
  async (torn) => {
    await writeFile(path, `kept\r\n${'x'.repeat(torn)}`)
    const file = new AppendFile(options({ delimiter: Buffer.from('\r\n') }))
    await file.open()
    expect(await readFile(path, 'utf8')).toBe('kept\r\n')
    await file.close()
  },
)

test('replace empties the file, append keeps it', async () => {
  await writeFile(path, 'old\n')
  const kept = new AppendFile(options())
  await kept.open()
  await kept.close()
  expect(await readFile(path, 'utf8')).toBe('old\n')
  const emptied = new AppendFile(options({ replace: true }))
  await emptied.open()
  await emptied.close()
  expect((await stat(path)).size).toBe(0)
})

test('refuses a file that is being written here already, until that one is closed', async () => {
  const first = new AppendFile(options())
  const second = new AppendFile(options({ replace: true }))
  await first.append(bytes('a\n'), noAbort)
  await expect(second.open()).rejects.toMatchObject({ code: 'MR_FILE_FAILED', retryable: false })
  await second.close()
  expect(await readFile(path, 'utf8')).toBe('a\n')
  await expect(new AppendFile(options()).open()).rejects.toThrow(/another file destination/)
  await first.close()
  const third = new AppendFile(options())
  await third.open()
  await third.close()
})

test.each([
  ['grew', 'a\nb\n'],
  ['was truncated', ''],
])('never overwrites: the file %s behind its back', async (_, content) => {
  const file = new AppendFile(options())
  await file.append(bytes('a\n'), noAbort)
  await writeFile(path, content)
  await expect(file.append(bytes('c\n'), noAbort)).rejects.toMatchObject({
    code: 'MR_FILE_FAILED',
    message: expect.stringContaining('no other writer') as string,
    retryable: false,
  })
  expect(await readFile(path, 'utf8')).toBe(content)
  await file.close()
})

test('G7: what cannot be opened says why and is not retried', async () => {
  const missing = new AppendFile(options({ path: join(folder, 'no', 'out') }))
  const error = { code: 'MR_FILE_FAILED', retryable: false }
  await expect(missing.open()).rejects.toMatchObject({ ...error, message: /directory does not exist: create it/ })
  await expect(missing.append(bytes('a\n'), noAbort)).rejects.toMatchObject({ ...error, cause: { code: 'ENOENT' } })
  await missing.close()
  await mkdir(path)
  await expect(new AppendFile(options()).open()).rejects.toMatchObject(error)
  await expect(new AppendFile(options({ path: '/dev/null' })).open()).rejects.toMatchObject({
    ...error,
    message: /not a regular file/,
  })
  const faulty = new FaultyFile()
  faulty.faults.sync = [full()]
  const unsynced = new AppendFile(options({ path: join(folder, 'unsynced') }), faulty.open)
  await expect(unsynced.open()).rejects.toMatchObject(error)
  expect(faulty.calls).toEqual(['sync', 'close'])
})

test('an abort ends an append between writes and leaves nothing of it', async () => {
  const faulty = new FaultyFile()
  const file = new AppendFile(options(), faulty.open)
  await file.append(bytes('a\n'), noAbort)
  await expect(file.append(bytes('b\n'), AbortSignal.abort())).rejects.toMatchObject({ code: 'MR_FILE_FAILED' })
  expect(await readFile(path, 'utf8')).toBe('a\n')
  await file.close()
})

test('close before any use creates nothing, and nothing is written after it', async () => {
  const file = new AppendFile(options())
  await file.close()
  await expect(file.append(bytes('a\n'), noAbort)).rejects.toMatchObject({ code: 'MR_FILE_FAILED', retryable: false })
  await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
  const faulty = new FaultyFile()
  faulty.faults.close = [new Error('EIO')]
  const stuck = new AppendFile(options(), faulty.open)
  await stuck.open()
  await expect(stuck.close()).rejects.toMatchObject({ code: 'MR_FILE_FAILED' })
})
