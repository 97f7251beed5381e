import { BatchError, batch, type DeadLetter, memoryDestination, Processor, type ProcessorEvent, route } from 'millrace'
import { describe, expect, test } from 'vitest'
import { expectCode } from '../../helpers/collect.ts'
import { type Item, ScriptedSource } from '../../helpers/scripted-ends.ts'

const codecs = new URL('../../fixtures/guarantees/codecs.mjs', import.meta.url)
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

interface Failing {
  /** The second of three messages. */
  readonly item: Item<unknown>
  readonly attempts: number
  readonly code: string
  readonly outputs?: readonly number[]
  /** Outputs of all three that are flushed. */
  readonly emitted: number
}

/** One message that fails at each stage; the first and the third are well. */
const stages: Record<DeadLetter['stage'], Failing> = {
  size: { item: { value: new Uint8Array(2_000) }, attempts: 0, code: 'MR_MESSAGE_TOO_LARGE', emitted: 6 },
  deliveries: { item: { value: bytesOf({}), redelivered: 5 }, attempts: 0, code: 'MR_DELIVERIES_EXCEEDED', emitted: 6 },
  decode: { item: { value: new Uint8Array([123]) }, attempts: 2, code: 'MR_DECODE', emitted: 6 },
  handle: { item: { value: bytesOf({ fails: 'handle' }) }, attempts: 2, code: 'MR_HANDLER_THREW', emitted: 6 },
  encode: { item: { value: bytesOf({ fails: 'encode' }) }, attempts: 2, code: 'MR_ENCODE', emitted: 6 },
  route: {
    item: { value: bytesOf({}), topic: 'nowhere' },
    attempts: 1,
    code: 'MR_ROUTE_UNMATCHED',
    outputs: [0, 1, 2],
    emitted: 6,
  },
  flush: { item: { value: bytesOf({}), topic: 'partly' }, attempts: 1, code: 'E_COLUMN', outputs: [0, 2], emitted: 7 },
}

/** Gives up the first and the third output of a message of the topic `partly`; no branch takes the topic `nowhere`. */
function destinationOf() {
  const table = batch<Uint8Array>(
    async (messages) => {
      const error = new BatchError('some columns')
      messages.forEach(({ topic, id }, index) => {
        const isBad = topic === 'partly' && id?.endsWith('#1') !== true
        if (isBad) error.failed(index, Object.assign(new TypeError('no column'), { code: 'E_COLUMN' }))
      })
      if (error.failures.size > 0) throw error
    },
    { count: 4, retry: { attempts: 2, backoffMs: 1 } },
  )
  return route<Uint8Array, 'table'>(({ topic }) => (topic === 'nowhere' ? undefined : 'table'), { table })
}

describe.each(Object.keys(stages) as DeadLetter['stage'][])(
  "the policy for a message that fails at the stage '%s'",
  (stage) => {
    const { item, attempts, code, outputs, emitted } = stages[stage]
    const good = { value: bytesOf({}) }
    const run = (then: 'stop' | 'deadLetter' | 'nack' | 'drop') => {
      const source = new ScriptedSource<unknown>([good, { headers: { a: 'b' }, key: 'k', ...item }, good], {
        ackMode: 'individual',
      })
      const deadLetter = memoryDestination<DeadLetter>()
      const events: ProcessorEvent[] = []
      const running = new Processor<unknown, Uint8Array>({
        source,
        handler: codecs,
        destination: destinationOf(),
        deadLetter,
        maxMessageBytes: 1_000,
        onError: { attempts: 2, backoffMs: 1, maxDeliveries: 5, then },
        threads: then === 'deadLetter' ? 1 : 0,
        onEvent: (event) => void events.push(event),
      }).run()
      return { source, deadLetter, events, running }
    }

    test("G1: 'deadLetter' writes it as it was received, and acks it", async () => {
      const { source, deadLetter, events, running } = run('deadLetter')
      expect(await running).toMatchObject({ acked: 3, delivered: 2, deadLettered: 1, emitted })
      expect(source.journal.ids('ack')).toEqual(['m0', 'm1', 'm2'])
      const topic = item.topic ?? 'scripted'
      const error = {
        name: expect.any(String) as string,
        message: expect.any(String) as string,
        code: expect.any(String) as string,
      }
      const letter = deadLetter.values[0]
      expect(letter).toMatchObject({ id: 'm1', key: 'k', topic, headers: { a: 'b' }, stage, attempts, error })
      expect(letter?.value).toEqual(item.value)
      expect(letter?.outputs).toEqual(outputs)
      expect(Math.abs(Date.parse(letter?.time ?? '') - Date.now())).toBeLessThan(60_000)
      expect(letter?.time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/)
      expect(deadLetter.messages[0]).toMatchObject({ id: 'm1', key: 'k', topic, headers: { a: 'b' } })
      const told = events.find((event) => event.type === 'deadLetter')
      expect(told).toMatchObject({ id: 'm1', stage })
      const own = (told?.error as { code?: string } | undefined)?.code
      expect([own, letter?.error.code]).toContain(code)
    })

    test("G1, G9: 'drop' acks it, counted", async () => {
      const { source, events, running } = run('drop')
      expect(await running).toMatchObject({ acked: 3, delivered: 2, dropped: 1, emitted })
      expect(source.journal.ids('ack')).toEqual(['m0', 'm1', 'm2'])
      expect(events.filter((event) => event.type === 'drop')).toMatchObject([{ id: 'm1', stage }])
    })

    test("G2: 'nack' gives it back to the source, in order", async () => {
      const { source, events, running } = run('nack')
      expect(await running).toMatchObject({ acked: 2, nacked: 1, delivered: 2, emitted })
      expect(source.journal.ids('nack')).toEqual(['m1'])
      expect(source.journal.at('nack', 'm1')).toBe(source.journal.at('ack', 'm2') - 1)
      expect(events.filter((event) => event.type === 'nack')).toMatchObject([{ id: 'm1', stage }])
    })

    test("G7: 'stop' ends the run with the message unacked", async () => {
      const { source, deadLetter, running } = run('stop')
      const error = await expectCode(
        running,
        'MR_MESSAGE_FAILED',
        new RegExp(`Message m1 failed at the stage '${stage}'`),
      )
      expect(error.cause).toBeInstanceOf(Error)
      expect(error.summary).toMatchObject({ nacked: 0, dropped: 0, deadLettered: 0 })
      expect(source.journal.ids('ack')).toEqual(['m0'].slice(0, source.journal.ids('ack').length))
      expect(deadLetter.messages).toEqual([])
    })
  },
)
