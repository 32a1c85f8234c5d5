import { addressKey, endpointHost, formatAddress } from '../../core/address.ts'
import type { Clock, Logger } from '../../core/env.ts'
import type { ErrorCode, ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { Observer } from '../../core/observer.ts'
import type { Session, Totals } from '../../core/session.ts'
import { atMost } from '../../core/time/at-most.ts'
import { onceEvery } from '../../core/time/once-every.ts'

/** Ends of a flow that are everyday events, not somebody's mistake, unless there is something to say about them. */
const everydayCodes: ReadonlySet<ErrorCode> = new Set([
  'CONN_RESET',
  'CONN_CLOSED',
  'IDLE_TIMEOUT',
  'SHUTTING_DOWN',
  'DIAL_ABORTED',
  'UDP_MAKES_ROOM',
  'OUTBOUND_BLOCKED',
])

const isEveryday = (error: ProxyError): boolean => everydayCodes.has(error.code) && error.hint === undefined

/** Failures that a wrong clock explains: the time that this machine believes in is part of the answer. */
const clockMatters: ReadonlySet<ErrorCode> = new Set(['VMESS_UNKNOWN_USER', 'VMESS_CLOCK_SKEW', 'RESPONSE_MISSING'])

const isOfClock = ({ code, hint }: ProxyError): boolean =>
  clockMatters.has(code) || (code === 'CONN_RESET' && hint !== undefined)

/** One warning a minute is enough, for a source or for a user: scanners come by the thousand, and clients try again. */
const quietMs = 60_000

/** Writes into the log why flows failed: the reason, and what to try. */
export function sessionLog(log: Logger, clock: Clock): Observer {
  const due = onceEvery(clock, quietMs)
  const mayWarn = atMost(clock, limits.rejectionWarnings, quietMs)
  /** Whether the reason is a limit of the user, of which nothing new is to be said: the client will be back at once. */
  const isKnown = (error: ProxyError, { email }: Session['user']): boolean =>
    error.code.startsWith('USER_') && !due(`user ${email.toLowerCase()} ${error.code}`)
  /** Rejections that were only noted at info since the last warning. */
  let quiet = 0

  const detail = (error: ProxyError) => ({
    ...(error.hint !== undefined && { hint: error.hint }),
    ...(isOfClock(error) && { utc: new Date(clock.now()).toISOString() }),
  })

  return {
    failed(session, error) {
      const fields = {
        code: error.code,
        source: session.source,
        target: formatAddress(session.target),
        outbound: session.outboundTag,
        ...(session.through && { through: session.through }),
        ...named(session),
        ...by(session),
        ...detail(error),
      }
      if (error.code === 'LOOP_DETECTED') log.error(fields, error.message)
      else if (isEveryday(error) || isKnown(error, session.user)) log.info(fields, error.message)
      else log.warn(fields, error.message)
    },
    closed(session, totals, reason) {
      const { uplink, downlink } = totals
      const { source, target, drops } = session
      const fields = {
        source,
        target: formatAddress(target),
        ...named(session),
        ...by(session),
        uplink,
        downlink,
        ...dropped(drops),
      }
      if (!reason) log.debug(fields, 'connection ended')
      else if (isEveryday(reason) || isKnown(reason, session.user))
        log.info({ ...fields, code: reason.code }, reason.message)
      else log.warn({ ...fields, code: reason.code, ...detail(reason) }, reason.message)
    },
    rejected({ inboundTag, source, email }, error) {
      const fields = { code: error.code, source, inbound: inboundTag, ...(email && { email }), ...detail(error) }
      const host = addressKey(endpointHost(source))
      if (due(`${host} ${error.code}`) && mayWarn()) {
        log.warn({ ...fields, ...(quiet > 0 && { notShown: quiet }) }, error.message)
        quiet = 0
      } else {
        log.info(fields, error.message)
        quiet++
      }
    },
  }
}

const dropped = (drops: Readonly<Totals> | undefined): object =>
  drops && drops.uplink + drops.downlink > 0 ? { droppedUp: drops.uplink, droppedDown: drops.downlink } : {}

/** How datagrams travelled. */
const by = ({ encoding }: Session): { encoding?: string } => (encoding === undefined ? {} : { encoding })

const named = ({ user: { email } }: Session): { email?: string } => (email ? { email } : {})
