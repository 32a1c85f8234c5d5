import { createContext, Script } from 'node:vm'
import type { SessionView, UserView } from '../../control/control.ts'
import { endpointHost } from '../../core/address.ts'
import type { Clock } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { mapInSlices, pauses } from '../../core/time/slices.ts'
import type { Fields } from '../../messages/fields.ts'
import { invalid, StatusError } from '../../messages/status.ts'
import { counterName, type Direction } from '../../stats/counters.ts'
import type { Methods, ServiceDeps } from './service.ts'

export function statsService({ control, clock }: ServiceDeps): Methods {
  /** Xray's name of the addresses that a user is connected from. */
  async function onlineUser(name: string): Promise<UserView> {
    const email = /^user>>>(.+)>>>online$/s.exec(name)?.[1]
    const user = email === undefined ? undefined : await control.user(email)
    if (!user) throw notFound(name)
    return user
  }

  return {
    GetStats: async (request) => {
      const name = request.text('name')
      const [stat] = await control.readCounters([name], { reset: request.flag('reset') })
      if (!stat) throw notFound(name)
      return { stat }
    },

    QueryStats: async (request) => {
      const counters = await control.counters()
      const found = await matching(
        request,
        counters.map(({ name }) => name),
        clock,
      )
      return { stat: await control.readCounters(found, { reset: request.flag('reset') }) }
    },

    GetSysStats: async () => sysStats((await control.status()).uptimeS),

    GetStatsOnline: async (request) => {
      const name = request.text('name')
      return { stat: { name, value: (await onlineUser(name)).addresses.length } }
    },

    GetStatsOnlineIpList: async (request) => {
      const name = request.text('name')
      return { name, ips: Object.fromEntries(lastSeen(await onlineUser(name), byUser(await control.sessions()))) }
    },

    GetAllOnlineUsers: async () => ({
      users: (await control.users()).flatMap((user) => (isOnline(user) ? [`user>>>${user.email}>>>online`] : [])),
    }),

    GetUsersStats: async (request) => {
      const [traffic, reset] = [request.flag('include_traffic'), request.flag('reset')]
      const users = (await control.users()).filter(isOnline)
      const sessions = byUser(await control.sessions())
      const names = users.flatMap(({ email }) => directions.map((direction) => counterName('user', email, direction)))
      const read = traffic ? await control.readCounters(names, { reset }) : []
      const values = new Map(read.map(({ name, value }) => [name, value]))
      const total = (email: string, direction: Direction) => values.get(counterName('user', email, direction)) ?? 0
      return {
        users: await mapInSlices(clock, users, (user) => ({
          email: user.email,
          ips: lastSeen(user, sessions).map(([ip, last_seen]) => ({ ip, last_seen })),
          ...(traffic && { traffic: { uplink: total(user.email, 'uplink'), downlink: total(user.email, 'downlink') } }),
        })),
      }
    },
  }
}

// Panels look for these words.
const notFound = (name: string): StatusError => new StatusError('NOT_FOUND', `${name} not found.`)

const isOnline = ({ email, addresses }: UserView): boolean => email !== '' && addresses.length > 0

const directions = ['uplink', 'downlink'] as const

/** V2Ray 5 takes several patterns, of which one must match, and regular expressions; without any, everything matches. */
async function matching(request: Fields, names: readonly string[], clock: Clock): Promise<readonly string[]> {
  const several = request.values<string>('patterns')
  const patterns = several.length > 0 ? several : [request.text('pattern')]
  if (!request.flag('regexp')) return names.filter((name) => patterns.some((pattern) => name.includes(pattern)))
  const expressions = patterns.map((pattern) => {
    try {
      return new RegExp(pattern)
    } catch {
      throw invalid(`${JSON.stringify(pattern)} is not a regular expression`)
    }
  })
  const isLike = likeOneOf(expressions)
  const found: string[] = []
  let leftMs: number = limits.apiPatternMs
  const pause = pauses(clock)
  for (let i = 0; i < names.length; i += pieceLength) {
    const startedAt = performance.now()
    found.push(...isLike(names.slice(i, i + pieceLength), leftMs))
    leftMs -= performance.now() - startedAt
    await pause()
  }
  return found
}

/** Names that are looked through at once: to watch the time costs as much as some hundred of them. */
const pieceLength = 1024

/** Node's expressions can go on over one name for years, and nothing else would happen meanwhile: they are cut short. */
function likeOneOf(expressions: readonly RegExp[]): (names: readonly string[], ms: number) => readonly string[] {
  const script = new Script('names.filter((name) => expressions.some((expression) => expression.test(name)))')
  const context = createContext({ names: [] as readonly string[], expressions })
  return (names, ms) => {
    context.names = names
    try {
      return script.runInContext(context, { timeout: Math.max(1, Math.ceil(ms)) }) as string[]
    } catch (error) {
      // No instance of this realm's Error.
      if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
      throw invalid('these regular expressions take too long')
    }
  }
}

/** Sessions by the e-mail of their user, in lower case. */
function byUser(sessions: readonly SessionView[]): ReadonlyMap<string, readonly SessionView[]> {
  const found = new Map<string, SessionView[]>()
  for (const session of sessions) {
    const email = session.email.toLowerCase()
    const known = found.get(email)
    if (known) known.push(session)
    else found.set(email, [session])
  }
  return found
}

/** The addresses of a user with the time of the latest connection from each, in Unix seconds. */
function lastSeen(
  user: UserView,
  sessions: ReadonlyMap<string, readonly SessionView[]>,
): [ip: string, seconds: number][] {
  const own = sessions.get(user.email.toLowerCase()) ?? []
  return user.addresses.map((address) => {
    const starts = own.flatMap(({ source, startedAt }) => (endpointHost(source) === address ? [startedAt] : []))
    return [address.replace(/^\[(.*)\]$/, '$1'), Math.floor(Math.max(0, ...starts) / 1000)]
  })
}

/**
 * Figures of a Go program, as near as Node has them. NumGoroutine: what the event loop waits for, such as sockets and
 * timers; Alloc and TotalAlloc: heap in use and in all; Sys: memory of the process. The rest has no counterpart and is 0.
 */
function sysStats(uptimeS: number): object {
  const { heapUsed, heapTotal, rss } = process.memoryUsage()
  return {
    NumGoroutine: process.getActiveResourcesInfo().length,
    Alloc: heapUsed,
    TotalAlloc: heapTotal,
    Sys: rss,
    Uptime: uptimeS,
  }
}
