/**
 * Runs `run` when everything that has arrived in this turn of the event loop is dealt with. What came in one turn can leave
 * in one write then: a system call costs more than all else that is done for a datagram. `run` must not throw.
 */
export function atEndOfTurn(run: () => void): void {
  runs.push(run)
  if (runs.length === 1) setImmediate(runAll)
}

/** Settles in the next turn of the event loop: whoever has waited meanwhile is served first. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

let runs: (() => void)[] = []

function runAll(): void {
  const now = runs
  runs = []
  for (const run of now) run()
}
