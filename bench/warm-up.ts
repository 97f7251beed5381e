/** V8 takes this long to optimise a handler of this size in each thread, on two busy cores; for both sides alike. */
export const warmUpMs = 6_000
