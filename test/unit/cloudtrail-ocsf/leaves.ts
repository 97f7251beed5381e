/**
 * How often each scalar stands in a JSON value, by its text: a flag that CloudTrail writes as a string is a boolean in OCSF.
 * Null, and an object or array without anything in it, say nothing and are not counted.
 */
export function leaves(value: unknown, found: Map<string, number> = new Map()): Map<string, number> {
  if (typeof value === 'object' && value !== null) {
    for (const field of Object.values(value)) leaves(field, found)
  } else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    found.set(String(value), (found.get(String(value)) ?? 0) + 1)
  }
  return found
}

/** The scalars that the output has less often than the input. */
export function lost(input: unknown, output: unknown): readonly string[] {
  const kept = leaves(output)
  return [...leaves(input)].filter(([text, count]) => (kept.get(text) ?? 0) < count).map(([text]) => text)
}
