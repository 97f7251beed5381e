import { defineHandler, json, text } from 'millrace/handler'

const greetings = new Map([
  ['EN', 'Hello'],
  ['JA', 'こんにちは'],
  ['DE', 'Hallo'],
  ['ES', '¡Hola'],
  ['ZH', '你好'],
  ['IT', 'Ciao'],
  ['FR', 'Bonjour'],
])

export default defineHandler({
  input: json(),
  output: text(),
  handle({ value: folk }) {
    const greeting = greetings.get(folk.lang)
    return greeting === undefined ? [] : [{ value: `${greeting} ${folk.name}!` }]
  },
})
