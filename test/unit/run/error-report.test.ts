import { expect, test } from 'vitest'
import { MillraceError } from '../../../src/errors.ts'
import { errorReport } from '../../../src/run/error-report.ts'

const withoutStack = <E extends Error>(error: E): E => Object.defineProperty(error, 'stack', { value: undefined })

test('a MillraceError is its code and message, without frames', () => {
  expect(errorReport(new MillraceError('MR_ACK_FAILED', 'It threw.'))).toBe('MR_ACK_FAILED: It threw.\n')
})

test('causes are indented, with their codes and their own errors', () => {
  const refused = withoutStack(Object.assign(new Error(''), { code: 'ECONNREFUSED' }))
  const reset = withoutStack(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  const cause = withoutStack(new AggregateError([refused, reset], 'no address answered'))
  expect(errorReport(new MillraceError('MR_FLUSH_FAILED', 'The flush failed.', { cause }))).toBe(
    [
      'MR_FLUSH_FAILED: The flush failed.',
      '  caused by AggregateError: no address answered',
      '    caused by Error [ECONNREFUSED]',
      '    caused by Error: read ECONNRESET',
      '',
    ].join('\n'),
  )
})

test('a cause that refers back is shown once', () => {
  const inner = withoutStack(new Error('inner'))
  const outer = withoutStack(new Error('outer', { cause: inner }))
  inner.cause = outer
  expect(errorReport(outer)).toBe('Error: outer\n  caused by Error: inner\n')
})

test('no message controls the terminal', () => {
  expect(errorReport(withoutStack(new Error('a\u001b[2J\u0007\u009bb\tc\nd')))).toBe(
    'Error: a\\u001b[2J\\u0007\\u009bb\tc\n  d\n',
  )
})
