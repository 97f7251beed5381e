import type { Message } from '../message.ts'
import { fn, text } from './options.ts'

/** How a source of plain values makes messages of them. `index` counts all values of the source, from 0. */
export interface MessageFields<in T> {
  /** The topic of every message. @default the source's kind */
  topic?: string
  /** @default '' for every message */
  key?: (value: T, index: number) => string
  /** Must be equal when the same value is delivered again. */
  id?: (value: T, index: number) => string
  /** @default none */
  headers?: (value: T, index: number) => Readonly<Record<string, string>>
}

/** The names of {@link MessageFields}, for the check of the options that extend it. */
export const messageFieldNames = ['topic', 'key', 'id', 'headers'] as const

/** Makes a message of a value. */
export type MessageMaker<T> = (value: T, index: number) => Message<T>

/** Checks the fields and returns the function that applies them. */
export function messageMaker<T>(
  fields: MessageFields<T>,
  kind: string,
  defaultId?: (topic: string, index: number) => string,
): MessageMaker<T> {
  const topic = text('topic', fields.topic, kind)
  const key = optional('key', fields.key)
  const headers = optional('headers', fields.headers)
  const id = optional('id', fields.id) ?? (defaultId && ((_: T, index: number) => defaultId(topic, index)))
  return (value, index) => ({
    ...(id === undefined ? undefined : { id: id(value, index) }),
    key: key === undefined ? '' : key(value, index),
    topic,
    value,
    ...(headers === undefined ? undefined : { headers: headers(value, index) }),
  })
}

function optional<F>(name: string, value: F | undefined): F | undefined {
  return value === undefined ? undefined : fn(name, value)
}
