/** Where logs go and what is in them. */
export type LogLevel = 'debug' | 'info' | 'warning' | 'error' | 'none'

export interface LogConfig {
  /** Path, `''` for standard error, `'none'` for off. */
  readonly access: string
  /** Path, `''` for standard error, `'none'` for off. */
  readonly error: string
  readonly level: LogLevel
  /** `''`, `quarter`, `half`, `full` or `/a+/b` (spec 2.3). */
  readonly maskAddress: string
}
