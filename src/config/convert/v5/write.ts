/** V2Ray 5's own format ("jsonv5"). */
import { writableEnds, writableRules } from '../ends.ts'
import type { Losses } from '../lost.ts'
import { asList, asTexts, isPlain, type Plain, without } from '../plain.ts'
import { Taker } from '../taker.ts'
import { ruleFault as faultInV4 } from '../v4.ts'
import { writeDns } from './dns.ts'
import { refusal, writeInbound, writeOutbound } from './ends.ts'
import { hasInverseBlock, inverse } from './lists.ts'
import { writeRouter } from './router.ts'
import { writeServices } from './services.ts'

/** Why what nobody has taken stays behind. */
export const unknown = 'V2Ray 5’s own format has no place for it'

export function writeV5(whole: Plain, losses: Losses): Plain {
  const root = writableRules(writableEnds(whole, refusal, losses), ruleFault, losses)
  const fields = new Taker(root, '', losses, unknown)
  const ends = (key: 'inbounds' | 'outbounds', write: (end: Taker) => Plain) =>
    root[key] === undefined
      ? undefined
      : asList(fields.take(key)).map((end, i) => write(new Taker(end, `${key}[${i}]`, losses, unknown)))
  const written = {
    log: isPlain(root.log) ? log(fields.inside('log')) : undefined,
    dns: root.dns === undefined ? undefined : writeDns(fields.inside('dns')),
    router: root.routing === undefined ? undefined : writeRouter(fields.inside('routing')),
    inbounds: ends('inbounds', writeInbound),
    outbounds: ends('outbounds', writeOutbound),
    services: writeServices(fields),
  }
  fields.lose('remarks', unknown)
  fields.end()
  return without(written)
}

function ruleFault(rule: Plain): string | undefined {
  if (hasInverseBlock([...asTexts(rule.ip), ...asTexts(rule.source)])) return inverse
  return faultInV4(rule)
}

const levels: Readonly<Record<string, string>> = { debug: 'Debug', info: 'Info', warning: 'Warning', error: 'Error' }

/** Without a word there the access log is off, here it goes to standard output. */
function log(fields: Taker): Plain {
  const level = fields.text('loglevel').toLowerCase() || 'warning'
  const place = (key: 'access' | 'error'): Plain => {
    const path = fields.text(key)
    const off = path.toLowerCase() === 'none' || level === 'none'
    const error = key === 'error' && !off ? { level: levels[level] ?? 'Warning' } : {}
    return off ? { type: 'None' } : path === '' ? { type: 'Console', ...error } : { type: 'File', path, ...error }
  }
  const written = { access: place('access'), error: place('error') }
  fields.end()
  return written
}
