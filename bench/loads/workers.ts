/**
 * node bench/load.mjs workers: new connections to a server with one worker and with several, in turns and fresh in every round: CPU
 * of each, how they are divided among the threads, and whether the machine is used up.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { systemRandom } from '../../src/crypto/random.ts'
import { ClientSession } from '../../src/protocol/vmess/client.ts'
import { parseId } from '../../src/protocol/vmess/users/identity.ts'
import { testId } from '../../test/interop/rig/configs.ts'
import { freePorts, startPeer, withPeers } from '../../test/interop/rig/harness.ts'
import { median } from '../figures.ts'

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '5' },
    count: { type: 'string', default: '20000' },
    'warm-up': { type: 'string', default: '10000' },
    concurrency: { type: 'string', default: '32' },
    generators: { type: 'string', default: '2' },
    load: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const usage =
  'node bench/load.mjs workers [--workers 2] [--rounds 5] [--count 20000] [--warm-up 10000] [--concurrency 32] [--generators 2]'

/** What a generator is told, and does whenever it is asked for so many connections. */
interface Load {
  readonly port: number
  readonly concurrency: number
}

interface Sample {
  /** CPU µs of the server for a connection. */
  readonly cpu: number
  /** Part of its CPU that the busiest threads have, as many as there are workers, in percent; the most first. */
  readonly shares: readonly number[]
  readonly perSecond: number
  /** CPU of all processes of the run over what others left of the cores. */
  readonly used: number
  readonly failed: number
}

if (values.help) console.log(usage)
else if (values.load !== undefined) await generate(JSON.parse(values.load) as Load)
else await main()

async function main(): Promise<void> {
  const many = Number(values.workers)
  const samples = new Map<number, Sample[]>([
    [1, []],
    [many, []],
  ])
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const workers of round % 2 === 1 ? [1, many] : [many, 1]) {
      const sample = await measure(workers)
      samples.get(workers)!.push(sample)
      console.log(`round ${round}, workers ${workers}: ${text(sample)}`)
    }
  }
  const of = (workers: number, what: (sample: Sample) => number) => median(samples.get(workers)!.map(what))
  for (const workers of [1, many]) {
    const shares = Array.from({ length: workers }, (_, i) => of(workers, (sample) => sample.shares[i] ?? 0))
    const failed = samples.get(workers)!.reduce((sum, sample) => sum + sample.failed, 0)
    console.log(
      `median, workers ${workers}: ${text({
        cpu: of(workers, ({ cpu }) => cpu),
        shares,
        perSecond: of(workers, ({ perSecond }) => perSecond),
        used: of(workers, ({ used }) => used),
        failed,
      })}`,
    )
  }
  const ratio = median(samples.get(many)!.map(({ cpu }, i) => cpu / samples.get(1)![i]!.cpu))
  console.log(`CPU per connection, ${many} workers over one: ${ratio.toFixed(3)} (median of the rounds)`)
}

function text({ cpu, shares, perSecond, used, failed }: Sample): string {
  const threads = shares.map((share) => `${share.toFixed(0)} %`).join(' / ')
  const parts = [`${cpu.toFixed(0)} µs of CPU`, `threads ${threads}`, `${perSecond.toFixed(0)} per second`]
  parts.push(`${(used * 100).toFixed(0)} % of the cores that others left`)
  return [...parts, ...(failed > 0 ? [`${failed} FAILED`] : [])].join('; ')
}

