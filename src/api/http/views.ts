/** The control's views as the API writes them: times as ISO 8601, sizes in bytes. */
import type { InboundView, ReloadReport, SessionView, StatusView, UserView } from '../../control/control.ts'
import type { Speed } from './traffic.ts'

export const iso = (ms: number): string => new Date(ms).toISOString()

export const userJson = ({ email, inbounds, limits, used, firstUse, connections, addresses }: UserView) => ({
  email,
  inbounds: inbounds.map(({ tag, id, level, alterId }) => ({ tag, id, level, alterId })),
  limits: { ...limits },
  used: { uplink: used.uplink, downlink: used.downlink },
  firstUse,
  connections,
  addresses: [...addresses],
})

export const sessionJson = ({ startedAt, totals, ...same }: SessionView, speed: Speed) => ({
  ...same,
  startedAt: iso(startedAt),
  totals: { ...totals },
  speed: { ...speed },
})

export const statusJson = ({ startedAt, uptimeS, ...same }: StatusView) => ({
  ...same,
  startedAt: iso(startedAt),
  uptime: uptimeS,
})

export const inboundJson = ({ tag, protocol, listening, connections, users }: InboundView) => ({
  tag,
  protocol,
  listening: [...listening],
  connections,
  users,
})

type Changes = ReloadReport['inbounds']

const changesJson = ({ added, changed, removed }: Changes) => ({
  added: [...added],
  changed: [...changed],
  removed: [...removed],
})

export const reloadJson = ({ inbounds, outbounds, users, routing, restart, warnings }: ReloadReport) => ({
  inbounds: changesJson(inbounds),
  outbounds: changesJson(outbounds),
  users: { ...users },
  routing,
  restart: [...restart],
  warnings: [...warnings],
})
