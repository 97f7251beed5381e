import {
  Attributes,
  type DeadLetter,
  findAttribute,
  memoryDestination,
  type Message,
  Processor,
  route,
  tee,
} from 'millrace'
import { describe, expect, test } from 'vitest'
import { obey, type Order } from '../../helpers/order.ts'
import { itemsOf, ScriptedDestination, ScriptedSource } from '../../helpers/scripted-ends.ts'

const handler = new URL('../../fixtures/guarantees/context.mjs', import.meta.url)
const polluting = JSON.parse('{"__proto__":"x","toString":"y","":"empty"}') as Record<string, string>

class Request extends Attributes {
  readonly number: number
  constructor(number: number) {
    super()
    this.number = number
  }
}

describe.each([0, 1])('G8: with threads: %i', (threads) => {
  test('key, topic and headers are inherited unless the handler sets them, and any header arrives', async () => {
    const source = new ScriptedSource<number>([
      { id: 'entry 7', key: 'ada', topic: 'users', headers: polluting, attributes: new Request(1), value: 1 },
    ])
    const destination = memoryDestination<unknown>()
    await new Processor<number, unknown>({ source, handler, destination, threads }).run()
    const [inherited, set, emptied] = destination.messages
    const names = [
      ['__proto__', 'x'],
      ['toString', 'y'],
      ['', 'empty'],
    ]
    const told = {
      id: 'entry 7',
      key: 'ada',
      topic: 'users',
      headers: names,
      hasPrototype: false,
      hasAttributes: false,
    }
    expect(inherited).toMatchObject({ id: 'entry 7#0', key: 'ada', topic: 'users', value: told })
    expect(Object.entries(inherited?.headers ?? {})).toEqual(names)
    expect(set).toMatchObject({ id: 'entry 7#1', key: 'own key', topic: 'own topic', value: 'set' })
    expect(Object.entries(set?.headers ?? {})).toEqual([
      ['__proto__', 'p'],
      ['constructor', 'c'],
    ])
    expect(Object.getPrototypeOf(set?.headers)).toBe(null)
    expect(emptied).toMatchObject({ id: 'entry 7#2', key: '', topic: 'users', value: 'emptied' })
    expect(Object.keys(emptied?.headers ?? { none: '' })).toEqual([])
    expect(({} as Record<string, unknown>)['x']).toBe(undefined)
  })

  test('what a message lacks, its outputs lack', async () => {
    const source = new ScriptedSource<number>([])
    const bare = { key: '', topic: 't', value: 1 }
    let isDone = false
    source.recv = async () => (isDone ? undefined : ((isDone = true), { message: bare, ack() {} }))
    const destination = memoryDestination<{ id?: string; headers?: unknown }>()
    await new Processor<number, { id?: string }>({ source, handler, destination, threads }).run()
    const [first] = destination.messages
    expect(Object.keys(first ?? {}).toSorted()).toEqual(['key', 'topic', 'value'])
    expect(first?.value.id ?? null).toBe(null)
    expect(first?.value.headers ?? null).toBe(null)
  })
})

test('G8: attributes reach every output and every dead letter, each its own, also behind tee and route', async () => {
  const attributes = itemsOf(60, (index) => ({ value: new Request(index) })).map(({ value }) => value)
  const source = new ScriptedSource<Order>(
    itemsOf(60, (index) => ({
      value: { outputs: index % 4, failures: index % 6 === 5 ? 9 : 0 },
      attributes: attributes[index] as Request,
    })),
    { batch: 10 },
  )
  const [left, right, letters] = [
    new ScriptedDestination<unknown>(),
    new ScriptedDestination<unknown>(),
    new ScriptedDestination<DeadLetter>(),
  ]
  const destination = tee(
    left,
    route<unknown, 'all'>(() => 'all', { all: right }),
  )
  await new Processor<Order, unknown>({ source, handler: obey, destination, deadLetter: letters, threads: 2 }).run()
  const check = (message: Message<unknown>): void => {
    const index = Number(message.id?.split('#')[0]?.slice(1))
    expect(message.attributes).toBe(attributes[index])
    expect(findAttribute(message, Request)?.number).toBe(index)
  }
  for (const { messages } of [left, right, letters]) messages.forEach(check)
  expect(left.messages.length).toBe(right.messages.length)
  expect(left.messages.length).toBeGreaterThan(40)
  expect(letters.messages).toHaveLength(10)
})
