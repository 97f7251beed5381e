import { memoryDestination, memorySource, MillraceError, Processor, tee } from 'millrace'
import { pipe } from 'millrace/handler'
import { describe, expect, test } from 'vitest'
import { expectCode } from '../../helpers/collect.ts'
import { obey } from '../../helpers/order.ts'

/** Options that are complete, but for what the test breaks. */
function options(broken: object = {}): ConstructorParameters<typeof Processor<unknown, unknown>>[0] {
  const source = memorySource<unknown>()
  source.end()
  return { source, handler: pipe, destination: memoryDestination<unknown>(), threads: 0, ...broken }
}

const make = (broken: object) => () => new Processor(options(broken))

describe('G7: a bad option is refused by name, with what came and what to do', () => {
  test.each<[object, RegExp]>([
    [{ source: undefined }, /`source` to be an object with a `recv` function, got undefined/],
    [{ source: {} }, /`source` to be an object with a `recv` function/],
    [{ destination: null }, /`destination` to be an object with a `send` function, got null/],
    [{ destination: { send: 1 } }, /`destination` to be an object with a `send` function/],
    [{ deadLetter: 'dead.ndjson' }, /`deadLetter` to be an object with a `send` function, got 'dead.ndjson'/],
    [{ handler: undefined }, /`handler` to be a handlerModule\(\), a URL, a handler or a definition, got undefined/],
    [{ handler: './handler.js' }, /`handler` to be a handlerModule\(\), a URL/],
    [{ handler: () => [], threads: 1 }, /`handler` to be a module, since a function cannot cross to 1 worker threads/],
    [{ handler: { module: './a.js' } }, /`handler.module` to be a URL, got '.\/a.js'/],
    [{ handler: new URL('https://example.com/a.js') }, /`handler.module` to be a file: URL/],
    [{ handler: { module: obey, options: { f() {} } } }, /options to be plain data that can be copied to a worker/],
    [{ handler: { module: obey, export: '' } }, /`handler.export` to be a string that is not empty/],
    [{ threads: -1 }, /`threads` to be a whole number from 0 to 1024, got -1/],
    [{ threads: 1.5 }, /`threads` to be a whole number/],
    [{ threads: '2' }, /`threads` to be a whole number from 0 to 1024, got '2' \(string\)/],
    [{ ordering: 'lane' }, /`ordering` to be one of 'source', 'key', 'none', got 'lane'/],
    [{ maxInFlight: 0 }, /`maxInFlight` to be a whole number from 1/],
    [{ maxInFlight: Infinity }, /`maxInFlight`/],
    [{ maxInFlightBytes: 0 }, /`maxInFlightBytes`/],
    [{ maxMessageBytes: NaN }, /`maxMessageBytes`/],
    [{ maxOutputs: 0 }, /`maxOutputs`/],
    [{ handlerConcurrency: 0 }, /`handlerConcurrency`/],
    [{ handlerTimeoutMs: 2 ** 31 }, /`handlerTimeoutMs`/],
    [{ drainTimeoutMs: -1 }, /`drainTimeoutMs`/],
    [{ onEvent: true }, /`onEvent` to be a function, got true/],
    [{ onError: 'drop' }, /`onError` to be an object of options, got 'drop'/],
    [{ onError: { then: 'retry' } }, /`onError.then` to be one of 'stop', 'deadLetter', 'nack', 'drop', got 'retry'/],
    [{ onError: { then: 'deadLetter' } }, /Set the option deadLetter to a destination/],
    [{ onError: { attempts: 0 } }, /`onError.attempts`/],
    [{ onError: { attempts: Infinity } }, /`onError.attempts`/],
    [{ onError: { backoffMs: -1 } }, /`onError.backoffMs`/],
    [{ onError: { maxDeliveries: 0 } }, /`onError.maxDeliveries`/],
    [{ onError: { retries: 3 } }, /got `retries`. Remove it or correct its name/],
    [{ worker: [] }, /`worker` to be an object of options/],
    [{ worker: { setupTimeoutMs: 0 } }, /`worker.setupTimeoutMs`/],
    [{ worker: { execArgv: '--import tsx' } }, /`worker.execArgv` to be an array of strings, got '--import tsx'/],
    [{ worker: { env: { A: 1 } } }, /`worker.env` to be an object of strings/],
    [{ worker: { env: 'A=1' } }, /`worker.env` to be an object of strings, got 'A=1'/],
    [
      { worker: { resourceLimits: { maxOldGenerationSizeMb: '64' } } },
      /`worker.resourceLimits.maxOldGenerationSizeMb`/,
    ],
    [{ worker: { resourceLimits: { heap: 64 } } }, /got `heap`/],
    [{ maxInflight: 5 }, /the options of `new Processor` .* got `maxInflight`/],
  ])('%o', async (broken, message) => {
    await expectCode(make(broken), 'MR_OPTION_INVALID', message)
  })

  test('and so is what is not there yet', async () => {
    await expectCode(make({ ordering: 'key' }), 'MR_NOT_SUPPORTED', /ordering: 'key' is not there yet. Use 'source'/)
    const processor = new Processor(options())
    await expectCode(processor.scale(2), 'MR_NOT_SUPPORTED', /scale\(2\) is not there yet/)
    await processor.run()
  })

  test('and so is a module that is not there', async () => {
    const handler = new URL('./nowhere.mjs', import.meta.url)
    await expectCode(make({ handler, threads: 1 }), 'MR_HANDLER_NOT_FOUND', /nowhere.mjs, but there is no such file/)
  })

  test('ends of refused options may still be used', async () => {
    const complete = options()
    expect(() => new Processor({ ...complete, threads: -1 })).toThrow(MillraceError)
    expect(await new Processor(complete).run()).toMatchObject({ received: 0 })
  })

  test('a polluted prototype holds no option', async () => {
    const polluted: Record<string, unknown> = Object.prototype as never
    polluted['export'] = 'nothing'
    polluted['maxInFlight'] = -1
    try {
      expect(make({ handler: { module: obey } })).not.toThrow()
    } finally {
      delete polluted['export']
      delete polluted['maxInFlight']
    }
  })
})

