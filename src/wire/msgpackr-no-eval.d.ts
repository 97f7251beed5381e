/** The package types only its main entry; this one exports the same. */
declare module 'msgpackr/index-no-eval' {
  const msgpackr: typeof import('msgpackr')
  export default msgpackr
}
