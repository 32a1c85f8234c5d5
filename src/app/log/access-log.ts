/**
 * One line per flow, in Xray's form, because programs that count and block read it:
 * `<time> from <source> <accepted|rejected> <network:destination>[ [in >> out[ >> through …]]][ rule: <rule>][ sniffed: <name>][ <reason>][ email: <email>]`
 * The rule is ours; it stands in front because programs take everything behind `email: ` for the e-mail.
 *
 * Where Xray has a reason, datagrams inside a tunnel say how they travel (`encoding: xudp`). That is known when the outbound's
 * end is there, so their line is written then.
 */
import { formatAddress } from '../../core/address.ts'
import type { Clock } from '../../core/env.ts'
import type { Observer } from '../../core/observer.ts'
import { type Session, sniffedName } from '../../core/session.ts'
import type { LogTarget } from './target.ts'
import { formatTime, oneLine } from './text.ts'

interface AccessEntry {
  readonly from: string
  readonly status: 'accepted' | 'rejected'
  /** `''` when the peer was turned away before it named one. */
  readonly target: string
  readonly route: string
  /** What chose the outbound; `''` where no rule did. */
  readonly rule: string
  readonly reason: string
  /** The name that sniffing or fakedns found. */
  readonly sniffed?: string | undefined
  readonly encoding?: string
  readonly email: string
}

export interface AccessLogOptions {
  readonly target: LogTarget
  readonly json: boolean
  readonly clock: Clock
  /** Hides addresses as `maskAddress` says. */
  readonly mask: (text: string) => string
}

export function createAccessLog(options: AccessLogOptions): Observer {
  const write = (entry: AccessEntry) => {
    const now = options.clock.now()
    const masked = mapText(entry, (text) => options.mask(text))
    const line = options.json
      ? JSON.stringify({ time: new Date(now).toISOString(), log: 'access', ...withoutEmpty(masked) })
      : `${formatTime(now, { micros: true })} ${oneLine(formatAccess(masked))}`
    options.target.write(`${line}\n`)
  }
  return {
    routed(session, outboundTag) {
      if (session.network === 'tcp') write(accepted(session, outboundTag))
    },
    connected(session) {
      if (session.network === 'udp') write(accepted(session, session.outboundTag ?? ''))
    },
    failed(session, error) {
      // A flow that got as far as an outbound was accepted; the error log says what went wrong with it.
      if (session.outboundTag === undefined)
        write({ ...accepted(session, ''), status: 'rejected', reason: error.message })
      else if (session.network === 'udp') write(accepted(session, session.outboundTag))
    },
    rejected: (at, error) =>
      write({
        from: at.source,
        status: 'rejected',
        target: '',
        route: '',
        rule: '',
        reason: error.message,
        email: at.email,
      }),
  }
}

function accepted(session: Session, outboundTag: string): AccessEntry {
  return {
    from: session.source,
    status: 'accepted',
    target: `${session.network}:${formatAddress(session.target)}`,
    // An unnamed inbound is left out of the route, an unnamed outbound leaves no route at all: so does Xray.
    route: outboundTag === '' ? '' : routeOf(session, outboundTag),
    rule: session.rule ?? '',
    reason: '',
    sniffed: sniffedName(session),
    ...(session.encoding !== undefined && { encoding: session.encoding }),
    email: session.user.email,
  }
}

/** Outbounds that the first one leads through stand behind it; Xray does not show them. */
const routeOf = ({ inboundTag, through = [] }: Session, outboundTag: string): string =>
  [...(inboundTag === '' ? [] : [inboundTag]), outboundTag, ...through].join(' >> ')

function formatAccess(entry: AccessEntry): string {
  const route = entry.route === '' ? '' : ` [${entry.route}]`
  const rule = entry.rule === '' ? '' : ` rule: ${entry.rule}`
  const reason = entry.reason === '' ? '' : ` ${entry.reason}`
  const sniffed = entry.sniffed === undefined ? '' : ` sniffed: ${entry.sniffed}`
  const encoding = entry.encoding === undefined ? '' : ` encoding: ${entry.encoding}`
  const email = entry.email === '' ? '' : ` email: ${entry.email}`
  return `from ${entry.from} ${entry.status} ${entry.target}${route}${rule}${sniffed}${reason}${encoding}${email}`
}

function mapText(entry: AccessEntry, map: (text: string) => string): AccessEntry {
  return { ...entry, from: map(entry.from), target: map(entry.target), reason: map(entry.reason) }
}

const withoutEmpty = (entry: AccessEntry) =>
  Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== ''))
