/**
 * `millrace/handler`: all that a handler module needs. It loads neither piscina nor a connector, so that a worker starts
 * fast.
 *
 * @module
 */
export { json } from '../codec/json.ts'
export { msgpack } from '../codec/msgpack.ts'
export { text } from '../codec/text.ts'
export { defineHandler, type HandlerDefinition } from './define-handler.ts'
export { pipe, type Codec, type Handler, type HandlerContext, type Output, type SetupContext } from './handler.ts'
export { Attributes, findAttribute, type Message } from '../message.ts'
