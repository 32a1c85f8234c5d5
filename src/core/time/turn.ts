/**
 * Runs `run` when everything that has arrived in this turn of the event loop is dealt with. What came in one turn can leave
 * in one write then: a system call costs more than all else that is done for a datagram. `run` must not throw.
 */
export function atEndOfTurn(run: () => void): void {
  runs.push(run)
  if (runs.length === 1) setImmediate(runAll)
}

let runs: (() => void)[] = []

function runAll(): void {
  const now = runs
  runs = []
  for (const run of now) run()
}
