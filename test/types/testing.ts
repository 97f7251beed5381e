import { iterable, memoryDestination, type Message } from 'millrace'
import { defineHandler, json, pipe, type HandlerDefinition } from 'millrace/handler'
import { destinationChecks, exitsInWorker, handleMessages, sourceChecks, type HandlerResult } from 'millrace/testing'
import { sameType } from './expect-type.ts'

const plain = defineHandler({ handle: (message: Message<number>) => [{ value: `${message.value}` }] })
const withOptions = defineHandler({
  input: json<number>(),
  setup: (options: { readonly base: number }) => options.base,
  handle: ({ value }, { state }) => [{ value: value + state }],
})

// Inputs, outputs and options of a handler under test are those of the handler.
const results = await handleMessages(plain, [{ value: 1 }, { value: 2, key: 'a' }])
sameType<typeof results, readonly HandlerResult<string>[]>(true)
const bytes = await handleMessages(withOptions, [{ value: Buffer.from('1') }], { options: { base: 1 } })
sameType<typeof bytes, readonly HandlerResult<number>[]>(true)
const functions = await handleMessages(async ({ value }: Message<number>) => [{ value: value > 0 }], [{ value: 1 }])
sameType<typeof functions, readonly HandlerResult<boolean>[]>(true)
// @ts-expect-error the handler takes numbers
await handleMessages(plain, [{ value: '1' }])
// @ts-expect-error the codec takes bytes
await handleMessages(withOptions, [{ value: 1 }], { options: { base: 1 } })
// @ts-expect-error a value is missing
await handleMessages(plain, [{ key: 'a' }])
// @ts-expect-error options are missing
await handleMessages(withOptions, [{ value: Buffer.from('1') }])
// @ts-expect-error wrong options
await handleMessages(withOptions, [{ value: Buffer.from('1') }], { options: { base: '1' } })

// A fault keeps the types of what it is wrapped around.
const faulty = exitsInWorker(withOptions, { worker: 1, after: 10 })
sameType<typeof faulty, HandlerDefinition<Uint8Array, number, { readonly base: number }>>(true)
const faultyPipe = exitsInWorker(pipe<string>, { worker: 1, after: 10 })
sameType<typeof faultyPipe, HandlerDefinition<string, string>>(true)
// @ts-expect-error no handler
exitsInWorker((text: string) => text.length, { worker: 1, after: 10 })

// The kits take ends of bytes as they are, and others with a conversion.
sourceChecks({ create: (values) => iterable(values) })
sourceChecks({
  create: (values) => iterable(values.map((value) => ({ value }))),
  toBytes: ({ value }) => value,
})
const destination = memoryDestination<Uint8Array>()
destinationChecks({ create: () => destination, received: () => destination.values })
const texts = memoryDestination<string>()
destinationChecks<string>({
  create: () => texts,
  received: () => texts.values.map((value) => Buffer.from(value)),
  toValue: (value) => Buffer.from(value).toString(),
})
// @ts-expect-error `received` is missing
destinationChecks({ create: () => destination })
