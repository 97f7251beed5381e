import { handlerModule, lines, printer, Processor, run } from 'millrace'

await run(
  new Processor({
    source: lines(new URL('./folks.ndjson', import.meta.url)),
    handler: handlerModule(new URL('./greet.mjs', import.meta.url)),
    destination: printer(),
  }),
)