describe('G7: misuse has a code', () => {
  test('a second run, during the first one and after it', async () => {
    const processor = new Processor(options())
    const first = processor.run()
    await expectCode(processor.run(), 'MR_ALREADY_RUN', /run\(\) to be called once/)
    expect(await first).toMatchObject({ received: 0 })
    await expectCode(processor.run(), 'MR_ALREADY_RUN', /Make a new one/)
  })

  test.each(['source', 'destination', 'deadLetter'] as const)('the same %s in two processors', async (end) => {
    const shared = { ...options(), deadLetter: memoryDestination<unknown>() }
    const first = new Processor(shared)
    const name = end === 'deadLetter' ? 'dead-letter destination' : end
    const message = new RegExp(`a ${name} of this processor's own, got one that another processor has`)
    await expectCode(make({ [end]: shared[end] }), 'MR_END_IN_USE', message)
    expect(await first.run()).toMatchObject({ received: 0 })
    await expectCode(make({ [end]: shared[end] }), 'MR_END_IN_USE', message)
  })

  test('one end in two places of a processor', async () => {
    const both = memoryDestination<unknown>()
    const message = /got one that has another place in it. Make one for each place/
    await expectCode(make({ destination: both, deadLetter: both }), 'MR_END_IN_USE', message)
    const end = { ...memorySource<unknown>(), ...memoryDestination<unknown>(), recv: async () => undefined, send() {} }
    await expectCode(make({ source: end, destination: end }), 'MR_END_IN_USE', message)
    const branch = memoryDestination<unknown>()
    await expectCode(() => tee(branch, branch), 'MR_END_IN_USE', /./)
  })
})
