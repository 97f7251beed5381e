/** A fenced block of a page, or an example of a comment. */
export interface CodeBlock {
  readonly language: string
  /** From `file=NAME` behind the language: the block is a whole file of this name. */
  readonly file: string | undefined
  readonly text: string
  /** Where it is, for messages and file names. */
  readonly line: number
}

/** The fenced blocks of a Markdown text. */
export function codeBlocks(markdown: string): readonly CodeBlock[] {
  const fence = /^```(?<language>[a-z]+)(?<rest>[^\n]*)\n(?<text>[\s\S]*?)^```$/gmu
  return [...markdown.matchAll(fence)].map(({ groups = {}, index }) => ({
    language: groups['language'] ?? '',
    file: /\bfile=(\S+)/u.exec(groups['rest'] ?? '')?.[1],
    text: groups['text'] ?? '',
    line: markdown.slice(0, index).split('\n').length,
  }))
}

/** The fenced blocks of the comments of a TypeScript source. */
export function exampleBlocks(source: string): readonly CodeBlock[] {
  return codeBlocks(source.replaceAll(/^ *\* ?/gmu, ''))
}
