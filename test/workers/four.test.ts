/** More than two workers, the gRPC API over them, flows that come back, and an address that another is in the way of. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Caller, callerOf, userOf } from '../api/grpc-tools.ts'
import { freePorts } from '../interop/rig/harness.ts'
import { alice, bob, echoes, ended, Rig } from './rig.ts'

const patience = { timeout: 10_000 }
let rig: Rig
let caller: Caller
let [port, apiPort, loopPort] = [0, 0, 0]

const inbound = (more: object) => ({
  tag: 'in',
  listen: '127.0.0.1',
  port,
  protocol: 'vmess',
  settings: { clients: [alice] },
  ...more,
})
const looping = () => inbound({ tag: 'looping', port: loopPort })
const more = (listen = '127.0.0.1') => ({
  api: { tag: 'api', listen: `127.0.0.1:${apiPort}`, services: ['HandlerService', 'StatsService'] },
  inbounds: [inbound({ listen }), looping()],
  outbounds: [
    { protocol: 'freedom', tag: 'direct' },
    {
      protocol: 'vmess',
      tag: 'back',
      settings: {
        vnext: [{ address: '127.0.0.1', port: loopPort, users: [{ id: alice.id, security: 'aes-128-gcm' }] }],
      },
    },
  ],
  routing: { rules: [{ type: 'field', inboundTag: ['looping'], outboundTag: 'back' }] },
})

beforeAll(async () => {
  ;[port, apiPort, loopPort] = (await freePorts(3)) as [number, number, number]
  rig = await Rig.start({ workers: 4, more: more() })
  caller = callerOf(`127.0.0.1:${apiPort}`, 'v2ray')
})
afterEach(() => expect.poll(async () => (await rig.control.status()).connections, patience).toBe(0))
afterAll(async () => {
  caller.close()
  await rig.close()
})

const alter = (operation: string, of: object) =>
  caller.call('HandlerService.AlterInbound', {
    tag: 'in',
    operation: caller.typed(`app.proxyman.command.${operation}`, of),
  })

describe('four workers', () => {
  it('serve whom the gRPC API adds, count together, and drop whom it removes', async () => {
    await alter('AddUserOperation', { user: userOf(caller, bob.id, bob.email) })
    const conns = await rig.openMany(12, { id: bob.id })
    for (const conn of conns) expect(await echoes(conn)).toBe(true)
    expect(await rig.control.status()).toMatchObject({ connections: 12, sessions: 12 })
    const name = `user>>>${bob.email}>>>traffic>>>uplink`
    const { stat } = await caller.call<{ stat: { value: number } }>('StatsService.GetStats', { name, reset: true })
    expect(Number(stat.value)).toBe(12)
    await alter('RemoveUserOperation', { email: bob.email })
    await Promise.all(conns.map(ended))
    const tries = await Promise.allSettled(Array.from({ length: 4 }, () => rig.openMany(1, { id: bob.id })))
    expect(tries.map(({ status }) => status)).toEqual(Array(4).fill('rejected'))
  })

  it('notice a flow that comes back at its second visit, whoever of them dialled it', async () => {
    const loops = async () => (await rig.control.handshakes()).filter(({ inboundTag }) => inboundTag === 'looping')
    const address = { host: '127.0.0.1', port: loopPort }
    const tries = Array.from({ length: 8 }, () => rig.openMany(1, { address }).catch(() => {}))
    await Promise.all(tries)
    await expect
      .poll(
        async () => (await loops()).map(({ outcome, reason, count }) => `${outcome} ${reason} ${count}`).sort(),
        patience,
      )
      .toEqual(['accepted  8', 'refused LOOP_DETECTED 8'])
  })

  it('cannot go from one address to all of them at the same port, and say so', async () => {
    const address = { host: '127.0.0.1', port }
    const conns = await rig.openMany(2, { address })
    await expect(rig.reload({ more: more('0.0.0.0') })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: expect.stringContaining(`workers listen on 127.0.0.1:${port}`),
    })
    conns.push(...(await rig.openMany(2, { address })))
    for (const conn of conns) {
      expect(await echoes(conn)).toBe(true)
      conn.destroy()
    }
  })
})
