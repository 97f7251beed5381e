import {
  batch,
  destinationFrom,
  handlerModule,
  iterable,
  lines,
  mapSource,
  memoryDestination,
  printer,
  Processor,
  route,
  run,
  sourceFrom,
  tee,
  type DeadLetter,
  type Destination,
  type Message,
  type Source,
  type Summary,
} from 'millrace'
import { defineHandler, json, pipe } from 'millrace/handler'
import { sameType } from './expect-type.ts'
import type { Folk, Greeting } from './fixtures/handlers.ts'

type Handlers = typeof import('./fixtures/handlers.ts')
const url = new URL('./fixtures/handlers.ts', import.meta.url)
declare const folks: Source<Folk>
declare const strings: Source<string>
declare const bytes: Source<Uint8Array>
declare const unknowns: Source<unknown>
declare const toGreetings: Destination<Greeting>
declare const toNumbers: Destination<number>
declare const toBytes: Destination<Uint8Array>
declare const toUnknown: Destination<unknown>
const greets = handlerModule<Handlers, 'plain'>(url, undefined, 'plain')
const decodes = handlerModule<Handlers, 'decodes'>(url, undefined, 'decodes')

// The example of the talk: nothing is annotated but the module.
const greeting = new Processor({
  source: lines('folks.ndjson'),
  handler: handlerModule<typeof import('./fixtures/greet.ts')>(new URL('./fixtures/greet.ts', import.meta.url)),
  destination: printer(),
})
sameType<Awaited<ReturnType<typeof greeting.run>>, Summary>(true)
await run(greeting)
await run([greeting, { run: async (signal) => signal?.throwIfAborted() }])

// Ends that fit.
void new Processor({ source: folks, handler: greets, destination: toGreetings })
void new Processor({ source: bytes, handler: decodes, destination: toNumbers })
void new Processor({ source: strings, handler: pipe, destination: memoryDestination<string>() })
void new Processor({ source: folks, handler: url, destination: toGreetings })
declare const folksWithAge: Source<Folk & { readonly age: number }>
void new Processor({ source: folksWithAge, handler: greets, destination: toGreetings })
void new Processor({ source: folks, handler: greets, destination: toUnknown })

// Ends that do not.
// @ts-expect-error the source yields strings, the handler takes folks
void new Processor({ source: strings, handler: greets, destination: toGreetings })
// @ts-expect-error the source yields bytes, the handler has no input codec
void new Processor({ source: bytes, handler: greets, destination: toGreetings })
// @ts-expect-error the source yields folks, the handler has an input codec
void new Processor({ source: folks, handler: decodes, destination: toNumbers })
// @ts-expect-error the handler returns greetings, the destination takes numbers
void new Processor({ source: folks, handler: greets, destination: toNumbers })
// @ts-expect-error the handler returns numbers, the destination takes bytes
void new Processor({ source: bytes, handler: decodes, destination: toBytes })
// @ts-expect-error pipe passes strings on, the destination takes numbers
void new Processor({ source: strings, handler: pipe, destination: toNumbers })
// @ts-expect-error a source of unknown does not fit a typed handler
void new Processor({ source: unknowns, handler: greets, destination: toGreetings })
// @ts-expect-error a source of unknown does not fit a typed destination behind pipe
void new Processor({ source: unknowns, handler: pipe, destination: toGreetings })
void new Processor({
  source: bytes,
  // @ts-expect-error a handler that returns unknown does not fit a typed destination
  handler: defineHandler({ input: json<unknown>(), handle: ({ value }) => [{ value }] }),
  destination: toGreetings,
})
// @ts-expect-error a dead letter is no greeting
void new Processor({ source: folks, handler: greets, destination: toGreetings, deadLetter: toGreetings })
// @ts-expect-error a misspelt option
void new Processor({ source: folks, handler: greets, destination: toGreetings, thread: 2 })
// @ts-expect-error an ordering that is none
void new Processor({ source: folks, handler: greets, destination: toGreetings, ordering: 'sources' })
// @ts-expect-error a policy that is none
void new Processor({ source: folks, handler: greets, destination: toGreetings, onError: { attempts: 'many' } })

// Handlers on the main thread, typed by the source where they are not annotated.
void new Processor({
  source: folks,
  handler: (message) => {
    sameType<typeof message, Message<Folk>>(true)
    return [{ value: { greeting: message.value.name } }]
  },
  destination: toGreetings,
  threads: 0,
})
void new Processor({
  source: folks,
  handler: defineHandler({ handle: greetFolk }),
  destination: toGreetings,
  threads: 0,
})
// @ts-expect-error it returns numbers
void new Processor({ source: folks, handler: ({ value }) => [{ value: value.name.length }], destination: toGreetings })
// @ts-expect-error it filters with undefined
void new Processor({ source: folks, handler: () => undefined, destination: toGreetings, threads: 0 })
function greetFolk({ value }: Message<Folk>): readonly { readonly value: Greeting }[] {
  return [{ value: { greeting: value.name } }]
}

// Sources and destinations from functions, mapped, batched, routed and teed keep their types.
const mapped = mapSource(bytes, (message) => ({ ...message, value: message.value.byteLength }))
sameType<typeof mapped, Source<number>>(true)
const counted = sourceFrom(async () => ({ message: { key: '', topic: '', value: 1 }, ack() {} }))
sameType<typeof counted, Source<number>>(true)
const flushed = batch(async (messages: readonly Message<Folk>[]) => void messages.length)
sameType<typeof flushed, Destination<Folk>>(true)
const sent = destinationFrom<Folk>((messages, settlement) => settlement.ack(0, messages.length))
sameType<typeof sent, Destination<Folk>>(true)
const both = tee(toGreetings, toUnknown)
const routed = route(({ key }: Message<Greeting>) => (key === '' ? 'all' : 'greetings'), {
  greetings: toGreetings,
  all: toUnknown,
})
void new Processor({ source: folks, handler: greets, destination: both })
void new Processor({ source: folks, handler: greets, destination: routed })
void new Processor({ source: iterable([{ name: 'Ada' }]), handler: greets, destination: toGreetings })
// @ts-expect-error the items are no folks
void new Processor({ source: iterable([{ nmae: 'Ada' }]), handler: greets, destination: toGreetings })
// @ts-expect-error the mapped source yields numbers
void new Processor({ source: mapped, handler: greets, destination: toGreetings })
// @ts-expect-error one branch takes numbers
void new Processor({ source: folks, handler: greets, destination: tee(toGreetings, toNumbers) })

// A dead-letter destination, and the printer for it.
void new Processor({
  source: folks,
  handler: greets,
  destination: toGreetings,
  deadLetter: printer<DeadLetter>({ format: ({ value }) => value.error.message }),
})
