import { handlerModule, type HandlerRef } from 'millrace'
import { sameType } from './expect-type.ts'
import type { Folk, Greeting } from './fixtures/handlers.ts'

type Handlers = typeof import('./fixtures/handlers.ts')
const url = new URL('./fixtures/handlers.ts', import.meta.url)

// What crosses the main thread is inferred from the module: no type argument beyond `typeof import(...)`.
const greet = handlerModule<typeof import('./fixtures/greet.ts')>(url)
sameType<typeof greet, HandlerRef<Uint8Array, Uint8Array>>(true)
const byDefault = handlerModule<Handlers>(url, { word: 'Hello' })
sameType<typeof byDefault, HandlerRef<Folk, { greeting: string }>>(true)

// A codec turns its side to bytes, and only its side.
const decodes = handlerModule<Handlers, 'decodes'>(url, undefined, 'decodes')
sameType<typeof decodes, HandlerRef<Uint8Array, number>>(true)
const encodes = handlerModule<Handlers, 'encodes'>(url, undefined, 'encodes')
sameType<typeof encodes, HandlerRef<Folk, Uint8Array>>(true)
const recodes = handlerModule<Handlers, 'recodes'>(url, undefined, 'recodes')
sameType<typeof recodes, HandlerRef<Uint8Array, Uint8Array>>(true)

// Plain functions, sync and async.
const plain = handlerModule<Handlers, 'plain'>(url, undefined, 'plain')
sameType<typeof plain, HandlerRef<Folk, Greeting>>(true)
const plainAsync = handlerModule<Handlers, 'plainAsync'>(url, undefined, 'plainAsync')
sameType<typeof plainAsync, HandlerRef<Folk, number>>(true)

// A wrapped handler keeps its types and its options.
const faulty = handlerModule<Handlers, 'faulty'>(url, { url }, 'faulty')
sameType<typeof faulty, HandlerRef<string, string>>(true)
const faultyPlain = handlerModule<Handlers, 'faultyPlain'>(url, undefined, 'faultyPlain')
sameType<typeof faultyPlain, HandlerRef<Folk, Greeting>>(true)

// Options: those of `setup`, required where it needs them.
handlerModule<Handlers>(url, { word: 'Hello' })
handlerModule<Handlers, 'optional'>(url, undefined, 'optional')
handlerModule<Handlers, 'optional'>(url, { word: 'Hello' }, 'optional')
handlerModule<Handlers, 'connects'>(url, { url }, 'connects')
// @ts-expect-error options are missing
handlerModule<Handlers>(url)
// @ts-expect-error a wrong type
handlerModule<Handlers>(url, { word: 1 })
// @ts-expect-error a misspelt name
handlerModule<Handlers>(url, { wrod: 'Hello' })
// @ts-expect-error one too many
handlerModule<Handlers>(url, { word: 'Hello', lang: 'EN' })
// @ts-expect-error options for a handler without a setup
handlerModule<typeof import('./fixtures/greet.ts')>(url, { word: 'Hello' })
// @ts-expect-error options are missing, for a named export
handlerModule<Handlers, 'connects'>(url, undefined, 'connects')
// @ts-expect-error options are missing, behind a wrapper
handlerModule<Handlers, 'faulty'>(url, undefined, 'faulty')

// Names: of an export that is a handler, and the same one both times.
// @ts-expect-error no such export
handlerModule<Handlers, 'greets'>(url, undefined, 'greets')
// @ts-expect-error an export that is a string
handlerModule<Handlers, 'version'>(url, undefined, 'version')
// @ts-expect-error a function that is no handler
handlerModule<Handlers, 'helper'>(url, undefined, 'helper')
// @ts-expect-error the name is missing as an argument: at run time it would be the default export
handlerModule<Handlers, 'decodes'>(url)
// @ts-expect-error another name as an argument
handlerModule<Handlers, 'decodes'>(url, undefined, 'encodes')
// @ts-expect-error a module without a default export needs a name
handlerModule<typeof import('./expect-type.ts')>(url)
// @ts-expect-error not a URL
handlerModule<Handlers>('./fixtures/handlers.ts', { word: 'Hello' })
