import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { accepts, freePorts } from '../../test/interop/rig/harness.ts'
import { cpuSeconds, residentKb } from '../figures.ts'
import { prepare } from '../programs/pair.ts'
import { type Program, usualWay } from '../programs/program.ts'
import type { Results } from '../results.ts'
import { inTurns } from '../turns.ts'
import type { Measurement } from './measurement.ts'

export const start: Measurement = {
  name: 'start',
  title: 'Start',
  rounds: ({ starts }) => starts,
  how: ({ starts }) =>
    `A server with a small file, ${starts} times: from its start until its port takes connections (looked at every 1 to 2 ms), ` +
    'and the resident memory 100 ms later. A start before the first fills the page cache.',
  async run(plan, results) {
    await inTurns(
      { ...plan, rounds: plan.rounds + 1 },
      { what: 'start', rows: '' },
      plan.programs,
      (program) => program,
      (program, round) => startOnce(program, round === 0 ? undefined : results),
    )
  },
}

async function startOnce(program: Program, results: Results | undefined): Promise<void> {
  const [serverPort, doorPort] = (await freePorts(2)) as [number, number]
  const link = { ...usualWay, serverPort, doorPort, targetPort: doorPort, network: 'tcp' as const }
  const { command, folder } = await prepare(program, 'server', link)
  const began = performance.now()
  const child = spawn(command[0]!, command.slice(1), { cwd: folder, stdio: 'ignore' })
  const gone = once(child, 'exit')
  try {
    await once(child, 'spawn')
    while (!(await accepts(serverPort))) {
      if (child.exitCode !== null || performance.now() - began > 15_000) throw new Error('it does not listen')
      await sleep(1)
    }
    const tookMs = performance.now() - began
    await sleep(100)
    results?.add(program, { name: 'until it listens, ms', digits: 0, bar: { panel: 'Start: ms', at: '' } }, tookMs)
    results?.add(program, { name: 'CPU ms', digits: 0 }, cpuSeconds(child.pid!) * 1000)
    const bar = { panel: 'Start: resident MB', at: '' }
    results?.add(program, { name: 'resident MB', digits: 1, bar }, residentKb(child.pid!) / 1024)
  } finally {
    child.kill('SIGKILL')
    await gone
    await rm(folder, { recursive: true })
  }
}
