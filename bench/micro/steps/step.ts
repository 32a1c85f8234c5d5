/** One operation, on what was prepared for it beforehand. */
export interface Step {
  /** Its place below `src/`. */
  readonly at: string
  readonly what: string
  run(): unknown
}
