import { connect } from 'node:net'
import { Wire } from '../../test/interop/rig/wire.ts'

/** An open connection through a door. */
export async function openWire(port: number, stallMs = 15_000): Promise<Wire> {
  const wire = new Wire(connect({ host: '127.0.0.1', port }), 'bench', stallMs)
  await wire.connected()
  return wire
}
