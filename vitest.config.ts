import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const built = (path: string): string => fileURLToPath(new URL(`./dist/${path}`, import.meta.url))

/**
 * Tests import the built package by its name, so that they see what users get: dist, its exports and its worker's URL.
 * Only the pure core is also tested from src, one file at a time.
 */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^millrace$/, replacement: built('src/index.js') },
      { find: /^millrace\/handler$/, replacement: built('src/handler/index.js') },
      { find: /^millrace\/testing$/, replacement: built('src/testing/index.js') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    server: { deps: { external: [/\/dist\//] } },
    coverage: { provider: 'v8', include: ['dist/src/**/*.js', 'src/**/*.ts'], reporter: ['text-summary', 'text'] },
  },
})
