import { move } from 'piscina'

/** Sends a chunk back after some work, as a handler worker would. */
export default function echo({ buffer, work }: { buffer: ArrayBuffer; work: number }): unknown {
  const until = performance.now() + work
  while (performance.now() < until);
  return move(buffer)
}
