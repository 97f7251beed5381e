import { defineHandler, json, type HandlerDefinition } from 'millrace/handler'
import { cloudTrailRecord } from './ocsf/cloudtrail-record.ts'
import type { OcsfEvent } from './ocsf/ocsf-event.ts'
import { toOcsf } from './ocsf/to-ocsf.ts'

/** The bytes of a CloudTrail record in, the bytes of an OCSF event out. */
const normalize: HandlerDefinition<Uint8Array, Uint8Array> = defineHandler({
  input: json<unknown>(),
  output: json<OcsfEvent>(),
  handle: (message) => [{ value: toOcsf(cloudTrailRecord(message.value)) }],
})

export default normalize
