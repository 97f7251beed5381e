import { defineHandler, json, pipe, text, type Codec, type HandlerDefinition, type Message } from 'millrace/handler'
import { sameType } from './expect-type.ts'

interface Event {
  readonly name: string
}

// In, Out and Options are inferred.
const structured = defineHandler({ handle: (message: Message<Event>) => [{ value: message.value.name.length }] })
sameType<typeof structured, HandlerDefinition<Event, number>>(true)
const coded = defineHandler({ input: json<Event>(), output: text(), handle: ({ value }) => [{ value: value.name }] })
sameType<typeof coded, HandlerDefinition<Uint8Array, Uint8Array>>(true)
const filtering = defineHandler({
  input: json<Event>(),
  handle: ({ value }) => (value.name === '' ? [] : [{ value: value.name }]),
})
sameType<typeof filtering, HandlerDefinition<Uint8Array, string>>(true)

// The state is what `setup` returns, awaited; the options are what it takes.
const stateful = defineHandler({
  input: json<Event>(),
  output: text(),
  async setup(options: { readonly path: string }, { worker, signal }) {
    sameType<typeof worker, number>(true)
    sameType<typeof signal, AbortSignal>(true)
    return new Map([[options.path, worker]])
  },
  handle({ value }, { state, signal, attempt }) {
    sameType<typeof value, Event>(true)
    sameType<typeof state, Map<string, number>>(true)
    sameType<typeof signal, AbortSignal>(true)
    sameType<typeof attempt, number>(true)
    return [{ value: value.name, headers: { size: `${state.size}` } }]
  },
  teardown: (state) => sameType<typeof state, Map<string, number>>(true),
})
sameType<typeof stateful, HandlerDefinition<Uint8Array, Uint8Array, { readonly path: string }>>(true)
defineHandler({
  handle: (message: Message<Event>, { state }) => {
    sameType<typeof state, undefined>(true)
    return [{ value: message.value }]
  },
})

// What a handler must not return.
// @ts-expect-error undefined is an error, never a filter
defineHandler({ handle: (_message: Message<Event>) => undefined })
// @ts-expect-error a message is not an array of outputs
defineHandler({ handle: (message: Message<Event>) => ({ value: message.value }) })
// @ts-expect-error values are wrapped in outputs
defineHandler({ handle: (message: Message<Event>) => [message.value.name] })
// @ts-expect-error a promise of nothing
defineHandler({ handle: async (_message: Message<Event>) => {} })
// @ts-expect-error keys are strings
defineHandler({ handle: (message: Message<Event>) => [{ value: message.value, key: 1 }] })
// @ts-expect-error headers are strings
defineHandler({ handle: (message: Message<Event>) => [{ value: message.value, headers: { size: 1 } }] })

// What the codecs do not fit.
// @ts-expect-error the output codec takes strings
defineHandler({ input: json<Event>(), output: text(), handle: ({ value }) => [{ value: value.name.length }] })
// @ts-expect-error the input codec yields strings
defineHandler({ input: text(), handle: (message: Message<Event>) => [{ value: message.value.name }] })
// @ts-expect-error a codec has both directions
defineHandler({ input: { decode: () => '' }, handle: ({ value }) => [{ value }] })
// @ts-expect-error a decoder of unknown must say what it yields before a field is read
defineHandler({ input: json(), handle: ({ value }) => [{ value: value.name }] })
// @ts-expect-error state that no setup made
defineHandler({ handle: (message: Message<Event>, { state }) => [{ value: state.size + message.value.name.length }] })
// @ts-expect-error a message is not to be changed
defineHandler({ handle: (message: Message<Event>) => [{ value: (message.key = 'x') }] })

// pipe takes what it gets, and returns it.
sameType<ReturnType<typeof pipe<Event>>, readonly { readonly value: Event }[]>(false)
const piped = pipe({ key: '', topic: '', value: 1 })
sameType<(typeof piped)[number]['value'], number>(true)
const codec: Codec<Event> = json()
void codec
