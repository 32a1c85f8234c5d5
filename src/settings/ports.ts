/** First and last port of a range, both included; with the first above the last it holds for none. */
export interface PortRange {
  readonly from: number
  readonly to: number
}
