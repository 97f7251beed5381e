import { describe } from '../errors.ts'
import type { Output } from '../handler/handler.ts'
import { Failure } from './failure.ts'

/** What a handler returned, as outputs; throws a {@link Failure} that says what is wrong with it. */
export function checkOutputs(result: unknown, maxOutputs: number): readonly Output<unknown>[] {
  if (!Array.isArray(result)) {
    throw new Failure(
      'handle',
      'MR_HANDLER_RESULT',
      `Expected the handler to return an array of outputs, got ${describe(result)}. Return [] to filter the message.`,
    )
  }
  if (result.length > maxOutputs) {
    throw new Failure(
      'handle',
      'MR_OUTPUT_LIMIT',
      `Expected at most ${maxOutputs} outputs of one message (maxOutputs), got ${result.length}.`,
    )
  }
  for (let index = 0; index < result.length; index++) checkOutput(result[index], index)
  return result as readonly Output<unknown>[]
}

function checkOutput(output: unknown, index: number): void {
  if (typeof output !== 'object' || output === null || !('value' in output)) {
    throw wrong(`output ${index} to be an object with a \`value\``, output)
  }
  const { key, topic, headers } = output as { key?: unknown; topic?: unknown; headers?: unknown }
  if (key !== undefined && typeof key !== 'string') throw wrong(`\`key\` of output ${index} to be a string`, key)
  if (topic !== undefined && typeof topic !== 'string')
    throw wrong(`\`topic\` of output ${index} to be a string`, topic)
  if (headers === undefined) return
  if (typeof headers !== 'object' || headers === null)
    throw wrong(`\`headers\` of output ${index} to be an object`, headers)
  for (const value of Object.values(headers)) {
    if (typeof value !== 'string') throw wrong(`every header of output ${index} to be a string`, value)
  }
}

function wrong(expected: string, got: unknown): Failure {
  return new Failure('handle', 'MR_HANDLER_RESULT', `Expected ${expected}, got ${describe(got)}.`)
}
