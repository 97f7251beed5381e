import { describe, expect, it } from 'vitest'
import { BatchError } from '../../../src/batch/batch-error.ts'

describe('BatchError', () => {
  it('keeps the reason by index, and its message and cause', () => {
    const cause = new Error('beneath')
    const reason = new Error('row')
    const error = new BatchError('some rows', { cause }).failed(3, reason).failed(1, reason).failed(3, cause)
    expect([...error.failures]).toEqual([
      [3, cause],
      [1, reason],
    ])
    expect(error).toMatchObject({ name: 'BatchError', message: 'some rows', cause, splits: false })
    expect(error.split().splits).toBe(true)
  })

  it('is known across copies of the package, and a subclass only by its own instances', () => {
    class Narrow extends BatchError {}
    const foreign = Object.assign(new Error('from another copy'), { [Symbol.for('millrace.batchError')]: true })
    expect(foreign instanceof BatchError).toBe(true)
    expect(new Narrow() instanceof BatchError).toBe(true)
    expect(new Narrow() instanceof Narrow).toBe(true)
    expect(new BatchError() instanceof Narrow).toBe(false)
    expect(new Error('x') instanceof BatchError).toBe(false)
    expect((null as unknown) instanceof BatchError).toBe(false)
  })
})
