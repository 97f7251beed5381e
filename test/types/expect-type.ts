type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only where the two types are the same one, `any`, `unknown` and `readonly` told apart. */
export function sameType<A, B>(_proof: Same<A, B>): void {}