async function measure(workers: number): Promise<Sample> {
  const [port] = (await freePorts(1)) as [number]
  const config = {
    log: { access: 'none', loglevel: 'warning' },
    workers,
    inbounds: [
      { protocol: 'vmess', listen: '127.0.0.1', port, settings: { clients: [{ id: testId, email: 'a@example.com' }] } },
    ],
    outbounds: [{ protocol: 'freedom' }],
  }
  const server = await startPeer('ours', config, { ports: [port] })
  const load = JSON.stringify({ port, concurrency: Number(values.concurrency) } satisfies Load)
  const program = fileURLToPath(import.meta.url)
  const generators = Array.from({ length: Number(values.generators) }, () => fork(program, ['--load', load]))
  try {
    return await withPeers([server], async () => {
      await all(generators, Number(values['warm-up']))
      const pids = [server.pid, process.pid, ...generators.map(({ pid }) => pid!)]
      const before = { ours: sum(pids.map(cpuSeconds)), threads: threadsOf(server.pid), busy: busySeconds() }
      const from = performance.now()
      const failed = await all(generators, Number(values.count))
      const seconds = (performance.now() - from) / 1000
      const ours = sum(pids.map(cpuSeconds)) - before.ours
      const others = Math.max(0, busySeconds() - before.busy - ours)
      const threads = [...threadsOf(server.pid)].map(([id, time]) => time - (before.threads.get(id) ?? 0))
      const total = sum(threads)
      return {
        cpu: (total * 1e6) / Number(values.count),
        shares: threads
          .toSorted((a, b) => b - a)
          .map((time) => (time * 100) / total)
          .slice(0, workers),
        perSecond: Number(values.count) / seconds,
        used: ours / Math.max(0.001, seconds * availableParallelism() - others),
        failed,
      }
    })
  } finally {
    for (const generator of generators) generator.disconnect()
  }
}

/** So many connections, divided among the generators; how many failed. */
async function all(generators: readonly ChildProcess[], count: number): Promise<number> {
  const parts = generators.map(async (generator) => {
    generator.send(Math.ceil(count / generators.length))
    const [failed] = (await once(generator, 'message')) as [number]
    return failed
  })
  return sum(await Promise.all(parts))
}

/** A target that says back what comes, and clients that each ask for it once. */
async function generate({ port, concurrency }: Load): Promise<void> {
  const target = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {}).on('data', (data) => socket.write(data))
  })
  target.listen(0, '127.0.0.1')
  await once(target, 'listening')
  const to = { host: '127.0.0.1', port: (target.address() as AddressInfo).port }
  const user = { id: parseId(testId), alterId: 0 }
  const payload = new Uint8Array(100)

  const request = (): Buffer => {
    const session = new ClientSession({
      user,
      experiments: { authenticatedLength: false, noTerminationSignal: false },
      security: 'aes-128-gcm',
      command: 'tcp',
      target: to,
      clock: Date,
      random: systemRandom,
    })
    const body = new Uint8Array(session.sealer.maxSealed(payload.length))
    const length = session.sealer.seal(payload, body, 0)
    return Buffer.concat([session.head(), body.subarray(0, length)])
  }

  const answered = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => socket.write(request()))
      const end = (good: boolean) => {
        resolve(good)
        socket.destroy()
      }
      socket.setTimeout(10_000, () => end(false))
      socket
        .on('data', () => end(true))
        .on('error', () => end(false))
        .on('close', () => end(false))
    })

  process.on('message', async (count: number) => {
    let left = count
    let failed = 0
    const one = async () => {
      while (left-- > 0) if (!(await answered())) failed++
    }
    await Promise.all(Array.from({ length: concurrency }, one))
    process.send!(failed)
  })
  process.on('disconnect', () => process.exit())
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}

function cpuSeconds(pid: number): number {
  return sum([...threadsOf(pid).values()])
}

/** Time that each thread of a process has run, seconds, by the scheduler's own count. */
function threadsOf(pid: number): Map<string, number> {
  const times = new Map<string, number>()
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')
      times.set(thread, Number(stat.split(' ')[0]) / 1e9)
    } catch {
      // It has ended since.
    }
  }
  return times
}

/** Time that all cores have not been idle, seconds. */
function busySeconds(): number {
  const [user, nice, system, , , irq, softIrq] = readFileSync('/proc/stat', 'utf8').split(/\s+/).slice(1).map(Number)
  return sum([user!, nice!, system!, irq!, softIrq!]) / 100
}
