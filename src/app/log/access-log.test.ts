import { describe, expect, it } from 'vitest'
import { ProxyError } from '../../core/errors.ts'
import type { Session } from '../../core/session.ts'
import { createAccessLog } from './access-log.ts'
import { addressMask } from './mask-address.ts'

const at = new Date(2026, 10, 21, 6, 7, 8, 90).getTime()

function recorder(setting: { json?: boolean; mask?: string } = {}) {
  const lines: string[] = []
  const log = createAccessLog({
    target: { write: (line) => lines.push(line), reopen: () => {}, close: async () => {} },
    json: setting.json ?? false,
    clock: { now: () => at, elapsed: () => 0, after: () => () => {} },
    mask: addressMask(setting.mask ?? ''),
  })
  return { lines, log }
}

const session: Session = {
  id: 1,
  inboundTag: 'in',
  source: '192.0.2.7:50000',
  network: 'tcp',
  target: { host: 'example.com', port: 443 },
  user: { email: 'a@example.com', level: 0 },
  startedAt: at,
}
const time = '2026/11/21 06:07:08.090000'

describe('the access log', () => {
  it('writes an accepted flow in the shape of Xray', () => {
    const { lines, log } = recorder()
    log.routed?.(session, 'out')
    expect(lines).toEqual([
      `${time} from 192.0.2.7:50000 accepted tcp:example.com:443 [in >> out] email: a@example.com\n`,
    ])
  })

  it('leaves out what there is not', () => {
    const { lines, log } = recorder()
    const plain = { ...session, user: { email: '', level: 0 } }
    log.routed?.({ ...plain, inboundTag: '' }, 'out')
    log.connected?.({ ...plain, target: { host: '2001:db8::1', port: 53 }, network: 'udp', outboundTag: '' })
    expect(lines).toEqual([
      `${time} from 192.0.2.7:50000 accepted tcp:example.com:443 [out]\n`,
      `${time} from 192.0.2.7:50000 accepted udp:[2001:db8::1]:53\n`,
    ])
  })

  it('says how datagrams travel, once that is known', () => {
    const { lines, log } = recorder()
    const udp: Session = { ...session, network: 'udp', target: { host: '192.0.2.1', port: 9 }, outboundTag: 'out' }
    log.routed?.(udp, 'out')
    log.connected?.(session)
    expect(lines).toEqual([])
    log.connected?.({ ...udp, encoding: 'plain >> xudp' })
    log.failed?.(udp, new ProxyError('DIAL_FAILED', 'it is not there'))
    expect(lines).toEqual([
      `${time} from 192.0.2.7:50000 accepted udp:192.0.2.1:9 [in >> out] encoding: plain >> xudp email: a@example.com\n`,
      `${time} from 192.0.2.7:50000 accepted udp:192.0.2.1:9 [in >> out] email: a@example.com\n`,
    ])
  })

  it('shows the outbounds that the chosen one goes through', () => {
    const { lines, log } = recorder()
    log.routed?.({ ...session, user: { email: '', level: 0 }, through: ['front', 'far'] }, 'out')
    expect(lines).toEqual([`${time} from 192.0.2.7:50000 accepted tcp:example.com:443 [in >> out >> front >> far]\n`])
  })

  it('writes a peer that was turned away', () => {
    const { lines, log } = recorder()
    const error = new ProxyError('VMESS_INSECURE_REFUSED', 'Insecure encryption')
    log.rejected?.({ inboundTag: 'in', source: '192.0.2.7:50000', email: 'a@example.com' }, error)
    expect(lines).toEqual([`${time} from 192.0.2.7:50000 rejected  Insecure encryption email: a@example.com\n`])
  })

  it('writes a flow that never got an outbound, and not twice one that did', () => {
    const { lines, log } = recorder()
    const error = new ProxyError('NO_OUTBOUND', 'there is no outbound')
    log.failed?.({ ...session, user: { email: '', level: 0 } }, error)
    log.failed?.({ ...session, outboundTag: 'out' }, error)
    expect(lines).toEqual([`${time} from 192.0.2.7:50000 rejected tcp:example.com:443 there is no outbound\n`])
  })

  it('says what name was found behind an address', () => {
    const { lines, log } = recorder()
    const target = { host: '198.51.100.9', port: 443 }
    log.routed?.({ ...session, target, routed: { host: 'example.com', port: 443 }, rule: '#3' }, 'out')
    log.routed?.({ ...session, target, ruledBy: { host: 'example.com', port: 443 } }, 'out')
    log.routed?.({ ...session, target, routed: target }, 'out')
    const start = `${time} from 192.0.2.7:50000 accepted tcp:198.51.100.9:443 [in >> out]`
    expect(lines).toEqual([
      `${start} rule: #3 sniffed: example.com email: a@example.com\n`,
      `${start} sniffed: example.com email: a@example.com\n`,
      `${start} email: a@example.com\n`,
    ])
  })

  it('masks source and target', () => {
    const { lines, log } = recorder({ mask: 'quarter' })
    log.routed?.({ ...session, target: { host: '198.51.100.9', port: 80 } }, 'out')
    expect(lines[0]).toContain('from 192.*.*.*:50000 accepted tcp:198.*.*.*:80 ')
  })

  it('cannot be made to write a second line', () => {
    const { lines, log } = recorder()
    log.routed?.({ ...session, target: { host: 'a\n2026/11/21 forged', port: 1 } }, 'out')
    expect(lines[0]!.trimEnd()).not.toContain('\n')
  })

  it('writes JSON on request', () => {
    const { lines, log } = recorder({ json: true })
    log.routed?.(session, 'out')
    expect(JSON.parse(lines[0]!)).toEqual({
      time: new Date(at).toISOString(),
      log: 'access',
      from: '192.0.2.7:50000',
      status: 'accepted',
      target: 'tcp:example.com:443',
      route: 'in >> out',
      email: 'a@example.com',
    })
  })
})
