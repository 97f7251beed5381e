const ellipsis = '…'
const ellipsisBytes = 3

/** The text, cut behind a whole character where it would take more than `maxBytes` as UTF-8, an ellipsis included. */
export function truncateUtf8(text: string, maxBytes: number): string {
  // A UTF-16 unit takes three bytes at most.
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return text
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes - ellipsisBytes))
  return text.slice(0, read) + ellipsis
}
