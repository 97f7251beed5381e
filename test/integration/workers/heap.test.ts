import { expect, test } from 'vitest'
import { startNode } from '../../helpers/child.ts'
import { ids } from '../../helpers/pipeline.ts'

const script = new URL('../../fixtures/handlers/heap-run.mjs', import.meta.url)
const offender = '17'

test.concurrent.each(['pushed numbers', 'strings', 'objects', 'big arrays'])(
  'G1, G5: a heap filled with %s costs only its own message, or ends the process with nothing lost',
  async (shape) => {
    const { code, stdout, stderr } = await startNode(script, [shape]).ended
    const lines = stdout.trimEnd().split('\n')
    const told = (what: string): string[] =>
      lines.filter((line) => line.startsWith(`${what} `)).map((line) => line.slice(what.length + 1))

    // G1, however it ended: what was acked was flushed or buried before.
    for (const id of told('acked')) {
      const end = lines.findIndex((line) => line === `flushed ${id}` || line === `buried ${id}`)
      expect(end, `message ${id}`).toBeGreaterThanOrEqual(0)
      expect(end).toBeLessThan(lines.indexOf(`acked ${id}`))
    }
    if (code !== 0) {
      // Best effort: V8 may end the process instead of the thread.
      expect(stderr).toMatch(/heap out of memory|heap limit|Fatal process|OOM/iu)
      expect(told('acked')).not.toContain(offender)
      return
    }
    expect(told('restart')).toEqual(Array.from({ length: 3 }, () => 'MR_WORKER_OUT_OF_MEMORY'))
    expect(told('buried')).toEqual([offender])
    expect(told('flushed')).toEqual(ids(40).filter((id) => id !== offender))
    expect(told('acked')).toEqual(ids(40))
  },
)
