import type { Lane } from 'millrace'

/** A lane that can be told to wait, and notes that it was. */
export class ScriptedLane implements Lane {
  readonly name: string
  readonly ackMode: 'cumulative' | 'individual'
  isPaused = false
  pauses = 0
  resumes = 0
  onResume: () => void = () => {}

  constructor(name: string, ackMode: 'cumulative' | 'individual' = 'cumulative') {
    this.name = name
    this.ackMode = ackMode
  }

  pause(): void {
    this.isPaused = true
    this.pauses++
  }

  resume(): void {
    this.isPaused = false
    this.resumes++
    this.onResume()
  }
}
