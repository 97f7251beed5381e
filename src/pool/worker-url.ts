/** The only place that knows where the thread's entry lives: the layout of dist is that of the sources. */
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

export const handlerWorkerUrl: URL = new URL(`../../workers/handler-worker.${extension}`, import.meta.url)
