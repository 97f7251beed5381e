/** An error as plain data: what survives of it across threads, cut to bounded size. */
export interface WireError {
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly code?: string
  readonly retryable?: boolean
  readonly cause?: WireError
}

const MAX_MESSAGE = 4_096
const MAX_STACK = 8_192
const MAX_CAUSES = 4

/** Never throws, whatever was thrown: getters may throw too. */
export function toWireError(thrown: unknown, causes = MAX_CAUSES): WireError {
  try {
    if (!(thrown instanceof Error))
      return { name: 'Error', message: `Thrown, and not an Error: ${String(thrown).slice(0, MAX_MESSAGE)}` }
    // Whatever the types say, user code may have put anything there.
    const { name, message, stack, cause, code, retryable } = thrown as unknown as Record<string, unknown>
    return {
      name: String(name).slice(0, 256),
      message: String(message).slice(0, MAX_MESSAGE),
      ...(typeof stack === 'string' ? { stack: stack.slice(0, MAX_STACK) } : {}),
      ...(typeof code === 'string' || typeof code === 'number' ? { code: String(code).slice(0, 256) } : {}),
      ...(typeof retryable === 'boolean' ? { retryable } : {}),
      ...(cause === undefined || causes === 0 ? {} : { cause: toWireError(cause, causes - 1) }),
    }
  } catch {
    return { name: 'Error', message: 'Thrown, and its properties cannot be read' }
  }
}

/** An `Error` with the name, message, stack, code and cause that it had in the worker. */
export function fromWireError(wire: WireError): Error {
  const error = new Error(wire.message, wire.cause === undefined ? undefined : { cause: fromWireError(wire.cause) })
  error.name = wire.name
  if (wire.stack === undefined) delete error.stack
  else error.stack = wire.stack
  return Object.assign(
    error,
    wire.code === undefined ? {} : { code: wire.code },
    wire.retryable === undefined ? {} : { retryable: wire.retryable },
  )
}
