/** What a message gets that cannot be handled or delivered. */
export interface ErrorPolicy {
  /** Attempts in all at decoding, handling and encoding; a crash or a time-out gets at least 3. @default 1 */
  attempts?: number
  /** The wait before the second attempt, in milliseconds; doubled for each further one, up to 5 s. @default 100 */
  backoffMs?: number
  /** Deliveries in all, counted by the source (`Delivery.redelivered`), after which a message is not handled. @default Infinity */
  maxDeliveries?: number
  /**
   * What becomes of a message that has used up its attempts: `'stop'` ends the run with the message unacked;
   * `'deadLetter'` writes it to `deadLetter` and acks it; `'nack'` gives it back to the source; `'drop'` acks it, counted.
   * @default 'deadLetter' where a dead-letter destination is set, else 'stop'
   */
  then?: 'stop' | 'deadLetter' | 'nack' | 'drop'
}
