import type { HandlerDefinition } from '../handler/define-handler.ts'
import type { HandlerContext, Output, SetupContext } from '../handler/handler.ts'
import type { Message } from '../message.ts'
import { toRuntimeHandler } from '../worker/runtime-handler.ts'

/** What is to happen around one message: `before` its handler, and `after` it has returned. */
export interface Fault {
  readonly before?: () => void
  readonly after?: () => void
}

/** What decides on it; one per worker and life. */
export type FaultPlan = (message: Message<unknown>, attempt: number) => Fault

type Result = readonly Output<unknown>[] | Promise<readonly Output<unknown>[]>

interface State {
  readonly inner: unknown
  readonly plan: FaultPlan
}

/** The handler with faults around it; its codecs, setup, teardown and options stay as they are. */
export function wrapHandler<In, Out, Options>(
  handler: unknown,
  makePlan: (context: SetupContext) => FaultPlan,
): HandlerDefinition<In, Out, Options> {
  const { input, output, setup, handle, teardown } = toRuntimeHandler(handler, 'the handler to wrap')
  const definition = {
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
    async setup(options: unknown, context: SetupContext): Promise<State> {
      return { inner: await setup?.(options, context), plan: makePlan(context) }
    },
    handle(message: Message<unknown>, context: HandlerContext<State>): Result {
      const { inner, plan } = context.state
      const { before, after } = plan(message, context.attempt)
      before?.()
      const result = handle(message, innerContext(context, inner))
      if (after === undefined) return result
      return finishing(result, after)
    },
    ...(teardown === undefined ? {} : { teardown: (state: State) => teardown(state.inner) }),
  }
  return definition as unknown as HandlerDefinition<In, Out, Options>
}

async function finishing(result: Result, after: () => void): Promise<readonly Output<unknown>[]> {
  const outputs = await result
  after()
  return outputs
}

/** The signal stays lazy: it is made only where the handler asks for it. */
function innerContext(context: HandlerContext<State>, inner: unknown): HandlerContext<unknown> {
  return {
    state: inner,
    attempt: context.attempt,
    get signal() {
      return context.signal
    },
  }
}
