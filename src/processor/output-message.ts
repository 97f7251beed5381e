import type { Message } from '../message.ts'
import type { ReplyReader } from '../wire/reply.ts'

/** The message of an output: what the handler set, and for the rest what its input had (G8). */
export function outputMessage(
  input: Message<unknown>,
  reply: ReplyReader,
  output: number,
  ordinal: number,
): Message<unknown> {
  const headers = reply.headers(output) ?? input.headers
  const message: { -readonly [K in keyof Message<unknown>]: Message<unknown>[K] } = {
    key: reply.key(output) ?? input.key,
    value: reply.value(output),
    topic: reply.topic(output) ?? input.topic,
  }
  if (input.id !== undefined) message.id = `${input.id}#${ordinal}`
  if (headers !== undefined) message.headers = headers
  if (input.attributes !== undefined) message.attributes = input.attributes
  return message
}
